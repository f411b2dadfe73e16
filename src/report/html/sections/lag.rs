//! Replication lag, three ways: bytes, PostgreSQL's times, what a client saw.

use maud::{Markup, html};

use crate::history::{LinkState, Nanos};
use crate::measure::threshold::Stat;
use crate::measure::{LagFigures, LagPoint};
use crate::report::Report;
use crate::report::html::charts::{Frame, Gap, Kind, Plot, Series, Unit};
use crate::report::html::parts::{Section, table, taint};
use crate::report::words::{self, count, percentile};

/// Rows of numbers in all of the section's tables together: what keeps the page small.
const ROWS: usize = 6_000;

pub(super) fn section(report: &Report, frame: &Frame) -> Section {
    let replicas = &report.figures.lag;
    let taints = &report.figures.lab.taints;
    let rows = (ROWS / (2 * replicas.len().max(1))).clamp(60, 600);
    let is_aurora = report.nodes.iter().any(|facts| facts.instance.is_some());
    let body = html! {
        @if replicas.is_empty() { p { "No replica was sampled." } } @else {
            (definitions(is_aurora))
            (summary(replicas, is_aurora))
            @for (place, lag) in replicas.iter().enumerate() {
                h3 { (lag.node) }
                @if !is_aurora { (in_bytes(place, lag, frame, rows, !taints.is_empty())) }
                (in_time(place, lag, frame, rows, !taints.is_empty(), is_aurora))
            }
        }
    };
    Section::measured("lag", "Replication lag", taints, body)
}

fn definitions(is_aurora: bool) -> Markup {
    html! {
        p {
            @if is_aurora {
                "Two definitions, side by side. " b { "Time" } " is what the writer reports in "
                code { "replica_lag_in_msec" } ": how far a reader's page cache is behind. Positions of a log are not known "
                "on Aurora, and so no bytes. "
            } @else {
                "Three definitions, side by side. " b { "Bytes" } " are distances from the primary's insert position to "
                "what it has sent to the replica and what the replica says it has written, flushed and replayed. "
                b { "Time" } " is what PostgreSQL reports in " code { "write_lag" } ", " code { "flush_lag" } " and "
                code { "replay_lag" } "; it clears them when the link is idle. "
            }
            b { "Visibility" } " is what a client "
            "saw: from the acknowledgement of an increment to the end of the first read on the replica that shows it."
        }
    }
}

fn summary(replicas: &[LagFigures], is_aurora: bool) -> Markup {
    let rows: Vec<Vec<Markup>> = (replicas.iter())
        .map(|lag| {
            vec![
                html! { (lag.node) },
                html! { (words::behind(lag)) },
                html! { (words::replay(lag, Stat::P50)) },
                html! { (words::replay(lag, Stat::P99)) },
                html! { (percentile(&lag.visibility, Stat::P50)) },
                html! { (percentile(&lag.visibility, Stat::P99)) },
                html! { (percentile(&lag.visibility, Stat::Max)) },
                html! { (words::never_seen(lag)) },
                html! { (count(lag.disconnected)) " of " (count(lag.samples)) },
                html! { (count(lag.unknown)) " of " (count(lag.samples)) },
            ]
        })
        .collect();
    let header = [
        "replica",
        "most bytes",
        "replay p50",
        "replay p99",
        "seen p50",
        "seen p99",
        "seen max",
        "unseen",
        "no link",
        "no answer",
    ];
    let replay = if is_aurora { "replica_lag_in_msec" } else { "replay_lag" };
    html! {
        (table("Lag by replica", &header, 1, &rows))
        p.small {
            @if !is_aurora {
                "Most bytes: not yet replayed; without a connection, since the last position that the primary had heard of. "
            }
            "Replay: " code { (replay) } ". Seen: by a client. Unseen: increments acknowledged that no read on the replica "
            "showed; they count as later than any, and ≥ marks a rank that falls among them, and a " code { (replay) }
            " of a replica that was disconnected for a while. No link: samples in which the primary had no connection to "
            "the replica. No answer: samples that the primary did not answer."
        }
    }
}

