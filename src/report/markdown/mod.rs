//! GitHub-flavoured Markdown: for a pull request, where nobody opens an attachment.

pub(super) mod text;

use std::fmt::Write as _;

use super::words::{self, TAINT, count, percentile};
use super::{Report, outcome, verdict};
use crate::history::Nanos;
use crate::measure::threshold::Stat;
use text::{bullets, code, code_cell, entities, escape, line, table};

/// The report as GitHub-flavoured Markdown. Moments count from the start of the load.
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let headline = outcome::headline(report);
    let run = &report.run;
    line(&mut text, &format!("## {} {} · exit {}", headline.mark, headline.word, report.exit_code));
    line(
        &mut text,
        &format!(
            "{} on {}, {}, seed {}, faults: {}",
            escape(&run.workloads),
            escape(&run.topology),
            words::length(run),
            run.seed,
            if run.faults.is_empty() { "none".to_owned() } else { code(&run.faults) }
        ),
    );
    line(&mut text, &escape(&verdict::explanation(report).join(" ")));
    checks(report, &mut text);
    for (workload, found) in &report.transactions {
        line(&mut text, &format!("### Transactions of {}", escape(workload)));
        let lines = super::transactions::summary(found);
        bullets(&mut text, lines.into_iter().map(|(lead, words)| escape(&format!("{lead}{words}"))));
    }
    totals(report, &mut text);
    lag(report, &mut text);
    restarts(report, &mut text);
    errors(report, &mut text);
    for (title, lines) in super::cloud::parts(report) {
        line(&mut text, &format!("### {title}"));
        bullets(&mut text, lines.iter().map(|sentence| escape(sentence)));
    }
    line(&mut text, "### The lab itself");
    line(&mut text, &escape(&words::lab(&report.figures.lab)));
    bullets(&mut text, report.figures.lab.taints.iter().map(|taint| format!("{TAINT} {}", escape(taint))));
    line(&mut text, "### Not checked");
    bullets(&mut text, report.not_checked.iter().map(|sentence| escape(sentence)));
    line(&mut text, "### Repeat");
    line(&mut text, &format!("    {}", words::plain(&run.reproduce)));
    let _ =
        writeln!(text, "replab {}, run {}, {}", escape(&run.version), code(&run.id), escape(&run.started));
    text
}

fn checks(report: &Report, text: &mut String) {
    line(text, "### Checks");
    let rows = report.judgements.iter().map(|judgement| {
        vec![
            format!("{} {}", outcome::tone(judgement).mark(), outcome::found(judgement)),
            escape(&outcome::subject(judgement)),
            if judgement.claimed { "yes" } else { "no" }.to_owned(),
            escape(&judgement.summary),
        ]
    });
    table(text, &["found", "guarantee", "claimed", "what was looked at"], 0..0, rows);
    for judgement in report.judgements.iter().filter(|judgement| !judgement.findings.is_empty()) {
        let total = judgement.violations.max(judgement.findings.len() as u64);
        line(
            text,
            &format!(
                "<details><summary>{}: {} of {}</summary>",
                entities(&outcome::subject(judgement)),
                words::plural(judgement.findings.len() as u64, "finding"),
                count(total)
            ),
        );
        bullets(
            text,
            judgement.findings.iter().map(|finding| {
                let events = finding.events.iter().map(|e| code(&format!("{}#{}", e.workload, e.index)));
                format!("{} {}", escape(&finding.message), events.collect::<Vec<_>>().join(" "))
            }),
        );
        line(text, "</details>");
    }
    if !report.thresholds.is_empty() {
        line(text, "### Thresholds");
        let rows = report.thresholds.iter().map(|limit| {
            let mark = outcome::threshold_tone(limit).mark().to_owned();
            vec![mark, code_cell(&limit.text), escape(&words::measured(limit, &report.figures.lab))]
        });
        table(text, &["", "threshold", "measured"], 0..0, rows);
    }
}

fn totals(report: &Report, text: &mut String) {
    heading(report, text, "Totals");
    let rows = report.figures.operations.iter().map(|figures| {
        let p = &figures.latency;
        vec![
            escape(&figures.operation),
            escape(figures.node.as_str()),
            count(figures.ok),
            count(figures.fail.saturating_sub(figures.refused)),
            count(figures.refused),
            count(figures.info),
            words::rate(figures.ok_per_second),
            percentile(p, Stat::P50),
            percentile(p, Stat::P95),
            percentile(p, Stat::P99),
            percentile(p, Stat::Max),
        ]
    });
    let header =
        ["operation", "node", "ok", "fail", "refused", "unknown", "ok/s", "p50", "p95", "p99", "max"];
    table(text, &header, 2..11, rows);
}

fn lag(report: &Report, text: &mut String) {
    heading(report, text, "Replication lag");
    let rows = report.figures.lag.iter().map(|lag| {
        vec![
            escape(lag.node.as_str()),
            words::behind(lag),
            words::replay(lag, Stat::P99),
            percentile(&lag.visibility, Stat::P50),
            percentile(&lag.visibility, Stat::P99),
            percentile(&lag.visibility, Stat::Max),
            words::never_seen(lag),
            format!("{} of {}", count(lag.disconnected), count(lag.samples)),
            format!("{} of {}", count(lag.unknown), count(lag.samples)),
        ]
    });
    let header = [
        "replica",
        "most bytes not replayed",
        "replay_lag p99",
        "seen by a client p50",
        "p99",
        "max",
        "never seen",
        "samples disconnected",
        "samples without answer",
    ];
    table(text, &header, 1..9, rows);
}

fn restarts(report: &Report, text: &mut String) {
    heading(report, text, "Restarts");
    let after = |end: Option<Nanos>, start: Nanos| words::optional(end.map(|end| end.since(start)));
    let rows = report.figures.recoveries.iter().map(|fault| {
        vec![
            escape(&words::fault(fault)),
            words::moment(fault.invoked, report.figures.load.start),
            after(fault.applied, fault.invoked),
            words::answered(fault, &report.figures.recoveries),
            after(fault.first_success, fault.invoked),
            words::unavailable(fault),
        ]
    });
    let header = ["fault", "at", "applied after", "answered after", "first success after", "unavailable"];
    table(text, &header, 1..9, rows);
    if let Some(seen) = words::resolution(&report.figures.recoveries) {
        line(text, &format!("Unavailable: {seen}."));
    }
}

fn errors(report: &Report, text: &mut String) {
    if report.figures.errors.is_empty() {
        return;
    }
    line(text, "### Errors");
    let rows = report.figures.errors.iter().map(|error| {
        vec![
            words::class(error.class).to_owned(),
            error.sqlstate.as_deref().map_or_else(|| "–".to_owned(), code_cell),
            escape(&error.operation),
            escape(error.node.as_str()),
            count(error.fail),
            count(error.info),
            escape(&error.example),
        ]
    });
    let header = ["error", "SQLSTATE", "operation", "node", "fail", "unknown", "for example"];
    table(text, &header, 4..6, rows);
}

fn heading(report: &Report, text: &mut String, title: &str) {
    let mark = if report.figures.lab.taints.is_empty() { "" } else { " †" };
    line(text, &format!("### {title}{mark}"));
}
