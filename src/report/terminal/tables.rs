//! The tables of the summary.

use super::sheet::Sheet;
use crate::history::Nanos;
use crate::measure::threshold::Stat;
use crate::report::Report;
use crate::report::words::{self, count, percentile, plain};

/// A heading, with the mark where the lab itself may have distorted the figures below.
fn heading(report: &Report, text: &str) -> String {
    let mark = if report.figures.lab.taints.is_empty() { "" } else { words::TAINT };
    format!("{text}{}{mark}", if mark.is_empty() { "" } else { " " })
}

fn header(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// Outcomes and latency of successes, by operation and node.
pub(super) fn totals(report: &Report, sheet: &mut Sheet) {
    const REFUSED: usize = 10;
    let lines = &report.figures.operations;
    sheet.title(&heading(report, "TOTALS"));
    if lines.is_empty() {
        return sheet.paragraph("", "no operation of the load was recorded");
    }
    let refused = lines.iter().any(|line| line.refused > 0);
    let mut names = header(&[
        "operation",
        "node",
        "ok",
        "fail",
        "unknown",
        "ok/s",
        "p50",
        "p95",
        "p99",
        "max",
        "refused",
    ]);
    if !refused {
        names.pop();
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            let mut row = vec![
                plain(&line.operation),
                plain(line.node.as_str()),
                count(line.ok),
                count(line.fail.saturating_sub(line.refused)),
                count(line.info),
                words::rate(line.ok_per_second),
                percentile(&line.latency, Stat::P50),
                percentile(&line.latency, Stat::P95),
                percentile(&line.latency, Stat::P99),
                percentile(&line.latency, Stat::Max),
            ];
            if refused {
                row.push(count(line.refused));
            }
            row
        })
        .collect();
    let spare: &[usize] = if refused { &[9, REFUSED, 5, 7] } else { &[9, 5, 7] };
    let dropped = sheet.table(&names, &rows, 2, spare);
    let note = if refused && !dropped.contains(&REFUSED) { "; refused: out of stock, expected" } else { "" };
    sheet.remark(&format!("latency of successes{note}; unknown: may or may not have happened; ≥: the rank falls among those without \
         an answer"));
}

/// Lag three ways: bytes, PostgreSQL's time, what a client saw.
pub(super) fn lag(report: &Report, sheet: &mut Sheet) {
    let replicas = &report.figures.lag;
    sheet.title(&heading(report, "REPLICATION LAG"));
    if replicas.is_empty() {
        return sheet.paragraph("", "no replica was sampled");
    }
    let names = header(&[
        "replica",
        "bytes",
        "replay p50",
        "replay p99",
        "seen p50",
        "seen p99",
        "seen max",
        "unseen",
        "samples",
        "no link",
        "no answer",
    ]);
    let rows: Vec<Vec<String>> = replicas
        .iter()
        .map(|lag| {
            vec![
                plain(lag.node.as_str()),
                words::behind(lag),
                words::replay(lag, Stat::P50),
                words::replay(lag, Stat::P99),
                percentile(&lag.visibility, Stat::P50),
                percentile(&lag.visibility, Stat::P99),
                percentile(&lag.visibility, Stat::Max),
                words::never_seen(lag),
                count(lag.samples),
                count(lag.disconnected),
                count(lag.unknown),
            ]
        })
        .collect();
    sheet.table(&names, &rows, 1, &[3, 6, 2, 4, 8]);
    sheet.remark(
        "bytes: the most not yet replayed, with no link since the last position heard of; replay: \
         PostgreSQL's replay_lag; seen: acknowledgement to the first read that shows it; ≥: the rank falls among \
         the unseen, or there was no link for a while; no link: samples without connection to the replica; no answer: samples that the primary \
         did not answer",
    );
}

/// Each fault and the way back.
pub(super) fn restarts(report: &Report, sheet: &mut Sheet) {
    sheet.title(&heading(report, "RESTARTS"));
    let faults = &report.figures.recoveries;
    if faults.is_empty() {
        return sheet.paragraph("", "no fault was injected");
    }
    let origin = report.figures.load.start;
    let names = header(&["fault", "at", "applied", "answered", "first success", "unavailable"]);
    let after = |end: Option<Nanos>, start: Nanos| words::optional(end.map(|end| end.since(start)));
    let rows: Vec<Vec<String>> = faults
        .iter()
        .map(|fault| {
            vec![
                words::fault(fault),
                words::moment(fault.invoked, origin),
                after(fault.applied, fault.invoked),
                words::answered(fault, faults),
                after(fault.first_success, fault.invoked),
                words::unavailable(fault),
            ]
        })
        .collect();
    sheet.table(&names, &rows, 1, &[]);
    let seen = words::resolution(faults).map_or_else(String::new, |seen| format!(", {seen}"));
    sheet.remark(&format!(
        "applied, answered and first success count from the fault; first success: a commit on the primary, a read \
         on a replica; unavailable: the longest time between two successes up to that one{seen}; ≥ where none was seen",
    ));
}

/// Errors by SQLSTATE, if there were any.
pub(super) fn errors(report: &Report, sheet: &mut Sheet) {
    const SHOWN: usize = 10;
    let errors = &report.figures.errors;
    if errors.is_empty() {
        return;
    }
    sheet.title("ERRORS");
    let names = header(&["error", "SQLSTATE", "operation", "node", "fail", "unknown"]);
    let rows: Vec<Vec<String>> = errors
        .iter()
        .take(SHOWN)
        .map(|error| {
            vec![
                words::class(error.class).to_owned(),
                plain(error.sqlstate.as_deref().unwrap_or("–")),
                plain(&error.operation),
                plain(error.node.as_str()),
                count(error.fail),
                count(error.info),
            ]
        })
        .collect();
    sheet.table(&names, &rows, 4, &[]);
    if errors.len() > SHOWN {
        sheet.remark(&format!("{} more kinds: see the report", count((errors.len() - SHOWN) as u64)));
    }
}
