//! The pictures of a bench: how fast, how long, how often again, and how it grows with the clients.

use maud::{Markup, html};

use super::model::{Bench, Group};
use super::words;
use crate::measure::Estimate;
use crate::report::html::charts::{Curve, Line, Row, Rows, Unit};
use crate::report::words::rate;

/// The charts of a group, whose anchors begin with `id`.
pub(super) fn group(group: &Group, id: &str) -> Markup {
    let title = format!("{}s a second", capitalised(&group.task));
    html! {
        (Rows {
            id: format!("{id}-rate"),
            title: &title,
            about: "The geometric mean over the repetitions; the bar is its 95 % interval, of six repetitions or more.",
            unit: Unit::PerSecond,
            is_log: false,
            points: &["rate"],
            rows: rows(group, |row| Row {
                name: row.method.clone(),
                points: vec![row.summary.rate.map(|of| of.mean)],
                bar: row.summary.rate.filter(Estimate::is_interval).map(|of| (of.low, of.high)),
                text: row.summary.rate.map_or_else(|| "not measured".to_owned(), |of| rate(of.mean)),
            }),
        }.render())
        (Rows {
            id: format!("{id}-latency"),
            title: "Time to an acknowledgement",
            about: "Retries included, on a logarithmic axis: half of the tasks, 99 of 100, and the slowest of all.",
            unit: Unit::Nanos,
            is_log: true,
            points: &["p50", "p99", "max"],
            rows: rows(group, |row| {
                let of = row.summary.latency;
                let nanos = |value: Option<crate::history::Nanos>| value.map(|value| value.0 as f64);
                Row {
                    name: row.method.clone(),
                    points: vec![nanos(of.map(|of| of.p50)), nanos(of.map(|of| of.p99)), nanos(of.map(|of| of.max))],
                    bar: of.map(|of| (of.p50.0 as f64, of.max.0 as f64)),
                    text: of.map_or_else(|| "not measured".to_owned(), |of| format!("p99 {}", of.p99)),
                }
            }),
        }.render())
        (Rows {
            id: format!("{id}-retries"),
            title: &format!("Retries for each {}", group.task),
            about: "Attempts that were made again because somebody else was faster.",
            unit: Unit::Times,
            is_log: false,
            points: &["retries"],
            rows: rows(group, |row| Row {
                name: row.method.clone(),
                points: vec![row.summary.retries],
                bar: row.summary.retries.map(|retries| (0.0, retries)),
                text: row.summary.retries.map_or_else(|| "not measured".to_owned(), |retries| format!("{retries:.2}")),
            }),
        }.render())
    }
}

/// How each method of the groups called `title` grows with the clients.
pub(super) fn scaling(bench: &Bench, title: &str, id: &str) -> Markup {
    let groups: Vec<&Group> = bench.groups.iter().filter(|group| group.title == title).collect();
    let names =
        groups.first().map(|group| group.rows.iter().map(|row| row.method.clone()).collect::<Vec<_>>());
    let line = |name: String| {
        let of = |group: &&Group| {
            let rate = group.rows.iter().find(|row| row.method == name)?.summary.rate?;
            let (low, high) = if rate.is_interval() { (rate.low, rate.high) } else { (rate.mean, rate.mean) };
            Some((rate.mean, low, high))
        };
        Line { values: groups.iter().map(of).collect(), name }
    };
    let task = groups.first().map(|group| capitalised(&group.task)).unwrap_or_default();
    Curve {
        id: id.to_owned(),
        title: &format!("{task}s a second by number of clients"),
        about: "Both axes are logarithmic; the strokes are 95 % intervals, of six repetitions or more.",
        unit: Unit::PerSecond,
        across: "clients",
        places: groups.iter().map(|group| f64::from(group.clients)).collect(),
        lines: names.unwrap_or_default().into_iter().map(line).collect(),
    }
    .render()
}

fn rows(group: &Group, of: impl Fn(&super::model::Row) -> Row) -> Vec<Row> {
    group.rows.iter().map(|row| Row { text: marked(row, of(row).text), ..of(row) }).collect()
}

/// A method that is wrong is wrong in every picture.
fn marked(row: &super::model::Row, text: String) -> String {
    match words::tone(row) {
        crate::report::outcome::Tone::Bad => format!("{text} ✗"),
        _ => text,
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
