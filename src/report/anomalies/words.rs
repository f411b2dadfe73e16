//! Results in words, the same in every format.

use super::model::{Anomalies, CaseReport, Result, State, Tried};
use crate::anomaly::{Ending, Placement};
use crate::isolation::Isolation;
use crate::report::outcome::{Tone, exit_meaning};
use crate::report::words::{plain, plural};

/// What stands under the matrix.
pub(super) const LEGEND: [&str; 4] = [
    "! the anomaly happens, as expected at this level. ✓ it is prevented, as expected: by the snapshot (it was not seen, and nobody \
     waited or was refused), by waiting for another session, or by a refusal with the SQLSTATE.",
    "✗ it ended otherwise than expected, in one repetition at least; or it could not be played to its end.",
    "no level (0A000): there is no serializable on a replica (hot standby); the first statement of such a transaction is \
     refused, as expected, and nothing was shown of the anomaly.",
    "not run: neither happens nor prevented; the reason stands under what was not checked. An ending without a mark was compared \
     with nothing.",
];

/// How it ended, in a word.
pub(super) fn headline(found: &Anomalies) -> (&'static str, Tone) {
    match found.exit_code {
        12 => ("LAB FAILED", Tone::Bad),
        1 => ("DIFFERENT", Tone::Bad),
        130 => ("INTERRUPTED", Tone::Unknown),
        _ if count(found, State::AsExpected) == 0 => ("NOT COMPARED", Tone::Unknown),
        _ => ("AS EXPECTED", Tone::Good),
    }
}

fn count(found: &Anomalies, state: State) -> u64 {
    found.results().filter(|(_, _, result)| result.state == state).count() as u64
}

/// What the exit code means.
pub(super) fn meaning(found: &Anomalies) -> &'static str {
    match found.exit_code {
        0 => "nothing ended otherwise than expected",
        1 => "a case ended otherwise than expected",
        code => exit_meaning(code),
    }
}

/// What was played, in one line.
pub(super) fn what(found: &Anomalies) -> String {
    plain(&format!(
        "{} on PostgreSQL {}, {}, {} in {:.1} s",
        plural(found.cases.len() as u64, "case"),
        found.server,
        found.cluster,
        plural(u64::from(found.repeat), "repetition"),
        found.seconds
    ))
}

/// What decided, in one sentence.
pub(super) fn decisive(found: &Anomalies) -> String {
    let mut parts = Vec::new();
    for (state, what) in [
        (State::Failed, "could not be played"),
        (State::Differs, "ended otherwise than expected"),
        (State::AsExpected, "ended as expected"),
        (State::Shown, "shown, compared with nothing"),
        (State::NotRun, "not run"),
    ] {
        let number = count(found, state);
        if number > 0 {
            parts.push(format!("{} {what}", plural(number, "cell")));
        }
    }
    if parts.is_empty() { "nothing was played".to_owned() } else { parts.join("; ") }
}

/// The mark of a result, if it has one.
pub(super) fn tone(result: &Result) -> Option<Tone> {
    match (result.state, result.endings.first()) {
        (State::Failed | State::Differs, _) => Some(Tone::Bad),
        (State::AsExpected, Some(times)) if times.ending == Ending::Happens => Some(Tone::Observed),
        // Where there is no such level, nothing is prevented.
        (State::AsExpected, Some(times)) if times.ending.is_unsupported() => None,
        (State::AsExpected, _) => Some(Tone::Good),
        (State::Shown | State::NotRun, _) => None,
    }
}

/// An ending in a word or two: `happens`, `snapshot`, `waits`, `40001`.
pub(super) fn brief(ending: &Ending) -> String {
    match ending {
        unsupported if unsupported.is_unsupported() => "no level (0A000)".to_owned(),
        Ending::Refused { sqlstate, .. } => sqlstate.clone(),
        Ending::Waits { .. } => "waits".to_owned(),
        Ending::Happens | Ending::Snapshot | Ending::Ran => ending.to_string(),
    }
}

