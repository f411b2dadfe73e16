//! The value of a metric, with what stands against trusting it.

use super::{Metric, Stat};
use crate::history::Nanos;
use crate::measure::{Figures, LagFigures, Percentiles, RatePoint, Taint};

/// What was measured.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Over what was seen; `None` where nothing was.
    pub(super) value: Option<f64>,
    /// What was not seen, and can only have been worse.
    pub(super) doubts: Vec<String>,
    /// What the value leaves out, and a reader should know.
    pub(super) notes: Vec<String>,
    /// Why the figure may be the lab's own doing.
    pub(super) taint: Option<String>,
}

impl Measured {
    /// The largest of what was seen; with nothing seen, a doubt that says so.
    fn worst(&mut self, values: impl Iterator<Item = f64>, nothing: &str) {
        self.value = values.reduce(f64::max);
        if self.value.is_none() {
            self.doubts.insert(0, nothing.to_owned());
        }
    }
}

pub(super) fn measure(metric: &Metric, figures: &Figures) -> Measured {
    let mut measured = Measured { taint: taint(metric, figures), ..Measured::default() };
    match metric {
        Metric::Lag(stat) => {
            for replica in &figures.lag {
                unseen(&mut measured, replica, *stat);
            }
            let seen = figures.lag.iter().filter_map(|replica| stat.of(&replica.visibility));
            measured.worst(seen, "no acknowledged increment was looked for on a replica");
        }
        Metric::ReplayLag(stat) => {
            figures.lag.iter().for_each(|replica| apart(&mut measured, replica));
            let known = figures.lag.iter().filter_map(|replica| stat.of(&replica.replay_time));
            measured.worst(known, "PostgreSQL reported no replay_lag");
        }
        Metric::LagBytes => {
            figures.lag.iter().for_each(|replica| apart(&mut measured, replica));
            let sampled =
                figures.lag.iter().filter(|replica| replica.points.iter().any(|p| p.replayed.is_some()));
            measured.worst(sampled.map(|replica| replica.max_replay_bytes as f64), "no lag was sampled");
        }
        Metric::Latency(operation, stat) => latency(&mut measured, figures, operation, *stat),
        Metric::WriteRate => rate(&mut measured, figures, |point| point.write_ok),
        Metric::ReadRate => rate(&mut measured, figures, |point| point.read_ok),
        Metric::Unavailable => {
            let nodes = figures.availability.iter();
            let longest = nodes.map(|node| {
                node.gaps.iter().map(|gap| gap.end.since(gap.start)).max().unwrap_or(Nanos(0)).0 as f64
            });
            measured.worst(longest, "no node was asked anything");
        }
        Metric::Unknown => number(&mut measured, figures, |info, _, _| info),
        Metric::Failed => number(&mut measured, figures, |_, fail, refused| fail.saturating_sub(refused)),
        Metric::Refused => number(&mut measured, figures, |_, _, refused| refused),
    }
    measured
}

fn unseen(measured: &mut Measured, replica: &LagFigures, stat: Stat) {
    let Percentiles { count, .. } = replica.visibility;
    let never = replica.never_seen;
    let share = never as f64 / (count + never).max(1) as f64;
    if count == 0 {
        measured.doubts.push(format!("no read on {} showed any acknowledged increment", replica.node));
    } else if share > stat.tolerance() {
        measured.doubts.push(format!(
            "no read on {} ever showed {never} of {} acknowledged increments",
            replica.node,
            count + never
        ));
    } else if never > 0 {
        measured
            .notes
            .push(format!("{never} increments that no read on {} showed are left out", replica.node));
    }
}

/// Time without a connection is in no sample of lag.
fn apart(measured: &mut Measured, replica: &LagFigures) {
    let LagFigures { node, samples, disconnected, unknown, .. } = replica;
    if *samples == disconnected + unknown {
        measured.doubts.push(format!("{node} was not connected in any of {samples} samples"));
    } else if disconnected + unknown > 0 {
        measured.notes.push(format!(
            "of {samples} samples of {node}, {disconnected} found it disconnected and {unknown} got no answer from the primary"
        ));
    }
}

fn latency(measured: &mut Measured, figures: &Figures, operation: &str, stat: Stat) {
    let of = || figures.operations.iter().filter(|of| of.operation == operation);
    for mute in of().filter(|of| of.ok == 0) {
        measured.doubts.push(format!("none of {} on {} succeeded", mute.invoked, mute.node));
    }
    measured.worst(of().filter_map(|of| stat.of(&of.latency)), &format!("no `{operation}` succeeded"));
}

fn rate(measured: &mut Measured, figures: &Figures, of: impl Fn(&RatePoint) -> u64) {
    let seconds = figures.load.end.since(figures.load.start).as_secs_f64();
    let total: u64 = figures.rate.iter().map(of).sum();
    let rate = (seconds > 0.0).then(|| total as f64 / seconds);
    measured.worst(rate.into_iter(), "there was no load");
}

fn number(measured: &mut Measured, figures: &Figures, of: impl Fn(u64, u64, u64) -> u64) {
    let total: u64 = figures.operations.iter().map(|o| of(o.info, o.fail, o.refused)).sum();
    let asked = !figures.operations.is_empty();
    measured.worst(asked.then_some(total as f64).into_iter(), "there was no load");
}

/// Which taint spoils `metric`, if one does: the rules stand in [`Taint`]'s module.
fn taint(metric: &Metric, figures: &Figures) -> Option<String> {
    let by_the_load = match metric {
        Metric::Lag(_) | Metric::Latency(..) | Metric::WriteRate | Metric::ReadRate | Metric::Unavailable => {
            true
        }
        Metric::ReplayLag(_) | Metric::LagBytes => false,
        Metric::Unknown | Metric::Failed | Metric::Refused => return None,
    };
    let spoils = |taint: &Taint| match taint {
        Taint::LoopDelay | Taint::Cpu | Taint::Unwatched => by_the_load,
        Taint::SamplerGap => !by_the_load,
    };
    let known = Taint::of(&figures.lab);
    let sentences: Vec<String> = known.iter().map(|taint| taint.sentence(&figures.lab)).collect();
    // A taint that somebody else found spoils everything that is not a count.
    let other = figures.lab.taints.iter().find(|taint| !sentences.contains(taint)).cloned();
    known.iter().find(|taint| spoils(taint)).map(|taint| taint.sentence(&figures.lab)).or(other)
}
