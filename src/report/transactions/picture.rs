//! A counter-example as a picture.

use super::anomaly::{AnomalyReport, Edge, EdgeKind, Outcome, Step};
use super::model::Transactions;
use super::words::decisive;
use crate::report::picture::{Arrow, Ending, Kind, Lane, Picture, standalone};
use crate::report::words::plural;

/// The most transactions in one picture.
const MOST: usize = 32;

/// The picture of the anomaly called `name`, or of the gravest, as an SVG file; where there is no anomaly, it says so. `None`
/// if there is none of that name whose transactions are known.
pub fn svg(found: &Transactions, name: Option<&str>) -> Option<String> {
    let mut shown = found.anomalies.iter().filter(|anomaly| !anomaly.transactions.is_empty());
    let anomaly = match name {
        Some(name) => Some(shown.find(|anomaly| anomaly.name == name)?),
        None => shown.next(),
    };
    let picture = anomaly.map_or_else(|| nothing(found), |anomaly| picture(anomaly, found.is_timed, ""));
    Some(standalone(&picture))
}

/// The picture of one anomaly; its anchor begins with `prefix`.
pub(super) fn picture(anomaly: &AnomalyReport, is_timed: bool, prefix: &str) -> Picture {
    let shown = anomaly.transactions.len().min(MOST);
    let is_shown = |edge: &&Edge| (edge.from.max(edge.to) as usize) < shown;
    let note = (shown < anomaly.transactions.len()).then(|| {
        let all = plural(anomaly.transactions.len() as u64, "transaction");
        format!("The first {shown} of {all}; the arrows to the others are left out.")
    });
    Picture {
        id: format!("{prefix}picture-{}", anomaly.name),
        title: anomaly.name.clone(),
        about: anomaly.meaning.clone(),
        description: anomaly.because.join(". "),
        is_timed,
        lanes: anomaly.transactions[..shown].iter().map(lane).collect(),
        arrows: anomaly.edges.iter().filter(is_shown).map(arrow).collect(),
        note,
    }
}

fn lane(step: &Step) -> Lane {
    let is_decisive = |place: usize| step.decisive.iter().any(|&other| other as usize == place);
    let operations = step.operations.iter().enumerate();
    Lane {
        name: step.name.clone(),
        process: step.process,
        node: step.node.clone(),
        start: step.start,
        end: step.end,
        ending: match step.outcome {
            Outcome::Acknowledged => Ending::Acknowledged,
            Outcome::Failed => Ending::Failed,
            Outcome::Unknown => Ending::Unknown,
        },
        operations: operations.map(|(place, text)| (text.clone(), is_decisive(place))).collect(),
    }
}

fn arrow(edge: &Edge) -> Arrow {
    Arrow {
        from: edge.from as usize,
        to: edge.to as usize,
        kind: match edge.kind {
            EdgeKind::Ww => Kind::Ww,
            EdgeKind::Wr => Kind::Wr,
            EdgeKind::Rw => Kind::Rw,
            EdgeKind::Process => Kind::Process,
            EdgeKind::Realtime => Kind::RealTime,
            EdgeKind::Before => Kind::Before,
        },
        label: edge.label(),
        sentence: edge.because.clone(),
    }
}

fn nothing(found: &Transactions) -> Picture {
    Picture {
        id: "picture-nothing".to_owned(),
        title: "No anomaly to draw".to_owned(),
        about: format!("{}.", decisive(found)),
        description: String::new(),
        is_timed: true,
        lanes: Vec::new(),
        arrows: Vec::new(),
        note: None,
    }
}
