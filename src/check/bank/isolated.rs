//! The bank of a run: what each node's readers saw, against what the accounts held before the load.

use std::collections::BTreeSet;

use super::{Action, Anomaly, Bank, Call, Found, Rules, Total, check};
use crate::check::draft::Draft;
use crate::check::text::{count, plural};
use crate::check::{Checker, Claims, Evidence, Guarantee, Judgement, Verdict};
use crate::history::txn::{Status, Value};
use crate::history::{BankOp, BankReply, History, NodeName, Outcome};

/// Judges the total of every read, node by node. Whether every transfer is there, and once, is not judged: a total does
/// not show it.
pub(in crate::check) struct Isolated;

/// The accounts before the load: the event that tells of them, and what they held.
struct Opening<'a> {
    event: u64,
    balances: &'a [(i64, i64)],
}

impl Checker<BankOp> for Isolated {
    fn name(&self) -> &'static str {
        "bank"
    }

    fn guarantees(&self) -> &'static [Guarantee] {
        &[Guarantee::Isolation]
    }

    fn check(&self, evidence: &Evidence<'_, BankOp>, claims: &Claims) -> Vec<Judgement> {
        let opening = opening(evidence.history);
        let rules = opening.as_ref().and_then(rules);
        let judge = |&node: &NodeName| {
            let mut draft = Draft::new(self.name(), Guarantee::Isolation, Some(node), evidence, claims);
            match (&opening, &rules) {
                (None, _) => draft.doubt("nobody read the accounts before the first transfer"),
                (Some(_), None) => draft.doubt("the accounts hold more than can be added up"),
                (Some(_), Some(_)) => {}
            }
            let calls = calls(evidence.history, node, opening.as_ref());
            let bank = check(&calls, &rules.clone().unwrap_or_default());
            for found in &bank.found {
                draft.violation(&events(&calls, found), || words(&calls, found, &bank));
            }
            if bank.transfers[0] == 0 {
                draft.doubt("no transfer was acknowledged");
            }
            if bank.verdict() == Verdict::Unknown {
                draft.doubt(format!("nobody read the accounts on {node}"));
            }
            let wrong = bank.nodes.get(&node).map_or(0, |node| node.wrong);
            let [acknowledged, unknown, failed] = bank.transfers;
            draft.count("reads judged", bank.reads);
            draft.count("wrong reads", wrong);
            draft.count("transfers acknowledged", acknowledged);
            draft.count("transfers of unknown outcome", unknown);
            draft.count("transfers that failed or were refused", failed);
            let total =
                bank.total.expected().map_or("an unknown total".to_owned(), |total| total.to_string());
            draft.finish(format!(
                "{} of all accounts on {node} compared with {total} in all, {} wrong; {} acknowledged, each judged only by the total",
                plural(bank.reads, "read"),
                count(wrong),
                plural(acknowledged, "transfer")
            ))
        };
        evidence.nodes.iter().map(judge).collect()
    }
}

/// The last read that was over before the first transfer began.
fn opening(history: &History<BankOp>) -> Option<Opening<'_>> {
    let is_transfer = |op: &BankOp| matches!(op, BankOp::Transfer { .. });
    let first = history.calls().find(|call| is_transfer(call.op)).map_or(u64::MAX, |call| call.invoked);
    let before = history.completed_ok().filter(|call| call.completed.is_some_and(|event| event < first));
    let audits = before.filter(|call| matches!(call.op, BankOp::Audit));
    let opening = audits.filter_map(|call| match call.outcome {
        Outcome::Ok { reply: BankReply::Balances(balances), .. } => {
            Some(Opening { event: call.invoked, balances })
        }
        _ => None,
    });
    opening.last()
}

/// `None` where the balances have no sum.
fn rules(opening: &Opening<'_>) -> Option<Rules> {
    let total = opening.balances.iter().try_fold(0i64, |sum, (_, balance)| sum.checked_add(*balance))?;
    let accounts: BTreeSet<Value> = opening.balances.iter().map(|(account, _)| Value(*account)).collect();
    Some(Rules { total: Some(total), accounts: Some(accounts), may_be_negative: false })
}

/// All transfers, and what was read on `node` but for the read that the others are compared with.
fn calls(history: &History<BankOp>, node: NodeName, opening: Option<&Opening<'_>>) -> Vec<Call> {
    let number = |event: u64| u32::try_from(event).unwrap_or(u32::MAX);
    let calls = history.calls().filter_map(|call| {
        let status = match call.outcome {
            Outcome::Ok { .. } => Status::Ok,
            Outcome::Fail(_) => Status::Fail,
            Outcome::Info(_) => Status::Info,
        };
        let action = match (call.op, &call.outcome) {
            (&BankOp::Transfer { from, to, amount }, _) => {
                Action::Transfer { from: Value(from), to: Value(to), amount }
            }
            (_, Outcome::Ok { reply: BankReply::Balances(balances), .. })
                if call.node == node && opening.is_none_or(|opening| opening.event != call.invoked) =>
            {
                Action::Read(
                    balances.iter().map(|(account, balance)| (Value(*account), Some(*balance))).collect(),
                )
            }
            _ => return None,
        };
        let completed = call.completed.map(number);
        Some(Call { node: call.node, invoked: number(call.invoked), completed, status, action })
    });
    calls.collect()
}

