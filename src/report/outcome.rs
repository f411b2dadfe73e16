//! Verdicts in words and marks, which claim no more than was seen.

use super::words::plain;
use super::{Report, Threshold};
use crate::check::{Judgement, Verdict};

/// How a run ended, in one word and one mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    /// `✓`, `✗`, `?`, `!`.
    pub mark: &'static str,
    /// `VALID`, `INVALID`, …
    pub word: &'static str,
    /// What kind of word it is.
    pub tone: Tone,
}

/// What a mark's colour and shape say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// No counter-example.
    Good,
    /// A counter-example to a claim, or a missed threshold.
    Bad,
    /// Nothing can be said.
    Unknown,
    /// A counter-example to what nobody claimed.
    Observed,
}

impl Tone {
    /// Its mark.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Tone::Good => "✓",
            Tone::Bad => "✗",
            Tone::Unknown => "?",
            Tone::Observed => "!",
        }
    }

    /// The name of its style in the HTML report.
    pub(super) fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Unknown => "unknown",
            Tone::Observed => "observed",
        }
    }
}

/// The headline of a run: a violated claim speaks before everything else, then what kept the run from an answer.
pub(super) fn headline(report: &Report) -> Headline {
    let (word, tone) = match (report.verdict, report.exit_code) {
        (Verdict::Fail, _) => ("INVALID", Tone::Bad),
        (_, 12) => ("LAB FAILED", Tone::Bad),
        (_, 130) => ("INTERRUPTED", Tone::Unknown),
        (Verdict::Pass, 0) => ("VALID", Tone::Good),
        (Verdict::Pass, 4) => ("THRESHOLD MISSED", Tone::Bad),
        (Verdict::Pass | Verdict::Unknown, _) => ("UNKNOWN", Tone::Unknown),
    };
    Headline { mark: tone.mark(), word, tone }
}

/// What an exit code of `replab run` means.
pub(super) fn exit_meaning(code: u8) -> &'static str {
    match code {
        0 => "no claimed guarantee was violated",
        1 => "a claimed guarantee was violated",
        3 => "nothing can be said about a claim or a threshold",
        4 => "a threshold was missed",
        12 => "the lab itself failed",
        130 => "interrupted",
        _ => "the run did not come to a verdict",
    }
}

/// The tone of one judgement.
pub(super) fn tone(judgement: &Judgement) -> Tone {
    match (judgement.verdict, judgement.claimed) {
        (Verdict::Pass, _) => Tone::Good,
        (Verdict::Unknown, _) => Tone::Unknown,
        (Verdict::Fail, true) => Tone::Bad,
        (Verdict::Fail, false) => Tone::Observed,
    }
}

/// The tone of one threshold.
pub(super) fn threshold_tone(threshold: &Threshold) -> Tone {
    match threshold.verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Unknown => Tone::Unknown,
        Verdict::Fail => Tone::Bad,
    }
}

/// What was found of one judgement, in words that claim no more than was seen.
pub(super) fn found(judgement: &Judgement) -> &'static str {
    match (judgement.verdict, judgement.claimed) {
        (Verdict::Pass, _) => "no counter-example",
        (Verdict::Unknown, _) => "unknown",
        (Verdict::Fail, true) => "violated",
        (Verdict::Fail, false) => "observed, not claimed",
    }
}

/// Whose judgement it is: `durability · orders`, `monotonic-reads · counter · replica-1`.
pub(super) fn subject(judgement: &Judgement) -> String {
    let node = judgement.node.map(|node| format!(" · {node}")).unwrap_or_default();
    plain(&format!("{} · {}{node}", judgement.guarantee, judgement.workload))
}
