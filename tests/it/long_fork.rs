//! `replab run longfork`: two commits that readers of two nodes see in opposite orders.

use std::collections::{BTreeMap, BTreeSet};

use replab::history::{Action, FaultOp, Micro, Nanos, NodeName, Observed, Outcome, TxnOp, TxnReply, file};
use serde_json::Value;

use crate::lab::{Lab, judgement};

/// What a round's history says, read again without anything of the judge's.
#[derive(Debug, Default)]
struct Round {
    /// When the first commit was sent, and when it was answered.
    first: Option<(Nanos, Nanos)>,
    /// Where it was acknowledged.
    writer: Option<NodeName>,
    /// A replica showed the first commit and not the second.
    ahead: bool,
    /// The primary showed the second commit and not the first.
    behind: bool,
    /// When the primary was read.
    compared: Option<Nanos>,
}

impl Round {
    fn is_fork(&self) -> bool {
        self.ahead && self.behind
    }
}

fn rounds(lab: &Lab) -> BTreeMap<i64, Round> {
    let stored = file::read::<TxnOp>(&lab.latest("history/longfork.jsonl.zst")).unwrap();
    let mut rounds: BTreeMap<i64, Round> = BTreeMap::new();
    for call in stored.history.calls() {
        let TxnOp::Transaction(micros) = call.op else { continue };
        let Some(key) = micros.first().map(Micro::key) else { continue };
        let round = rounds.entry((1 - key) / 2).or_default();
        let Outcome::Ok { reply: TxnReply::Committed(committed), .. } = call.outcome else { continue };
        match (micros.as_slice(), committed.reads.as_slice()) {
            ([Micro::Append(key, _)], _) if key % 2 != 0 => {
                (round.first, round.writer) = (Some((call.start, call.end)), Some(call.node));
            }
            ([Micro::Append(..)], _) => {}
            ([_, _], [Observed::List(first), Observed::List(second)]) => {
                let is_primary = call.node == NodeName::primary();
                round.ahead |= !is_primary && !first.is_empty() && second.is_empty();
                round.behind |= is_primary && first.is_empty() && !second.is_empty();
                round.compared = round.compared.or(is_primary.then_some(call.end));
            }
            other => panic!("no step of the recipe: {other:?}"),
        }
    }
    rounds
}

/// When the replica that commits wait for was about to receive again.
fn thaws(lab: &Lab) -> Vec<Nanos> {
    let stored = file::read::<FaultOp>(&lab.latest("history/nemesis.jsonl.zst")).unwrap();
    let is_thaw = |op: &FaultOp| matches!(op, FaultOp::Act { action: Action::Thaw, .. });
    stored.history.completed_ok().filter(|call| is_thaw(call.op)).map(|call| call.start).collect()
}

/// How many forks the judge found.
fn found(report: &Value) -> u64 {
    let counts = judgement(report, "longfork", "snapshot-order", None)["counts"].as_array().unwrap();
    let places = counts.iter().find(|count| count["name"] == "places with a long fork");
    places.map_or(0, |count| count["value"].as_u64().unwrap())
}

/// Each node keeps to what its level promises, and the judge has found as many forks as there are.
fn assert_exact(lab: &Lab) -> (Value, BTreeMap<i64, Round>) {
    let (report, rounds) = (lab.results(), rounds(lab));
    for node in ["primary", "replica-1", "replica-2"] {
        let isolation = judgement(&report, "longfork", "isolation", Some(node));
        assert_eq!((&isolation["verdict"], &isolation["claimed"]), (&"pass".into(), &true.into()));
        let summary = isolation["summary"].as_str().unwrap();
        assert!(summary.contains("repeatable read"), "{summary}");
        assert!(summary.contains("no counter-example to snapshot-isolation"), "{summary}");
    }
    let forks = rounds.values().filter(|round| round.is_fork()).count() as u64;
    assert_eq!(found(&report), forks, "{rounds:#?}");
    (report, rounds)
}

