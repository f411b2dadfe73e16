//! A matrix in words, the same in every format.

use super::model::{Cell, End, FaultFacts, Matrix, State};
use super::spread::Spread;
use crate::history::Nanos;
use crate::report::outcome::Tone;
use crate::report::words::{TAINT, count, plain, plural};

/// Standbys, each with levels.
type Settings<'a> = Vec<(&'a str, Vec<&'a str>)>;

/// What stands under the tables.
pub(super) const LEGEND: [&str; 6] = [
    "✓ claimed: no acknowledged commit is lost, and none was. ! Some may be lost, and were (where none may, the \
     server had warned of them). Without a mark some may be \
     lost, and none was this time. ✗ is a violated claim, a failure of the lab, or the lack of a verdict: never a number.",
    "lost: acknowledged commits that are not there in the end, as median and, below it, smallest to largest of the runs.",
    "over: from the acknowledgement of the first lost commit to that of the last.",
    "no writes: how long nobody's write was answered though somebody asked, in gaps of more than 100 ms; no reads: the same \
     of reads, node by node.",
    "first commit: from the step that took the primary to the first commit that was begun after it.",
    "times are medians; ≥: not over when the load was; †: the lab itself ran late in one of the runs, so that the times of this \
     row are its own as much as the cluster's.",
];

/// How a matrix ended, in a word.
pub(super) fn headline(matrix: &Matrix) -> (&'static str, Tone) {
    match (matrix.exit_code, matrix.end) {
        (11 | 12, _) => ("LAB FAILED", Tone::Bad),
        (1, _) => ("INVALID", Tone::Bad),
        (_, End::Interrupted) => ("INTERRUPTED", Tone::Unknown),
        (_, End::Open) => ("NOT FINISHED", Tone::Unknown),
        (0, End::Complete) => ("VALID", Tone::Good),
        (4, End::Complete) => ("THRESHOLD MISSED", Tone::Bad),
        (_, End::Complete) => ("UNKNOWN", Tone::Unknown),
    }
}

/// What was measured, in one line.
pub(super) fn what(matrix: &Matrix) -> String {
    let servers = matrix.servers.join(" and ");
    let servers = if servers.is_empty() { String::new() } else { format!(", PostgreSQL {servers}") };
    plain(&format!(
        "{} on {}{servers}, {} s a run, {}, seed {}",
        matrix.workloads,
        matrix.cluster,
        matrix.duration_seconds,
        plural(u64::from(matrix.repeat), "repetition"),
        matrix.seed
    ))
}

/// What decided, in one sentence.
pub(super) fn decisive(matrix: &Matrix) -> String {
    let of = |state| matrix.cells.iter().filter(|cell| cell.summary.state == state).count() as u64;
    let mut parts = Vec::new();
    for (state, what) in [
        (State::Failed, "the lab failed"),
        (State::Violated, "a claim was violated"),
        (State::Unknown, "nothing can be said"),
    ] {
        if of(state) > 0 {
            parts.push(format!("{what} in {}", plural(of(state), "cell")));
        }
    }
    if parts.is_empty() && matrix.done() > 0 {
        let claimed =
            matrix.cells.iter().filter(|cell| cell.claimed && cell.summary.measured > 0).count() as u64;
        let lossy = matrix.cells.iter().filter(|cell| tone(cell) == Some(Tone::Observed)).count() as u64;
        let others =
            matrix.cells.iter().filter(|cell| !cell.claimed && cell.summary.measured > 0).count() as u64;
        if claimed > 0 {
            parts.push(format!(
                "nothing was lost in {} of {}, where that is claimed",
                count(claimed),
                plural(claimed + others, "cell")
            ));
        }
        if others > 0 {
            parts.push(format!(
                "commits were lost in {} of {} where they may be",
                count(lossy),
                count(others)
            ));
        }
    }
    let (done, planned) = (matrix.done() as u64, matrix.planned() as u64);
    if done < planned {
        parts.push(format!("{} of {} were made", count(done), plural(planned, "run")));
    }
    parts.join("; ")
}

/// The mark of a cell, if it has one.
pub(super) fn tone(cell: &Cell) -> Option<Tone> {
    let lost = cell.summary.lost.is_some_and(|lost| lost.max > 0);
    match cell.summary.state {
        State::NotRun => None,
        State::Failed | State::Violated => Some(Tone::Bad),
        State::Unknown => Some(Tone::Unknown),
        State::Measured if lost => Some(Tone::Observed),
        State::Measured => cell.claimed.then_some(Tone::Good),
    }
}

/// A word instead of a number, where there can be none.
pub(super) fn no_number(cell: &Cell) -> Option<&'static str> {
    match cell.summary.state {
        State::NotRun => Some("not run"),
        State::Failed => Some("LAB FAILED"),
        State::Violated => Some("INVALID"),
        State::Unknown => Some("UNKNOWN"),
        State::Measured => None,
    }
}

