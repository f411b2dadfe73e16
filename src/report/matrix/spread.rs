//! The runs of a cell together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{CellRun, Measured, State, Timed};
use crate::history::{Nanos, NodeName};

/// The smallest, the middle and the largest of some values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// How many there are.
    pub count: u64,
    /// The smallest.
    pub min: u64,
    /// One of them: half are not above it (nearest rank).
    pub median: u64,
    /// The largest.
    pub max: u64,
    /// Whether one of them is only a lower bound, and with it these.
    pub at_least: bool,
}

/// What a cell's runs say together. Counts are numbers, times are nanoseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The worst of its runs.
    pub state: State,
    /// How many of them have figures; what follows is of these.
    pub measured: u64,
    /// How many of these may have measured the lab.
    pub tainted: u64,
    /// Commits acknowledged.
    pub acknowledged: Option<Spread>,
    /// Of these, lost.
    pub lost: Option<Spread>,
    /// From the acknowledgement of the first lost one to that of the last, over the runs that lost any.
    pub span: Option<Spread>,
    /// How long no write was answered.
    pub writes_out: Option<Spread>,
    /// From the fault to the first commit.
    pub first_commit: Option<Spread>,
    /// How long no read was answered, by node.
    pub reads_out: Vec<NodeSpread>,
}

/// Of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NodeSpread {
    /// The node.
    #[schemars(with = "String")]
    pub node: NodeName,
    /// How long.
    pub out: Spread,
}

impl Spread {
    /// Of values, each with whether it is only a lower bound.
    pub(super) fn of(values: impl Iterator<Item = (u64, bool)>) -> Option<Spread> {
        let mut values: Vec<(u64, bool)> = values.collect();
        values.sort_unstable();
        let (&(min, _), &(max, _)) = (values.first()?, values.last()?);
        let (median, _) = values[(values.len() - 1) / 2];
        let at_least = values.iter().any(|(_, at_least)| *at_least);
        Some(Spread { count: values.len() as u64, min, median, max, at_least })
    }

    fn of_times(times: impl Iterator<Item = Timed>) -> Option<Spread> {
        Spread::of(times.map(|timed| (timed.time.0, timed.at_least)))
    }
}

impl Summary {
    /// Of the runs of one cell.
    pub fn of(runs: &[CellRun]) -> Summary {
        let measured: Vec<&Measured> = runs.iter().filter_map(|run| run.measured.as_ref()).collect();
        let measured = measured.as_slice();
        let each = || measured.iter().copied();
        let mut nodes: Vec<NodeName> = Vec::new();
        for out in each().flat_map(|of| &of.reads_out) {
            if !nodes.contains(&out.node) {
                nodes.push(out.node);
            }
        }
        let reads = |node: NodeName| {
            let of_node = each().flat_map(|of| &of.reads_out).filter(move |out| out.node == node);
            Spread::of_times(of_node.map(|out| out.out)).map(|out| NodeSpread { node, out })
        };
        let tainted = runs.iter().filter(|run| run.measured.is_some() && !run.taints.is_empty()).count();
        let span = |of: &Measured| of.span.map(|Nanos(time)| (time, of.at_least));
        Summary {
            state: runs.iter().map(|run| run.state).max().unwrap_or(State::NotRun),
            measured: measured.len() as u64,
            tainted: tainted as u64,
            acknowledged: Spread::of(each().map(|of| (of.acknowledged, false))),
            lost: Spread::of(each().map(|of| (of.lost, of.at_least))),
            span: Spread::of(each().filter_map(span)),
            writes_out: Spread::of_times(each().filter_map(|of| of.writes_out)),
            first_commit: Spread::of_times(each().filter_map(|of| of.first_commit)),
            reads_out: nodes.into_iter().filter_map(reads).collect(),
        }
    }
}
