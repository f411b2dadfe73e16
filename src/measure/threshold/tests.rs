use super::*;
use crate::history::{CauseClass, LinkState, Nanos, NodeName};
use crate::measure::{
    Availability, ErrorCount, LabFigures, LagPoint, OperationFigures, Percentiles, RatePoint, Window,
};
use crate::measure::{Figures, LagFigures};

fn percentiles(count: u64, ms: u64) -> Percentiles {
    let of = Nanos::from_millis;
    Percentiles {
        count,
        endless: 0,
        p50: of(ms),
        p95: of(2 * ms),
        p99: of(3 * ms),
        p999: of(4 * ms),
        max: of(5 * ms),
    }
}

fn replica(number: usize, ms: u64, never_seen: u64) -> LagFigures {
    let point = LagPoint {
        time: Nanos(0),
        state: LinkState::Streaming,
        sent: None,
        written: None,
        flushed: None,
        replayed: Some(2_000),
        write_lag: None,
        flush_lag: None,
        replay_lag: None,
        visibility: None,
    };
    LagFigures {
        node: NodeName::replica(number),
        samples: 10,
        disconnected: 0,
        unknown: 0,
        max_replay_bytes: Some(2_000),
        unmeasured: 0,
        replay_time: percentiles(5, ms),
        visibility: Percentiles { endless: never_seen, ..percentiles(1_000, ms) },
        never_seen: Some(never_seen),
        points: vec![point],
    }
}

fn operation(name: &str, node: NodeName, ok: u64, ms: u64) -> OperationFigures {
    OperationFigures {
        workload: "orders".to_owned(),
        operation: name.to_owned(),
        node,
        invoked: ok + 7,
        ok,
        fail: 5,
        refused: 4,
        info: 2,
        ok_per_second: 0.0,
        latency: percentiles(ok, ms),
    }
}

/// Two seconds, 3,000 writes and 500 reads, two replicas.
fn sample() -> Figures {
    let point = RatePoint {
        time: Nanos(0),
        width: Nanos::from_millis(2_000),
        write_ok: 3_000,
        write_fail: 1,
        write_refused: 4,
        write_info: 2,
        read_ok: 500,
        read_fail: 0,
    };
    let gap = Window { start: Nanos::from_millis(100), end: Nanos::from_millis(400) };
    Figures {
        load: Window { start: Nanos(0), end: Nanos::from_millis(2_000) },
        operations: vec![
            operation("order", NodeName::primary(), 3_000, 2),
            operation("read own counter", NodeName::replica(1), 500, 4),
            operation("read own counter", NodeName::replica(2), 0, 9),
        ],
        rate: vec![point],
        lag: vec![replica(1, 10, 0), replica(2, 20, 0)],
        availability: vec![
            Availability { node: NodeName::primary(), gaps: vec![gap] },
            Availability { node: NodeName::replica(1), gaps: vec![] },
        ],
        errors: vec![ErrorCount {
            class: CauseClass::Server,
            sqlstate: None,
            operation: "order".to_owned(),
            node: NodeName::primary(),
            fail: 5,
            info: 2,
            example: String::new(),
        }],
        lab: LabFigures { loop_delay: percentiles(100, 1), cores: 2, ..LabFigures::default() },
        ..Figures::default()
    }
}

fn hold(text: &str, figures: &Figures) -> (Met, Option<String>) {
    let evaluation = evaluate(&text.parse().unwrap(), figures);
    assert!(!evaluation.reason.is_empty());
    (evaluation.met, evaluation.measured)
}

#[test]
fn limits_on_what_was_measured() {
    for (text, met, measured) in [
        ("lag.p50<=20ms", Met::Yes, "20.0 ms"),
        ("lag.p50<20ms", Met::No, "20.0 ms"),
        ("lag.p50 == 20 ms", Met::Yes, "20.0 ms"),
        ("lag.p99<500ms", Met::Yes, "60.0 ms"),
        ("lag.max < 0.05s", Met::No, "100 ms"),
        ("lag.p999>=80000us", Met::Yes, "80.0 ms"),
        ("lag.replay.p95<1min", Met::Yes, "40.0 ms"),
        ("lag.bytes.max<=2kB", Met::Yes, "2.0 kB"),
        ("lag.bytes.max<1KiB", Met::No, "2.0 kB"),
        ("latency.order.p99<50ms", Met::Yes, "6.00 ms"),
        ("latency.order.max<10ms", Met::No, "10.0 ms"),
        ("rate.ok>=1000", Met::Yes, "1500.0/s"),
        ("rate.ok>2_000/s", Met::No, "1500.0/s"),
        ("rate.reads>=250", Met::Yes, "250.0/s"),
        ("unavailable.max<5s", Met::Yes, "300 ms"),
        ("unavailable.max<100ms", Met::No, "300 ms"),
        ("errors.unknown<=6", Met::Yes, "6"),
        ("errors.unknown<=5", Met::No, "6"),
        ("errors.failed==3", Met::Yes, "3"),
        ("errors.refused>0", Met::Yes, "12"),
    ] {
        assert_eq!(hold(text, &sample()), (met, Some(measured.to_owned())), "{text}");
    }
}

