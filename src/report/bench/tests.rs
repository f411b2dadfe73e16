//! What laps say together, and what stands in the tables.

use super::*;
use crate::check::{Increments, Promise, Rows};
use crate::history::Nanos;
use crate::measure::{Percentiles, Standing};
use crate::report::Look;

/// A lap of `rate` increments a second in which `found` of a thousand were there in the end.
fn lap(repetition: u32, rate: f64, found: i64, promise: Promise) -> Lap {
    let increments =
        Increments { acknowledged: 1_000, warned: 0, unknown: 0, found: Some(found), rows: None };
    let ms = |ms: u64| Nanos::from_millis(ms * u64::from(repetition));
    Lap {
        repetition,
        turn: 1,
        seconds: 1_000.0 / rate,
        increments,
        balance: increments.judge(promise, Rows::Counted),
        rate,
        latency: Some(Percentiles {
            count: 1_000,
            p50: ms(1),
            p95: ms(4),
            p99: ms(5),
            p999: ms(8),
            max: ms(9),
            ..Percentiles::default()
        }),
        retries: 500,
        given_up: 0,
        failed: 0,
        inserted: None,
        orphaned: None,
        busy: 0.3,
        late: Nanos(0),
        faults: Vec::new(),
    }
}

fn row(method: &str, promise: Promise, laps: Vec<Lap>) -> Row {
    Row {
        method: method.to_owned(),
        about: format!("how {method} does it"),
        promise,
        original: None,
        summary: Summary::default(),
        laps,
    }
}

fn group(clients: u32, rows: Vec<Row>) -> Group {
    Group {
        title: "increments".to_owned(),
        task: "increment".to_owned(),
        value: "counter".to_owned(),
        clients,
        each: Some(100),
        base: "in-place".to_owned(),
        rows,
    }
}

fn bench(groups: Vec<Group>) -> Bench {
    let mut bench = Bench {
        format: 1,
        exit_code: 0,
        name: "counter".to_owned(),
        complete: true,
        failed: None,
        id: "bench-counter-x".to_owned(),
        started: "2026-01-01T00:00:00+00:00".to_owned(),
        seconds: 12.0,
        version: "0".to_owned(),
        machine: vec!["two cores".to_owned()],
        server: "17.0".to_owned(),
        cluster: "local, 1 primary".to_owned(),
        synchronous_commit: "on".to_owned(),
        repeat: 6,
        seed: 1,
        faults: None,
        durable: true,
        theory: "nothing happens".to_owned(),
        retries: "until it is done, at once".to_owned(),
        mistake: None,
        reproduce: "replab bench counter".to_owned(),
        groups,
        remarks: Vec::new(),
        not_checked: vec!["everything else".to_owned()],
    };
    bench.settle();
    bench
}

/// Six laps of about `rate`.
fn laps(rate: f64, found: i64, promise: Promise) -> Vec<Lap> {
    let noise = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0];
    (1..).zip(noise).map(|(repetition, noise)| lap(repetition, rate * noise, found, promise)).collect()
}

fn rows(slow: f64) -> Vec<Row> {
    vec![
        row("lost-update", Promise::Loses, laps(900.0, 400, Promise::Loses)),
        row("in-place", Promise::Kept, laps(1_000.0, 1_000, Promise::Kept)),
        row("row-lock", Promise::Kept, laps(slow, 1_000, Promise::Kept)),
    ]
}

#[test]
fn methods_are_compared_within_repetitions() {
    let bench = bench(vec![group(10, rows(500.0))]);
    assert_eq!((bench.exit_code, words::headline(&bench).0), (0, "VALID"));
    let [lost, base, slow] = &bench.groups[0].rows[..] else { panic!() };
    // The noise is the same, lap by lap, so that the ratio has none.
    let against = slow.summary.against.unwrap();
    assert!((against.mean - 0.5).abs() < 1e-9 && (against.high - against.low).abs() < 1e-9, "{against:?}");
    assert_eq!((slow.summary.standing, base.summary.standing), (Some(Standing::Slower), None));
    assert_eq!((lost.summary.lost, lost.summary.value), (Some(600.0), Some(400.0)));
    assert_eq!(
        (words::verdict(lost), words::verdict(base)),
        ("✓ as expected".to_owned(), "✓ exact".to_owned())
    );
    // The median of 1 to 6 ms, and the largest of all.
    let latency = base.summary.latency.unwrap();
    assert_eq!((latency.p50, latency.max), (Nanos(3_500_000), Nanos::from_millis(54)));
    assert_eq!(base.summary.retries, Some(0.5));
}

#[test]
fn one_bad_lap_makes_a_method_wrong() {
    let mut rows = rows(500.0);
    rows[2].laps[3] = lap(4, 500.0, 998, Promise::Kept);
    let bench = bench(vec![group(10, rows)]);
    assert_eq!(bench.exit_code, 1);
    assert_eq!(words::verdict(&bench.groups[0].rows[2]), "✗ 2 lost (in 1 of 6 laps)");
    assert!(words::decisive(&bench).starts_with("wrong in the end: row-lock with 10 clients"));
}

