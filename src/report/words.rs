//! Numbers in words, the same in every format.

use crate::check::Verdict;
use crate::history::{CauseClass, Nanos};
use crate::measure::threshold::Stat;
use crate::measure::{LabFigures, LagFigures, Percentiles, Recovery};

use super::{RunFacts, Threshold};

/// The mark that stands beside every figure that the lab itself may have distorted.
pub(super) const TAINT: &str = "†";

/// What is said of a history's file that has no trailer.
pub(super) const CUT: &str =
    "The file was cut: what it would have told after that is missing, and was not checked.";

/// `1,234,567`.
pub(super) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How long a load was meant to go on: `20 s`, `1,000 writes within 20 s`.
pub(super) fn length(run: &RunFacts) -> String {
    match run.operations {
        Some(writes) => format!("{} within {} s", plural(writes, "write"), run.duration_seconds),
        None => format!("{} s", run.duration_seconds),
    }
}

/// `1 order`, `2,000 orders`: English plural by appending `s`.
pub(super) fn plural(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

/// Three significant digits in decimal units: `812 B`, `1.24 kB`, `47.1 MB`.
pub(super) fn bytes(value: u64) -> String {
    let mut scaled = value as f64;
    if scaled < 999.5 {
        return format!("{value} B");
    }
    let mut unit = "";
    for next in ["kB", "MB", "GB", "TB"] {
        if scaled < 999.5 {
            break;
        }
        (scaled, unit) = (scaled / 1e3, next);
    }
    let decimals = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
    format!("{scaled:.decimals$} {unit}")
}

/// Per second: `841`, `8.4`.
pub(super) fn rate(value: f64) -> String {
    if value >= 99.5 { count(value.round() as u64) } else { format!("{value:.1}") }
}

/// A length of time, or a dash.
pub(super) fn optional(value: Option<Nanos>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}

/// A moment as seconds from `origin`, which may lie after it: `8.02 s`, `−0.31 s`.
pub(super) fn moment(time: Nanos, origin: Nanos) -> String {
    let seconds = seconds_from(time, origin);
    let sign = if seconds <= -0.005 { "−" } else { "" };
    format!("{sign}{:.2} s", seconds.abs())
}

/// Seconds from `origin` to `time`, signed.
pub(super) fn seconds_from(time: Nanos, origin: Nanos) -> f64 {
    time.as_secs_f64() - origin.as_secs_f64()
}

/// The text on one line and without control characters: what a server or a user wrote must not steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A word of a command: in quotes where a shell would take it for something else.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let before = if word.starts_with('-') { "./" } else { "" };
    format!("'{before}{}'", word.replace('\'', "'\\''"))
}

/// What was measured against a threshold; where nothing can be said, the reason comes first, and the value has a mark
/// where the lab may have distorted it.
pub(super) fn measured(threshold: &Threshold, lab: &LabFigures) -> String {
    let mark = if lab.taints.is_empty() { String::new() } else { format!(" {TAINT}") };
    let reason = &threshold.reason;
    plain(&match (threshold.verdict, &threshold.measured) {
        (Verdict::Pass | Verdict::Fail, Some(measured)) => format!("{measured} ({reason})"),
        (Verdict::Unknown, Some(measured)) => format!("unknown: {reason} (measured {measured}{mark})"),
        (_, None) => format!("nothing measured: {reason}"),
    })
}

/// One of the percentiles; `≥` where it is only a lower bound, a dash of nothing.
pub(super) fn percentile(of: &Percentiles, stat: Stat) -> String {
    let bound = if of.is_bound(stat.quantile()) { "≥ " } else { "" };
    match stat.of(of) {
        Some(value) => format!("{bound}{value}"),
        None => "–".to_owned(),
    }
}

/// A percentile of `replay_lag`; `≥` where the replica was disconnected for a while, of which PostgreSQL says nothing.
pub(super) fn replay(lag: &LagFigures, stat: Stat) -> String {
    let bound = if lag.disconnected > 0 && lag.replay_time.count > 0 { "≥ " } else { "" };
    format!("{bound}{}", percentile(&lag.replay_time, stat))
}

/// The most bytes that a replica was behind; `≥` where nobody knows of some of the time.
pub(super) fn behind(lag: &LagFigures) -> String {
    let bound = if lag.unmeasured > 0 { "≥ " } else { "" };
    lag.max_replay_bytes.map_or_else(|| "–".to_owned(), |most| format!("{bound}{}", bytes(most)))
}

/// How many increments were never seen on a replica; a dash where nobody looked.
pub(super) fn never_seen(lag: &LagFigures) -> String {
    lag.never_seen.map_or_else(|| "–".to_owned(), count)
}

