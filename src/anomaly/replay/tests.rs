//! Steps in the order in which a server gives what was read.

use proptest::prelude::*;

use super::{Fidelity, Replay, replay};
use crate::anomaly::{Place, Seen};
use crate::history::simulation::{Level, Settings, simulate};
use crate::history::txn::notation::txns;
use crate::history::txn::{Builder, Seen as Saw, Status};
use crate::history::{Nanos, NodeName};
use crate::isolation::Isolation;

fn of(text: &str) -> Replay {
    replay(&txns(text), "test", None)
}

/// The level, what it is worth, and the steps by name.
fn shown(text: &str) -> String {
    let found = of(text);
    let steps: Vec<&str> = found.case.steps.iter().map(|step| step.label.as_str()).collect();
    format!("{}, {:?}: {}", found.level, found.fidelity, steps.join("; "))
}

#[test]
fn the_strongest_level_that_gives_what_was_read() {
    insta::assert_snapshot!(shown("0-9 rx ay1; 1-8 ry ax1"), @"repeatable read, OneServer: T1 begins; T1 reads 1; T1 appends 1 to 2; T2 begins; T2 reads 2; T2 appends 1 to 1; T2 commits; T1 commits");
    // Two snapshots cannot both replace the same version; statements can.
    insta::assert_snapshot!(shown("0-9 rx ax1; 1-8 rx ax2; 10-11 rx21"), @"read committed, OneServer: T1 begins; T1 reads 1; T2 begins; T2 reads 1; T2 appends 2 to 1; T2 commits; T1 appends 1 to 1; T1 commits; T3 begins; T3 reads 1; T3 commits");
    insta::assert_snapshot!(shown("0-9 gx wx1; 1-8 gx wx2; 10-11 gx2"), @"read committed, OneServer: T1 begins; T1 reads 1; T1 writes 1 to 1; T2 begins; T2 reads 1; T1 commits; T2 writes 2 to 1; T2 commits; T3 begins; T3 reads 1; T3 commits");
    // A reader that begins before the writer and sees the half of it.
    insta::assert_snapshot!(shown("0-9 rx ry1; 1-8 ax1 ay1"), @"read committed, OneServer: T1 begins; T1 reads 1; T2 begins; T2 appends 1 to 1; T2 appends 1 to 2; T2 commits; T1 reads 2; T1 commits");
    // What did not commit is rolled back, and seen by nobody.
    insta::assert_snapshot!(shown("0-3 ax1 !; 1-4 rx? ax2 ?; 5-6 rx2"), @"repeatable read, OneServer: T1 begins; T2 begins; T2 reads 1; T2 appends 2 to 1; T2 commits; T1 appends 1 to 1; T1 rolls back; T3 begins; T3 reads 1; T3 commits");
}

#[test]
fn what_no_server_gives_is_said_to_be_so() {
    for text in [
        "ax1 !; rx1",
        "rx9",
        "0-1 ax1; 2-3 rx",
        "0-1 wx1; 2-3 gx",
        "1: ax1; 1: ax2; rx2",
        "ax1; ax2; rx12; rx21",
        "ax1 rx",
        "gx1 wx2; gx2 wx1",
        "wx1 gx2; wx2",
    ] {
        assert_eq!(of(text).fidelity, Fidelity::NoServer, "{text}");
    }
}

#[test]
fn several_nodes_matter_where_one_does_not_do() {
    let fork = of("1: ax1; 2: ay1; 3: rx1 ry; 4@replica-1: rx ry1");
    assert_eq!(fork.fidelity, Fidelity::SeveralNodes);
    let places: Vec<Place> = fork.case.sessions.iter().map(|actor| actor.place).collect();
    assert_eq!(places, [Place::Primary, Place::Primary, Place::Primary, Place::Replica]);
    let skew = of("0-9 1: rx ay1; 1-8 2: ry ax1; 10-11 3@replica-1: rx1 ry1");
    assert_eq!((skew.fidelity, skew.level), (Fidelity::OneServer, Isolation::RepeatableRead));
    assert_eq!(skew.case.sessions[2].place, Place::Either);
    // Statements with snapshots of their own show a fork, too: on one node, that may be all that it is.
    let alone = of("1: ax1; 2: ay1; 3: rx1 ry; 4: rx ry1");
    assert_eq!((alone.fidelity, alone.level), (Fidelity::OneServer, Isolation::ReadCommitted));
    let asked = txns("1: ax1; 2: ay1; 3: rx1 ry; 4@replica-1: rx ry1");
    assert_eq!(replay(&asked, "test", Some(Isolation::ReadCommitted)).fidelity, Fidelity::OneServer);
}

#[test]
fn a_level_that_is_asked_for_is_taken() {
    let skew = txns("0-9 rx ay1; 1-8 ry ax1");
    let at = |level| replay(&skew, "test", Some(level)).fidelity;
    assert_eq!(at(Isolation::ReadCommitted), Fidelity::OneServer);
    assert_eq!(at(Isolation::Serializable), Fidelity::Unplayed);
    let lost = txns("0-9 rx ax1; 1-8 rx ax2");
    assert_eq!(replay(&lost, "test", Some(Isolation::RepeatableRead)).fidelity, Fidelity::NoServer);
}

#[test]
fn texts_are_numbered_and_numbers_stay() {
    let mut builder = Builder::default();
    let node = builder.node(NodeName::primary());
    let one = builder.invoke(1, node, 0, Nanos(0)).unwrap();
    builder.complete(one, Status::Ok, 1, Nanos(1));
    let (name, two, text, key) = {
        let values = builder.values();
        (values.text("one"), values.integer(2), values.text("2"), values.integer(1))
    };
    builder
        .mops(one, [(name, Saw::Write(text)), (key, Saw::Write(two)), (name, Saw::Read(Some(text)))])
        .unwrap();
    let found = replay(&builder.finish(), "test", None);
    let all: Vec<(&str, bool, i64)> =
        found.numbered.iter().map(|one| (one.text.as_str(), one.is_key, one.number)).collect();
    assert_eq!(all, [("one", true, 2), ("2", false, 1)]);
    assert_eq!(
        found.case.steps[1].action.text().split(" ON ").next(),
        Some("INSERT INTO txn_register VALUES (2, 1)")
    );
    assert_eq!(found.case.happens[2].seen, Seen::Rows(vec![vec!["1".to_owned()]]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// What a database with snapshots gives, this finds an order for; and every step is there once.
    #[test]
    fn a_snapshot_database_can_be_replayed(
        level in prop::sample::select(&[Level::Snapshot, Level::StrictSerializable][..]),
        transactions in 1u32..40,
        clients in 1u32..6,
        keys in 1u32..4,
        operations in 1u32..5,
        seed in any::<u64>(),
    ) {
        let settings = Settings { level, transactions, clients, keys, operations, seed, ..Settings::default() };
        let whole = simulate(&settings).unwrap();
        let found = replay(&whole, "test", None);
        prop_assert_eq!(found.turns.len(), whole.mops() + 2 * whole.len());
        prop_assert_eq!(found.case.steps.len(), found.turns.len());
        prop_assert_eq!((found.fidelity, found.level), (Fidelity::OneServer, Isolation::RepeatableRead));
    }
}
