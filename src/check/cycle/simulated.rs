//! The checker on imagined databases: each level is refuted where it should be, and every planted fault is found.

use proptest::prelude::*;

use super::{Analysis, Anomaly, Order, Scope, Standing, analyze};
use crate::history::simulation::{Fault, Level, Settings, simulate};
use crate::history::txn::Txns;

fn judge(txns: &Txns, scope: Scope) -> Analysis {
    let analysis = analyze(txns, scope, Order::RealTime);
    assert!(analysis.troubles.is_empty(), "{:?}", analysis.troubles);
    analysis
}

fn is_refuted(analysis: &Analysis, model: &str) -> bool {
    let standings = analysis.standings();
    let (_, standing) = standings.iter().find(|(one, _)| one.name == model).expect("it is a model");
    matches!(standing, Standing::Refuted { .. })
}

/// The strongest models that a database of this level gives, whatever its clients do.
fn given(level: Level) -> &'static [&'static str] {
    match level {
        Level::Unisolated => &[],
        Level::ReadCommitted => &["strong-PL-2"],
        Level::LongFork => &["strong-session-parallel-snapshot-isolation", "strong-PL-2"],
        Level::StaleSnapshot => &["snapshot-isolation"],
        Level::Snapshot => &["strong-snapshot-isolation"],
        Level::StrictSerializable => &["strict-serializable"],
    }
}

/// A model that such a database does not give, and breaks within a few thousand transactions.
fn broken(level: Level) -> Option<&'static str> {
    match level {
        Level::Unisolated => Some("read-uncommitted"),
        Level::ReadCommitted => Some("read-atomic"),
        Level::LongFork => Some("prefix"),
        Level::StaleSnapshot => Some("strong-prefix"),
        Level::Snapshot => Some("serializable"),
        Level::StrictSerializable => None,
    }
}

/// Few keys and long transactions, so that what can go wrong does.
const BUSY: Settings = Settings {
    transactions: 20_000,
    clients: 20,
    keys: 3,
    appends: 100,
    registers: false,
    operations: 6,
    level: Level::StrictSerializable,
    fault: None,
    seed: 1,
};

#[test]
fn every_level_breaks_what_it_does_not_give() {
    for level in Level::ALL {
        let settings = Settings { level, ..BUSY };
        let analysis = judge(&simulate(&settings).unwrap(), Scope::Whole);
        for model in given(level) {
            assert!(!is_refuted(&analysis, model), "{level:?} gives {model}: {:?}", analysis.found);
        }
        if let Some(model) = broken(level) {
            assert!(is_refuted(&analysis, model), "{level:?} does not give {model}");
        }
    }
}

#[test]
fn each_node_is_snapshot_isolated_and_the_two_are_not() {
    let settings = Settings { level: Level::LongFork, ..BUSY };
    let txns = simulate(&settings).unwrap();
    assert!(is_refuted(&judge(&txns, Scope::Whole), "snapshot-isolation"));
    for node in 0..2 {
        let alone = judge(&txns, Scope::Node(node));
        assert!(!is_refuted(&alone, "snapshot-isolation"), "node {node}: {:?}", alone.found);
    }
}

#[test]
fn planted_faults_are_found_under_their_names() {
    let planted = |fault| {
        let settings = Settings { fault: Some((fault, 50)), transactions: 5_000, ..Settings::default() };
        judge(&simulate(&settings).unwrap(), Scope::Whole)
    };
    for (fault, anomaly) in [
        (Fault::LostWrite, Anomaly::LostWrite),
        (Fault::DuplicateApply, Anomaly::DuplicateElements),
        (Fault::Garbage, Anomaly::GarbageRead),
        (Fault::AbortedWrite, Anomaly::G1a),
    ] {
        assert!(planted(fault).count(anomaly) > 0, "{fault:?}");
        for other in [Anomaly::LostWrite, Anomaly::DuplicateElements, Anomaly::GarbageRead, Anomaly::G1a] {
            assert!(other == anomaly || planted(fault).count(other) == 0, "{fault:?} is no {other}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    /// No false alarm, whatever the load.
    #[test]
    fn what_a_level_gives_is_not_refuted(
        level in prop::sample::select(&Level::ALL[..]),
        transactions in 1u32..400,
        clients in 1u32..12,
        keys in 1u32..6,
        appends in 1u32..30,
        registers in any::<bool>(),
        operations in 1u32..6,
        seed in any::<u64>(),
    ) {
        let fault = None;
        let settings =
            Settings { level, transactions, clients, keys, appends, registers, operations, seed, fault };
        let analysis = analyze(&simulate(&settings).unwrap(), Scope::Whole, Order::RealTime);
        for model in given(level) {
            prop_assert!(!is_refuted(&analysis, model), "{:?} gives {}: {:?}", settings, model, analysis.found);
        }
    }
}
