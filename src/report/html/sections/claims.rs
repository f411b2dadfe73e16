//! What was claimed against what was found, and the figures worth a large print.

use crate::report::outcome::{self, Tone};
use maud::{Markup, html};

use crate::check::{Guarantee, Judgement, Verdict};
use crate::measure::LagFigures;
use crate::measure::threshold::Stat;
use crate::report::Report;
use crate::report::html::parts::{mark, table, taint, tile};
use crate::report::words::{self, TAINT, count, plural};

/// The run in six figures.
pub(in crate::report::html) fn tiles(report: &Report) -> Markup {
    let figures = &report.figures;
    let seconds = figures.load.end.since(figures.load.start).as_secs_f64();
    let writes: u64 = figures.rate.iter().map(|bin| bin.write_ok).sum();
    let reads: u64 = figures.rate.iter().map(|bin| bin.read_ok).sum();
    let rate = |of: u64| {
        if seconds > 0.0 { format!("{}/s", words::rate(of as f64 / seconds)) } else { String::new() }
    };
    let (lost, lost_note) = lost(report);
    let (behind, behind_note) = behind(&figures.lag);
    let (seen, seen_note) = seen(report);
    let (down, down_note) = unavailable(report);
    let mark = if figures.lab.taints.is_empty() { String::new() } else { format!(" {TAINT}") };
    html! {
        dl.tiles {
            (tile("Commits lost", &lost, lost_note))
            (tile("Writes acknowledged", &count(writes), &(rate(writes) + &mark)))
            (tile("Reads answered", &count(reads), &(rate(reads) + &mark)))
            (tile("Longest unavailability", &(down + &mark), &down_note))
            (tile("Largest replay lag", &(behind + &mark), behind_note))
            (tile("Seen by a client after", &(seen + &mark), &seen_note))
        }
        @if !figures.lab.taints.is_empty() {
            p.small { (taint()) " What is marked " (TAINT) " measures the lab as much as the cluster." }
        }
    }
}

/// The most that a replica was behind: in time where nobody knows positions of a log.
fn behind(replicas: &[LagFigures]) -> (String, &'static str) {
    let of_replay = |lag: &&LagFigures| (lag.replay_time.is_bound(Stat::Max.quantile()), lag.replay_time.max);
    if replicas.iter().all(|lag| lag.max_replay_bytes.is_none())
        && let Some(slowest) = replicas.iter().filter(|lag| lag.replay_time.count > 0).max_by_key(of_replay)
    {
        return (words::replay(slowest, Stat::Max), "as the server reports it");
    }
    let most = replicas.iter().max_by_key(|lag| (lag.max_replay_bytes, lag.unmeasured));
    (most.map_or_else(|| "–".to_owned(), words::behind), "not yet replayed")
}

/// How late the slowest replica showed what was acknowledged, and how much of it no read ever showed. A replica whose
/// p99 falls among the unseen is slower than any that has one.
fn seen(report: &Report) -> (String, String) {
    let looked = || report.figures.lag.iter().filter(|lag| lag.never_seen.is_some());
    let slowness = |lag: &&LagFigures| (lag.visibility.is_bound(Stat::P99.quantile()), lag.visibility.p99);
    let Some(slowest) = looked().max_by_key(slowness) else {
        return ("–".to_owned(), "nobody looked".to_owned());
    };
    let never = match looked().filter_map(|lag| lag.never_seen).max() {
        None | Some(0) => String::new(),
        Some(never) => format!("; {} never seen", count(never)),
    };
    let p99 = words::percentile(&slowest.visibility, Stat::P99);
    (p99, format!("p99, the slowest replica{never}"))
}

