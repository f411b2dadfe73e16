use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use crate::isolation::Isolation;
use Verdict::{Fail, Pass, Unknown};

const FAILOVER: Run = Run { faults: "50-60 nemesis@replica-1 promote", ..CALM };

fn append(run: Run, text: &str) -> Vec<Judgement> {
    run.append(text, Isolation::Serializable)
}

fn durability(run: Run, text: &str) -> Judgement {
    of(&append(run, text), Guarantee::Durability, "durability", None)
}

fn once(text: &str) -> Judgement {
    of(&append(CALM, text), Guarantee::ExactlyOnce, "exactly-once", None)
}

fn alone(level: Isolation, node: &str, text: &str) -> Judgement {
    of(&CALM.append(text, level), Guarantee::Isolation, "isolation", Some(node))
}

fn together(text: &str) -> Judgement {
    of(&append(CALM, text), Guarantee::SnapshotOrder, "isolation", None)
}

#[test]
fn an_acknowledged_append_stays() {
    for (text, expected) in [
        ("0 a1.7 = ; 5 last r1 = [7]", (Pass, 0)),
        ("0 a1.7 = ; 1 a1.8 = ; 5 last r1 = [7]", (Fail, 1)),
        ("0 a1.7 = ; 5 last r1 = []", (Fail, 1)),
        // Nobody was told of it.
        ("0 a1.7 ?; 1 a2.8 = ; 5 last r1 r2 = [] [8]", (Pass, 0)),
        ("0 a1.7 !; 1 a2.8 = ; 5 last r1 r2 = [] [8]", (Pass, 0)),
        // Not looked for.
        ("0 a1.7 = ; 5 last r2 = []", (Unknown, 0)),
        ("0 a1.7 = ; 5@replica-1 last r1 = [7]", (Unknown, 0)),
        ("0 a1.7 = ", (Unknown, 0)),
        ("5 last r1 = []", (Unknown, 0)),
        ("", (Unknown, 0)),
    ] {
        assert_eq!(result(&durability(CALM, text)), expected, "{text}");
    }
    let judgement = durability(CALM, "0-9 0 a1.7 = ; 20-21 5 last r1 = []");
    assert_eq!(
        words(&judgement),
        ["7, appended to list 1 and acknowledged at 0.009 s, is not there at the end"]
    );
    assert!(judgement.lost.is_some());
}

#[test]
fn after_a_failover_the_new_primary_counts_and_a_warning_is_an_excuse() {
    let text = |ending: &str| format!("10-20 0 a1.7 {ending}; 90-91 5@replica-1 last r1 = []");
    assert_eq!(result(&durability(FAILOVER, &text("="))), (Fail, 1));
    let warned = durability(FAILOVER, &text("=w"));
    assert_eq!(result(&warned), (Pass, 0));
    assert_eq!(figure(&warned, "acknowledged with a warning and lost in a failover"), 1);
    assert_eq!(result(&durability(CALM, "10-20 0 a1.7 =w ; 90-91 5 last r1 = []")), (Fail, 1));
}

#[test]
fn nothing_is_there_twice_or_unasked_for() {
    for (text, expected) in [
        ("0 a1.7 = ; 5 r1 = [7]; 6 r1 = [7]", (Pass, 0)),
        ("0 a1.7 = ; 5 r1 = [7,7]; 6 r1 = [7,7]", (Fail, 1)),
        ("0 a1.7 = ; 5 r1 = [7,9]", (Fail, 1)),
        // To another key.
        ("0 a1.7 = ; 0 a2.8 = ; 5 r2 = [8,7]", (Fail, 1)),
        ("0 w1.7 = ; 5 r1 = 9", (Fail, 1)),
        ("0 w1.7 ?; 5 r1 = 7; 6 r2 = -", (Pass, 0)),
        ("0 a1.7 = ", (Unknown, 0)),
    ] {
        assert_eq!(result(&once(text)), expected, "{text}");
    }
}

/// Each misses what the other writes; a third one makes the order of versions known.
const SKEW: &str = "0-9 0 r1 a2.1 = []; 1-8 1 r2 a1.1 = []; 20-21 2 r1 r2 = [1] [1]";

