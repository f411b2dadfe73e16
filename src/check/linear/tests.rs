//! One-line histories, and the papers' figures by name.

use super::notation::{calls, counter, list, register, set};
use super::{
    Call, Counter, CounterOp, Decision, Doubt, Evidence, Linear, Linearity, List, Malformed, Object,
    Register, Set, check, counters, lists, of_txns, registers, sets,
};
use crate::check::Verdict;
use crate::history::txn::notation::txns;

const BUDGET: u64 = 100_000;

/// `yes`, or the window of what has no order, then `|`, its order as far as it goes, and after `>` what cannot follow.
fn said<O: Object>(text: &str, op: fn(&str) -> O::Op) -> String {
    let judged = check::<O>(&calls(text, op), BUDGET).unwrap();
    let of_line =
        |number: &u32| text.split(';').nth(*number as usize).unwrap().split_whitespace().nth(1).unwrap();
    let words = |numbers: &[u32]| numbers.iter().map(of_line).collect::<Vec<&str>>().join(" ");
    match &judged.keys[0].1 {
        Linearity::Linearizable => "yes".to_owned(),
        Linearity::Unknown(doubt) => format!("{doubt:?}"),
        Linearity::NotLinearizable(Evidence { window, before, order, stuck }) => {
            let before = if before.is_empty() { String::new() } else { format!("({}) ", words(before)) };
            format!("{before}{} | {} > {}", words(window), words(order), words(stuck))
        }
    }
}

fn verdict<O: Object>(text: &str, op: fn(&str) -> O::Op) -> Verdict {
    check::<O>(&calls(text, op), BUDGET).unwrap().verdict()
}

#[test]
fn registers_in_order() {
    for text in [
        "0-1 w1; 2-3 r1",
        "0-1 r",
        // A write that overlaps with reads is seen from some moment on.
        "0-9 w1; 1-2 r; 3-4 r1",
        "0-9 w1; 0-8 r; 0-7 r1; 0-6 r",
        // Two writes at once, in either order.
        "0-9 w1; 0-9 w2; 10-11 r1",
        "0-9 w1; 0-9 w2; 10-11 r2",
        // An end and a beginning at the same event are concurrent.
        "0-1 w1; 1-2 r",
        // What certainly did not happen is not seen.
        "0-1 w1 !; 2-3 r",
        // What may have happened may show up late, or never.
        "0-1 w1 ?; 2-3 r; 4-5 r; 6-7 r1",
        "0-1 w1 ...; 2-3 w2; 4-5 r2; 6-7 r1",
        "0-1 w1 ?; 2-3 r",
        // Nobody knows what it read.
        "0-1 w1; 2-3 r ?",
        "0-1 w1; 2-3 c1>2; 4-5 r2",
        "0-1 w1; 2-3 c2>3x; 4-5 r1",
        "0-9 w1; 0-9 c>2; 10-11 r1",
        "0-1 w1; 2-3 c1>2 ?; 4-5 r1; 6-7 r2",
        "0-1 w1; 2-3 c1>2 ?; 4-5 r1; 6-7 c1>3; 8-9 r3",
        // The same value twice.
        "0-1 w1; 2-3 w2; 4-5 w1; 6-7 r1",
        "0-9 w1; 0-9 w1; 0-9 w2; 1-2 r1; 3-4 r2; 5-6 r1",
        // Other keys.
        "0-1 w1; 2-3 1/r; 4-5 r1",
    ] {
        assert_eq!(verdict::<Register>(text, register), Verdict::Pass, "{text}");
    }
}