#[test]
fn readers_of_two_nodes_disagree_whenever_commits_wait_for_a_standby_that_does_not_receive() {
    let Some(lab) = Lab::real() else { return };
    // Long windows: on a busy machine half a second may go by between two steps.
    let faults = "freeze(replica-1)@300ms,thaw(replica-1)@3s,freeze(replica-1)@3.3s,thaw(replica-1)@6s";
    lab.run(&["run", "longfork", "--duration", "6.5s", "--fault", faults, "--seed", "5"]).exits(0);
    let (report, rounds) = assert_exact(&lab);
    let thaws = thaws(&lab);
    assert_eq!(thaws.len(), 2);
    for end in thaws {
        // One commit hangs, whether it was sent before or after the replica stopped to receive.
        let hangs =
            |round: &&Round| round.first.is_some_and(|(start, answered)| start < end && end <= answered);
        let hanging: Vec<&Round> = rounds.values().filter(hangs).collect();
        assert!(hanging.len() == 1 && hanging[0].is_fork(), "{hanging:?} of {rounds:#?}");
    }

    let together = &report["transactions"]["longfork"]["together"]["sentence"];
    let places = found(&report);
    let sentence =
        "Each endpoint is snapshot isolated, as far as its readers saw; together they are not: long fork";
    assert!(together.as_str().unwrap().starts_with(sentence), "{together}");
    let counted = format!("in {places} place{}.", if places == 1 { "" } else { "s" });
    assert!(together.as_str().unwrap().ends_with(&counted), "{together}");
    let order = judgement(&report, "longfork", "snapshot-order", None);
    assert_eq!((&order["verdict"], &order["claimed"]), (&"fail".into(), &false.into()));
    assert!(!report["not_checked"].to_string().contains("Long forks:"));
    let page = std::fs::read_to_string(lab.latest("report.html")).unwrap();
    assert!(page.contains("Long forks") && page.contains(&counted));
    // What was sent stands beside what it means, statement by statement.
    for anomaly in report["transactions"]["longfork"]["anomalies"].as_array().unwrap() {
        for step in anomaly["transactions"].as_array().unwrap() {
            let lines = |field: &str| step[field].as_array().map(Vec::len);
            assert_eq!(lines("sql"), lines("operations"), "{step}");
        }
    }
    assert!(page.contains("INSERT INTO txn_list VALUES (-"));
    lab.run(&["check", "latest", "--require", "snapshot-order", "--json"]).exits(1);
    let shrunk = lab.run(&["shrink", "latest", "long-fork"]).exits(0);
    assert!(shrunk.stdout.contains("long fork"), "{}", shrunk.stdout);
    lab.assert_nothing_left();
}

#[test]
fn without_the_fault_the_same_rounds_are_compared_and_what_is_found_is_there() {
    let Some(lab) = Lab::real() else { return };
    // No commit waits for a standby: what is left is the moment between the log and the primary's own view of it.
    lab.run(&["run", "longfork", "--no-faults", "--synchronous-commit", "local", "--seed", "5"]).exits(0);
    let (report, rounds) = assert_exact(&lab);
    assert!(rounds.values().any(|round| round.compared.is_some()), "{rounds:#?}");
    // That takes luck, and the report says so; should there have been any, it says that in place of it.
    let says_so = report["not_checked"].to_string().contains("Long forks: none was made to happen");
    assert_eq!(says_so, found(&report) == 0);
}

#[test]
fn rounds_go_on_after_a_crash_of_the_primary() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["run", "longfork", "--duration", "2s", "--fault", "crash(primary)@500ms", "--seed", "5"])
        .exits(0);
    let (report, rounds) = assert_exact(&lab);
    for guarantee in ["durability", "exactly-once", "convergence"] {
        assert_eq!(judgement(&report, "longfork", guarantee, None)["verdict"], "pass", "{guarantee}");
    }
    let nemesis = file::read::<FaultOp>(&lab.latest("history/nemesis.jsonl.zst")).unwrap();
    let back = nemesis.history.completed_ok().map(|call| call.end).max().unwrap();
    // Commits wait until the standby has come back, too, which may take seconds, and is waited for.
    let is_later = |round: &Round| round.first.is_some_and(|(_, answered)| answered > back);
    assert!(rounds.values().any(is_later), "{rounds:#?}");
    lab.assert_nothing_left();
}

#[test]
fn rounds_follow_the_primary() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["run", "longfork", "--duration", "3s", "--fault", "promote(replica-2)@1s", "--seed", "5"])
        .exits(0);
    let (report, rounds) = (lab.results(), rounds(&lab));
    let writers: BTreeSet<NodeName> = rounds.values().filter_map(|round| round.writer).collect();
    assert_eq!(writers, BTreeSet::from([NodeName::primary(), NodeName::replica(2)]));
    let durability = judgement(&report, "longfork", "durability", None);
    assert_eq!(durability["claimed"], false, "every other commit waits for nobody");
    lab.assert_nothing_left();
}

#[test]
fn in_memory_the_rounds_run_and_the_report_says_what_is_missing() {
    let lab = Lab::new();
    lab.run(&["run", "longfork", "-t", "memory", "--seed", "5"]).exits(0);
    let (report, rounds) = assert_exact(&lab);
    assert_eq!(found(&report), 0);
    assert!(rounds.values().filter(|round| round.compared.is_some()).count() > 1, "{rounds:#?}");
    let missing = report["not_checked"].to_string();
    assert!(missing.contains("Long forks: no commit waits for a replica in memory"), "{missing}");
    let refused = lab.run(&["run", "longfork", "--replicas", "1"]).exits(2);
    assert!(refused.stderr.contains("longfork needs two replicas (--replicas 2)"), "{}", refused.stderr);
}
