//! The load: throughput by outcome, and latency.

use maud::{Markup, html};

use crate::measure::threshold::Stat;
use crate::measure::{LatencyPoint, OperationFigures, RatePoint};
use crate::report::Report;
use crate::report::html::charts::{Frame, Kind, Plot, Series, Unit};
use crate::report::html::parts::{Section, table, taint};
use crate::report::words::{self, count};

pub(super) fn throughput(report: &Report, frame: &Frame) -> Section {
    let taints = &report.figures.lab.taints;
    let rows: Vec<Vec<Markup>> = report.figures.operations.iter().map(outcomes).collect();
    let header = ["workload", "operation", "node", "invoked", "ok", "ok/s", "fail", "refused", "unknown"];
    let body = html! {
        p { "By the time of completion. " b { "Failed" } ": certainly did not happen. " b { "Refused" }
            ": the application's own rule said no (out of stock), which is expected. " b { "Unknown" }
            ": may or may not have happened, and is never retried." }
        (writes(report, frame, !taints.is_empty()))
        (reads(report, frame, !taints.is_empty()))
        h3 { "By operation and node" }
        (table("Outcomes by operation and node", &header, 3, &rows))
        p.small { "Invoked = ok + fail + refused + unknown." }
    };
    Section::measured("throughput", "Throughput by outcome", taints, body)
}

fn outcomes(line: &OperationFigures) -> Vec<Markup> {
    vec![
        html! { (line.workload) },
        html! { (line.operation) },
        html! { (line.node) },
        html! { (count(line.invoked)) },
        html! { (count(line.ok)) },
        html! { (words::rate(line.ok_per_second)) },
        html! { (count(line.fail.saturating_sub(line.refused))) },
        html! { (count(line.refused)) },
        html! { (count(line.info)) },
    ]
}

fn writes(report: &Report, frame: &Frame, tainted: bool) -> Markup {
    bars(
        report,
        frame,
        "chart-writes",
        html! { "Writes a second" @if tainted { " " (taint()) } },
        "Writes a second by outcome, stacked.",
        &[
            ("acknowledged", "ok", |bin| bin.write_ok),
            ("refused", "refused", |bin| bin.write_refused),
            ("failed", "fail", |bin| bin.write_fail),
            ("unknown", "info", |bin| bin.write_info),
        ],
    )
}

fn reads(report: &Report, frame: &Frame, tainted: bool) -> Markup {
    bars(
        report,
        frame,
        "chart-reads",
        html! { "Reads a second" @if tainted { " " (taint()) } },
        "Reads a second by outcome, stacked.",
        &[("answered", "ok", |bin| bin.read_ok), ("not answered", "fail", |bin| bin.read_fail)],
    )
}

type Pick = fn(&RatePoint) -> u64;

fn bars(
    report: &Report,
    frame: &Frame,
    id: &str,
    title: Markup,
    about: &str,
    series: &[(&str, &str, Pick)],
) -> Markup {
    let bins = &report.figures.rate;
    let series = (series.iter())
        .map(|(name, style, pick)| Series {
            name: (*name).to_owned(),
            style: (*style).to_owned(),
            values: bins.iter().map(|bin| per_second(bin, *pick)).collect(),
        })
        .collect();
    Plot {
        id: id.to_owned(),
        title,
        about: about.to_owned(),
        unit: Unit::PerSecond,
        kind: Kind::Bars,
        times: bins.iter().map(|bin| frame.seconds(bin.time)).collect(),
        series,
        gaps: Vec::new(),
        frame,
        rows: 600,
    }
    .render()
}

fn per_second(bin: &RatePoint, pick: Pick) -> Option<f64> {
    let width = bin.width.as_secs_f64();
    (width > 0.0).then(|| pick(bin) as f64 / width)
}

pub(super) fn latency(report: &Report, frame: &Frame) -> Section {
    let taints = &report.figures.lab.taints;
    let points = &report.figures.latency;
    let series = |name: &str, style: &str, pick: fn(&LatencyPoint) -> u64| Series {
        name: name.to_owned(),
        style: style.to_owned(),
        values: points.iter().map(|point| Some(pick(point) as f64)).collect(),
    };
    let plot = Plot {
        id: "chart-latency".to_owned(),
        title: html! { "Latency of acknowledged writes" @if !taints.is_empty() { " " (taint()) } },
        about: "Percentiles of each moment, logarithmic; nothing is drawn while nothing was acknowledged."
            .to_owned(),
        unit: Unit::Nanos,
        kind: Kind::Lines,
        times: points.iter().map(|point| frame.seconds(point.time)).collect(),
        series: vec![
            series("max", "s3", |point| point.max.0),
            series("p99", "s1", |point| point.p99.0),
            series("p95", "s2", |point| point.p95.0),
            series("p50", "s0", |point| point.p50.0),
        ],
        gaps: Vec::new(),
        frame,
        rows: 600,
    };
    let rows: Vec<Vec<Markup>> = report.figures.operations.iter().map(percentiles).collect();
    let header =
        ["workload", "operation", "node", "ok", "fail", "unknown", "p50", "p95", "p99", "p99.9", "max"];
    let body = html! {
        p { "From invocation to completion, of successes; what got no answer counts as longer than any, and ≥ marks a rank that falls among it. Failures stand beside them." }
        (plot.render())
        h3 { "By operation and node" }
        (table("Latency by operation and node", &header, 3, &rows))
    };
    Section::measured("latency", "Latency", taints, body)
}

fn percentiles(line: &OperationFigures) -> Vec<Markup> {
    let p = &line.latency;
    let mut cells = vec![
        html! { (line.workload) },
        html! { (line.operation) },
        html! { (line.node) },
        html! { (count(line.ok)) },
        html! { (count(line.fail.saturating_sub(line.refused))) },
        html! { (count(line.info)) },
    ];
    cells.extend(Stat::ALL.map(|stat| html! { (words::percentile(p, stat)) }));
    cells
}
