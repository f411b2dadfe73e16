//! One playing, the sessions side by side.

use super::model::{Anomalies, State};
use super::words;
use crate::anomaly::{Answer, Played, Transcript};
use crate::report::Look;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::plain;

/// Every cell that was played, step by step, for a terminal.
pub fn show(found: &Anomalies, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = words::headline(found);
    sheet.headline(tone, word, &words::what(found));
    for case in &found.cases {
        let code = case.code.as_ref().map_or(String::new(), |code| format!(" ({code})"));
        sheet.title(&plain(&format!("{}{code}", case.title)));
        sheet.paragraph("", &plain(&case.about));
        for (place, result) in case.results() {
            sheet.title(&place.to_uppercase());
            if let Some(transcript) = &result.transcript {
                let (header, rows) = side_by_side(transcript);
                sheet.table(&header, &rows, header.len(), &[]);
                for played in transcript.steps.iter().filter(|played| is_after(transcript, played)) {
                    let (label, sql) = (plain(&played.label), plain(&played.sql));
                    sheet.paragraph("", &format!("{label}: {sql} {}", answer(&played.answer)));
                }
            }
            for times in &result.endings {
                sheet.paragraph("= ", &words::sentence(&times.ending));
            }
            match (&result.expected, result.state) {
                (_, State::NotRun | State::Failed) => {
                    sheet.paragraph(
                        "",
                        &format!(
                            "not played to its end: {}",
                            result.why.as_deref().map(plain).unwrap_or_default()
                        ),
                    );
                }
                (Some(expected), State::Differs) => {
                    sheet.paragraph("✗ ", &format!("expected: {}", words::sentence(expected)))
                }
                (Some(_), _) => sheet.paragraph("", "as expected"),
                (None, _) => sheet.paragraph("", "nothing was expected here, so nothing was compared"),
            }
        }
        if let Some(remedy) = &case.remedy {
            sheet.title("HOW TO PREVENT IT");
            sheet.paragraph("", &plain(remedy));
        }
        if let Some(source) = &case.source {
            sheet.remark(&format!("described in: {}", plain(source)));
        }
    }
    sheet.verdict(tone, word, &words::decisive(found), found.exit_code);
    sheet.finish()
}

fn is_after(transcript: &Transcript, played: &Played) -> bool {
    !transcript.sessions.iter().any(|seat| seat.name == played.session)
}

/// A column for each session, a row for each step; below a step those that went on when it was answered.
pub(super) fn side_by_side(transcript: &Transcript) -> (Vec<String>, Vec<Vec<String>>) {
    let seats = &transcript.sessions;
    let heads = seats.iter().map(|seat| format!("{} ({})", plain(&seat.name), seat.on));
    let header: Vec<String> = std::iter::once(String::new()).chain(heads).collect();
    let mut rows = Vec::new();
    for (number, played) in
        transcript.steps.iter().enumerate().filter(|(_, played)| !is_after(transcript, played))
    {
        // Who has been waiting since before: a line goes down its column.
        let waiting = |name: &str, now: usize| {
            let mut earlier = transcript.steps.iter().enumerate().take(now);
            earlier.any(|(_, other)| {
                other.session == name && !other.waited_for.is_empty() && other.answered_after >= now
            })
        };
        let waits = !played.waited_for.is_empty();
        let mut row = vec![(number + 1).to_string()];
        for seat in seats {
            row.push(if seat.name == played.session {
                let again = if played.attempt > 1 { "again: " } else { "" };
                let said = if waits {
                    format!("⧗ waits for {}", played.waited_for.join(" and "))
                } else {
                    heard(played)
                };
                format!("{again}{}\n{said}", plain(&played.sql)).trim_end().to_owned()
            } else if waiting(&seat.name, number) {
                "┆".to_owned()
            } else {
                String::new()
            });
        }
        rows.push(row);
        for (place, other) in transcript.steps.iter().enumerate().take(number + 1) {
            if other.waited_for.is_empty() || other.answered_after != number {
                continue;
            }
            let mut row = vec![String::new()];
            row.extend(seats.iter().map(|seat| {
                let goes_on = seat.name == other.session;
                if goes_on { format!("▸ {} goes on\n{}", place + 1, heard(other)) } else { String::new() }
            }));
            rows.push(row);
        }
    }
    (header, rows)
}

/// What came of a step, with the server's warnings.
pub(super) fn heard(played: &Played) -> String {
    let warnings = played.warnings.iter();
    let warnings = warnings
        .map(|warning| format!("\n! WARNING {}: {}", plain(&warning.sqlstate), plain(&warning.message)));
    format!("{}{}", answer(&played.answer), warnings.collect::<String>())
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Rows { rows } if rows.is_empty() => "→ no row".to_owned(),
        Answer::Rows { rows } => {
            let row = |row: &Vec<String>| match &row[..] {
                [value] => plain(value),
                values => plain(&format!("({})", values.join(", "))),
            };
            format!("→ {}", rows.iter().map(row).collect::<Vec<_>>().join(", "))
        }
        Answer::Affected { rows: 1 } => "→ 1 row".to_owned(),
        Answer::Affected { rows } => format!("→ {rows} rows"),
        Answer::Done => "→ ok".to_owned(),
        Answer::Refused { sqlstate, message } => format!("✗ {}: {}", plain(sqlstate), plain(message)),
        Answer::RolledBack => "→ ROLLBACK, as it had been refused".to_owned(),
        Answer::Skipped => "not sent: its transaction had been refused".to_owned(),
        Answer::NotSent => "not sent: what was read forbids it".to_owned(),
    }
}