#[test]
fn what_was_not_measured_is_unknown() {
    for metric in Metric::all() {
        let zero = match metric.unit() {
            Unit::Time => "0s",
            Unit::Bytes | Unit::PerSecond | Unit::Number => "0",
        };
        for sign in ["<=", ">="] {
            let found = hold(&format!("{metric}{sign}{zero}"), &Figures::default());
            assert_eq!(found, (Met::Unknown, None), "{metric}");
        }
    }
    // One replica shows nothing: whether the limit is kept is unknown, that it is missed is not.
    let mut figures = sample();
    figures.lag[1].visibility = Percentiles::default();
    assert_eq!(hold("lag.p50<20ms", &figures).0, Met::Unknown);
    assert_eq!(hold("lag.p50<5ms", &figures).0, Met::No);
    // Nobody on replica-2 ever got an answer.
    assert_eq!(hold("latency.read-own-counter.p99<1s", &figures).0, Met::Unknown);
    assert_eq!(hold("latency.read-own-counter.p99<1ms", &figures).0, Met::No);
}

#[test]
fn what_was_never_seen_counts() {
    let with = |never_seen| Figures { lag: vec![replica(1, 10, never_seen)], ..sample() };
    let met = |text, never_seen| hold(text, &with(never_seen)).0;
    // Of 1,000 and 9 more, the unseen ones are less than a hundredth; of 1,000 and 11, more.
    assert_eq!([met("lag.p99<1s", 9), met("lag.p99<1s", 11)], [Met::Yes, Met::Unknown]);
    assert_eq!([met("lag.max<1s", 9), met("lag.max<1s", 11)], [Met::Yes, Met::Unknown]);
    assert_eq!([met("lag.p999<1s", 1), met("lag.p999<1s", 2)], [Met::Yes, Met::Unknown]);
    assert_eq!([met("lag.p50<1s", 999), met("lag.p50<1s", 1_001)], [Met::Yes, Met::Unknown]);
    assert_eq!(met("lag.p99<1ms", 11), Met::No);
    let reason = evaluate(&"lag.p99<1s".parse().unwrap(), &with(9)).reason;
    assert_eq!(
        reason,
        "30.0 ms is within the limit; 9 of 1009 increments that no read on replica-1 showed count as later than any"
    );
}

#[test]
fn what_got_no_answer_took_longer_than_any() {
    let with = |endless| {
        let mut figures = sample();
        figures.operations[0].latency.endless = endless;
        figures
    };
    let met = |text, endless| hold(text, &with(endless)).0;
    assert_eq!([met("latency.order.p99<1s", 30), met("latency.order.p99<1s", 31)], [Met::Yes, Met::Unknown]);
    assert_eq!([met("latency.order.max<1s", 0), met("latency.order.max<1s", 1)], [Met::Yes, Met::Unknown]);
    assert_eq!(met("latency.order.p99<1ms", 31), Met::No);
    let told = evaluate(&"latency.order.p99<1s".parse().unwrap(), &with(31));
    assert_eq!(told.reason, "31 of 3007 on primary got no answer");
}

