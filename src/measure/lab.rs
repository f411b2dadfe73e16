//! How the lab itself did during the load.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::{Growth, LabFigures, Taint, Window};
use crate::history::{FaultOp, History, LabSample, LagSample, LinkState, Nanos, NodeName};

/// The figures, with the taints that follow from them.
pub(super) fn lab(
    samples: &[LabSample],
    lag: &[LagSample],
    faults: &History<FaultOp>,
    load: Window,
    cores: u64,
    primary: NodeName,
) -> LabFigures {
    let during: Vec<&LabSample> =
        samples.iter().filter(|sample| (load.start..=load.end).contains(&sample.time)).collect();
    let mut loop_delay = Distribution::new();
    during.iter().for_each(|sample| loop_delay.add(sample.loop_delay));
    let cpu: f64 = during.iter().map(|sample| sample.cpu).sum();
    let mut figures = LabFigures {
        loop_delay: loop_delay.percentiles(),
        cpu: if during.is_empty() { 0.0 } else { cpu / during.len() as f64 },
        cores,
        peak_rss: samples.iter().map(|sample| sample.rss).max().unwrap_or(0),
        rss: growth(&during, load, |sample| Some(sample.rss)),
        open_files: growth(&during, load, |sample| Some(sample.open_files)),
        log_bytes: growth(&during, load, |sample| sample.log_bytes),
        longest_sampler_gap: longest_gap(lag, faults, load, primary),
        taints: Vec::new(),
    };
    figures.taints = Taint::of(&figures).iter().map(|taint| taint.sentence(&figures)).collect();
    figures
}

fn growth(samples: &[&LabSample], load: Window, of: fn(&LabSample) -> Option<u64>) -> Growth {
    let tenth = load.end.since(load.start).0 / 10;
    let median = |from: u64, to: u64| {
        let within = samples.iter().filter(|sample| (from..=to).contains(&sample.time.since(load.start).0));
        let mut values: Vec<u64> = within.filter_map(|sample| of(sample)).collect();
        values.sort_unstable();
        values.get(values.len() / 2).copied().unwrap_or(0)
    };
    Growth { early: median(tenth, 2 * tenth), late: median(9 * tenth, 10 * tenth + 10) }
}

/// The longest time during the load without a lag sample of some replica. Time in which the primary did not answer,
/// or something was done to it, is not the sampler's.
fn longest_gap(lag: &[LagSample], faults: &History<FaultOp>, load: Window, primary: NodeName) -> Nanos {
    let mut by_node: BTreeMap<NodeName, Vec<(Nanos, LinkState)>> = BTreeMap::new();
    for sample in lag.iter().filter(|sample| (load.start..=load.end).contains(&sample.time)) {
        by_node
            .entry(sample.node)
            .or_insert_with(|| vec![(load.start, LinkState::Streaming)])
            .push((sample.time, sample.state));
    }
    by_node.values_mut().for_each(|samples| samples.push((load.end, LinkState::Streaming)));
    let disturbed = |start: Nanos, end: Nanos| {
        faults.calls().any(|call| call.node == primary && call.start <= end && call.end >= start)
    };
    let mut longest = Nanos(0);
    for pair in by_node.values().flat_map(|samples| samples.windows(2)) {
        let [(start, before), (end, after)] = *pair else { continue };
        let answered = before != LinkState::Unknown && after != LinkState::Unknown;
        let gap = end.since(start);
        if answered && gap > longest && !disturbed(start, end) {
            longest = gap;
        }
    }
    longest
}
