//! What a matrix takes from the report of one of its runs.

use super::model::{CellRun, Measured, ReadsOut, State, Timed};
use crate::check::{Guarantee, Judgement, Verdict};
use crate::history::{Nanos, NodeName};
use crate::measure::{Figures, Recovery};
use crate::report::{Report, verdict};

/// Which run of which cell it was.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// From 1.
    pub repetition: u32,
    /// Its seed.
    pub seed: u64,
    /// Its directory, below the matrix's own.
    pub directory: String,
    /// From its beginning to its report, seconds.
    pub seconds: f64,
}

impl CellRun {
    /// A run that has a report. Figures are taken from one that is neither invalid, nor unknown, nor cut.
    pub fn of(report: &Report, turn: Turn) -> CellRun {
        let (state, why) = worth(report);
        let measured = if state == State::Measured { measured(report) } else { None };
        let (state, why) = match (state, &measured) {
            (State::Measured, None) => (State::Unknown, Some("its losses were not judged".to_owned())),
            (state, _) => (state, why),
        };
        CellRun {
            server: report.nodes.first().map(|facts| facts.version.clone()),
            taints: report.figures.lab.taints.clone(),
            measured,
            // What cannot be told of the losses is unknown even where it was not claimed.
            exit_code: match (state, report.exit_code) {
                (State::Unknown, 0 | 4) => 3,
                (_, code) => code,
            },
            state,
            why,
            ..CellRun::bare(turn)
        }
    }

    /// A run that the lab could not make, or not judge.
    pub fn failed(why: String, exit_code: u8, turn: Turn) -> CellRun {
        CellRun { exit_code, state: State::Failed, why: Some(why), ..CellRun::bare(turn) }
    }

    fn bare(turn: Turn) -> CellRun {
        let Turn { repetition, seed, directory, seconds } = turn;
        CellRun {
            repetition,
            seed,
            directory,
            seconds,
            exit_code: 12,
            state: State::Failed,
            why: None,
            server: None,
            taints: Vec::new(),
            measured: None,
        }
    }
}

fn worth(report: &Report) -> (State, Option<String>) {
    let decisive = || Some(verdict::decisive(report));
    match (report.exit_code, report.verdict) {
        (11 | 12, _) => (State::Failed, report.cut.clone().or_else(decisive)),
        (_, Verdict::Fail) => (State::Violated, decisive()),
        (_, Verdict::Unknown) => (State::Unknown, report.cut.clone().or_else(decisive)),
        (_, Verdict::Pass) => match durability(report).find(|one| one.verdict == Verdict::Unknown) {
            Some(unknown) => (State::Unknown, Some(unknown.summary.clone())),
            None => (State::Measured, None),
        },
    }
}

/// The judgements of what became of acknowledged commits, one a workload.
fn durability(report: &Report) -> impl Iterator<Item = &Judgement> {
    report.judgements.iter().filter(|one| one.guarantee == Guarantee::Durability)
}

/// `None` where nobody judged the losses.
fn measured(report: &Report) -> Option<Measured> {
    durability(report).next()?;
    let lost = || durability(report).filter_map(|one| one.lost);
    let count =
        |one: &Judgement| one.counts.iter().find(|count| count.name == "acknowledged").map(|c| c.value);
    let span = lost().map(|one| one.last).max().zip(lost().map(|one| one.first).min());
    let figures = &report.figures;
    let out = |node| figures.outages.iter().find(|outage| outage.node == node);
    let timed = |node| out(node).map(|outage| Timed { time: outage.total, at_least: outage.unended });
    let nodes = figures.outages.iter().filter_map(|outage| outage.node);
    let reads = nodes.filter_map(|node| timed(Some(node)).map(|out| ReadsOut { node, out }));
    Some(Measured {
        acknowledged: durability(report).filter_map(count).sum(),
        lost: lost().map(|one| one.commits).sum(),
        forewarned: lost().map(|one| one.forewarned).sum(),
        at_least: lost().any(|one| one.at_least),
        span: span.map(|(last, first)| last.since(first)),
        writes_out: timed(None),
        first_commit: first_commit(figures, report.nodes.first().map(|facts| facts.node)),
        reads_out: reads.collect(),
    })
}

/// From the first step that hit the primary, or made another node one, to the first commit begun after it took hold.
fn first_commit(figures: &Figures, primary: Option<NodeName>) -> Option<Timed> {
    let moves =
        |fault: &Recovery| fault.action.starts_with("promote") || fault.action.starts_with("switchover");
    let hits = |fault: &&Recovery| !fault.healing && (Some(fault.node) == primary || moves(fault));
    let fault = figures.recoveries.iter().filter(hits).min_by_key(|fault| fault.invoked)?;
    let end: Nanos = fault.first_success.unwrap_or(figures.load.end);
    Some(Timed { time: end.since(fault.invoked), at_least: fault.first_success.is_none() })
}