/// The longest time that a node served nobody after a fault. A node that never came back is longer than any.
fn unavailable(report: &Report) -> (String, String) {
    let faults = &report.figures.recoveries;
    if let Some(fault) = faults.iter().find(|fault| words::gone(fault, faults)) {
        return ("no end seen".to_owned(), words::fault(fault));
    }
    // What a fault began and its cure ended is the time of both: the fault's, which comes first.
    let times = faults.iter().rev().filter_map(|fault| Some((fault.unavailable?, fault)));
    let longest = times.max_by_key(|(time, _)| *time);
    let number = faults.iter().filter(|fault| !fault.healing).count() as u64;
    match longest {
        Some((_, fault)) => (words::unavailable(fault), words::fault(fault)),
        None => ("–".to_owned(), plural(number, "fault")),
    }
}

/// Acknowledged commits that are gone, as far as the durability checks can tell.
fn lost(report: &Report) -> (String, &'static str) {
    let judged = || report.judgements.iter().filter(|judgement| judgement.guarantee == Guarantee::Durability);
    let lost: u64 = judged().map(|judgement| judgement.violations).sum();
    let partly = judged().any(|judgement| judgement.verdict == Verdict::Unknown);
    let claimed = judged().any(|judgement| judgement.claimed && judgement.verdict == Verdict::Fail);
    match judged().map(|judgement| judgement.verdict).max() {
        Some(Verdict::Fail) => (
            format!("{}{}", if partly { "≥ " } else { "" }, count(lost)),
            if claimed { "acknowledged and absent" } else { "observed, not claimed" },
        ),
        Some(Verdict::Pass) => (count(lost), "no counter-example found"),
        Some(Verdict::Unknown) => ("unknown".to_owned(), "nothing can be said"),
        None => ("unknown".to_owned(), "durability was not judged"),
    }
}

/// Every guarantee: whether it was claimed, and what was found. One that was claimed and not judged says so.
pub(in crate::report::html) fn claims(report: &Report) -> Markup {
    let claimed = |guarantee: Guarantee| {
        let claims = &report.claims;
        match (claims.everywhere.contains(&guarantee), claims.on_primary.contains(&guarantee)) {
            (true, _) => "everywhere",
            (false, true) => "on the primary",
            (false, false) => "no",
        }
    };
    let rows: Vec<Vec<Markup>> = Guarantee::ALL
        .into_iter()
        .map(|guarantee| {
            let judged: Vec<&Judgement> =
                report.judgements.iter().filter(|judgement| judgement.guarantee == guarantee).collect();
            vec![
                html! { a href={ "#glossary-" (guarantee) } { (guarantee) } },
                html! { (claimed(guarantee)) },
                found(&judged),
            ]
        })
        .collect();
    html! {
        h3 { "Claimed, and found" }
        p.small { "A claim that is contradicted makes the run invalid. What nobody claimed is shown just as plainly, and does not." }
        (table("Claims and findings", &["guarantee", "claimed", "found"], 3, &rows))
    }
}

fn found(judged: &[&Judgement]) -> Markup {
    if judged.is_empty() {
        return html! { span.found { (mark(Tone::Unknown)) "not judged in this run" } };
    }
    let mut tones: Vec<(Tone, u64, u64)> = Vec::new();
    for tone in [Tone::Bad, Tone::Observed, Tone::Unknown, Tone::Good] {
        let of: Vec<_> = judged.iter().filter(|judgement| outcome::tone(judgement) == tone).collect();
        let violations = of.iter().map(|judgement| judgement.violations).sum();
        if !of.is_empty() {
            tones.push((tone, of.len() as u64, violations));
        }
    }
    html! {
        @for (tone, checks, violations) in tones {
            span.found {
                (mark(tone))
                @match tone {
                    Tone::Bad => { (plural(violations, "counter-example")) }
                    Tone::Observed => { (plural(violations, "counter-example")) ", observed and not claimed" }
                    Tone::Unknown => { "nothing can be said" }
                    Tone::Good => { "no counter-example" }
                }
                span.muted { " · " (plural(checks, "check")) }
            }
        }
    }
}