#[test]
fn registers_without_an_order() {
    for (text, expected) in [
        // Stale reads.
        ("0-1 w1; 2-3 r", "w1 r | w1 > r"),
        ("0-1 w1; 2-3 w2; 4-5 r1", "w1 w2 r1 | w1 w2 > r1"),
        ("0-1 w1; 2-3 w2; 4-5 r2; 6-7 w3; 8-9 r2; 10-11 r3", "w2 w3 r2 | w2 w3 > r2"),
        // New-old inversion.
        ("0-9 w1; 1-2 r1; 3-4 r", "w1 r1 r | w1 r1 > r"),
        ("0-1 w1; 2-9 w2; 3-4 r2; 5-6 r1", "w1 w2 r2 r1 | w1 w2 r2 > r1"),
        // Nobody wrote it, or it did not happen, or not yet.
        ("0-1 r7", "r7 |  > r7"),
        ("0-1 w1 !; 2-3 r1", "r1 |  > r1"),
        ("0-1 r1; 2-3 w1", "r1 |  > r1"),
        ("0-1 r1; 2-3 w1 ?", "r1 |  > r1"),
        // Both swapped the same.
        ("0-1 w1; 2-9 c1>2; 2-9 c1>3", "w1 c1>2 c1>3 | w1 c1>2 > c1>3"),
        ("0-9 c>1; 0-9 c>2", "c>1 c>2 | c>1 > c>2"),
        // Refused what was there.
        ("0-1 w1; 2-3 c1>2x", "w1 c1>2x | w1 > c1>2x"),
        ("0-1 w1; 2-3 c1>2; 4-5 r1", "w1 c1>2 r1 | w1 c1>2 > r1"),
        // It may show up, but only once.
        ("0-1 w1 ?; 2-3 r1; 4-5 w2; 6-7 r1; 8-9 r2", "w1 r1 w2 r1 | w1 r1 w2 > r1"),
        // Dropping what is beside the point.
        (
            "0-1 w5; 2-3 r5; 4-5 w1; 4-5 r1; 6-7 r1; 8-9 w2; 10-11 r1; 12-13 w3; 14-15 r3",
            "w1 w2 r1 | w1 w2 > r1",
        ),
        ("0-1 w5; 2-3 w5; 4-5 w1; 6-7 r1; 8-9 w2; 10-11 r1; 12-13 r2", "w1 w2 r1 | w1 w2 > r1"),
    ] {
        assert_eq!(said::<Register>(text, register), expected, "{text}");
    }
}

/// Registers of the kind that Herlihy and Wing 1990 draw.
#[test]
fn registers_after_herlihy_and_wing() {
    assert_eq!(verdict::<Register>("0-5 1: w0; 1-3 2: r0; 6-8 1: w1; 7-9 2: r1", register), Verdict::Pass);
    assert_eq!(verdict::<Register>("0-1 1: w0; 2-9 1: w1; 3-4 2: r1; 5-6 3: r0", register), Verdict::Fail);
    assert_eq!(verdict::<Register>("0-1 1: w0; 2-9 1: w1; 3-4 2: r0; 5-6 3: r1", register), Verdict::Pass);
    assert_eq!(verdict::<Register>("0-1 1: w0; 2-3 1: w1; 4-5 2: r0", register), Verdict::Fail);
}

/// Gibbons and Korach 1997: zones that overlap, and one within another.
#[test]
fn gibbons_and_korach_zones() {
    for (text, expected) in [
        ("0-1 w1; 4-5 r1; 2-3 w2; 6-7 r2", Verdict::Fail),
        ("0-1 w1; 6-7 r1; 2-3 w2; 4-5 r2", Verdict::Fail),
        ("0-1 w1; 6-7 r1; 2-3 w2", Verdict::Fail),
        ("0-1 w1; 6-7 r1; 1-3 w2", Verdict::Pass),
        ("0-1 w1; 6-7 r1; 3-6 w2", Verdict::Pass),
        ("0-1 w1; 4-5 r1; 5-6 w2; 8-9 r2", Verdict::Pass),
        ("0-9 w1; 0-9 w2; 0-9 w3; 1-8 r1; 1-8 r2; 2-7 r3", Verdict::Pass),
    ] {
        assert_eq!(verdict::<Register>(text, register), expected, "{text}");
    }
}