#[test]
fn what_was_not_measured_is_not_valid() {
    let cut = vec![row("in-place", Promise::Kept, Vec::new())];
    let unmeasured = bench(vec![group(10, cut.clone())]);
    assert_eq!(
        (unmeasured.exit_code, words::verdict(&unmeasured.groups[0].rows[0])),
        (3, "? not measured".to_owned())
    );
    let mut interrupted = bench(vec![group(10, cut)]);
    interrupted.complete = false;
    interrupted.settle();
    assert_eq!((interrupted.exit_code, words::headline(&interrupted).0), (130, "INTERRUPTED"));
    interrupted.failed = Some("a node died".to_owned());
    interrupted.settle();
    assert_eq!((interrupted.exit_code, words::headline(&interrupted).0), (12, "LAB FAILED"));
}

#[test]
fn what_was_lost_where_it_may_be_is_not_said_to_be_there() {
    let mut rows = rows(500.0);
    rows[1].promise = Promise::NotDurable;
    rows[1].laps[2] = lap(3, 1_000.0, 990, Promise::NotDurable);
    let lossy = bench(vec![group(10, rows)]);
    assert_eq!((lossy.exit_code, lossy.groups[0].rows[1].summary.lost), (0, Some(0.0)));
    assert!(
        words::decisive(&lossy).starts_with("acknowledged tasks were lost in 1 of 18 laps"),
        "{}",
        words::decisive(&lossy)
    );
    assert_eq!(words::verdict(&lossy.groups[0].rows[1]), "✓ lost some in 1 of 6 laps, not claimed");
    let mut cut = bench(vec![group(10, vec![row("in-place", Promise::Kept, Vec::new())])]);
    cut.complete = false;
    assert_eq!(words::decisive(&cut), "0 of 6 laps were made");
}

#[test]
fn few_repetitions_have_no_interval() {
    let mut rows = rows(500.0);
    rows.iter_mut().for_each(|row| row.laps.truncate(5));
    let short = bench(vec![group(10, rows)]);
    let table = columns::comparison(&short.groups[0]).unwrap();
    assert_eq!(table.rows[2][1..], ["500", "0.500", "inconclusive"]);
}

#[test]
fn with_faults_nothing_is_compared() {
    let mut bench = bench(vec![group(10, rows(500.0))]);
    bench.faults = Some("crash(primary)@1s".to_owned());
    bench.settle();
    assert!(columns::comparison(&bench.groups[0]).is_none());
}

#[test]
fn several_numbers_of_clients_make_a_curve() {
    let bench = bench(vec![group(1, rows(500.0)), group(8, rows(700.0))]);
    let [(title, table)] = &columns::scaling(&bench)[..] else { panic!() };
    assert_eq!((title.as_str(), table.header.join(" ")), ("increments", "clients 1 8".to_owned()));
    assert_eq!(table.rows[2], ["row-lock", "500", "700"]);
    let page = html(&bench);
    assert!(page.contains("id=\"scaling-0\"") && page.contains("row-lock: 500 at 1, 700 at 8."), "{page}");
    assert!(columns::scaling(&self::bench(vec![group(1, rows(500.0))])).is_empty());
}

#[test]
fn the_original_is_compared_by_tasks_a_second() {
    let mut rows = rows(500.0);
    // A hundred attempts a second, of which a tenth counted: attempts are what ours are compared with.
    rows[0].original = Some(Original { seconds: 10.0, value: 100, tasks: 1_000 });
    rows[2].original = Some(Original { seconds: 10.0, value: 500, tasks: 1_000 });
    let bench = bench(vec![group(10, rows)]);
    let table = columns::originals(&bench.groups[0]).unwrap();
    let times: Vec<&str> = table.rows.iter().filter_map(|row| row.last()).map(String::as_str).collect();
    assert_eq!(times, ["9.0", "10.0"]);
}

#[test]
fn every_format_says_the_same() {
    let bench = bench(vec![group(10, rows(500.0))]);
    let terminal = terminal(&bench, Look { color: false, width: 100 });
    let markdown = markdown(&bench);
    let page = html(&bench);
    for word in ["row-lock", "VALID", "slower", "0.500", "as expected", "everything else", "until it is done"]
    {
        for text in [&terminal, &markdown, &page] {
            assert!(text.contains(word), "no `{word}` in {text}");
        }
    }
    assert!(terminal.lines().all(|line| line.chars().count() <= 100), "{terminal}");
    for chart in ["group-0-rate", "group-0-latency", "group-0-retries"] {
        assert!(page.contains(&format!("id=\"{chart}\"")), "{chart}");
    }
    let read: Bench = serde_json::from_str(&json(&bench)).unwrap();
    assert_eq!(json(&read), json(&bench));
}
