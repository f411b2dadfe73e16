//! Counter-examples for Graphviz.

use std::fmt::Write as _;

use super::anomaly::{AnomalyReport, EdgeKind};
use super::model::Transactions;
use super::words::who;
use crate::report::picture::shown;

/// The smallest counter-example of each anomaly, or of the one called `name`, as one digraph in the language of Graphviz: a
/// cluster an anomaly. `None` if there is none of that name whose transactions are known.
pub fn dot(found: &Transactions, name: Option<&str>) -> Option<String> {
    let is_shown = |anomaly: &&AnomalyReport| {
        !anomaly.transactions.is_empty() && name.is_none_or(|name| name == anomaly.name)
    };
    let anomalies: Vec<&AnomalyReport> = found.anomalies.iter().filter(is_shown).collect();
    if anomalies.is_empty() && name.is_some() {
        return None;
    }
    let mut text = String::from("digraph replab {\n");
    let _ =
        writeln!(text, "  graph [label={}, labelloc=t, fontname=\"sans-serif\"];", quoted(&[&found.file]));
    text.push_str(
        "  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"monospace\"];\n",
    );
    (0..).zip(anomalies).for_each(|(number, anomaly)| cluster(number, anomaly, found.is_timed, &mut text));
    text.push_str("}\n");
    Some(text)
}

fn cluster(number: usize, anomaly: &AnomalyReport, is_timed: bool, text: &mut String) {
    let _ = writeln!(text, "  subgraph \"cluster_{number}\" {{");
    let _ = writeln!(text, "    label={};", quoted(&[&anomaly.name, &anomaly.meaning]));
    for step in &anomaly.transactions {
        let mut lines = vec![who(step, is_timed)];
        lines.extend(step.operations.iter().cloned());
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let _ = writeln!(text, "    \"a{number}_{}\" [label={}];", step.name, quoted(&lines));
    }
    for edge in &anomaly.edges {
        let name = |place: u32| format!("\"a{number}_T{}\"", place + 1);
        let (style, label) = (style(edge.kind), quoted(&[&edge.label()]));
        let (from, to) = (name(edge.from), name(edge.to));
        let _ = writeln!(
            text,
            "    {from} -> {to} [label={label}, tooltip={}, style={style}];",
            quoted(&[&edge.because])
        );
    }
    text.push_str("  }\n");
}

fn style(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Ww => "bold",
        EdgeKind::Wr => "solid",
        EdgeKind::Rw => "dashed",
        EdgeKind::Process | EdgeKind::Realtime | EdgeKind::Before => "dotted",
    }
}

/// Lines as one string of Graphviz: it reads backslashes and entities.
fn quoted(lines: &[&str]) -> String {
    let escaped = |line: &&str| shown(line).replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escaped).collect::<Vec<_>>().join("\\n"))
}
