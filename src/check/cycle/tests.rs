//! One-line histories, and the figures of the papers by name.

use super::{Analysis, Order, Scope, Standing, analyze};
use crate::history::txn::notation::txns;

fn judge(text: &str) -> Analysis {
    analyze(&txns(text), Scope::Whole, Order::RealTime)
}

/// `G0 2, G1a 1`: what was found, and how often.
fn found(text: &str) -> String {
    let all = judge(text);
    let names: Vec<String> =
        all.found.iter().map(|found| format!("{} {}", found.anomaly, found.count)).collect();
    names.join(", ")
}

/// The weakest models that are refuted.
pub(super) fn refuted(text: &str) -> String {
    let weakest = |standing: &Standing| matches!(standing, Standing::Refuted { is_weakest: true, .. });
    let all = judge(text).standings();
    let names: Vec<&str> =
        all.iter().filter(|(_, standing)| weakest(standing)).map(|(model, _)| model.name).collect();
    names.join(", ")
}

/// Compares `answer` to each text with what is expected, and shows all that differ.
fn all_of(answer: fn(&str) -> String, cases: &[(&str, &str)]) {
    let wrong = |(text, expected): &&(&str, &str)| answer(text) != *expected;
    let shown =
        |(text, expected): &(&str, &str)| format!("{text}\n    {}\n    expected: {expected}", answer(text));
    let wrong: Vec<String> = cases.iter().filter(wrong).map(shown).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for text in [
        "ax1; rx1",
        "rx",
        "rx ax1; rx1 ax2; rx12",
        "ax1 rx1",
        "rx ax1 rx1 ax2 rx12",
        "ax1 ?; rx1",
        "ax1 ...; rx1",
        "ax1 !; rx",
        "ax1 ?; rx",
        "rx? ax1 ?; rx1",
        "ax1 ay1; rx1 ry1; rx ry",
        "ax1; ax2; rx12; rx21 !",
        "0-1 ax1; 2-3 rx1; 4-5 ax2; 6-7 rx12",
        "0-1 1: ax1; 2-3 1: rx1",
        // Concurrent with the read: may or may not be seen.
        "0-5 ax1; 1-2 rx; 3-4 rx1",
        // Not acknowledged: may be missing for ever.
        "0-1 ax1 ?; 2-3 rx",
        "0-1 ax1 ...; 2-3 rx; 4-5 rx1",
        // What a transaction saw that was not acknowledged says nothing, not even of the order of others.
        "ax1 rx1 ?; ax2; rx2",
        "ax1 rx1 !; ax2; rx2",
        "ax1; ax2; rx21 !; rx21 ?; rx12",
        "rx9 !; gy9 ?; ax1; rx1",
        "gx1 wx2 ?; gx2 wx1 !; wx1 ?; gx1",
        // Own appends, seen where they are.
        "ax1; rx1 ax2 rx12 ax3 rx123; rx123",
        "rx[10,11]; ax10; ax11",
    ] {
        assert_eq!(found(text), "", "{text}");
        assert_eq!(refuted(text), "", "{text}");
    }
}

#[test]
fn reads_that_no_order_is_needed_for() {
    all_of(
        found,
        &[
            ("ax1 !; rx1", "G1a 1"),
            ("ax1 !; rx1; rx1", "G1a 2"),
            ("ax1 !; ax2; rx12; rx1", "G1a 2, dirty-update 1"),
            ("ax1 ?; ax2; rx12", ""),
            // A transaction may see its own, whatever becomes of it.
            ("ax1 rx1 !; rx", ""),
            ("ax1 ax2; rx1; rx12", "fractured-read 1, G-single-item 1, prefix-violation 1, G1b 1"),
            ("ax1 ax2; rx12", ""),
            ("ax1 ax2 rx12; rx12", ""),
            ("rx1 rx12; ax1; ax2", "fractured-read 1, G-single-item 1, prefix-violation 1, internal 1"),
            ("ax1 rx; rx1", "internal 1"),
            ("rx ax1 rx; rx1", "internal 1"),
            ("rx ax1 rx21; ax2; rx21", "fractured-read 1, G-single-item 1, prefix-violation 1, internal 1"),
            ("ax2 rx12; ax1; rx12", ""),
            ("rx1 ax1", "future-read 1"),
            ("rx1 ax1; rx1", "future-read 1"),
            ("ax1; rx11", "duplicate-elements 1"),
            ("ax1; rx1; rx11; rx11", "duplicate-elements 2"),
            ("ax1; ax2; rx12; rx21", "incompatible-order 1"),
            ("ax1 rx1 !; ax2; ax3; rx23; rx32", "incompatible-order 1"),
            ("ax1; ax2; ax3; rx12; rx12; rx13; rx3", "incompatible-order 2"),
            ("rx9", "garbage-read 1"),
            ("ax1; rx19; rx19; rx1", "garbage-read 2"),
            ("ax1; ax2; rx1; rx92", "incompatible-order 1, garbage-read 1"),
        ],
    );
}

#[test]
fn cycles() {
    all_of(
        found,
        &[
            // G0: writes in opposite orders.
            ("ax1 ay1; ax2 ay2; rx12 ry21", "G0 2"),
            ("ax1 ay1; ax2 az2; ay3 az3; rx12 ry31 rz23", "G0 3"),
            // G1c: each saw the other.
            ("ax1 ry1; ay1 rx1", "G1c 2"),
            ("ax1 rz1; ay1 rx1; az1 ry1", "G1c 3"),
            // G-single: read skew.
            ("rx ry1; ax1 ay1", "fractured-read 1, G-single-item 1, prefix-violation 1"),
            // G2: write skew.
            ("rx ay1; ry ax1; rx1 ry1", "G2-item 2"),
            ("rx ay1; ry az1; rz ax1; rx1 ry1 rz1", "G2-item 3"),
            // Long fork.
            ("ax1; ay1; rx1 ry; rx ry1", "prefix-violation 2, G-nonadjacent-item 2"),
            ("rx ax1; rx ax2; rx12", "G-single-item 1, lost-update 1"),
        ],
    );
}

