//! What no endpoint shows alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::anomaly::AnomalyReport;
use super::model::{ModelReport, NodeReport, Valid};
use crate::report::words::plural;

/// A model that no node's readers refute alone, and all of them together do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Together {
    /// The model.
    pub model: String,
    /// The anomaly that refutes it.
    pub by: String,
    /// Both in a sentence.
    pub sentence: String,
    /// What that means for an application.
    pub meaning: String,
    /// What to do about it.
    pub advice: String,
}

impl Together {
    /// Of the models that are refuted by the whole history and by no node alone, the one that is known best: snapshot
    /// isolation, serializability, or else the weakest. `None` where there is none.
    pub(super) fn of(
        models: &[ModelReport],
        nodes: &[NodeReport],
        anomalies: &[AnomalyReport],
    ) -> Option<Together> {
        let is_kept = |name: &String| nodes.iter().all(|node| node.not_refuted.contains(name));
        let candidates: Vec<&ModelReport> = (models.iter())
            .filter(|model| model.valid == Valid::Refuted && nodes.len() > 1 && is_kept(&model.name))
            .collect();
        let known = |name: &str| candidates.iter().copied().find(|model| model.name == name);
        let model =
            known("snapshot-isolation").or_else(|| known("serializable")).or(candidates.first().copied())?;
        let by = model.by.clone()?;
        let (one, not) = match model.name.as_str() {
            "snapshot-isolation" => ("is snapshot isolated".to_owned(), "are not"),
            "serializable" => ("is serializable".to_owned(), "are not"),
            name => (format!("keeps to {name}"), "do not"),
        };
        let name = match nickname(&by) {
            Some(nickname) => format!("{nickname} ({by})"),
            None => by.clone(),
        };
        let places = anomalies.iter().find(|anomaly| anomaly.name == by).and_then(|anomaly| anomaly.places);
        let places = places.map(|places| format!(" in {}", plural(places, "place"))).unwrap_or_default();
        let is_fork = nickname(&by) == Some(LONG_FORK);
        Some(Together {
            sentence: format!(
                "Each endpoint {one}, as far as its readers saw; together they {not}: {name}{places}."
            ),
            meaning: if is_fork { FORK } else { OTHER }.to_owned(),
            advice: if is_fork { READ_FORK } else { READ_OTHER }.to_owned(),
            model: model.name.clone(),
            by,
        })
    }
}

const LONG_FORK: &str = "long fork";

const FORK: &str = "Two readers on different endpoints may disagree about the order of two commits: one sees the first \
                    and not the second, the other the second and not the first. Each of them sees a state that makes \
                    sense; no one order of the commits explains both.";
const READ_FORK: &str = "Do not conclude from what one endpoint lacks that it has not happened where another endpoint has \
                         already shown it. Where two answers have to fit together, read both from one endpoint, best in \
                         one transaction.";
const OTHER: &str = "What the readers of one endpoint saw makes sense by itself, as far as this history shows. Beside what \
                     the readers of the others saw, it does not: only who uses several endpoints can notice.";
const READ_OTHER: &str = "Where two answers have to fit together, read both from one endpoint, best in one transaction; what \
                          has to be current, from the writer.";

/// What an anomaly is called in conversation, if it has such a name.
pub(super) fn nickname(anomaly: &str) -> Option<&'static str> {
    let shape = anomaly.trim_end_matches("-realtime").trim_end_matches("-process");
    match shape {
        "prefix-violation" | "G-nonadjacent-item" => Some(LONG_FORK),
        "G-single-item" => Some("read skew"),
        "G2-item" => Some("write skew"),
        "G1a" => Some("dirty read"),
        "G0" => Some("dirty write"),
        "lost-update" => Some("lost update"),
        _ => None,
    }
}
