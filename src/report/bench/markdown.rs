//! A bench as GitHub-flavoured Markdown: for a README, and for a pull request.

use std::fmt::Write as _;

use super::columns::{self, Table};
use super::model::Bench;
use super::words::{self, LEGEND};
use crate::report::markdown::text::{bullets, code, escape, line, table};
use crate::report::words::plain;

/// The bench as GitHub-flavoured Markdown.
pub fn markdown(bench: &Bench) -> String {
    let mut text = String::new();
    let (word, tone) = words::headline(bench);
    line(&mut text, &format!("## {} {word} · exit {}", tone.mark(), bench.exit_code));
    line(&mut text, &escape(&words::what(bench)));
    line(&mut text, &format!("{}.", escape(&words::decisive(bench))));
    for group in &bench.groups {
        line(&mut text, &format!("### {}", escape(&words::title(group))));
        let others = [columns::comparison(group), columns::originals(group)];
        let tables = columns::results(group, true).into_iter().chain(others.into_iter().flatten());
        tables.for_each(|one| put(&mut text, &one));
    }
    for (title, scaling) in columns::scaling(bench) {
        line(&mut text, &format!("### {}, by number of clients", escape(&title)));
        put(&mut text, &scaling);
    }
    for (title, lines) in [("Faults", words::faults(bench)), ("Beside the original", bench.remarks.clone())] {
        if !lines.is_empty() {
            line(&mut text, &format!("### {title}"));
            bullets(&mut text, lines.iter().map(|line| escape(line)));
        }
    }
    line(&mut text, "### How to read it");
    let retries = format!("Where somebody else was faster, a task is tried again {}.", bench.retries);
    bullets(&mut text, std::iter::once(escape(&retries)).chain(LEGEND.iter().map(|line| escape(line))));
    line(&mut text, "### Not checked");
    bullets(&mut text, bench.not_checked.iter().map(|sentence| escape(sentence)));
    line(&mut text, "### Repeat");
    line(&mut text, &format!("    {}", plain(&bench.reproduce)));
    let _ = writeln!(
        text,
        "replab {}, {}, {}, {}",
        escape(&bench.version),
        code(&bench.id),
        escape(&bench.started),
        words::took(bench)
    );
    text
}

fn put(text: &mut String, Table { header, rows }: &Table) {
    let header: Vec<String> = header.iter().map(|name| escape(name)).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = rows.iter().map(|row| row.iter().map(|cell| escape(cell)).collect());
    table(text, &header, 1..header.len(), rows);
}
