//! Figures of histories given as text.

mod lag;
mod service;

use super::*;
use crate::history::notation::{Notation, history};
use crate::history::{CauseClass, LinkState, Nanos};

/// Figures of the given histories, without samples.
fn of(orders: &str, counter: &str, faults: &str) -> Figures {
    with_samples(orders, counter, faults, &[], &[])
}

fn with_samples(orders: &str, counter: &str, faults: &str, lag: &[LagSample], lab: &[LabSample]) -> Figures {
    let orders = some::<OrdersOp>(orders);
    let counter = some::<CounterOp>(counter);
    let recorded: Vec<Recorded<'_>> =
        [orders.as_ref().map(Recorded::Orders), counter.as_ref().map(Recorded::Counter)]
            .into_iter()
            .flatten()
            .collect();
    figures(&recorded, &history(faults), lag, lab, 2, NodeName::primary())
}

fn some<O: Notation>(text: &str) -> Option<History<O>> {
    (!text.is_empty()).then(|| history(text))
}

fn ms(ms: u64) -> Nanos {
    Nanos::from_millis(ms)
}

fn window(start: u64, end: u64) -> Window {
    Window { start: ms(start), end: ms(end) }
}

#[test]
fn nothing_is_no_figures() {
    let none = of("", "", "");
    assert_eq!(none.load, Window::default());
    assert!(none.operations.is_empty() && none.rate.is_empty() && none.latency.is_empty());
    assert_eq!(none.lab.taints.len(), 1);
    assert!(none.lab.taints[0].contains("nobody knows"));
}

#[test]
fn the_load_is_between_its_writes() {
    let text = "0-1 9 stock = 1:9+0 o0 d0; 10-12 0 order = 1; 13-14 8@replica-1 stock = 1:9+0 o0 d0; 20-30 0 order = 2; 40-41 9 stock = 1:7+2 o2 d2";
    let figures = of(text, "5-6 0 inc 1 = 1; 50-51 9 all = 1", "");
    assert_eq!(figures.load, window(0, 20));
    let counted: Vec<_> = figures
        .operations
        .iter()
        .map(|of| (of.workload.as_str(), of.operation.as_str(), of.node.as_str(), of.invoked))
        .collect();
    assert_eq!(
        counted,
        [
            ("orders", "order", "primary", 2),
            ("orders", "read stock", "replica-1", 1),
            ("counter", "increment", "primary", 1),
        ]
    );
    // Without writes, everything is load.
    assert_eq!(of("", "5-6 1 all = 0; 50-51 9 all = 0", "").load, window(0, 50));
    // What waits at the end does not make the load longer, and readers go on until they are told to stop.
    let waits =
        "0-1 0 inc 1 = 1; 2-9000 0 inc 1 ? deadline; 60-61 5@replica-1 own 1/0 = 1; 9500-9501 9 all = 1";
    assert_eq!(of("", waits, "").load, window(0, 60));
}

#[test]
fn every_operation_has_one_ending() {
    let text = "0-10 0 order = 1; 0-20 1 order = 2; 5-6 2 order ! refused; 6-7 2 order ! server; 7-8 2 order ? lost; 9-100 3 order ...";
    let figures = of(text, "", "");
    let [order] = &figures.operations[..] else { panic!("{:?}", figures.operations) };
    assert_eq!((order.invoked, order.ok, order.fail, order.refused, order.info), (6, 2, 2, 1, 2));
    assert_eq!(order.invoked, order.ok + order.fail + order.info);
    assert_eq!((order.latency.count, order.latency.max, order.latency.endless), (2, ms(20), 2));
    assert!((order.ok_per_second - 2.0 / 0.009).abs() < 1e-6, "{}", order.ok_per_second);
}

#[test]
fn outcomes_over_time() {
    let text = "0-10 0 order = 1; 10-30 0 order = 2; 30-35 1 order ! refused; 35-36 1 order ! server; 36-37 1 order ? lost; 0-65 2 order = 3; 40-41 3@replica-1 stock = 1:9+0 o0 d0; 60-61 3@replica-1 stock ! lost";
    let figures = of(text, "", "");
    assert_eq!((figures.rate.len(), figures.rate[0].width), (60, ms(1)));
    let sum = |of: fn(&RatePoint) -> u64| figures.rate.iter().map(of).sum::<u64>();
    assert_eq!(
        [
            sum(|p| p.write_ok),
            sum(|p| p.write_fail),
            sum(|p| p.write_refused),
            sum(|p| p.write_info),
            sum(|p| p.read_ok),
            sum(|p| p.read_fail)
        ],
        [3, 1, 1, 1, 1, 1]
    );
    // What ends after the load's last invocation is in its last bin.
    assert_eq!((figures.rate[59].write_ok, figures.rate[59].time), (1, ms(59)));
    let latency: Vec<_> = figures.latency.iter().map(|point| (point.time, point.max)).collect();
    assert_eq!(latency, [(ms(10), ms(10)), (ms(30), ms(20)), (ms(59), ms(65))]);
}

