//! The figures of a run of 30 s with a crash of the primary at 8 s and a restart of the replica at 16 s.

use replab::history::{CauseClass, LinkState, Nanos, NodeName};
use replab::measure::{
    Availability, ErrorCount, Figures, Growth, LabFigures, LagFigures, LagPoint, LatencyPoint,
    OperationFigures, Outage, Percentiles, RatePoint, Recovery, Window,
};

/// The load begins half a second after the run.
const ORIGIN: u64 = 500;
const LENGTH: u64 = 30_000;
const BINS: u64 = 120;

fn at(milliseconds: u64) -> Nanos {
    Nanos::from_millis(ORIGIN + milliseconds)
}

/// A number from 0 to 1 that looks random and is always the same.
fn noise(n: u64) -> f64 {
    let mixed = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 24)
}

fn percentiles(count: u64, microseconds: [u64; 5]) -> Percentiles {
    let [p50, p95, p99, p999, max] = microseconds.map(|value| Nanos(value * 1_000));
    Percentiles { count, endless: 0, p50, p95, p99, p999, max }
}

pub(super) fn with_crash() -> Figures {
    Figures {
        load: Window { start: at(0), end: at(LENGTH) },
        operations: operations(),
        rate: (0..BINS).map(rate).collect(),
        latency: (0..BINS).filter_map(latency).collect(),
        lag: vec![lag("replica-1", 300)],
        recoveries: recoveries(),
        availability: vec![
            Availability {
                node: NodeName::primary(),
                gaps: vec![Window { start: at(8_004), end: at(9_214) }],
            },
            Availability {
                node: NodeName::replica(1),
                gaps: vec![Window { start: at(16_010), end: at(16_540) }],
            },
        ],
        outages: vec![Outage {
            node: None,
            gaps: vec![Window { start: at(8_004), end: at(9_214) }],
            total: at(1_210),
            unended: false,
        }],
        errors: errors(),
        lab: LabFigures {
            loop_delay: percentiles(30_000, [61, 142, 420, 1_900, 4_100]),
            cpu: 0.62,
            cores: 2,
            peak_rss: 61_400_000,
            rss: Growth { early: 52_000_000, late: 61_400_000 },
            open_files: Growth { early: 41, late: 42 },
            log_bytes: Growth { early: 33_554_432, late: 67_108_864 },
            longest_sampler_gap: Nanos::from_millis(214),
            taints: Vec::new(),
        },
    }
}

fn operations() -> Vec<OperationFigures> {
    let line = |workload: &str, operation: &str, node: &str, counts: [u64; 4], latency: [u64; 5]| {
        let [ok, fail, refused, info] = counts;
        OperationFigures {
            workload: workload.to_owned(),
            operation: operation.to_owned(),
            node: NodeName::new(node),
            invoked: ok + fail + info,
            ok,
            fail,
            refused,
            info,
            ok_per_second: ok as f64 / (LENGTH as f64 / 1e3),
            latency: Percentiles { endless: info, ..percentiles(ok, latency) },
        }
    };
    vec![
        line(
            "orders",
            "order",
            "primary",
            [24_410, 1_402, 1_380, 8],
            [6_800, 12_400, 47_100, 212_000, 312_000],
        ),
        line("orders", "read stock", "primary", [1_604, 2, 0, 0], [1_100, 2_900, 8_000, 41_000, 61_000]),
        line("orders", "read stock", "replica-1", [1_600, 11, 0, 0], [980, 2_400, 7_200, 22_000, 38_000]),
        line("counter", "increment", "primary", [31_877, 25, 0, 7], [1_930, 4_200, 19_800, 88_000, 209_000]),
        line("counter", "read counters", "primary", [10_022, 1, 0, 0], [610, 1_200, 3_300, 18_000, 40_000]),
        line("counter", "read counters", "replica-1", [8_204, 64, 0, 0], [590, 1_150, 2_900, 17_000, 35_000]),
    ]
}

fn rate(bin: u64) -> RatePoint {
    let start = bin * LENGTH / BINS;
    let down = (8_000..9_200).contains(&start);
    let replica_down = (16_000..16_500).contains(&start);
    let scaled = |full: f64, salt: u64| (full * (0.85 + 0.3 * noise(bin * 7 + salt))) as u64;
    RatePoint {
        time: at(start),
        width: Nanos::from_millis(LENGTH / BINS),
        write_ok: if down { 0 } else { scaled(510.0, 1) },
        write_fail: if down { 3 } else { 0 },
        write_refused: if start > 24_000 { scaled(60.0, 2) } else { 0 },
        write_info: if start == 8_000 { 15 } else { 0 },
        read_ok: if down { scaled(90.0, 3) } else { scaled(if replica_down { 95.0 } else { 180.0 }, 3) },
        read_fail: if replica_down { 30 } else { 0 },
    }
}

fn latency(bin: u64) -> Option<LatencyPoint> {
    let start = bin * LENGTH / BINS;
    let base = 2_000_000.0 * (0.9 + 0.2 * noise(bin * 3));
    let tail = if (9_200..10_200).contains(&start) { 14.0 } else { 1.0 + 2.0 * noise(bin * 5) };
    let nanos = |factor: f64| Nanos((base * factor) as u64);
    (!(8_000..9_200).contains(&start)).then(|| LatencyPoint {
        time: at(start),
        p50: nanos(1.0),
        p95: nanos(2.1 * tail.sqrt()),
        p99: nanos(4.0 * tail),
        max: nanos(9.0 * tail * (1.0 + noise(bin))),
    })
}

