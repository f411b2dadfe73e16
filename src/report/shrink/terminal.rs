//! The part on a terminal.

use super::model::{Shrunk, Transaction};
use crate::report::Look;
use crate::report::outcome::Tone;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::{plain, plural};

/// What was found for a terminal, ending in a line break. The last line names the exit code.
pub fn terminal(found: &Shrunk, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    sheet.headline(Tone::Bad, &found.anomaly, &found.meaning);
    sheet.title("THE SMALLEST PART THAT SHOWS IT");
    sheet.paragraph("· ", &size(found));
    sheet.paragraph("· ", &minimal(found));
    if !found.also_shows.is_empty() {
        sheet.paragraph(
            "· ",
            &format!("it shows as well, as the whole does: {}", found.also_shows.join(", ")),
        );
    }
    for transaction in &found.transactions {
        sheet.paragraph("  · ", &words(transaction));
    }
    for sentence in &found.because {
        sheet.paragraph("    ", &plain(sentence));
    }
    sheet.title("TO PLAY IT");
    sheet.paragraph("· ", &found.worth.words(found.level, &found.tried_levels));
    let header = ["session", "of", "statement", "the history saw"].map(str::to_owned);
    let rows: Vec<Vec<String>> = found
        .script
        .iter()
        .map(|line| {
            let saw = match line.saw.as_deref() {
                None => String::new(),
                Some([]) => "no row".to_owned(),
                Some(rows) => rows.join(", "),
            };
            vec![line.session.clone(), line.transaction.clone(), line.sql.clone(), saw]
        })
        .collect();
    sheet.table(&header, &rows, 4, &[]);
    for player in &found.sessions {
        let node = plain(&player.node);
        sheet.remark(&format!("{} is process {} on {node}", player.name, player.process));
    }
    for one in &found.numbers {
        sheet.remark(&format!("{} {} stands for {}", one.what, one.number, plain(&one.text)));
    }
    sheet.remark("--format psql and --format isolationtester print it as scripts, --format edn as a history");
    let whole =
        format!("{} in {}", plural(found.transactions.len() as u64, "transaction"), plain(&found.file));
    let reason = if found.is_minimal { format!("{whole}, of which nothing can be left out") } else { whole };
    sheet.verdict(Tone::Bad, &found.anomaly, &reason, 0);
    sheet.finish()
}

fn size(found: &Shrunk) -> String {
    format!(
        "{} of {} in {}, and {} of {}; the whole shows it {}",
        found.transactions.len(),
        plural(found.of_transactions, "transaction"),
        plain(&found.file),
        found.operations,
        plural(found.of_operations, "operation"),
        plural(found.count, "time"),
    )
}

fn minimal(found: &Shrunk) -> String {
    let judged = plural(found.judged, "part");
    if found.is_minimal {
        format!("nothing can be left out: no transaction, and no read or write ({judged} judged)")
    } else {
        format!("the budget ended before it was known what else can be left out ({judged} judged)")
    }
}

fn words(transaction: &Transaction) -> String {
    format!(
        "{} = transaction {}, {}, process {} on {}, {:.3} to {:.3} ms: {}",
        transaction.name,
        transaction.transaction,
        transaction.ended,
        transaction.process,
        plain(&transaction.node),
        transaction.start.as_millis_f64(),
        transaction.end.as_millis_f64(),
        plain(&transaction.operations.join(", ")),
    )
}
