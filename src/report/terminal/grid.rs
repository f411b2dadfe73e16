//! Tables that fit.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle, presets};

const STYLE: TableStyle = presets::UTF8_FULL_CONDENSED.with_rounded_corners();

/// The lines of a table that gives up its columns `spare`, the last one first, until it is at most `width` wide; if
/// that is not enough, its cells are broken; and the columns given up. Columns from the `text`th on are numbers.
pub(super) fn fitted(
    header: &[String],
    rows: &[Vec<String>],
    text: usize,
    spare: &[usize],
    width: usize,
) -> (Vec<String>, Vec<usize>) {
    let mut spare = spare.to_vec();
    let mut dropped: Vec<usize> = Vec::new();
    loop {
        let mut table = table(header, rows, text, &dropped);
        let lines: Vec<String> = table.lines().collect();
        if lines.iter().all(|line| line.chars().count() <= width) {
            return (lines, dropped);
        }
        let Some(next) = spare.pop() else {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
            return (table.lines().collect(), dropped);
        };
        dropped.push(next);
    }
}

fn table(header: &[String], rows: &[Vec<String>], text: usize, dropped: &[usize]) -> Table {
    let keep = |cells: &[String]| -> Vec<String> {
        let kept = cells.iter().enumerate().filter(|(place, _)| !dropped.contains(place));
        kept.map(|(_, cell)| cell.clone()).collect()
    };
    let mut table = Table::new();
    table.force_no_tty().load_style(STYLE).set_header(keep(header));
    for row in rows {
        table.add_row(keep(row));
    }
    for column in table.column_iter_mut().skip(text) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