#[test]
fn counters_in_order() {
    for text in [
        "0-1 =0",
        "0-1 +1; 2-3 =1",
        "0-9 +1; 1-2 =0; 3-4 =1",
        "0-9 +1; 0-9 +1; 1-8 =1; 2-7 =0; 2-8 =2",
        "0-1 +1 ?; 2-3 =0; 4-5 =1",
        "0-1 +1 !; 2-3 =0",
        "0-1 +0; 2-3 =0",
        "0-1 +-2; 2-3 =-2; 2-9 +-2; 4-5 =-4",
        "0-9 +2; 0-9 +3; 1-2 =2; 3-4 =5",
        "0-9 +2; 0-9 +3; 1-2 =3; 3-4 =5",
        "0-9 +2; 0-9 +-3; 1-2 =-3; 3-4 =-1",
        "0-1 +9223372036854775807; 2-3 +9223372036854775807",
    ] {
        assert_eq!(verdict::<Counter>(text, counter), Verdict::Pass, "{text}");
    }
}

#[test]
fn counters_without_an_order() {
    for (text, expected) in [
        ("0-1 +1; 2-3 =0", "(+1) =0 |  > =0"),
        ("0-1 =1; 2-3 +1", "=1 |  > =1"),
        ("0-1 +1 !; 2-3 =1", "=1 |  > =1"),
        ("0-1 +1 ?; 2-3 =2", "+1 =2 | +1 > =2"),
        // Back again.
        ("0-9 +1; 1-2 =1; 3-4 =0", "+1 =1 =0 | +1 =1 > =0"),
        // Each within its bounds, and not both: one was added in between.
        ("0-9 +1; 1-2 =1; 3-4 +1; 5-6 =1", "+1 =1 +1 =1 | +1 =1 +1 > =1"),
        ("0-1 =0; 0-1 +2; 2-3 =2; 4-5 +2; 6-7 =2; 8-9 =4", "(+2 +2) =2 |  > =2"),
        // No sum of some of them.
        ("0-9 +2; 0-9 +3; 1-8 =4", "+2 +3 =4 |"),
        ("0-9 +2; 0-9 +2; 1-8 =3", "+2 +2 =3 |"),
        // Two and three, but not at the same time.
        ("0-9 +2; 0-9 +3; 1-2 =2; 3-4 =3", "+2 +3 =2 =3 |"),
        ("0-1 +1; 2-3 +-1; 4-5 =1", "(+1 +-1) =1 |  > =1"),
        (
            "0-1 +9223372036854775807; 2-3 +1; 4-5 =-9223372036854775808",
            "(+9223372036854775807 +1) =-9223372036854775808 |",
        ),
    ] {
        let said = said::<Counter>(text, counter);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn lists_in_order() {
    for text in [
        "0-1 r",
        "0-1 a1; 2-3 a2; 4-5 r12",
        "0-9 a1; 0-9 a2; 10-11 r21",
        "0-9 a1; 1-2 r; 3-4 r1",
        "0-1 a1 ?; 2-3 r; 4-5 a2; 6-7 r21",
        "0-1 a1 ?; 2-3 a2; 4-5 r2",
        "0-1 a1; 2-3 r1; 4-5 a2; 4-5 a3",
        // The same element twice.
        "0-1 a1; 2-3 a1; 4-5 r11",
        "0-9 a1; 0-9 a1; 1-2 r1; 3-4 r11",
    ] {
        assert_eq!(verdict::<List<'_>>(text, list), Verdict::Pass, "{text}");
    }
}

#[test]
fn lists_without_an_order() {
    for (text, expected) in [
        ("0-1 a1; 2-3 r", "a1 r | a1 > r"),
        ("0-1 a1; 2-3 a2; 4-5 r21", "a1 a2 r21 | a1 a2 > r21"),
        ("0-1 a1; 2-3 a2; 4-5 r2", "a1 r2 | a1 > r2"),
        ("0-9 a1; 0-9 a2; 10-11 r12; 12-13 r21", "a1 a2 r12 r21 |"),
        ("0-9 a1; 0-9 a2; 1-8 r1; 1-8 r2", "a1 a2 r1 r2 |"),
        ("0-1 r9", "r9 |  > r9"),
        ("0-1 a1 !; 2-3 r1", "r1 |  > r1"),
        ("0-1 a1; 2-3 r11", "a1 r11 | a1 > r11"),
        ("0-9 a1; 1-2 r1; 3-4 r", "a1 r1 r | a1 r1 > r"),
        ("0-1 r1; 2-3 a1", "r1 |  > r1"),
        ("0-1 a5; 2-3 r5; 4-5 a1; 6-7 r51; 8-9 r5; 10-11 a2; 12-13 r512", "a1 r5 | a1 > r5"),
        ("0-1 a1; 2-3 a1; 4-5 r1", "a1 a1 r1 | a1 a1 > r1"),
    ] {
        let said = said::<List<'_>>(text, list);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn sets_in_order() {
    for text in [
        "0-1 r",
        "0-1 a1; 2-3 a2; 4-5 r21",
        "0-9 a1; 0-9 a2; 1-2 r1; 3-4 r12",
        "0-1 a1; 2-3 a1; 4-5 r1",
        "0-9 a1; 1-2 r; 3-4 a1; 5-6 r1",
        "0-9 a1; 1-2 out1; 3-4 in1",
        "0-9 a1; 0-9 a2; 1-2 out1; 1-2 in2; 3-4 r12",
        "0-1 a1 ?; 2-3 out1; 4-5 r; 6-7 in1",
        "0-1 a1; 2-3 r11",
    ] {
        assert_eq!(verdict::<Set<'_>>(text, set), Verdict::Pass, "{text}");
    }
}

#[test]
fn sets_without_an_order() {
    for (text, expected) in [
        ("0-1 a1; 2-3 r", "(a1) r |  > r"),
        ("0-1 a1; 2-3 out1", "(a1) out1 |  > out1"),
        ("0-1 in1; 2-3 a1", "in1 |  > in1"),
        ("0-1 r3", "r3 |  > r3"),
        ("0-1 a1 !; 2-3 in1", "in1 |  > in1"),
        ("0-9 a1; 1-2 r1; 3-4 out1", "a1 r1 out1 | a1 r1 > out1"),
        // A long fork: fine for each element.
        ("0-9 a1; 0-9 a2; 1-8 r1; 1-8 r2", "a1 a2 r1 r2 |"),
        // Each read has its element before the other's.
        ("0-1 a1; 2-3 a2; 4-5 r2; 6-7 a3; 8-9 r123", "(a1) r2 |  > r2"),
        ("0-9 a1; 0-9 a2; 1-2 in1; 3-4 out2; 5-6 in2; 5-6 r2", "a1 in1 r2 |"),
    ] {
        let said = said::<Set<'_>>(text, set);
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn keys_are_judged_by_themselves() {
    let judged = registers(&calls("0-1 7/w1; 2-3 7/r; 0-1 3/w1; 2-3 3/r1", register), BUDGET).unwrap();
    assert_eq!(
        judged.keys.iter().map(|(key, one)| (*key, one.verdict())).collect::<Vec<_>>(),
        [(3, Verdict::Pass), (7, Verdict::Fail)]
    );
    assert_eq!((judged.verdict(), judged.acknowledged), (Verdict::Fail, 4));
    let Linearity::NotLinearizable(evidence) = &judged.keys[1].1 else { panic!("{judged:?}") };
    assert_eq!(
        (&evidence.window[..], &evidence.order[..], &evidence.stuck[..]),
        (&[0, 1][..], &[0][..], &[1][..])
    );
}

#[test]
fn nothing_is_unknown() {
    assert_eq!(registers(&[], BUDGET), Ok(Linear::default()));
    assert_eq!(Linear::default().verdict(), Verdict::Unknown);
    assert_eq!(counters(&calls("0-1 +1 ?; 0-1 =5 ?", counter), BUDGET).unwrap().verdict(), Verdict::Unknown);
    assert_eq!(lists(&calls("0-1 a1 !", list), BUDGET).unwrap().verdict(), Verdict::Unknown);
    assert_eq!(sets(&[], BUDGET).unwrap().verdict(), Verdict::Unknown);
}

#[test]
fn malformed_calls_are_errors() {
    for (text, expected) in [
        ("5-3 w1", Malformed::Backwards(0)),
        ("0-9 1: w1; 3-4 1: r1", Malformed::Overlap { process: 1, first: 0, second: 1 }),
        ("0-3 1: w1; 3-4 1: r1", Malformed::Overlap { process: 1, first: 0, second: 1 }),
        ("4-4 1: w1; 4-4 1: r1", Malformed::Overlap { process: 1, first: 0, second: 1 }),
        ("3-4 1: r1; 0-1 1: w1 ...", Malformed::Overlap { process: 1, first: 1, second: 0 }),
        ("0-9 1: 1/w1; 3-4 1: 2/w1", Malformed::Overlap { process: 1, first: 0, second: 1 }),
    ] {
        assert_eq!(registers(&calls(text, register), BUDGET), Err(expected), "{text}");
    }
    let endless = Call { completed: None, ..calls("0-1 w1", register).remove(0) };
    assert_eq!(registers(&[endless], BUDGET), Err(Malformed::Endless(0)));
    // The same moment for everything is possible.
    assert_eq!(verdict::<Register>("4-4 w1; 4-4 w2; 4-4 r1; 4-4 r2; 4-4 r", register), Verdict::Pass);
    assert_eq!(verdict::<Counter>("4-4 +1; 4-4 =0; 4-4 =1", counter), Verdict::Pass);
}

#[test]
fn a_budget_that_ends_is_said() {
    // Amounts of which no subset has this sum, which only trying all of them shows.
    let amounts: Vec<String> = (0..14).map(|bit| format!("0-9 +{}", 3_i64.pow(bit))).collect();
    let text = format!("{}; 1-8 =2", amounts.join("; "));
    let judge = |budget| counters(&calls(&text, counter), budget).unwrap();
    assert_eq!(judge(100).keys, [(0, Linearity::Unknown(Doubt::Budget(100)))]);
    assert_eq!((judge(100).verdict(), judge(100).explored), (Verdict::Unknown, 100));
    assert_eq!(judge(1 << 20).verdict(), Verdict::Fail);
    // What needs no search needs no budget.
    assert_eq!(registers(&calls("0-1 w1; 2-3 r1", register), 0).unwrap().verdict(), Verdict::Pass);
    assert_eq!(Counter::decide(&[]), Decision::Linearizable);
    assert_eq!(CounterOp::Add(1), counter("+1"));
}

fn of_text(text: &str) -> String {
    let found = of_txns(&txns(text), BUDGET).unwrap();
    let key = |(_, linearity): &(u32, Linearity)| match linearity {
        Linearity::Linearizable => "yes".to_owned(),
        Linearity::NotLinearizable(evidence) => format!("no {:?}", evidence.window),
        Linearity::Unknown(doubt) => format!("{doubt:?}"),
    };
    let keys: Vec<String> = found.linear.keys.iter().map(key).collect();
    format!("{} {:?}", keys.join(", "), found.left_out)
}

#[test]
fn transactions_of_single_operations() {
    for (text, expected) in [
        ("0-1 ax1; 2-3 rx1", "yes []"),
        ("0-1 ax1; 2-3 rx", "no [0, 1] []"),
        ("0-1 wx1; 2-3 gx1; 4-5 gx", "no [0, 2] []"),
        ("0-1 wx1; 2-3 gx1; 0-1 ay1; 4-5 ry", "yes, no [1, 3] []"),
        ("0-1 wx1 ...; 2-3 gx; 4-5 gx1", "yes []"),
        ("0-1 ax1 ay1; 2-3 rx1; 2-3 ry", "yes, no [0, 2] []"),
        ("0-1 ax1 ax2; 2-3 rx12", "LeftOut(1) [(0, 0)]"),
        ("0-1 ax1 ax2 !; 2-3 rx", "yes []"),
        ("0-1 ax1 ry; 2-3 gx; 4-5 ry", "Mixed, yes []"),
        ("0-1 rx?; 2-3 ay1", "yes, yes []"),
        ("", " []"),
    ] {
        assert_eq!(of_text(text), expected, "{text}");
    }
    assert!(matches!(
        of_txns(&txns("0-9 1: ax1; 3-4 1: ry"), BUDGET),
        Err(Malformed::Overlap { process: 1, .. })
    ));
}
