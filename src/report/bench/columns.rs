//! The tables of a bench, as texts: the same in every format.

use super::model::{Bench, Group, Lap, Row};
use super::words;
use crate::history::Nanos;
use crate::measure::median;
use crate::report::words::{count, rate};

/// A table: names of the columns, and the rows. The first column is text, the last one may be.
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// A column: its name, and what stands in it.
type Column = (String, fn(&Row) -> String);

/// A column that stands there only where it is needed.
type Optional = (&'static str, bool, fn(&Row) -> String);

/// What every method did: how fast, and what was there in the end. One table where there is room for it and no outcome is
/// out of the ordinary, else two.
pub(super) fn results(group: &Group, has_room: bool) -> Vec<Table> {
    let has = |pick: fn(&Lap) -> bool| group.rows.iter().flat_map(|row| &row.laps).any(pick);
    let task = group.task.as_str();
    let mut fast: Vec<Column> = vec![
        ("method".to_owned(), |row| row.method.clone()),
        ("time".to_owned(), |row| words::seconds(row.summary.seconds)),
        (format!("{task}s/s"), words::rate_of),
        ("p50".to_owned(), |row| time(row.summary.latency.map(|of| of.p50))),
        ("p99".to_owned(), |row| time(row.summary.latency.map(|of| of.p99))),
        ("max".to_owned(), |row| time(row.summary.latency.map(|of| of.max))),
        ("retries each".to_owned(), |row| {
            row.summary.retries.map_or("–".to_owned(), |retries| format!("{retries:.2}"))
        }),
    ];
    let optional: [Optional; 5] = [
        ("unknown", has(|lap| lap.increments.unknown > 0), |row| {
            middle(row, |lap| Some(lap.increments.unknown))
        }),
        ("refused", has(|lap| lap.failed > 0), |row| middle(row, |lap| Some(lap.failed))),
        ("given up", has(|lap| lap.given_up > 0), |row| middle(row, |lap| Some(lap.given_up))),
        ("inserted", has(|lap| lap.inserted.is_some()), |row| middle(row, |lap| lap.inserted)),
        ("orphaned", has(|lap| lap.orphaned.is_some()), |row| middle(row, |lap| lap.orphaned)),
    ];
    let there: Vec<Column> = vec![
        (group.value.clone(), |row| {
            row.summary.value.map_or("–".to_owned(), |value| count(value.max(0.0) as u64))
        }),
        ("lost".to_owned(), |row| middle(row, |lap| Some(lap.balance.lost))),
        ("verdict".to_owned(), words::verdict),
    ];
    if has_room && optional.iter().all(|(_, is_needed, _)| !is_needed) {
        fast.extend(there);
        return vec![table(&fast, group)];
    }
    // Where each leaves a row, what was wanted stands beside what is there.
    let first: Column = match has(|lap| lap.inserted.is_some()) {
        true => ("wanted".to_owned(), |row| middle(row, |lap| Some(lap.wanted()))),
        false => ("acknowledged".to_owned(), |row| middle(row, |lap| Some(lap.increments.acknowledged))),
    };
    let mut told: Vec<Column> = vec![("method".to_owned(), |row| row.method.clone()), first];
    let needed = optional.into_iter().filter(|(_, is_needed, _)| *is_needed);
    told.extend(needed.map(|(name, _, cell)| (name.to_owned(), cell)));
    told.extend(there);
    vec![table(&fast, group), table(&told, group)]
}

fn table(columns: &[Column], group: &Group) -> Table {
    Table {
        header: columns.iter().map(|(name, _)| name.clone()).collect(),
        rows: group.rows.iter().map(|row| columns.iter().map(|(_, cell)| cell(row)).collect()).collect(),
    }
}

/// How they compare; `None` where nothing is compared.
pub(super) fn comparison(group: &Group) -> Option<Table> {
    if group.rows.iter().all(|row| row.summary.against.is_none()) {
        return None;
    }
    let header = [
        "method".to_owned(),
        format!("{}s/s", group.task),
        format!("in {}'s", group.base),
        "standing".to_owned(),
    ];
    let row = |row: &Row| {
        let against = if row.method == group.base {
            "1".to_owned()
        } else {
            words::interval(row.summary.against, words::ratio)
        };
        vec![
            row.method.clone(),
            words::interval(row.summary.rate, rate),
            against,
            words::standing(row).to_owned(),
        ]
    };
    Some(Table { header: header.into(), rows: group.rows.iter().map(row).collect() })
}

/// Ours beside the original's; `None` where there is no original.
pub(super) fn originals(group: &Group) -> Option<Table> {
    let header = ["method", "original", "value", "this run", "value", "times as fast"].map(str::to_owned);
    let row = |row: &Row| {
        let original = row.original?;
        // Per task that was done, as neither did all of them everywhere.
        let ours = row.summary.rate.map(|of| of.mean);
        let theirs = original.value as f64 / original.seconds;
        Some(vec![
            row.method.clone(),
            format!("{:.2} s", original.seconds),
            format!("{} of {}", count(original.value), count(original.tasks)),
            words::seconds(row.summary.seconds),
            row.summary.value.map_or("–".to_owned(), |value| count(value.max(0.0) as u64)),
            times(row, original.tasks as f64 / original.seconds, theirs, ours),
        ])
    };
    let rows: Vec<Vec<String>> = group.rows.iter().filter_map(row).collect();
    (!rows.is_empty()).then(|| Table { header: header.into(), rows })
}

/// Tasks a second in the original's, all tasks counted that it says it did, lost ones too.
fn times(row: &Row, attempted: f64, counted: f64, ours: Option<f64>) -> String {
    let theirs = if row.promise == crate::check::Promise::Loses { attempted } else { counted };
    ours.map_or("–".to_owned(), |ours| words::times(ours / theirs))
}

/// Tasks a second by number of clients; `None` where there is only one number.
pub(super) fn scaling(bench: &Bench) -> Vec<(String, Table)> {
    let mut titles: Vec<&str> = bench.groups.iter().map(|group| group.title.as_str()).collect();
    titles.dedup();
    let mut tables = Vec::new();
    for title in titles {
        let groups: Vec<&Group> = bench.groups.iter().filter(|group| group.title == title).collect();
        let [first, _, ..] = groups.as_slice() else { continue };
        let header = std::iter::once("clients".to_owned())
            .chain(groups.iter().map(|group| group.clients.to_string()))
            .collect();
        let rows = first.rows.iter().map(|row| {
            let same = groups.iter().map(|group| group.rows.iter().find(|other| other.method == row.method));
            let rates = same.map(|row| row.map_or("–".to_owned(), words::rate_of));
            std::iter::once(row.method.clone()).chain(rates).collect()
        });
        tables.push((title.to_owned(), Table { header, rows: rows.collect() }));
    }
    tables
}

fn middle(row: &Row, pick: fn(&Lap) -> Option<u64>) -> String {
    let values: Option<Vec<f64>> = row.laps.iter().map(|lap| pick(lap).map(|value| value as f64)).collect();
    match values {
        Some(values) if !values.is_empty() => count(median(&values).round() as u64),
        _ => "–".to_owned(),
    }
}

fn time(value: Option<Nanos>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