#[test]
fn errors_by_kind() {
    let text = "0-1 0 order ! server; 1-2 0 order ! server; 2-3 0 order ? server; 3-4 1 order ! refused; 4-5 2 order = 1; 6-7 9@replica-1 ledger 0 ! cannot";
    let errors: Vec<_> = of(text, "", "")
        .errors
        .into_iter()
        .map(|error| {
            (error.class, error.operation, error.node.to_string(), error.fail, error.info, error.example)
        })
        .collect();
    let text = str::to_owned;
    assert_eq!(
        errors,
        [
            (CauseClass::Server, text("order"), text("primary"), 2, 1, text("server happened")),
            (CauseClass::Refused, text("order"), text("primary"), 1, 0, text("refused happened")),
            (
                CauseClass::CannotConnect,
                text("read ledger"),
                text("replica-1"),
                1,
                0,
                text("cannot happened")
            ),
        ]
    );
}

#[test]
fn the_lab_is_watched() {
    let text = "0-1 0 inc 1 = 1; 2000-2001 0 inc 1 = 2";
    let lab = |time, delay, cpu| LabSample {
        time: ms(time),
        loop_delay: ms(delay),
        cpu,
        rss: 7,
        open_files: 9,
        log_bytes: None,
    };
    let lag = |time, state| lag::sample(time, state, "");
    let streaming: Vec<LagSample> = (0..=20).map(|n| lag(n * 100, LinkState::Streaming)).collect();
    let taints = |samples: &[LabSample], lag: &[LagSample], faults| {
        with_samples("", text, faults, lag, samples).lab.taints
    };
    let fine = [lab(500, 2, 0.5), lab(1_000, 3, 0.7), lab(9_000, 900, 2.0)];
    assert_eq!(taints(&fine, &streaming, ""), [""; 0]);
    let figures = with_samples("", text, "", &streaming, &fine).lab;
    assert_eq!((figures.cpu, figures.peak_rss, figures.cores), (0.6, 7, 2));
    assert_eq!(figures.longest_sampler_gap, ms(100));

    let late = taints(&[lab(500, 251, 0.5)], &streaming, "");
    assert_eq!(
        late,
        [
            "The load's event loop ran late (p95 251 ms, at most 251 ms): times and rates include the lab's own delay."
        ]
    );
    assert_eq!(
        taints(&[lab(500, 1, 1.9)], &streaming, ""),
        ["The lab used 1.9 of 2 cores: times and rates are those of a machine without room."]
    );
    assert_eq!(taints(&[], &streaming, "").len(), 1);

    // The sampler paused: in the middle, at the end; while the primary was down, and while something was done to it.
    let middle =
        [lag(100, LinkState::Streaming), lag(1_200, LinkState::Streaming), lag(1_900, LinkState::Streaming)];
    assert_eq!(
        taints(&fine, &middle, ""),
        ["No lag was sampled for 1.10 s while the primary answered: a peak of lag may have gone unseen."]
    );
    assert_eq!(taints(&fine, &middle[..1], "").len(), 1);
    let down =
        [lag(100, LinkState::Unknown), lag(1_200, LinkState::Streaming), lag(1_900, LinkState::Streaming)];
    assert_eq!(taints(&fine, &down, ""), [""; 0]);
    assert_eq!(taints(&fine, &middle, "200-300 nemesis@primary crash"), [""; 0]);
    assert_eq!(taints(&fine, &middle, "200-300 nemesis@replica-1 crash").len(), 1);

    // After a failover another node is sampled, and what is done to the new primary counts.
    let of_old = |time| LagSample { node: NodeName::primary(), ..lag(time, LinkState::Streaming) };
    let old = |time| lag(time, LinkState::Streaming);
    let moved: Vec<_> = (0..11).map(|n| old(n * 100)).chain((11..=20).map(|n| of_old(n * 100))).collect();
    let promotion = "950-1050 nemesis@replica-1 promote";
    assert_eq!(taints(&fine, &moved, promotion), [""; 0]);
    let paused = [of_old(1_100), of_old(1_950)].into_iter().chain(moved.iter().take(11).cloned());
    let mut paused: Vec<_> = paused.collect();
    assert_eq!(with_samples("", text, promotion, &paused, &fine).lab.longest_sampler_gap, ms(850));
    let crash = format!("{promotion}; 1300-1400 nemesis@replica-1 crash");
    paused.sort_by_key(|sample| sample.time);
    assert_eq!(with_samples("", text, &crash, &paused, &fine).lab.longest_sampler_gap, ms(100));
}
