//! Markdown's own forms, with everything escaped that is not ours.

use std::fmt::Write as _;
use std::ops::Range;

use crate::report::words;

/// A paragraph.
pub(in crate::report) fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push_str("\n\n");
}

/// A list, if there is anything in it.
pub(in crate::report) fn bullets(text: &mut String, items: impl Iterator<Item = String>) {
    let mut any = false;
    for item in items {
        any = true;
        let _ = writeln!(text, "- {item}");
    }
    if any {
        text.push('\n');
    }
}

/// A table whose columns `numbers` are aligned to the right; `none` where there is no row.
pub(in crate::report) fn table(
    text: &mut String,
    header: &[&str],
    numbers: Range<usize>,
    rows: impl Iterator<Item = Vec<String>>,
) {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return line(text, "none");
    }
    let rule: Vec<&str> =
        (0..header.len()).map(|column| if numbers.contains(&column) { "---:" } else { "---" }).collect();
    let _ = writeln!(text, "| {} |", header.join(" | "));
    let _ = writeln!(text, "|{}|", rule.join("|"));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text.push('\n');
}

/// Text that means nothing to Markdown: on one line, with every character that could mark something up escaped.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in words::plain(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Text inside an HTML block, where Markdown's own escapes would show.
pub(in crate::report) fn entities(text: &str) -> String {
    words::plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A code span; a backtick, which would end it, becomes an apostrophe.
pub(in crate::report) fn code(text: &str) -> String {
    format!("`{}`", words::plain(text).replace('`', "'"))
}

/// A code span in a table, where a pipe would end the cell.
pub(in crate::report) fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}