#[test]
fn time_without_a_connection_counts() {
    let mut figures = sample();
    figures.lag[0].disconnected = 3;
    figures.lag[0].unknown = 1;
    let told = evaluate(&"lag.bytes.max<1MB".parse().unwrap(), &figures);
    assert_eq!(
        (told.met, told.reason.as_str()),
        (
            Met::Yes,
            "2.0 kB is within the limit; in 3 of 10 samples replica-1 was disconnected: they count from the last replay position that was heard of; in 1 of 10 samples of replica-1 the primary gave no answer"
        )
    );
    // PostgreSQL has no time then, and it would only have been longer.
    assert_eq!(
        [hold("lag.replay.p50<1s", &figures).0, hold("lag.replay.p50<1ms", &figures).0],
        [Met::Unknown, Met::No]
    );
    figures.lag[0].unmeasured = 1;
    let told = evaluate(&"lag.bytes.max<1MB".parse().unwrap(), &figures);
    assert_eq!(
        (told.met, told.reason.as_str()),
        (
            Met::Unknown,
            "how far behind replica-1 was is unknown for 1 of 10 samples without connection; in 1 of 10 samples of replica-1 the primary gave no answer"
        )
    );
    assert_eq!(hold("lag.bytes.max<1kB", &figures).0, Met::No);
    figures.lag[0].disconnected = 9;
    assert_eq!(hold("lag.bytes.max<1MB", &figures).0, Met::Unknown);
}

#[test]
fn a_tainted_figure_is_unknown() {
    let mut late = sample();
    late.lab.loop_delay = percentiles(100, 100);
    for text in
        ["lag.p50<1s", "latency.order.p50<1s", "latency.order.p50<1ns", "rate.ok>1", "unavailable.max<1min"]
    {
        assert_eq!(hold(text, &late).0, Met::Unknown, "{text}");
    }
    assert_eq!(hold("lag.bytes.max<1MB", &late).0, Met::Yes);
    assert_eq!(hold("errors.unknown<100", &late).0, Met::Yes);
    let told = evaluate(&"rate.ok>1".parse().unwrap(), &late);
    assert!(told.reason.starts_with("The load's event loop ran late"), "{}", told.reason);
    assert_eq!(told.measured.as_deref(), Some("1500.0/s"));

    let mut busy = sample();
    busy.lab.cpu = 1.9;
    assert_eq!(hold("rate.ok>1", &busy).0, Met::Unknown);
    let unwatched = Figures { lab: LabFigures { cores: 2, ..LabFigures::default() }, ..sample() };
    assert_eq!(hold("rate.ok>1", &unwatched).0, Met::Unknown);

    let mut paused = sample();
    paused.lab.longest_sampler_gap = Nanos::from_millis(1_001);
    assert_eq!(hold("lag.bytes.max<1MB", &paused).0, Met::Unknown);
    assert_eq!(hold("lag.replay.p50<1s", &paused).0, Met::Unknown);
    assert_eq!(hold("lag.p50<1s", &paused).0, Met::Yes);

    let mut other = sample();
    other.lab.taints.push("The machine slept.".to_owned());
    assert_eq!(hold("lag.p50<1s", &other).0, Met::Unknown);
    assert_eq!(hold("errors.unknown<100", &other).0, Met::Yes);
}

#[test]
fn every_metric_is_parsed_from_its_name() {
    for metric in Metric::all() {
        assert_eq!(metric.to_string().parse::<Metric>(), Ok(metric.clone()));
    }
    let limit: Limit = "lag.p99 < 500ms".parse().unwrap();
    assert_eq!(
        (limit.comparison, limit.value, limit.to_string()),
        (Comparison::Below, 5e8, "lag.p99 < 500ms".to_owned())
    );
}

#[test]
fn says_what_is_wrong_with_a_text() {
    for (text, words) in [
        ("lag.p99", "it has no <, <=, >, >= or =="),
        ("", "it has no <, <=, >, >= or =="),
        ("lag.p98<1s", "did you mean `lag.p9"),
        ("latency.orders.p99<1s", "did you mean `latency.order.p99`?"),
        ("rate.okay>1", "did you mean `rate.ok`?"),
        ("durability.lost==0", "Guarantees such as durability are no figures"),
        ("lag.p99<500", "it needs a unit: one of ns, us, µs, ms, s, min"),
        ("lag.p99<500 hours", "its unit is not `hours` but one of"),
        ("lag.p99<fast", "does not begin with a number"),
        ("lag.p99<", "does not begin with a number"),
        ("lag.p99<-1s", "does not begin with a number"),
        ("lag.p99<1.2.3s", "does not begin with a number"),
        ("lag.p99=<1s", "there is no metric `lag.p99=`"),
        ("errors.unknown<3s", "it is a number and has no unit `s`"),
        ("rate.ok>1/min", "its unit is not `/min` but one of /s"),
    ] {
        let error = text.parse::<Limit>().unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&format!("`{text}`")), "{text}: {error}");
    }
}