/// How the lab itself did, in one line.
pub(super) fn lab(lab: &LabFigures) -> String {
    if lab.cores == 0 {
        return "not measured".to_owned();
    }
    let delay = if lab.loop_delay.count == 0 {
        "timers not measured".to_owned()
    } else {
        format!("timers late by {} (p95)", lab.loop_delay.p95)
    };
    format!(
        "{delay}, {:.2} of {} cores, {} of memory, longest sampler gap {}",
        lab.cpu,
        lab.cores,
        bytes(lab.peak_rss),
        lab.longest_sampler_gap
    )
}

/// The kind of an error, for a person.
pub(super) fn class(class: CauseClass) -> &'static str {
    match class {
        CauseClass::Refused => "refused by the application",
        CauseClass::Server => "server error",
        CauseClass::ConnectionLost => "connection lost",
        CauseClass::CannotConnect => "cannot connect",
        CauseClass::Deadline => "deadline",
    }
}

/// What was done to which node: `crash primary`, `start primary (healing)`.
pub(super) fn fault(recovery: &Recovery) -> String {
    let healing = if recovery.healing { " (healing)" } else { "" };
    plain(&format!("{} {}{healing}", recovery.action, recovery.node))
}

/// When the node answered again, counted from the fault; in words where that was not seen, a dash where it never ceased to.
pub(super) fn answered(recovery: &Recovery, faults: &[Recovery]) -> String {
    match (recovery.applied, recovery.answered) {
        (None, _) => "never took hold".to_owned(),
        (_, Some(at)) => at.since(recovery.invoked).to_string(),
        (_, None) if !recovery.silenced => "–".to_owned(),
        (_, None) if next(recovery, faults).is_some() => "not before the next fault".to_owned(),
        (_, None) => "no answer seen".to_owned(),
    }
}

/// How long the node served nobody; `≥` where nothing was seen to end it.
pub(super) fn unavailable(recovery: &Recovery) -> String {
    let bound = if recovery.unavailable_is_bound { "≥ " } else { "" };
    recovery.unavailable.map_or_else(|| "–".to_owned(), |time| format!("{bound}{time}"))
}

/// How finely the times without service were seen, the coarsest of them.
pub(super) fn resolution(faults: &[Recovery]) -> Option<String> {
    // No finer than an answer takes.
    let least = Nanos::from_millis(1);
    let coarsest = faults.iter().filter_map(|fault| fault.resolution).max()?.max(least);
    Some(format!("seen to within {coarsest}: nobody asked for longer at its ends"))
}

/// Whether nobody saw the node come back, and no other fault explains why.
pub(super) fn gone(recovery: &Recovery, faults: &[Recovery]) -> bool {
    let back = recovery.first_success.or(recovery.answered).is_some();
    recovery.silenced && recovery.applied.is_some() && !back && next(recovery, faults).is_none()
}

/// The fault that hit the same node next.
pub(super) fn next<'a>(recovery: &Recovery, faults: &'a [Recovery]) -> Option<&'a Recovery> {
    let later = |fault: &&Recovery| fault.node == recovery.node && fault.invoked > recovery.invoked;
    faults.iter().filter(later).min_by_key(|fault| fault.invoked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_separators_and_units() {
        let counts = [0, 999, 1_000, 48_912, 1_234_567].map(count);
        assert_eq!(counts, ["0", "999", "1,000", "48,912", "1,234,567"]);
        let sizes = [0, 812, 999, 1_000, 1_240, 9_999, 47_100_000, 999_999, 5_000_000_000_000].map(bytes);
        assert_eq!(
            sizes,
            ["0 B", "812 B", "999 B", "1.00 kB", "1.24 kB", "10.0 kB", "47.1 MB", "1.00 MB", "5.00 TB"]
        );
        assert_eq!([0.04, 8.44, 99.4, 99.6, 12_345.6].map(rate), ["0.0", "8.4", "99.4", "100", "12,346"]);
        assert_eq!((plural(1, "order"), plural(2_000, "order")), ("1 order".into(), "2,000 orders".into()));
    }

    #[test]
    fn moments_before_the_origin_are_negative() {
        let origin = Nanos::from_millis(1_000);
        let shown = [690, 998, 1_000, 9_020].map(|ms| moment(Nanos::from_millis(ms), origin));
        assert_eq!(shown, ["−0.31 s", "0.00 s", "0.00 s", "8.02 s"]);
    }

    #[test]
    fn a_word_of_a_command_stays_one_word() {
        let shown = ["a/b-1.edn", "a b", "it's", "$(x)", "-f", ""].map(quoted);
        assert_eq!(shown, ["a/b-1.edn", "'a b'", "'it'\\''s'", "'$(x)'", "'./-f'", "''"]);
    }

    #[test]
    fn control_characters_do_not_get_through() {
        assert_eq!(plain("a\x1b[31mred\r\nb\tc\u{9b}x"), "a [31mred b c x");
    }
}
