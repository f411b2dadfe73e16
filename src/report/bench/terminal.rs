//! A bench on a terminal.

use super::columns::{self, Table};
use super::model::Bench;
use super::words::{self, LEGEND};
use crate::report::Look;
use crate::report::terminal::sheet::Sheet;
use crate::report::words::plain;

/// The bench for a terminal, ending in a line break. The last line names what decided it and the exit code.
pub fn terminal(bench: &Bench, look: Look) -> String {
    let mut sheet = Sheet::new(look);
    let (word, tone) = words::headline(bench);
    sheet.headline(tone, word, &words::what(bench));
    for group in &bench.groups {
        sheet.title(&words::title(group).to_uppercase());
        for one in columns::results(group, false) {
            // Only times can be done without.
            let has_times = one.header.iter().any(|name| name == "p50");
            table(&mut sheet, one, if has_times { &[3, 5] } else { &[] });
        }
        if let Some(comparison) = columns::comparison(group) {
            table(&mut sheet, comparison, &[]);
        }
        if let Some(originals) = columns::originals(group) {
            table(&mut sheet, originals, &[]);
        }
    }
    for (title, scaling) in columns::scaling(bench) {
        sheet.title(&format!("{}, BY NUMBER OF CLIENTS", title.to_uppercase()));
        table(&mut sheet, scaling, &[]);
    }
    let faults = words::faults(bench);
    if !faults.is_empty() {
        sheet.title("FAULTS");
        faults.iter().for_each(|line| sheet.paragraph("· ", line));
    }
    if !bench.remarks.is_empty() {
        sheet.title("BESIDE THE ORIGINAL");
        bench.remarks.iter().for_each(|line| sheet.paragraph("· ", &plain(line)));
    }
    sheet.title("HOW TO READ IT");
    sheet.paragraph(
        "· ",
        &format!("Where somebody else was faster, a task is tried again {}.", bench.retries),
    );
    LEGEND.iter().for_each(|line| sheet.paragraph("· ", line));
    sheet.title("NOT CHECKED");
    bench.not_checked.iter().for_each(|line| sheet.paragraph("· ", &plain(line)));
    sheet.title("REPEAT");
    sheet.command(&plain(&bench.reproduce));
    sheet.remark(&words::took(bench));
    sheet.verdict(tone, word, &words::decisive(bench), bench.exit_code);
    sheet.finish()
}

/// A table whose columns `spare` are given up where there is no room.
fn table(sheet: &mut Sheet, Table { header, rows }: Table, spare: &[usize]) {
    let folded: Vec<String> =
        header.iter().map(|name| name.replace('/', "/\n").replace("given up", "given\nup")).collect();
    sheet.table(&folded, &rows, 1, spare);
}