/// What was lost, in one or two lines: the mark and the median; the smallest and the largest, where they differ.
pub(super) fn lost(cell: &Cell) -> Vec<String> {
    let mark = tone(cell).map(|tone| format!("{} ", tone.mark())).unwrap_or_default();
    match (no_number(cell), cell.summary.lost) {
        (Some(word), _) => vec![format!("{mark}{word}")],
        (None, None) => vec!["–".to_owned()],
        (None, Some(lost)) => {
            let first = format!("{mark}{}{}", bound(&lost), count(lost.median));
            let rest = (lost.min != lost.max).then(|| format!("{}–{}", count(lost.min), count(lost.max)));
            std::iter::once(first).chain(rest).collect()
        }
    }
}

/// A median time; a dash where there can be none.
pub(super) fn time(cell: &Cell, spread: Option<Spread>) -> String {
    match spread {
        Some(spread) if no_number(cell).is_none() => short(&spread),
        _ => "–".to_owned(),
    }
}

/// The smallest and the largest of them, where they differ.
pub(super) fn reach(cell: &Cell, spread: Option<Spread>) -> Option<String> {
    let spread = spread.filter(|spread| no_number(cell).is_none() && spread.min != spread.max)?;
    let (least, most) = (length(spread.min), length(spread.max));
    // One unit is enough for both.
    Some(match least.rsplit_once(' ').zip(most.rsplit_once(' ')) {
        Some(((least, unit), (_, same))) if unit == same => format!("{least}–{most}"),
        _ => format!("{least}–{most}"),
    })
}

/// The nodes whose readers went without, with how long; one a line.
pub(super) fn reads(cell: &Cell) -> Vec<String> {
    if no_number(cell).is_some() {
        return vec!["–".to_owned()];
    }
    let out = cell.summary.reads_out.iter().filter(|of| of.out.max > 0);
    let lines: Vec<String> = out.map(|of| plain(&format!("{} {}", of.node, short(&of.out)))).collect();
    if lines.is_empty() { vec!["none".to_owned()] } else { lines }
}

fn short(spread: &Spread) -> String {
    format!("{}{}", bound(spread), length(spread.median))
}

fn length(time: u64) -> String {
    if time == 0 { "none".to_owned() } else { Nanos(time).to_string() }
}

fn bound(spread: &Spread) -> &'static str {
    if spread.at_least { "≥ " } else { "" }
}

/// The level, with the mark where the lab ran late.
pub(super) fn level(cell: &Cell) -> String {
    let mark = if cell.summary.tainted > 0 { format!(" {TAINT}") } else { String::new() };
    plain(&format!("{}{mark}", cell.synchronous_commit))
}

/// What a cell claims, in few words.
pub(super) fn claim(cell: &Cell) -> &'static str {
    if cell.claimed { "no loss" } else { "none" }
}

/// Its claim with the reason, in one sentence.
pub(super) fn reason(cell: &Cell) -> String {
    let promise = if cell.claimed { "nothing may be lost" } else { "commits may be lost" };
    plain(&format!("{promise}: {}.", cell.theory))
}

/// The reasons of a fault's cells, each once, after the settings that it holds for.
pub(super) fn reasons(matrix: &Matrix, fault: &FaultFacts) -> Vec<(String, String)> {
    let mut reasons: Vec<(String, Settings<'_>)> = Vec::new();
    for cell in matrix.of(fault) {
        let (why, level) = (reason(cell), cell.synchronous_commit.as_str());
        match reasons.iter_mut().find(|(other, _)| *other == why) {
            Some((_, settings)) => match settings.iter_mut().find(|(standbys, _)| *standbys == cell.standbys)
            {
                Some((_, levels)) => levels.push(level),
                None => settings.push((&cell.standbys, vec![level])),
            },
            None => reasons.push((why, vec![(&cell.standbys, vec![level])])),
        }
    }
    let told = |(why, settings): (String, Settings<'_>)| {
        let same = settings.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let settings: Vec<String> = match settings.first() {
            Some((_, levels)) if same && settings.len() == matrix.standbys.len() => vec![levels.join(", ")],
            _ => settings
                .iter()
                .map(|(standbys, levels)| format!("{} with standbys {standbys}", levels.join(", ")))
                .collect(),
        };
        (plain(&settings.join("; ")), why)
    };
    reasons.into_iter().map(told).collect()
}

/// Runs without figures, and why.
pub(super) fn trouble(matrix: &Matrix) -> Vec<String> {
    let runs = matrix.cells.iter().flat_map(|cell| cell.runs.iter().map(move |run| (cell, run)));
    let without = runs.filter(|(_, run)| run.state > State::Measured);
    let told = without.map(|(cell, run)| {
        plain(&format!(
            "{}, {}, {}, repetition {}: {} (exit {}, {})",
            cell.fault,
            cell.synchronous_commit,
            cell.standbys,
            run.repetition,
            run.why.as_deref().unwrap_or("no reason is known"),
            run.exit_code,
            run.directory
        ))
    });
    told.collect()
}

/// How long all runs took together.
pub(super) fn took(matrix: &Matrix) -> String {
    let seconds: f64 = matrix.cells.iter().flat_map(|cell| &cell.runs).map(|run| run.seconds).sum();
    format!("{} in {:.1} min", plural(matrix.done() as u64, "run"), seconds / 60.0)
}