#[test]
fn cycles_that_share_nothing_are_in_different_places() {
    let places = |text: &str, name: &str| {
        judge(text).found.iter().find(|found| found.anomaly.name() == name).and_then(|found| found.places)
    };
    let one = "ax1; ay1; rx1 ry; rx ry1";
    let two = "ax1; ay1; rx1 ry; rx ry1; av1; aw1; rv1 rw; rv rw1";
    for name in ["prefix-violation", "G-nonadjacent-item"] {
        assert_eq!((places(one, name), places(two, name)), (Some(1), Some(2)), "{name}");
    }
    // A second reader of the one side makes no second fork.
    let again = "ax1; ay1; rx1 ry; rx1 ry; rx ry1";
    assert_eq!(places(again, "G-nonadjacent-item"), Some(1));
    assert_eq!(places("ax1 ay1; ax2 ay2; rx12 ry21", "G0"), Some(1));
    assert_eq!(places("ax1 ry1; ay1 rx1; aw1 rv1; av1 rw1", "G1c"), Some(2));
    assert_eq!(places("rx ay1; ry ax1; rx1 ry1", "G2-item"), Some(1));
    // What is no cycle has a number only.
    assert_eq!(places("ax1 !; rx1", "G1a"), None);
}

#[test]
fn orders_beside_the_data() {
    all_of(
        found,
        &[
            ("0-1 ax1; 2-3 rx", "G-single-item-realtime 1, prefix-violation-realtime 1, stale-read 1"),
            (
                "0-1 1: ax1; 2-3 1: rx",
                "causality-violation-process 1, G-single-item-process 1, prefix-violation-process 1, stale-read 1, read-your-writes 1",
            ),
            (
                "0-1 ax1; 2-3 ax2; 4-5 rx2",
                "G0-realtime 1, G-single-item-realtime 1, prefix-violation-realtime 1, lost-write 1, stale-read 1",
            ),
            ("0-1 ax1; 2-3 ax2; 4-5 rx21", "G0-realtime 1"),
            ("0-1 1: ax1; 2-3 1: ax2; 4-5 rx21", "G0-process 1, monotonic-writes 1"),
            (
                "0-9 ax1; 1-2 3: rx1; 3-4 3: rx",
                "causality-violation-process 1, G-single-item-process 1, prefix-violation-process 1, monotonic-reads 1",
            ),
        ],
    );
}

#[test]
fn what_the_rules_do_not_apply_to_is_not_judged() {
    // Who read a 1 does not know whose it is: that it is there twice may be right.
    for text in ["ax1; ax1; rx11", "ax1; ax1; rx1", "wx1; wx1; gx1", "ax1; wx2; rx9", "gx1; rx1 ay1", ""] {
        let all = judge(text);
        assert!(all.found.is_empty() && !all.troubles.is_empty(), "{text}: {:?}", all.found);
        assert!(all.standings().iter().all(|(_, standing)| *standing == Standing::NotCheckable), "{text}");
    }
}

#[test]
fn the_weakest_models_are_refuted() {
    all_of(
        refuted,
        &[
            ("ax1; rx1", ""),
            ("ax1 ay1; ax2 ay2; rx12 ry21", "read-uncommitted"),
            ("rx9", "read-uncommitted"),
            ("ax1 !; rx1", "read-committed"),
            ("ax1 ry1; ay1 rx1", "read-committed"),
            ("ax1; ay1; rx1 ry; rx ry1", "repeatable-read, prefix"),
            ("rx ay1; ry ax1; rx1 ry1", "repeatable-read"),
            ("0-1 ax1; 2-3 rx", "strong-snapshot-isolation, strong-prefix"),
        ],
    );
}

#[test]
fn registers() {
    all_of(
        found,
        &[
            ("wx1; gx1", ""),
            ("gx; wx1", ""),
            ("gx1", "garbage-read 1"),
            ("wx1 !; gx1", "G1a 1"),
            ("wx1 wx2; gx1; gx2", "fractured-read 1, G-single-item 1, prefix-violation 1, G1b 1"),
            ("gx1 wx1", "future-read 1"),
            ("wx1 gx2; wx2", "internal 1"),
            ("wx1 gy1; wy1 gx1", "G1c 2"),
            ("gx gy1; wx1 wy1", "fractured-read 1, G-single-item 1, prefix-violation 1"),
            ("gx wy1; gy wx1", "G2-item 2"),
            ("wx1; gx1 wx2; gx1 wx3", "G2-item 2, lost-update 1"),
            // Two blind writes have no order by themselves.
            ("wx1 wy1; wx2 wy2; gx1 gy2", ""),
            ("gx1 wx2; gx2 wx1", "G1c 2, cyclic-versions 1"),
            // Real time has one.
            ("0-1 wx1; 2-3 gx", "G-single-item-realtime 1, prefix-violation-realtime 1, stale-read 1"),
            (
                "0-1 wx1; 2-3 wx2; 4-5 gx1",
                "G-single-item-realtime 1, prefix-violation-realtime 1, stale-read 1",
            ),
            ("0-1 wx1; 2-3 wx2; 4-5 gx2", ""),
            ("0-9 wx1; 1-2 wx2; 10-11 gx1", ""),
            (
                "0-1 1: wx1; 2-3 1: gx",
                "causality-violation-process 1, G-single-item-process 1, prefix-violation-process 1, stale-read 1, read-your-writes 1",
            ),
        ],
    );
}
