//! What a history shows, on a terminal.

use super::model::{AnomalyReport, Step, Transactions, Valid};
use crate::report::Look;
use crate::report::outcome::Tone;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::{count, plain, plural};

/// The most anomalies whose smallest case is shown.
const SHOWN: usize = 6;

/// What was found for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(found: &Transactions, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = headline(found.valid);
    sheet.headline(tone, word, &format!("{}: {}", found.model, plain(&found.file)));
    sheet.title("WHAT IS THERE");
    sheet.paragraph("· ", &contents(found));
    if !found.anomalies.is_empty() {
        sheet.title("ANOMALIES");
        anomalies(found, &mut sheet);
        sheet.title("THE SMALLEST OF EACH");
        found.anomalies.iter().take(SHOWN).for_each(|anomaly| smallest(anomaly, &mut sheet));
        if found.anomalies.len() > SHOWN {
            let more = plural((found.anomalies.len() - SHOWN) as u64, "more kind");
            sheet.remark(&format!("{more}: --format json has them all"));
        }
    }
    sheet.title("MODELS");
    models(found, &mut sheet);
    if !found.nodes.is_empty() {
        sheet.title("EACH NODE'S READERS ALONE");
        nodes(found, &mut sheet);
    }
    if !found.troubles.is_empty() {
        sheet.title("NOT JUDGED");
        found.troubles.iter().for_each(|trouble| sheet.paragraph("· ", &plain(trouble)));
    }
    sheet.title("NOT CHECKED");
    found.not_checked.iter().for_each(|line| sheet.paragraph("· ", line));
    sheet.verdict(tone, word, &decisive(found), found.exit_code);
    sheet.finish()
}

fn headline(valid: Valid) -> (&'static str, Tone) {
    match valid {
        Valid::NotRefuted => ("NOT REFUTED", Tone::Good),
        Valid::Unknown => ("UNKNOWN", Tone::Unknown),
        Valid::Refuted => ("REFUTED", Tone::Bad),
    }
}

fn contents(found: &Transactions) -> String {
    format!(
        "{} ({}): {} acknowledged, {} failed, {} of unknown outcome; {} on {}",
        plural(found.transactions, "transaction"),
        found.format,
        count(found.acknowledged),
        count(found.failed),
        count(found.unknown),
        plural(found.operations, "operation"),
        plural(found.keys, "key"),
    )
}

fn anomalies(found: &Transactions, sheet: &mut Sheet) {
    let widest = found.anomalies.iter().map(|anomaly| anomaly.name.len()).max().unwrap_or(0);
    for anomaly in &found.anomalies {
        let text = format!("{}: {}", count(anomaly.count), anomaly.meaning);
        sheet.item(Tone::Bad, widest, &anomaly.name, &text);
    }
}

fn smallest(anomaly: &AnomalyReport, sheet: &mut Sheet) {
    sheet.paragraph("", &anomaly.name);
    for step in &anomaly.transactions {
        sheet.paragraph("  · ", &transaction(step));
    }
    for sentence in &anomaly.because {
        sheet.paragraph("    ", &plain(sentence));
    }
}

fn transaction(step: &Step) -> String {
    format!(
        "{} = transaction {}, process {} on {}, {:.3} to {:.3} ms: {}",
        step.name,
        step.transaction,
        step.process,
        plain(&step.node),
        step.start.as_millis_f64(),
        step.end.as_millis_f64(),
        plain(&step.operations.join(", ")),
    )
}

fn models(found: &Transactions, sheet: &mut Sheet) {
    let of = |valid: Valid| {
        let names: Vec<&str> = found
            .models
            .iter()
            .filter(|model| model.valid == valid)
            .map(|model| model.name.as_str())
            .collect();
        names.join(", ")
    };
    for (lead, names) in [
        ("refuted first: ", found.not.join(", ")),
        ("refuted with them: ", found.also_not.join(", ")),
        ("not refuted: ", of(Valid::NotRefuted)),
        ("this history does not tell: ", of(Valid::Unknown)),
    ] {
        if !names.is_empty() {
            sheet.paragraph("· ", &format!("{lead}{names}"));
        }
    }
}

fn nodes(found: &Transactions, sheet: &mut Sheet) {
    let header = ["node", "refuted first", "stale reads", "versions", "for"].map(str::to_owned);
    let rows: Vec<Vec<String>> = found
        .nodes
        .iter()
        .map(|node| {
            let not = if node.not.is_empty() { "nothing".to_owned() } else { node.not.join(", ") };
            let worst = |text: String| if node.stale_reads == 0 { "–".to_owned() } else { text };
            vec![
                plain(&node.name),
                not,
                count(node.stale_reads),
                worst(format!("≤ {}", node.stale_versions)),
                worst(format!("≤ {}", node.stale_for)),
            ]
        })
        .collect();
    sheet.table(&header, &rows, 2, &[]);
}

fn decisive(found: &Transactions) -> String {
    let model = found.models.iter().find(|model| model.name == found.model);
    match (found.valid, model.and_then(|model| model.by.as_deref())) {
        (Valid::Refuted, Some(by)) => format!("{by} refutes {}", found.model),
        (Valid::Unknown, _) => format!("this history does not tell whether {} holds", found.model),
        _ => format!(
            "no counter-example to {} in {}",
            found.model,
            plural(found.acknowledged, "acknowledged transaction")
        ),
    }
}
