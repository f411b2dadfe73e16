//! Small histories by name, and whatever is found in imagined databases.

use proptest::prelude::*;

use super::{Smallest, budget, shrink};
use crate::check::cycle::{Analysis, Anomaly, Order, Scope, analyze, show};
use crate::history::simulation::{Fault, Level, Settings, simulate};
use crate::history::txn::notation::txns;
use crate::history::txn::{MopId, Part, Parts, TxnId, Txns};

fn smallest(whole: &Txns, name: &str) -> Smallest {
    let analysis = analyze(whole, Scope::Whole, Order::RealTime);
    let anomaly = Anomaly::named(name).unwrap();
    let found = shrink(whole, Order::RealTime, anomaly, &analysis, budget(whole));
    found.unwrap_or_else(|| panic!("no {name}: {:?}", analysis.found))
}

/// Each transaction of the smallest part: its number in the whole, and what it did.
fn shown(text: &str, name: &str) -> String {
    let found = smallest(&txns(text), name);
    assert!(found.is_minimal);
    let did = |id: TxnId| {
        let mops: Vec<String> = found.txns.mops_of(id).map(|mop| show(&found.txns, mop)).collect();
        format!("{}: {}", found.whose[id as usize], mops.join(", "))
    };
    (0..found.txns.len() as TxnId).map(did).collect::<Vec<String>>().join("\n")
}

