//! How the lab itself did during the load.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use super::{Growth, LabFigures, Taint, Window};
use crate::history::{Call, FaultOp, History, LabSample, LagSample, LinkState, Nanos, Tenures};

/// The figures, with the taints that follow from them.
pub(super) fn lab(
    samples: &[LabSample],
    lag: &[LagSample],
    faults: &History<FaultOp>,
    load: Window,
    cores: u64,
    primaries: &Tenures,
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
        longest_sampler_gap: longest_gap(lag, faults, load, primaries),
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

/// The longest time during the load without a lag sample: each time, every replica of that moment is sampled. Time in which
/// the primary did not answer, or something was done to it, is not the sampler's.
fn longest_gap(lag: &[LagSample], faults: &History<FaultOp>, load: Window, primaries: &Tenures) -> Nanos {
    // Whether anything was known of any replica then.
    let mut rounds: BTreeMap<Nanos, bool> = BTreeMap::new();
    for sample in lag.iter().filter(|sample| (load.start..=load.end).contains(&sample.time)) {
        *rounds.entry(sample.time).or_default() |= sample.state != LinkState::Unknown;
    }
    if rounds.is_empty() {
        return Nanos(0);
    }
    rounds.entry(load.start).or_insert(true);
    rounds.entry(load.end).or_insert(true);
    let disturbed = |start: Nanos, end: Nanos| {
        let overlaps = |call: &Call<'_, FaultOp>| call.start <= end && call.end >= start;
        faults.calls().filter(overlaps).any(|call| primaries.may_hold(call.node, start, end))
    };
    let rounds: Vec<(Nanos, bool)> = rounds.into_iter().collect();
    let gaps = rounds.windows(2).filter_map(|pair| {
        let [(start, before), (end, after)] = *pair else { return None };
        (before && after).then_some((start, end))
    });
    // The longest first: few are looked at twice.
    let mut gaps: Vec<(Nanos, Nanos)> = gaps.collect();
    gaps.sort_by_key(|(start, end)| std::cmp::Reverse(end.since(*start)));
    let own = gaps.into_iter().find(|(start, end)| !disturbed(*start, *end));
    own.map_or(Nanos(0), |(start, end)| end.since(start))
}
