//! A bench in words, the same in every format.

use super::model::{Bench, Group, Row};
use crate::check::{Promise, Verdict};
use crate::measure::{Estimate, Standing};
use crate::report::outcome::{Tone, exit_meaning};
use crate::report::words::{count, plain, plural, rate};

/// What stands under the tables.
pub(super) const LEGEND: [&str; 5] = [
    "time, and what the counter held in the end, are medians over the repetitions; so are p50 and p99 of the laps' own \
     percentiles, from a task's first attempt to its acknowledgement; max is the largest of all. Rates are geometric means.",
    "lost: acknowledged and not there in the end. exact: what was acknowledged was there, no more and no less, in every \
     repetition; in range: between what was acknowledged and that and the unknown outcomes together.",
    "In brackets: 95 % bootstrap intervals over the repetitions, each comparison by itself. Methods are compared within a \
     repetition, their order rotates from one to the next.",
    "faster, slower: the whole interval is on one side of 1. inconclusive: it is not, or there were fewer than six \
     repetitions.",
    "†: replab's own process used most of a core, so that the rate is its own as much as the server's.",
];

/// From here on the lab's single thread of clients is what limits the rate.
const BUSY: f64 = 0.8;

/// How a bench ended, in a word.
pub(super) fn headline(bench: &Bench) -> (&'static str, Tone) {
    match bench.exit_code {
        12 => ("LAB FAILED", Tone::Bad),
        0 => ("VALID", Tone::Good),
        1 => ("INVALID", Tone::Bad),
        130 => ("INTERRUPTED", Tone::Unknown),
        _ => ("UNKNOWN", Tone::Unknown),
    }
}

/// What its exit code means.
pub(super) fn meaning(bench: &Bench) -> &'static str {
    match bench.exit_code {
        0 => "every method kept its promise",
        1 => "a method broke its promise",
        code => exit_meaning(code),
    }
}

/// What was measured, in one line.
pub(super) fn what(bench: &Bench) -> String {
    let mut clients: Vec<u32> = bench.groups.iter().map(|group| group.clients).collect();
    clients.dedup();
    clients.sort_unstable();
    clients.dedup();
    let clients: Vec<String> = clients.iter().map(ToString::to_string).collect();
    let same = bench.groups.windows(2).all(|pair| pair[0].each == pair[1].each);
    let each = bench.groups.first().filter(|_| same).and_then(|group| group.each);
    let each = each.map(|each| format!(" × {}", count(each.into()))).unwrap_or_default();
    let faults = bench.faults.as_ref().map(|faults| format!(", with {faults}")).unwrap_or_default();
    plain(&format!(
        "{}, {} clients{each}, {}, on {}, PostgreSQL {}, synchronous_commit {}{faults}, seed {}",
        bench.name,
        clients.join(", "),
        plural(u64::from(bench.repeat), "repetition"),
        bench.cluster,
        bench.server,
        bench.synchronous_commit,
        bench.seed
    ))
}

/// What decided, in one sentence.
pub(super) fn decisive(bench: &Bench) -> String {
    let rows = || bench.groups.iter().flat_map(|group| group.rows.iter().map(move |row| (group, row)));
    let named = |verdict: Verdict| {
        let rows = rows().filter(|(_, row)| row.verdict() == verdict && !row.laps.is_empty());
        rows.map(|(group, row)| format!("{} with {}", row.method, plural(group.clients.into(), "client")))
            .collect::<Vec<_>>()
    };
    let laps: usize = rows().map(|(_, row)| row.laps.len()).sum();
    let planned: usize = rows().count() * bench.repeat as usize;
    let kept = rows().filter(|(_, row)| row.promise != Promise::Loses).flat_map(|(_, row)| &row.laps);
    let short = kept.filter(|lap| lap.balance.lost > 0).count() as u64;
    let mut parts: Vec<String> = bench.failed.iter().map(|why| plain(why)).collect();
    match (named(Verdict::Fail), named(Verdict::Unknown)) {
        (failed, _) if !failed.is_empty() => parts.push(format!("wrong in the end: {}", failed.join(", "))),
        (_, unknown) if !unknown.is_empty() => {
            parts.push(format!("nothing can be said of {}", unknown.join(", ")));
        }
        _ if laps == 0 => {}
        _ if short > 0 => parts.push(format!(
            "acknowledged tasks were lost in {} of {}, where that is not claimed, or the server had warned of it",
            count(short),
            plural(laps as u64, "lap")
        )),
        _ => parts.push(format!(
            "what was acknowledged was there in the end in each of {}, but where it is meant to get lost",
            plural(laps as u64, "lap")
        )),
    }
    if !bench.durable {
        parts.push(format!("acknowledged commits may be lost here: {}", bench.theory));
    }
    if let Some(mistake) = &bench.mistake {
        parts.push(format!("a mistake was made on purpose: {mistake}"));
    }
    if laps < planned {
        parts.push(format!("{} of {} were made", count(laps as u64), plural(planned as u64, "lap")));
    }
    parts.join("; ")
}