#[test]
fn a_write_skew_is_two_transactions() {
    let text = "0-1 ax1 ay2 az3; 2-9 rx1 rz3 ry2 ay5; 3-8 ry2 rz3 ax6 az7; 10-11 rx16 ry25 rz37; 12-13 ax9";
    insta::assert_snapshot!(shown(text, "write-skew"), @r"
    1: read z as [], append 5 to y
    2: read y as [], append 7 to z
    ");
}

#[test]
fn a_lost_update_is_two_transactions_and_whoever_tells_their_order() {
    let text = "0-1 ax1; 2-9 rx1 ry ax2; 3-8 rx1 ax3 ay1; 10-11 rx132 ry1";
    insta::assert_snapshot!(shown(text, "lost-update"), @r"
    1: read x as [], append 2 to x
    2: read x as [], append 3 to x
    3: read x as [3 2]
    ");
    let registers = "0-1 wx1 wy1; 2-9 gx1 gy1 wx2; 3-8 gx1 wx3; 10-11 gx2";
    insta::assert_snapshot!(shown(registers, "lost-update"), @r#"
    0: write 1 to x
    1: read x as 1, write 2 to x
    2: read x as 1, write 3 to x
    "#);
}

#[test]
fn a_long_fork_is_four_transactions() {
    let text = "ax1 az1; ay2; rx1 ry rz1; rx ry2 az5; rx1 ry2 rz15; az9 !";
    insta::assert_snapshot!(shown(text, "long-fork"), @r"
    0: append 1 to x
    1: append 2 to y
    2: read x as [1], read y as []
    3: read x as [], read y as [2]
    ");
}

#[test]
fn what_the_inference_needs_stays() {
    // That T1 came before T2, only the last reader tells.
    insta::assert_snapshot!(shown("0-9 ax1 ay2; 0-9 ax2 ay1; 10-11 rx12 rz; 10-11 ry12", "G0"), @r#"
    0: append 1 to x, append 2 to y
    1: append 2 to x, append 1 to y
    2: read x as [1 2]
    3: read y as [1 2]
    "#);
    // The reader that missed T3 had heard of it by way of T1 and T2.
    let chain = "ax1 az9; rx1 ay1; ry1 rx rw; rw9 az8";
    insta::assert_snapshot!(shown(chain, "causality-violation"), @r#"
    0: append 1 to x
    1: read x as [1], append 1 to y
    2: read y as [1], read x as []
    "#);
    // Real time orders the writes of a register: the second began when the first was known.
    let told = "0-1 wx1; 2-3 gx1; 4-5 wx2; 6-7 gx1; 6-7 gx2";
    insta::assert_snapshot!(shown(told, "stale-read"), @r#"
    0: write 1 to x
    2: write 2 to x
    3: read x as 1
    "#);
}

#[test]
fn what_nobody_wrote_stays_only_where_it_is_what_is_shown() {
    let text = "0-1 ax1; 2-3 rx[7,1,8]; 4-5 ax2; 6-7 rx[7,1,8]; 6-7 rx[7,1,8,2]";
    insta::assert_snapshot!(shown(text, "stale-read"), @r#"
    2: append 2 to x
    3: read x as []
    "#);
    insta::assert_snapshot!(shown(text, "garbage-read"), @"1: read x as [8]");
}

#[test]
fn a_budget_that_ends_is_told() {
    let whole = txns("0-1 ax1 ay2; 2-9 rx1 ry2 ay5; 3-8 ry2 rx1 ax6; 10-11 rx16 ry25");
    let analysis = analyze(&whole, Scope::Whole, Order::RealTime);
    let anomaly = Anomaly::named("G2-item").unwrap();
    for budget in 0..400 {
        let found = shrink(&whole, Order::RealTime, anomaly, &analysis, budget).unwrap();
        assert!(found.analysis.count(anomaly) > 0);
        assert!(!found.is_minimal || found.txns.len() == 2, "{budget}");
    }
    assert!(!shrink(&whole, Order::RealTime, anomaly, &analysis, 100).unwrap().is_minimal);
    assert!(shrink(&whole, Order::RealTime, Anomaly::G1a, &analysis, 100).is_none());
}

/// That `found` shows `anomaly`, nothing that the whole does not, and no longer does if anything is left out.
fn assert_minimal(found: &Smallest, anomaly: Anomaly, whole: &Analysis) {
    let shows = |analysis: &Analysis| {
        let known = |anomaly: Anomaly| whole.count(anomaly) > 0;
        analysis.count(anomaly) > 0 && analysis.found.iter().all(|found| known(found.anomaly))
    };
    let again = analyze(&found.txns, Scope::Whole, Order::RealTime);
    assert!(shows(&again) && found.is_minimal, "{anomaly}: {:?}", again.found);
    assert_eq!(again.found, found.analysis.found);
    let parts = Parts::of(&found.txns);
    let all = 0..found.txns.mops() as MopId;
    let without = |is_out: &dyn Fn(MopId) -> bool| {
        let mops = all.clone().filter(|&mop| !is_out(mop)).collect();
        analyze(&parts.cut(&parts.closed(Part { mops, ..Part::default() })), Scope::Whole, Order::RealTime)
    };
    for id in 0..found.txns.len() as TxnId {
        let left = without(&|mop| found.txns.mop(mop).0 == id);
        assert!(!shows(&left), "{anomaly}: without transaction {id}");
    }
    for out in all.clone() {
        assert!(!shows(&without(&|mop| mop == out)), "{anomaly}: without `{}`", show(&found.txns, out));
    }
}

/// The most transactions that the smallest part has.
fn judge(settings: &Settings) -> usize {
    let whole = simulate(settings).unwrap();
    let analysis = analyze(&whole, Scope::Whole, Order::RealTime);
    let mut most = 0;
    for found in &analysis.found {
        let shrunk = shrink(&whole, Order::RealTime, found.anomaly, &analysis, budget(&whole)).unwrap();
        assert_minimal(&shrunk, found.anomaly, &analysis);
        most = most.max(shrunk.txns.len());
    }
    most
}

#[test]
fn a_few_of_many_are_found() {
    for level in
        [Level::Unisolated, Level::ReadCommitted, Level::LongFork, Level::StaleSnapshot, Level::Snapshot]
    {
        let settings = Settings { level, transactions: 2_000, keys: 4, ..Settings::default() };
        let most = judge(&settings);
        assert!((2..=12).contains(&most), "{level:?}: {most}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_found_can_be_shrunk(
        level in prop::sample::select(&Level::ALL[..]),
        fault in prop::option::of(prop::sample::select(&Fault::ALL[..])),
        transactions in 1u32..80,
        clients in 1u32..8,
        keys in 1u32..4,
        operations in 1u32..6,
        registers in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (fault, appends) = (fault.map(|fault| (fault, 6)), 20);
        judge(&Settings { level, fault, transactions, clients, keys, operations, registers, seed, appends });
    }

    /// Registers: what the lists of a database would have been, had each append replaced what was there.
    #[test]
    fn registers_can_be_shrunk_too(words in prop::collection::vec((0u8..4, 0u8..2, 0i64..6), 1..24)) {
        let whole = registers(&words);
        let analysis = analyze(&whole, Scope::Whole, Order::RealTime);
        for found in &analysis.found {
            let shrunk = shrink(&whole, Order::RealTime, found.anomaly, &analysis, budget(&whole)).unwrap();
            assert_minimal(&shrunk, found.anomaly, &analysis);
        }
    }
}

/// Transactions of up to three operations, half of them concurrent; reads see anything that is written somewhere, or nothing.
fn registers(words: &[(u8, u8, i64)]) -> Txns {
    let mut text = String::new();
    for (place, of_one) in words.chunks(3).enumerate() {
        let begin = place / 2 * 10;
        text.push_str(&format!("{begin}-{} {}: ", begin + 5 + place % 2, place % 3));
        for (nth, (what, key, value)) in of_one.iter().enumerate() {
            let key = ["x", "y"][usize::from(*key)];
            match what {
                0 | 1 => text.push_str(&format!("w{key}{} ", place * 3 + nth + 1)),
                2 => text.push_str(&format!("g{key} ")),
                _ => text.push_str(&format!("g{key}{} ", value + 1)),
            }
        }
        text.push_str([";", ";", "!;", ";", "?;"][place % 5]);
    }
    txns(&text)
}