fn in_bytes(place: usize, lag: &LagFigures, frame: &Frame, rows: usize, tainted: bool) -> Markup {
    let series = |name: &str, style: &str, pick: fn(&LagPoint) -> Option<u64>| Series {
        name: name.to_owned(),
        style: style.to_owned(),
        values: values(lag, |point| pick(point).map(|value| value as f64)),
    };
    plot(
        format!("chart-lag-bytes-{}", place + 1),
        html! { "Bytes behind: " (lag.node) @if tainted { " " (taint()) } },
        format!("Distance of {} to the primary's insert position, logarithmic.", lag.node),
        Unit::Bytes,
        vec![
            series("not replayed", "s0", |point| point.replayed),
            series("not flushed", "s1", |point| point.flushed),
            series("not written", "s2", |point| point.written),
            series("not sent", "s3", |point| point.sent),
        ],
        (lag, frame, rows),
    )
}

fn in_time(
    place: usize,
    lag: &LagFigures,
    frame: &Frame,
    rows: usize,
    tainted: bool,
    is_aurora: bool,
) -> Markup {
    let series = |name: &str, style: &str, pick: fn(&LagPoint) -> Option<Nanos>| Series {
        name: name.to_owned(),
        style: style.to_owned(),
        values: values(lag, |point| pick(point).map(|value| value.0 as f64)),
    };
    let seen = lag.points.iter().map(|point| point.visibility.map(|value| value.0 as f64)).collect();
    let seen = Series { name: "seen by a client".to_owned(), style: "s4".to_owned(), values: seen };
    let replay = |name| series(name, "s0", |point| point.replay_lag);
    let (reporter, reported) = if is_aurora {
        ("the writer", vec![seen, replay("replica_lag_in_msec")])
    } else {
        let flush = series("flush_lag", "s1", |point| point.flush_lag);
        let write = series("write_lag", "s2", |point| point.write_lag);
        ("PostgreSQL", vec![seen, replay("replay_lag"), flush, write])
    };
    plot(
        format!("chart-lag-time-{}", place + 1),
        html! { "Time behind: " (lag.node) @if tainted { " " (taint()) } },
        format!("Lag of {} as {reporter} reports it and as clients saw it, logarithmic.", lag.node),
        Unit::Nanos,
        reported,
        (lag, frame, rows),
    )
}

/// The server's own figures; while there is no connection there are none, whatever a sample carries.
fn values(lag: &LagFigures, pick: impl Fn(&LagPoint) -> Option<f64>) -> Vec<Option<f64>> {
    let connected = |point: &&LagPoint| matches!(point.state, LinkState::Streaming | LinkState::Catchup);
    lag.points.iter().map(|point| Some(point).filter(connected).and_then(&pick)).collect()
}

fn plot(
    id: String,
    title: Markup,
    about: String,
    unit: Unit,
    series: Vec<Series>,
    (lag, frame, rows): (&LagFigures, &Frame, usize),
) -> Markup {
    let times = lag.points.iter().map(|point| frame.seconds(point.time)).collect();
    Plot { id, title, about, unit, kind: Kind::Lines, times, series, gaps: gaps(lag, frame), frame, rows }
        .render()
}

/// Where the replica had no connection, or nobody knows: a gap with its reason, and never a lag of zero.
fn gaps(lag: &LagFigures, frame: &Frame) -> Vec<Gap> {
    let mut gaps: Vec<(LinkState, Gap)> = Vec::new();
    let mut open: Option<LinkState> = None;
    for point in &lag.points {
        let seconds = frame.seconds(point.time);
        if let (Some(state), Some((_, gap))) = (open, gaps.last_mut()) {
            gap.end = seconds;
            if point.state == state {
                continue;
            }
        }
        let label = match point.state {
            LinkState::Disconnected => "disconnected",
            LinkState::Unknown => "primary did not answer",
            LinkState::Streaming | LinkState::Catchup => {
                open = None;
                continue;
            }
        };
        open = Some(point.state);
        gaps.push((point.state, Gap { start: seconds, end: seconds, label: label.to_owned() }));
    }
    gaps.into_iter().map(|(_, gap)| gap).collect()
}