/// A group's heading.
pub(super) fn title(group: &Group) -> String {
    plain(&format!("{}, {}", group.title, plural(group.clients.into(), "client")))
}

/// The mark of a row.
pub(super) fn tone(row: &Row) -> Tone {
    match row.verdict() {
        _ if row.laps.is_empty() => Tone::Unknown,
        Verdict::Pass => Tone::Good,
        Verdict::Unknown => Tone::Unknown,
        Verdict::Fail => Tone::Bad,
    }
}

/// Its verdict: the worst lap's, of equally bad ones the first that says more than the last.
pub(super) fn verdict(row: &Row) -> String {
    let worst = row.verdict();
    let of = row.laps.iter().filter(|lap| lap.balance.verdict == worst);
    let (mut reasons, mut wrong) = (Vec::new(), 0);
    for lap in of {
        wrong += 1;
        if !reasons.contains(&lap.balance.reason) {
            reasons.push(lap.balance.reason.clone());
        }
    }
    let reason = match (reasons.as_slice(), worst) {
        ([], _) => "not measured".to_owned(),
        ([reason], Verdict::Pass) => reason.clone(),
        (_, Verdict::Pass) if row.promise == Promise::NotDurable => {
            let lost = row.laps.iter().filter(|lap| lap.balance.lost > 0).count();
            format!("lost some in {lost} of {} laps, not claimed", row.laps.len())
        }
        (_, Verdict::Pass) => "as expected".to_owned(),
        (reasons, _) => format!("{} (in {wrong} of {} laps)", reasons[0], row.laps.len()),
    };
    format!("{} {}", tone(row).mark(), plain(&reason))
}

/// A rate, marked where it is the lab's own.
pub(super) fn rate_of(row: &Row) -> String {
    let busy = row.laps.iter().any(|lap| lap.busy > BUSY);
    let mark = if busy { " †" } else { "" };
    row.summary.rate.map_or_else(|| "–".to_owned(), |of| format!("{}{mark}", rate(of.mean)))
}

/// `1,234 (1,100–1,300)`; of too few values only the number.
pub(super) fn interval(estimate: Option<Estimate>, show: fn(f64) -> String) -> String {
    match estimate {
        None => "–".to_owned(),
        Some(of) if of.is_interval() => format!("{} ({}–{})", show(of.mean), show(of.low), show(of.high)),
        Some(of) => show(of.mean),
    }
}

/// What a comparison says, in a word.
pub(super) fn standing(row: &Row) -> &'static str {
    match row.summary.standing {
        Some(Standing::Faster) => "faster",
        Some(Standing::Slower) => "slower",
        Some(Standing::Inconclusive) => "inconclusive",
        None => "",
    }
}

/// Three digits behind the point for what is near to 1, fewer for what is far.
pub(super) fn ratio(value: f64) -> String {
    if value < 10.0 { format!("{value:.3}") } else { format!("{value:.1}") }
}

/// How often one thing is in another: two digits behind the point below 1, one above.
pub(super) fn times(value: f64) -> String {
    if value < 1.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// Seconds, or what there is of them.
pub(super) fn seconds(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2} s"))
}

/// How long it took, for a footer.
pub(super) fn took(bench: &Bench) -> String {
    format!("{:.0} s in all", bench.seconds)
}

/// What was done to whom in which lap.
pub(super) fn faults(bench: &Bench) -> Vec<String> {
    let mut lines = Vec::new();
    for group in &bench.groups {
        for row in &group.rows {
            for lap in row.laps.iter().filter(|lap| !lap.faults.is_empty()) {
                lines.push(plain(&format!(
                    "{}, repetition {}: {}",
                    row.method,
                    lap.repetition,
                    lap.faults.join("; ")
                )));
            }
        }
    }
    lines
}

/// Every method once, with what it does.
pub(super) fn methods(bench: &Bench) -> Vec<(&str, &str)> {
    let mut methods: Vec<(&str, &str)> = Vec::new();
    for row in bench.groups.iter().flat_map(|group| &group.rows) {
        if !methods.contains(&(row.method.as_str(), row.about.as_str())) {
            methods.push((&row.method, &row.about));
        }
    }
    methods
}
