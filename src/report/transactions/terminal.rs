//! What a history shows, on a terminal.

use super::anomaly::AnomalyReport;
use super::model::Transactions;
use super::words::{contents, decisive, headline, ladder, transaction};
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
        found.anomalies.iter().take(SHOWN).for_each(|anomaly| smallest(anomaly, found.is_timed, &mut sheet));
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
    if let Some(together) = &found.together {
        sheet.title("ALL ENDPOINTS TOGETHER");
        sheet.paragraph("· ", &together.sentence);
        sheet.paragraph("  ", &together.meaning);
        sheet.paragraph("  ", &together.advice);
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

fn anomalies(found: &Transactions, sheet: &mut Sheet) {
    let widest = found.anomalies.iter().map(|anomaly| anomaly.name.len()).max().unwrap_or(0);
    for anomaly in &found.anomalies {
        let text = format!("{}: {}", count(anomaly.count), anomaly.meaning);
        sheet.item(Tone::Bad, widest, &anomaly.name, &text);
    }
}

fn smallest(anomaly: &AnomalyReport, is_timed: bool, sheet: &mut Sheet) {
    sheet.paragraph("", &anomaly.name);
    for step in &anomaly.transactions {
        sheet.paragraph("  · ", &transaction(step, is_timed));
    }
    for sentence in &anomaly.because {
        sheet.paragraph("    ", &plain(sentence));
    }
}

fn models(found: &Transactions, sheet: &mut Sheet) {
    for (lead, names) in ladder(found) {
        sheet.paragraph("· ", &format!("{lead}: {}", names.join(", ")));
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
