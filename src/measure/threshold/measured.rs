//! The value of a metric, with what stands against trusting it.

use super::{Metric, Stat};
use crate::history::Nanos;
use crate::measure::{Figures, LagFigures, OperationFigures, Percentiles, RatePoint, Taint};

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
            measured.worst(seen.map(in_nanos), "no acknowledged increment was looked for on a replica");
        }
        Metric::ReplayLag(stat) => {
            figures.lag.iter().for_each(|replica| apart_in_time(&mut measured, replica));
            let known = figures.lag.iter().filter_map(|replica| stat.of(&replica.replay_time));
            measured.worst(known.map(in_nanos), "PostgreSQL reported no replay_lag");
        }
        Metric::LagBytes => {
            figures.lag.iter().for_each(|replica| apart_in_bytes(&mut measured, replica));
            let known = figures.lag.iter().filter_map(|replica| replica.max_replay_bytes);
            measured.worst(
                known.map(|bytes| bytes as f64),
                "no sample shows how much of the log a replica lacks",
            );
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

/// The share of increments never seen up to which `lag.max` is that of the seen ones. The largest is among the unseen if
/// there is any, and some always are: readers stop with the writers, and nobody looks for the last few.
const LAST_FEW: f64 = 0.01;

fn unseen(measured: &mut Measured, replica: &LagFigures, stat: Stat) {
    let LagFigures { node, visibility, .. } = replica;
    let Percentiles { count, endless: never, .. } = *visibility;
    let total = count + never;
    let decisive = match stat {
        Stat::Max => never as f64 > LAST_FEW * total as f64,
        Stat::P50 | Stat::P95 | Stat::P99 | Stat::P999 => visibility.is_bound(stat.quantile()),
    };
    if count == 0 {
        measured.doubts.push(format!("no read on {node} showed any acknowledged increment"));
    } else if decisive {
        measured
            .doubts
            .push(format!("no read on {node} ever showed {never} of {total} acknowledged increments"));
    } else if never > 0 {
        let ranked = if stat == Stat::Max { "are left out" } else { "count as later than any" };
        measured.notes.push(format!("{never} of {total} increments that no read on {node} showed {ranked}"));
    }
}

/// PostgreSQL's own times say nothing of a replica that is not connected, and it can only have been further behind.
fn apart_in_time(measured: &mut Measured, replica: &LagFigures) {
    let LagFigures { node, samples, disconnected, .. } = replica;
    if !never_connected(measured, replica) && *disconnected > 0 {
        measured.doubts.push(format!(
            "{node} was disconnected in {disconnected} of {samples} samples, and PostgreSQL reports no time then"
        ));
    }
    unanswered(measured, replica);
}

fn apart_in_bytes(measured: &mut Measured, replica: &LagFigures) {
    let LagFigures { node, samples, disconnected, unmeasured, .. } = replica;
    if !never_connected(measured, replica) && *unmeasured > 0 {
        measured.doubts.push(format!(
            "how far behind {node} was is unknown for {unmeasured} of {samples} samples without connection"
        ));
    } else if *disconnected > 0 {
        measured.notes.push(format!(
            "in {disconnected} of {samples} samples {node} was disconnected: they count from the last replay position that was heard of"
        ));
    }
    unanswered(measured, replica);
}

fn never_connected(measured: &mut Measured, replica: &LagFigures) -> bool {
    let LagFigures { node, samples, disconnected, unknown, .. } = replica;
    let never = *samples == disconnected + unknown;
    if never {
        measured.doubts.push(format!("{node} was not connected in any of {samples} samples"));
    }
    never
}

fn unanswered(measured: &mut Measured, replica: &LagFigures) {
    let LagFigures { node, samples, unknown, .. } = replica;
    if *unknown > 0 {
        measured
            .notes
            .push(format!("in {unknown} of {samples} samples of {node} the primary gave no answer"));
    }
}

fn latency(measured: &mut Measured, figures: &Figures, operation: &str, stat: Stat) {
    let of = || figures.operations.iter().filter(|of| of.operation == operation);
    for line in of() {
        let OperationFigures { node, invoked, latency, .. } = line;
        let endless = latency.endless;
        if line.ok == 0 {
            measured.doubts.push(format!("none of {invoked} on {node} succeeded"));
        } else if latency.is_bound(stat.quantile()) {
            measured.doubts.push(format!("{endless} of {invoked} on {node} got no answer"));
        } else if endless > 0 {
            measured
                .notes
                .push(format!("{endless} of {invoked} on {node} got no answer and count as longer than any"));
        }
    }
    let known = of().filter_map(|of| stat.of(&of.latency));
    measured.worst(known.map(in_nanos), &format!("no `{operation}` succeeded"));
}

fn in_nanos(time: Nanos) -> f64 {
    time.0 as f64
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
