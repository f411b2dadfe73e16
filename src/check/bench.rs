//! Judges histories given as text, for the tests of the checkers.

use crate::check::{Claims, Evidence, Guarantee, Judgement, Verdict};
use crate::history::notation::{Notation, history};
use crate::history::{BankOp, CounterOp, FaultOp, History, NodeName, OrdersOp, SetOp, TxnOp};
use crate::isolation::Isolation;

/// What a test says of a run beside its history.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) faults: &'static str,
    pub(super) replicas: usize,
    pub(super) foreign: bool,
    pub(super) cut: Option<&'static str>,
}

/// One replica, no faults, the lab's own servers, not cut.
pub(super) const CALM: Run = Run { faults: "", replicas: 1, foreign: false, cut: None };

impl Run {
    fn judge<O: Notation>(
        self,
        text: &str,
        judge: impl Fn(&Evidence<'_, O>, &Claims) -> Vec<Judgement>,
    ) -> Vec<Judgement> {
        let history = history::<O>(text);
        self.judge_history(&history, judge)
    }

    pub(super) fn judge_history<O: Notation>(
        self,
        history: &History<O>,
        judge: impl Fn(&Evidence<'_, O>, &Claims) -> Vec<Judgement>,
    ) -> Vec<Judgement> {
        let faults: History<FaultOp> = crate::history::notation::history(self.faults);
        let nodes: Vec<NodeName> =
            std::iter::once(NodeName::primary()).chain((1..=self.replicas).map(NodeName::replica)).collect();
        let claims = Claims {
            everywhere: [Guarantee::Durability, Guarantee::MonotonicReads].into(),
            on_primary: [Guarantee::ReadYourWrites].into(),
            primary: Some(NodeName::primary()),
        };
        let (foreign, cut) = (self.foreign, self.cut);
        let evidence = Evidence { history, faults: &faults, lag: &[], nodes: &nodes, foreign, cut };
        judge(&evidence, &claims)
    }

    pub(super) fn orders(self, text: &str) -> Vec<Judgement> {
        self.judge::<OrdersOp>(text, crate::check::orders)
    }

    pub(super) fn append(self, text: &str, level: Isolation) -> Vec<Judgement> {
        self.judge::<TxnOp>(text, |evidence, claims| crate::check::append(evidence, claims, level).judgements)
    }

    pub(super) fn bank(self, text: &str) -> Vec<Judgement> {
        self.judge::<BankOp>(text, crate::check::bank)
    }

    pub(super) fn set(self, text: &str) -> Vec<Judgement> {
        self.judge::<SetOp>(text, crate::check::set)
    }

    pub(super) fn counter(self, text: &str) -> Vec<Judgement> {
        self.judge::<CounterOp>(text, crate::check::counter)
    }
}

/// The one judgement of `guarantee` by `check`, of `node`.
pub(super) fn of(
    judgements: &[Judgement],
    guarantee: Guarantee,
    check: &str,
    node: Option<&str>,
) -> Judgement {
    let node = node.map(NodeName::new);
    let same = |one: &&Judgement| one.guarantee == guarantee && one.check == check && one.node == node;
    let found: Vec<&Judgement> = judgements.iter().filter(same).collect();
    assert_eq!(found.len(), 1, "{guarantee} by {check} on {node:?} in {judgements:#?}");
    assert!(!found[0].summary.contains("passed"));
    found[0].clone()
}

/// A figure of a judgement.
pub(super) fn figure(judgement: &Judgement, name: &str) -> u64 {
    let count = judgement.counts.iter().find(|count| count.name == name);
    count.unwrap_or_else(|| panic!("no `{name}` in {:?}", judgement.counts)).value
}

/// Verdict and number of counter-examples.
pub(super) fn result(judgement: &Judgement) -> (Verdict, u64) {
    (judgement.verdict, judgement.violations)
}

/// The words of the findings.
pub(super) fn words(judgement: &Judgement) -> Vec<&str> {
    judgement.findings.iter().map(|finding| finding.message.as_str()).collect()
}