#[test]
fn a_level_promises_a_model() {
    for (level, expected) in
        [(Isolation::Serializable, Fail), (Isolation::RepeatableRead, Pass), (Isolation::ReadCommitted, Pass)]
    {
        assert_eq!(alone(level, "primary", SKEW).verdict, expected, "{level}");
    }
    let skewed = alone(Isolation::Serializable, "primary", SKEW);
    assert!(skewed.summary.contains("serializable refuted by 2 × G2-item"), "{}", skewed.summary);
    assert!(words(&skewed)[0].contains("T1 < T2, because"), "{:?}", words(&skewed));
    // On a replica there is no serializable, so that nobody promises it there.
    let replica = SKEW.replace("20-21 2", "20-21 2@replica-1");
    assert_eq!(alone(Isolation::Serializable, "replica-1", &replica).verdict, Pass);
    let fractured = "0-9 0 a1.1 a2.1 = ; 20-21 2 r1 r2 = [1] []; 30-31 2 r2 = [1]";
    assert_eq!(alone(Isolation::ReadCommitted, "primary", fractured).verdict, Pass);
    assert_eq!(alone(Isolation::RepeatableRead, "primary", fractured).verdict, Fail);
}

#[test]
fn each_node_is_right_and_together_they_are_not() {
    let fork = "0-9 0 a1.1 = ; 0-9 1 a2.1 = ; 3-4 5 r1 r2 = [1] []; 3-4 6@replica-1 r1 r2 = [] [1]";
    let (primary, replica) = (
        alone(Isolation::RepeatableRead, "primary", fork),
        alone(Isolation::RepeatableRead, "replica-1", fork),
    );
    assert_eq!((primary.verdict, replica.verdict), (Pass, Pass));
    let both = together(fork);
    assert_eq!((both.verdict, both.claimed), (Fail, false));
    assert!(
        both.summary.contains("together they do not") && both.summary.contains("(long fork, in 1 place)"),
        "{}",
        both.summary
    );
    // A commit that only the old primary's reader saw is no long fork.
    let lost =
        "0-9 0 a1.1 = ; 0-9 2 a1.2 = ; 0-9 1 a1.3 = ; 20-21 5 r1 = [1,3]; 20-21 6@replica-1 r1 = [1,2]";
    let both = together(lost);
    assert_eq!(both.verdict, Fail);
    assert!(both.summary.contains("together they do not"), "{}", both.summary);
    assert!(!both.summary.contains("long fork"), "{}", both.summary);
    // Nor is one that a replica lacks, and shows another one that had read it: a single anti-dependency.
    let skew = "0-9 0 a1.1 = ; 10-19 1 r1 a2.1 = [1]; 20-21 6@replica-1 r1 r2 = [] [1]";
    for node in ["primary", "replica-1"] {
        assert_ne!(alone(Isolation::RepeatableRead, node, skew).verdict, Fail, "{node}");
    }
    let both = together(skew);
    assert_eq!(both.verdict, Fail);
    assert!(both.summary.contains("together they do not"), "{}", both.summary);
    assert!(!both.summary.contains("long fork"), "{}", both.summary);
    assert_eq!(together("0-9 0 a1.1 = ; 20-21 6@replica-1 r1 = [1]").verdict, Pass);
}

#[test]
fn a_stale_replica_is_counted_and_nothing_worse() {
    let text = "0-9 0 a1.1 = ; 20-21 6@replica-1 r1 = []; 40-41 6@replica-1 r1 = [1]";
    let replica = alone(Isolation::Serializable, "replica-1", text);
    assert_eq!((replica.verdict, figure(&replica, "stale reads")), (Pass, 1));
    assert!(replica.summary.contains("1 stale read, by up to 1 version and 11.0 ms"), "{}", replica.summary);
}

#[test]
fn what_cannot_be_judged_is_unknown() {
    assert_eq!(alone(Isolation::Serializable, "replica-1", "0 a1.1 = ").verdict, Unknown);
    let twice = "0 a1.7 = ; 1 a1.7 = ; 2 r1 = [7]";
    assert_eq!(alone(Isolation::Serializable, "primary", twice).verdict, Unknown);
    assert_eq!(together("").verdict, Unknown);
    let cut = Run { cut: Some("killed"), ..CALM };
    let judged = cut.append("0 a1.1 = ; 5 r1 = [1]", Isolation::Serializable);
    assert_eq!(of(&judged, Guarantee::Isolation, "isolation", Some("primary")).verdict, Unknown);
}
