//! What an analysis amounts to for one model.

use crate::check::cycle::{Analysis, Anomaly, Found, MODELS, Model, Shape, Standing};
use crate::check::draft::Draft;
use crate::check::text::{count, plural};
use crate::history::txn::Txns;

/// Whether `analysis` refutes `model`; whatever does is a counter-example of the draft, and what was left open a doubt.
pub(super) fn judge(draft: &mut Draft, txns: &Txns, analysis: &Analysis, model: &Model) -> bool {
    for found in refuting(analysis, model) {
        let message = || {
            let because = found.because(txns).join("; ");
            format!("{} ({} times): {} {because}", found.anomaly, count(found.count), found.anomaly.meaning())
        };
        draft.violation(&found.events(txns), message);
    }
    let standing = standing(analysis, model);
    if standing == Standing::NotCheckable {
        let reasons = analysis.troubles.iter().map(|trouble| trouble.words(txns));
        draft.doubt(reasons.collect::<Vec<String>>().join(" "));
    }
    matches!(standing, Standing::Refuted { .. })
}

/// `no counter-example to snapshot-isolation`, or what there is.
pub(super) fn words(analysis: &Analysis, model: &Model) -> String {
    match standing(analysis, model) {
        Standing::NotRefuted => format!("no counter-example to {}", model.name),
        Standing::NotCheckable => format!("{} could not be judged", model.name),
        Standing::Refuted { .. } => {
            let kinds = refuting(analysis, model);
            let each: Vec<String> =
                kinds.map(|found| format!("{} × {}", count(found.count), found.anomaly)).collect();
            format!("{} refuted by {}", model.name, each.join(", "))
        }
    }
}

/// In how many places, which have nothing to do with each other, a long fork refutes `model`; `None`: it is something else
/// that does.
pub(super) fn long_forks(analysis: &Analysis, model: &Model) -> Option<u64> {
    let is_fork = |found: &&Found| matches!(found.anomaly, Anomaly::Cycle(Shape::GNonadjacent, _));
    refuting(analysis, model).filter(is_fork).filter_map(|found| found.places).max()
}

/// Counts the reads on node `number` that missed what had been acknowledged before they began.
pub(super) fn stale(draft: &mut Draft, analysis: &Analysis, number: u16) {
    let of_node = || analysis.stale.iter().filter(|stale| stale.node == number);
    draft.count("stale reads", of_node().count() as u64);
    if let Some(versions) = of_node().map(|stale| stale.versions).max() {
        draft.count("versions missed at most", versions.into());
        let longest = of_node().map(|stale| stale.age.0 / 1000).max().unwrap_or(0);
        draft.count("microseconds stale at most", longest);
    }
}

/// `; 812 reads were stale, by up to 7 versions and 14.2 ms`.
pub(super) fn staleness(analysis: &Analysis, number: u16) -> String {
    let of_node = || analysis.stale.iter().filter(|stale| stale.node == number);
    let (Some(versions), Some(age)) =
        (of_node().map(|stale| stale.versions).max(), of_node().map(|stale| stale.age).max())
    else {
        return "; 0 reads were stale".to_owned();
    };
    let reads = plural(of_node().count() as u64, "stale read");
    format!("; {reads}, by up to {} and {age}", plural(versions.into(), "version"))
}

fn standing(analysis: &Analysis, model: &Model) -> Standing {
    let standings = analysis.standings();
    standings
        .iter()
        .find(|(one, _)| one.name == model.name)
        .map_or(Standing::NotCheckable, |(_, standing)| *standing)
}

/// What `model`, or a model that it contains, forbids.
fn refuting<'a>(analysis: &'a Analysis, model: &'a Model) -> impl Iterator<Item = &'a Found> {
    analysis.found.iter().filter(move |found| forbids(model, found))
}

fn forbids(model: &Model, found: &Found) -> bool {
    let contained = || MODELS.iter().filter(|one| model.contains.contains(&one.name));
    model.forbids(found.anomaly) || contained().any(|one| forbids(one, found))
}