/// The lag of `node` in `points` samples over the run.
pub(crate) fn lag(node: &str, points: u64) -> LagFigures {
    let mut unseen = (0, 0);
    let points: Vec<LagPoint> = (0..points)
        .map(|n| {
            let start = n * LENGTH / points;
            let state = match start {
                8_000..8_900 => LinkState::Unknown,
                8_900..9_400 | 16_000..16_500 => LinkState::Disconnected,
                9_400..9_900 | 16_500..17_200 => LinkState::Catchup,
                _ => LinkState::Streaming,
            };
            unseen.0 += u64::from(state == LinkState::Disconnected);
            unseen.1 += u64::from(state == LinkState::Unknown);
            let connected = matches!(state, LinkState::Streaming | LinkState::Catchup);
            let burst = if state == LinkState::Catchup { 140.0 } else { 1.0 };
            let spike = if noise(n * 31) > 0.97 { 12.0 } else { 1.0 };
            let idle = start > 28_500;
            let bytes = |scale: f64, salt: u64| {
                let size = scale * burst * spike * (0.3 + noise(n * 13 + salt));
                connected.then_some(if idle { 0 } else { size as u64 })
            };
            let sent = bytes(700.0, 1);
            let more =
                |less: Option<u64>, scale, salt| bytes(scale, salt).zip(less).map(|(more, less)| more + less);
            let written = more(sent, 1_400.0, 2);
            let flushed = more(written, 4_000.0, 3);
            let replayed = more(flushed, 6_500.0, 4);
            let time = |scale: f64, salt: u64| {
                let nanos = scale * 1e6 * burst.sqrt() * spike * (0.4 + noise(n * 17 + salt));
                (connected && !idle).then_some(Nanos(nanos as u64))
            };
            LagPoint {
                time: at(start),
                state,
                sent,
                written,
                flushed,
                replayed,
                write_lag: time(0.4, 1),
                flush_lag: time(2.2, 2),
                replay_lag: time(3.1, 3),
                visibility: time(5.2, 4),
            }
        })
        .collect();
    LagFigures {
        node: NodeName::new(node),
        samples: points.len() as u64,
        disconnected: unseen.0,
        unknown: unseen.1,
        max_replay_bytes: points.iter().filter_map(|point| point.replayed).max(),
        unmeasured: 0,
        replay_time: percentiles(280, [3_100, 9_800, 44_000, 61_000, 63_500]),
        visibility: Percentiles {
            endless: 4,
            ..percentiles(8_204, [5_200, 18_900, 312_000, 501_000, 522_000])
        },
        never_seen: Some(4),
        points,
    }
}

fn recoveries() -> Vec<Recovery> {
    vec![
        Recovery {
            action: "crash".to_owned(),
            node: NodeName::primary(),
            healing: false,
            invoked: at(8_000),
            applied: Some(at(8_006)),
            detail: "7 processes of process group 4711 killed with SIGKILL".to_owned(),
            silenced: true,
            answered: Some(at(9_180)),
            first_success: Some(at(9_214)),
            unavailable: Some(Nanos::from_millis(1_210)),
            unavailable_is_bound: false,
            resolution: Some(Nanos::from_millis(7)),
        },
        Recovery {
            action: "restart".to_owned(),
            node: NodeName::replica(1),
            healing: false,
            invoked: at(16_000),
            applied: Some(at(16_210)),
            detail: "shut down fast, started again".to_owned(),
            silenced: true,
            answered: Some(at(16_500)),
            first_success: Some(at(16_540)),
            unavailable: Some(Nanos::from_millis(530)),
            unavailable_is_bound: false,
            resolution: Some(Nanos::from_millis(4)),
        },
    ]
}

fn errors() -> Vec<ErrorCount> {
    let count =
        |class, sqlstate: Option<&str>, operation: &str, node: &str, counts: (u64, u64), example: &str| {
            ErrorCount {
                class,
                sqlstate: sqlstate.map(str::to_owned),
                operation: operation.to_owned(),
                node: NodeName::new(node),
                fail: counts.0,
                info: counts.1,
                example: example.to_owned(),
            }
        };
    vec![
        count(CauseClass::Refused, None, "order", "primary", (1_380, 0), "out of stock: product 17"),
        count(
            CauseClass::CannotConnect,
            None,
            "read counters",
            "replica-1",
            (64, 0),
            "connect to 127.0.0.1: Connection refused (os error 111)",
        ),
        count(
            CauseClass::Server,
            Some("57P03"),
            "increment",
            "primary",
            (25, 0),
            "FATAL: the database system is starting up",
        ),
        count(
            CauseClass::ConnectionLost,
            None,
            "increment",
            "primary",
            (0, 7),
            "connection closed while the commit was under way",
        ),
        count(
            CauseClass::ConnectionLost,
            None,
            "order",
            "primary",
            (22, 8),
            "connection closed while the commit was under way",
        ),
    ]
}

/// Leaves out what a history would not have that ends `milliseconds` into the load.
pub(super) fn cut_at(figures: &mut Figures, milliseconds: u64) {
    let end = at(milliseconds);
    figures.load.end = end;
    figures.rate.retain(|bin| bin.time + bin.width <= end);
    figures.latency.retain(|point| point.time <= end);
    figures.availability.iter_mut().for_each(|node| node.gaps.retain(|gap| gap.end <= end));
    for lag in &mut figures.lag {
        lag.points.retain(|point| point.time <= end);
        lag.samples = lag.points.len() as u64;
        lag.disconnected =
            lag.points.iter().filter(|point| point.state == LinkState::Disconnected).count() as u64;
    }
}