/// The read that shows it best, and the transfer that it may have seen half of.
fn events(calls: &[Call], found: &Found) -> Vec<u64> {
    let shown = [Some(found.call), found.half].into_iter().flatten();
    shown
        .filter_map(|call| calls.get(call as usize))
        .map(|call| u64::from(call.completed.unwrap_or(call.invoked)))
        .collect()
}

/// `wrong-total (812 times): … ; one read has 795 in all, 800 are right`.
fn words(calls: &[Call], found: &Found, bank: &Bank) -> String {
    let Found { anomaly, count: times, .. } = found;
    let mut words = format!("{} ({} times): {}", anomaly.name(), count(*times), anomaly.meaning());
    if let (Anomaly::WrongTotal, Some(seen), Some(right)) = (anomaly, found.total, bank.total.expected()) {
        let right = match bank.total {
            Total::Given(_) => format!("before the load they had {right}"),
            Total::Most { .. } | Total::Untold => format!("most reads have {right}"),
        };
        words += &format!("; one read has {seen} in all, {right}");
    }
    for (account, balance) in &found.accounts {
        let balance = balance.map_or("nothing".to_owned(), |balance| balance.to_string());
        words += &format!("; account {} has {balance}", account.0);
    }
    let half = found.half.and_then(|half| calls.get(half as usize)).map(|half| &half.action);
    if let Some(Action::Transfer { from, to, amount }) = half {
        words += &format!(", as if half of a transfer of {amount} from {} to {} were there", from.0, to.0);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::bench::{CALM, Run, figure, of, result, words as said};
    use Verdict::{Fail, Pass, Unknown};

    fn judged(run: Run, text: &str, node: &str) -> Judgement {
        of(&run.bank(text), Guarantee::Isolation, "bank", Some(node))
    }

    #[test]
    fn every_read_has_the_total_of_before_the_load() {
        for (text, expected) in [
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8", (Pass, 0)),
            // Stale, and whole.
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:5 2:5", (Pass, 0)),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:5", (Fail, 1)),
            // Seen by the last read only.
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:5 2:5; 9 audit = 1:5 2:8", (Fail, 1)),
            // One counter-example of a kind, however often.
            (
                "9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:2; 5 read = 2:8; 5 read = 1:-1 2:11",
                (Fail, 2),
            ),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:5 2:5 3:0", (Fail, 1)),
            // It did not happen, or nobody knows.
            ("9 audit = 1:5 2:5; 0 move 1 2 9 ! refused; 5 read = 1:5 2:5", (Unknown, 0)),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 ?; 5 read = 1:2 2:5", (Fail, 1)),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read ! lost", (Unknown, 0)),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5@replica-1 read = 1:1 2:1", (Unknown, 0)),
            ("9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8", (Unknown, 0)),
            ("", (Unknown, 0)),
            // Nothing to compare with but the other reads.
            ("9 audit ! lost; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8; 5 read = 1:5 2:5", (Unknown, 0)),
            ("0 move 1 2 3 = 2 8; 9 audit = 1:2 2:8; 5 read = 1:5 2:5", (Unknown, 0)),
            ("9 audit ! lost; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8; 5 read = 1:5 2:8", (Fail, 1)),
            // No sum.
            (
                "9 audit = 1:9223372036854775807 2:1; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8; 5 read = 1:2 2:8",
                (Unknown, 0),
            ),
        ] {
            assert_eq!(result(&judged(CALM, text, "primary")), expected, "{text}");
        }
    }

    #[test]
    fn every_node_by_itself_and_in_words() {
        let text = "9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8; 6@replica-1 read = 1:2 2:5; 6@replica-1 read = 1:2 2:5";
        assert_eq!(result(&judged(CALM, text, "primary")), (Pass, 0));
        let replica = judged(CALM, text, "replica-1");
        assert_eq!(
            said(&replica),
            [
                "wrong-total (2 times): the balances of a read have another total than the accounts have; one read has 7 in all, before the load they had 10, as if half of a transfer of 3 from 1 to 2 were there"
            ]
        );
        assert_eq!(
            replica.summary,
            "2 reads of all accounts on replica-1 compared with 10 in all, 2 wrong; 1 transfer acknowledged, each judged only by the total"
        );
        assert_eq!(["reads judged", "wrong reads"].map(|name| figure(&replica, name)), [2, 2]);
        let events: Vec<u64> = replica.findings[0].events.iter().map(|event| event.index).collect();
        assert_eq!(events, [7, 3]);
    }

    #[test]
    fn a_cut_run_is_no_pass() {
        let cut = Run { cut: Some("killed"), ..CALM };
        let text = "9 audit = 1:5 2:5; 0 move 1 2 3 = 2 8; 5 read = 1:2 2:8; 6@replica-1 read = 1:2 2:5";
        assert_eq!(result(&judged(cut, text, "primary")), (Unknown, 0));
        assert_eq!(result(&judged(cut, text, "replica-1")), (Fail, 1));
    }
}
