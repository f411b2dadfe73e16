//! The part as statements that people type into terminals.

use std::fmt::Write as _;

use super::model::{Line, Shrunk};
use crate::report::words::{plain, plural};

/// A script whose lines each say which session sends them, ending in a line break. It names every session's node.
pub fn psql(found: &Shrunk) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "-- {}: {}", found.anomaly, found.meaning);
    for line in origin(found) {
        let _ = writeln!(text, "-- {line}");
    }
    let _ = writeln!(
        text,
        "--\n-- A terminal with psql for each session; each line is for the session it begins with, from top to bottom."
    );
    for player in &found.sessions {
        let node = plain(&player.node);
        let _ = writeln!(text, "-- {}: process {}, connected to {node}", player.name, player.process);
    }
    let _ = writeln!(text, "\n-- Before, in any of them that may write:");
    for table in &found.setup {
        let _ = writeln!(text, "{table};");
    }
    let _ = writeln!(text);
    for line in &found.script {
        let _ = writeln!(text, "/* {} */ {};{}", line.session, line.sql, saw(line));
    }
    let _ = writeln!(text, "\n-- And in the end:");
    for table in &found.setup {
        let name = table.split_whitespace().nth(2).unwrap_or_default();
        let _ = writeln!(text, "DROP TABLE {name};");
    }
    text
}

/// What the script is a part of, what it is worth, and which number stands for what: a line each.
pub(super) fn origin(found: &Shrunk) -> Vec<String> {
    let whole = plural(found.of_transactions, "transaction");
    let minimal = if found.is_minimal {
        "nothing can be left out"
    } else {
        "the budget ended before it was known what else can be left out"
    };
    let parts = found.transactions.len();
    let mut lines = vec![
        format!("{parts} of {whole} of {}: {minimal}.", plain(&found.file)),
        found.worth.words(found.level, &found.tried_levels),
    ];
    for one in &found.numbers {
        lines.push(format!("{} {} stands for {}", one.what, one.number, plain(&one.text)));
    }
    lines
}

/// A comment with what the history saw there.
fn saw(line: &Line) -> String {
    match line.saw.as_deref() {
        None => String::new(),
        Some([]) => format!(" -- {} read no row", line.transaction),
        Some(rows) => format!(" -- {} read {}", line.transaction, rows.join(", ")),
    }
}
