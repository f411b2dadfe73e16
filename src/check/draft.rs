//! A judgement while it is being written: what was found decides the verdict, nobody sets it.

use crate::history::{Nanos, NodeName, Operation};

use super::{Claims, Count, EventRef, Evidence, Finding, Guarantee, Judgement, Lost, MAX_FINDINGS, Verdict};

/// A judgement in the making.
///
/// A counter-example makes it [`Verdict::Fail`], whatever else is missing; without one, a doubt makes it
/// [`Verdict::Unknown`]. A run that was cut is a doubt from the start.
pub(super) struct Draft {
    judgement: Judgement,
    doubts: Vec<String>,
}

impl Draft {
    /// An empty judgement of `guarantee`, about `node` or about the cluster as a whole.
    pub(super) fn new<O: Operation>(
        check: &str,
        guarantee: Guarantee,
        node: Option<NodeName>,
        evidence: &Evidence<'_, O>,
        claims: &Claims,
    ) -> Draft {
        let judgement = Judgement {
            check: check.to_owned(),
            workload: evidence.history.header().workload.clone(),
            guarantee,
            node,
            claimed: claims.claims(guarantee, node),
            verdict: Verdict::Unknown,
            summary: String::new(),
            counts: Vec::new(),
            lost: None,
            violations: 0,
            findings: Vec::new(),
        };
        let doubts = evidence.cut.iter().map(|cut| format!("the run was cut short: {cut}")).collect();
        Draft { judgement, doubts }
    }

    /// Overrides whether the run claimed it.
    pub(super) fn claim(&mut self, claimed: bool) {
        self.judgement.claimed = claimed;
    }

    /// Adds a figure.
    pub(super) fn count(&mut self, name: &str, value: u64) {
        self.judgement.counts.push(Count { name: name.to_owned(), value });
    }

    /// Notes the commits that were lost, by the times of their acknowledgements, and of how many of them the server had
    /// warned; there may be more if `at_least`.
    pub(super) fn lose(&mut self, ends: impl Iterator<Item = Nanos>, forewarned: u64, at_least: bool) {
        self.judgement.lost = ends.fold(None, |lost, end| {
            let lost = lost.unwrap_or(Lost { commits: 0, forewarned, at_least, first: end, last: end });
            let (first, last) = (lost.first.min(end), lost.last.max(end));
            Some(Lost { commits: lost.commits + 1, first, last, ..lost })
        });
    }

    /// Counts a counter-example that rests on `events`; its words are made only while there is room for them.
    pub(super) fn violation(&mut self, events: &[u64], message: impl FnOnce() -> String) {
        self.judgement.violations += 1;
        if self.judgement.findings.len() < MAX_FINDINGS {
            let workload = &self.judgement.workload;
            let events = events.iter().map(|&index| EventRef { workload: workload.clone(), index }).collect();
            self.judgement.findings.push(Finding { message: message(), events });
        }
    }

    /// Tells of something that is no counter-example, and that a reader must not miss.
    pub(super) fn remark(&mut self, events: &[u64], message: impl FnOnce() -> String) {
        let counted = self.judgement.violations;
        self.violation(events, message);
        self.judgement.violations = counted;
    }

    /// Notes why something was not judged.
    pub(super) fn doubt(&mut self, reason: impl Into<String>) {
        self.doubts.push(reason.into());
    }

    /// How many counter-examples were found so far.
    pub(super) fn violations(&self) -> u64 {
        self.judgement.violations
    }

    /// The judgement, under one line of summary.
    pub(super) fn finish(self, summary: impl Into<String>) -> Judgement {
        let Draft { mut judgement, doubts } = self;
        judgement.summary = summary.into();
        if let Some(lost) = &mut judgement.lost {
            lost.at_least |= !doubts.is_empty();
        }
        judgement.verdict = match (judgement.violations, doubts.first()) {
            (0, None) => Verdict::Pass,
            (0, Some(reason)) => {
                judgement.summary = format!("{}; unknown because {reason}", judgement.summary);
                Verdict::Unknown
            }
            (_, None) => Verdict::Fail,
            (_, Some(reason)) => {
                judgement.summary = format!("{}; not everything was judged: {reason}", judgement.summary);
                Verdict::Fail
            }
        };
        let reasons = doubts.into_iter().map(|message| Finding { message, events: Vec::new() });
        judgement.findings.extend(reasons);
        judgement
    }
}
