use proptest::prelude::*;

use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

const CRASH: Run = Run { faults: "50-60 nemesis@primary crash", ..CALM };

fn judge(run: Run, text: &str) -> Judgement {
    of(&run.counter(text), Guarantee::SnapshotOrder, "long-fork", None)
}

#[test]
fn chains_and_forks() {
    for (text, expected) in [
        ("5 all = 0,0; 6@replica-1 all = 0,0", (Pass, 0)),
        ("5 all = 2,1; 6@replica-1 all = 1,1; 6@replica-1 all = 2,2", (Pass, 0)),
        // Jepsen's long fork: each sees what the other does not.
        ("5 all = 1,0; 6@replica-1 all = 0,1", (Fail, 1)),
        ("5 all = 1,0; 5 all = 0,1", (Fail, 1)),
        ("5@replica-1 all = 3,0; 6@replica-1 all = 0,1", (Fail, 1)),
        // Comparable with both, and no bridge.
        ("5 all = 1,0; 6@replica-1 all = 0,1; 7 all = 1,1; 8 all = 0,0", (Fail, 1)),
        ("5 all = 2,0,0; 6@replica-1 all = 0,1,0; 7 all = 2,1,5", (Fail, 1)),
        ("5 all = 1,0,0; 6@replica-1 all = 0,1,0; 7 all = 0,0,1", (Fail, 2)),
        ("5 all = 1,0", (Unknown, 0)),
        ("", (Unknown, 0)),
        ("5 all = 1,0; 6 all = 1,0,0; 7 all = 1,1", (Unknown, 0)),
        ("5 all = 1,0; 6@replica-1 all ?; 7@replica-1 all !", (Unknown, 0)),
    ] {
        assert_eq!(result(&judge(CALM, text)), expected, "{text}");
    }
    let cut = Run { cut: Some("killed"), ..CALM };
    assert_eq!(result(&judge(cut, "5 all = 0,0; 6@replica-1 all = 0,0")), (Unknown, 0));
}

#[test]
fn tells_who_saw_what() {
    let text = "5 all = 0,0,0; 4-9 6 all = 4,1,7; 7-12 7@replica-1 all = 3,2,7; 90-91 6 all = 4,1,7";
    let judgement = judge(CALM, text);
    assert_eq!(
        words(&judgement),
        [
            "replica-1 at 0.012 s shows counter 2 at 2, which the other saw at 1; primary at 0.009 s shows counter 1 at 4, which the other saw at 3"
        ]
    );
    assert_eq!(
        judgement.summary,
        "4 snapshots judged, 3 distinct, 1 neighboring pair contradict each other (1 between nodes, 0 on primary alone, 0 on replica-1 alone): long forks, two commits that two readers saw in opposite order"
    );
    assert_eq!(figure(&judgement, "contradicting neighbors between nodes"), 1);
    assert!(!judgement.claimed);
}

#[test]
fn counts_by_endpoint() {
    let text =
        "5 all = 1,0; 5 all = 0,1; 6@replica-1 all = 5,5; 6@replica-1 all = 7,4; 6@replica-1 all = 6,6";
    let judgement = judge(CALM, text);
    let names = ["on primary alone", "on replica-1 alone", "between nodes"];
    assert_eq!(names.map(|name| figure(&judgement, &format!("contradicting neighbors {name}"))), [1, 2, 0]);
}

#[test]
fn a_loss_is_no_fork() {
    // The crash took back an increment that a reader of the primary had seen.
    for text in [
        "1-2 5 all = 5,7; 70-71 5 all = 3,8",
        "1-2 5 all = 5,7; 70-71 6@replica-1 all = 3,8",
        // The replica was read during the fault: what it shows, the primary had made safe.
        "1-2 5 all = 5,7; 40-55 6@replica-1 all = 3,8; 70-71 6 all = 4,8",
        // Nobody knows which primary this was.
        "1-2 5 all = 5,7; 49-51 5 all = 3,8; 3-4 6 all = 5,7",
    ] {
        assert_eq!(result(&judge(CRASH, text)), (Unknown, 0), "{text}");
        assert_eq!(
            figure(&judge(CRASH, text), "contradictions across a forced restart or failover"),
            1,
            "{text}"
        );
        assert_eq!(result(&judge(CALM, text)), (Fail, 1), "{text}");
    }
    let during = judge(CRASH, "1-2 5 all = 5,7; 49-51 5 all = 3,8; 3-4 6 all = 5,7");
    assert_eq!(
        figure(&during, "snapshots during a forced restart, or of a replica after a failover, not judged"),
        1
    );
}

#[test]
fn a_fork_on_one_side_of_a_crash_is_one() {
    assert_eq!(
        result(&judge(CRASH, "1-2 5 all = 1,0; 3-4 6@replica-1 all = 0,1; 70-71 5 all = 2,2")),
        (Fail, 1)
    );
    assert_eq!(
        result(&judge(CRASH, "1-2 5 all = 0,0; 70-71 5 all = 2,1; 72-73 6@replica-1 all = 1,2")),
        (Fail, 1)
    );
    // The same vectors on both sides, and a chain.
    assert_eq!(
        result(&judge(CRASH, "1-2 5 all = 1,0; 70-71 5 all = 1,0; 72-73 6@replica-1 all = 1,2")),
        (Pass, 0)
    );
    // A restart that writes what it has takes nothing back.
    let fast = Run { faults: "50-60 nemesis@primary restart", ..CALM };
    assert_eq!(result(&judge(fast, "1-2 5 all = 5,7; 70-71 5 all = 3,8")), (Fail, 1));
}

proptest! {
    /// Against every pair compared with every other.
    #[test]
    fn agrees_with_brute_force(vectors in prop::collection::vec((0usize..3, prop::collection::vec(0i64..4, 3)), 2..12)) {
        let node = |place: usize| ["", "@replica-1", "@replica-2"][place];
        let line = |(place, values): &(usize, Vec<i64>)| {
            format!("{place}{} all = {},{},{};", node(*place), values[0], values[1], values[2])
        };
        let text: String = vectors.iter().map(line).collect();
        let within = |a: &[i64], b: &[i64]| a.iter().zip(b).all(|(a, b)| a <= b);
        let contradict = |a: &(usize, Vec<i64>), b: &(usize, Vec<i64>)| !within(&a.1, &b.1) && !within(&b.1, &a.1);
        let fork = vectors.iter().any(|a| vectors.iter().any(|b| contradict(a, b)));
        let judgement = judge(Run { replicas: 2, ..CALM }, &text);
        prop_assert_eq!(judgement.verdict, if fork { Fail } else { Pass });
        for (place, name) in [(0, "primary"), (1, "replica-1"), (2, "replica-2")] {
            let of_node = || vectors.iter().filter(|(at, _)| *at == place);
            let alone = of_node().any(|a| of_node().any(|b| contradict(a, b)));
            let name = format!("contradicting neighbors on {name} alone");
            let counted = judgement.counts.iter().find(|count| count.name == name).map_or(0, |count| count.value);
            prop_assert_eq!(counted > 0, alone);
        }
    }
}