/// A result in a cell: mark and ending; what differs with what was expected.
pub(super) fn cell(result: &Result) -> String {
    let mark = tone(result).map_or(String::new(), |tone| format!("{} ", tone.mark()));
    match result.state {
        State::NotRun => "not run".to_owned(),
        State::Failed => format!("{mark}failed"),
        _ => {
            let endings: Vec<String> = result.endings.iter().map(|times| brief(&times.ending)).collect();
            format!("{mark}{}", endings.join(" / "))
        }
    }
}

/// The cell of a case at a level and a place; a dash where it is never played there.
pub(super) fn at(case: &CaseReport, on: Placement, level: Isolation) -> String {
    let found = case.cells.iter().find(|cell| cell.on == on && cell.isolation == level);
    found.map_or_else(|| "–".to_owned(), |found| cell(&found.result))
}

/// An ending in a sentence.
pub(super) fn sentence(ending: &Ending) -> String {
    match ending {
        Ending::Happens => "the anomaly happens".to_owned(),
        Ending::Snapshot => "prevented: it was not seen, and nobody waited or was refused".to_owned(),
        Ending::Waits { at } => format!("prevented: `{at}` waits for another session"),
        unsupported if unsupported.is_unsupported() => {
            "refused with 0A000: there is no such level on a replica, so nothing was shown".to_owned()
        }
        Ending::Refused { sqlstate, at } => format!("refused with {sqlstate} at `{at}`"),
        Ending::Ran => "no step was refused; the file does not say what to look for".to_owned(),
    }
}

/// What is wrong with a result, with the repetition in which it showed.
pub(super) fn trouble(found: &Anomalies) -> Vec<String> {
    let bad = found.results().filter(|(_, _, result)| result.state >= State::Differs);
    bad.map(|(case, place, result)| {
        if let (State::Failed, Some(why)) = (result.state, &result.why) {
            return plain(&format!("{}, {place}: {why}", case.name));
        }
        let expected = result.expected.as_ref();
        let wanted = expected.map_or("the same every time".to_owned(), |ending| format!("`{ending}`"));
        let unlike = result.endings.iter().filter(|times| Some(&times.ending) != expected);
        let seen: Vec<String> = unlike
            .map(|times| {
                let total: u32 = result.endings.iter().map(|times| times.times).sum();
                format!(
                    "`{}` in {} of {total} repetitions, first in number {}",
                    times.ending, times.times, times.first
                )
            })
            .collect();
        plain(&format!("{}, {place}: expected {wanted}, but found {}", case.name, seen.join(", ")))
    })
    .collect()
}

/// What a prevention is: `helps`, or what people believe in.
pub(super) fn claim(tried: &Tried) -> &'static str {
    if tried.helps { "prevents" } else { "does not help" }
}

/// What was found with a prevention, in a cell.
pub(super) fn tried(tried: &Tried) -> String {
    let remark = if tried.helps { "" } else { ": no help" };
    format!("{}{remark}", cell(&tried.result))
}

/// At which step each case was refused or had to wait, with the levels at which it was; one line a case.
pub(super) fn steps(found: &Anomalies) -> Vec<String> {
    let mut lines = Vec::new();
    for case in &found.cases {
        // In the order in which they were found, each with its levels.
        let mut endings: Vec<(String, Vec<String>)> = Vec::new();
        for cell in &case.cells {
            for times in &cell.result.endings {
                let Some(at) = times.ending.at() else { continue };
                let what = match &times.ending {
                    Ending::Refused { sqlstate, .. } => format!("{sqlstate} at `{at}`"),
                    _ => format!("waits at `{at}`"),
                };
                let replica = if cell.on == Placement::Replica { " on a replica" } else { "" };
                let level = format!("{}{replica}", cell.isolation);
                match endings.iter_mut().find(|(known, _)| *known == what) {
                    Some((_, levels)) => levels.push(level),
                    None => endings.push((what, vec![level])),
                }
            }
        }
        let told: Vec<String> =
            endings.into_iter().map(|(what, levels)| format!("{what} ({})", levels.join(", "))).collect();
        if !told.is_empty() {
            lines.push(plain(&format!("{}: {}", case.name, told.join("; "))));
        }
    }
    lines
}
