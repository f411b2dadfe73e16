//! Makes a history that somebody recorded as small as an anomaly of it allows.

use crate::anomaly::replay::replay;
use crate::check::cycle::{Analysis, Anomaly, Scope, Smallest, analyze, budget, shrink};
use crate::history::txn::Txns;
use crate::isolation::Isolation;
use crate::report::shrink::{Origin, Shrunk};
use crate::report::transactions::Source;

/// Why there is no part to show.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unshown {
    /// Nothing was judged, for these reasons.
    #[error("{}", .0.join(" "))]
    Unjudged(Vec<String>),
    /// It was judged, and nothing is wrong.
    #[error("no anomaly was found in it")]
    Nothing,
    /// Not that one, but these.
    #[error("it shows no {0}; it shows {list}", list = .1.join(", "))]
    Others(String, Vec<String>),
}

/// The smallest part of `txns` that shows `anomaly`, or the gravest one that is found; with statements at `level`, or else at
/// the strongest that gives what was read.
///
/// # Errors
/// Where the history does not show it.
pub fn shrunk(
    txns: &Txns,
    source: &Source,
    anomaly: Option<Anomaly>,
    level: Option<Isolation>,
) -> Result<(Shrunk, Txns), Unshown> {
    let whole = analyze(txns, Scope::Whole, source.order);
    let gravest = whole.found.first().map(|found| found.anomaly);
    let absent = || absent(txns, &whole, anomaly);
    let anomaly = anomaly.or(gravest).ok_or_else(absent)?;
    let smallest = shrink(txns, source.order, anomaly, &whole, budget(txns)).ok_or_else(absent)?;
    let mut replay = replay(&smallest.txns, &anomaly.name(), level);
    replay.case.title = anomaly.meaning().trim_end_matches('.').to_owned();
    replay.case.code = Some(anomaly.name());
    let origin = Origin {
        file: source.file.clone(),
        format: source.format.clone(),
        transactions: txns.len() as u64,
        operations: txns.mops() as u64,
        count: whole.count(anomaly),
    };
    let found = Shrunk::new(&origin, anomaly, &smallest, replay);
    let Smallest { txns, .. } = smallest;
    Ok((found, txns))
}

fn absent(txns: &Txns, whole: &Analysis, wanted: Option<Anomaly>) -> Unshown {
    let names: Vec<String> = whole.found.iter().map(|found| found.anomaly.name()).collect();
    match wanted {
        Some(wanted) if !names.is_empty() => Unshown::Others(wanted.name(), names),
        _ if whole.is_judged() => Unshown::Nothing,
        _ => Unshown::Unjudged(whole.troubles.iter().map(|trouble| trouble.words(txns)).collect()),
    }
}
