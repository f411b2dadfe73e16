use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

fn reads(text: &str, guarantee: Guarantee, node: &str) -> Judgement {
    of(&CALM.counter(text), guarantee, "session", Some(node))
}

fn own(text: &str) -> Judgement {
    reads(text, Guarantee::ReadYourWrites, "replica-1")
}

fn monotonic(text: &str) -> Judgement {
    reads(text, Guarantee::MonotonicReads, "replica-1")
}

#[test]
fn own_writes() {
    for (text, expected) in [
        ("0 inc 1 = 1; 5@replica-1 own 1/0 = 1", (Pass, 0)),
        ("0 inc 1 = 1; 5@replica-1 own 1/0 = 2", (Pass, 0)),
        ("0 inc 1 = 1; 5@replica-1 own 1/0 = 0", (Fail, 1)),
        ("0 inc 1 = 1; 5@replica-1 own 1/0 = 0; 5@replica-1 own 1/0 = 1", (Fail, 1)),
        // Process 10 is thread 0 over a new connection: the same writer.
        ("10 inc 1 = 1; 5@replica-1 own 1/0 = 0", (Fail, 1)),
        // Nothing to see yet: nobody was told, another key, another writer, not yet acknowledged, unknown.
        ("5@replica-1 own 1/0 = 0", (Unknown, 0)),
        ("0 inc 2 = 1; 5@replica-1 own 1/0 = 0", (Unknown, 0)),
        ("1 inc 1 = 1; 5@replica-1 own 1/0 = 0", (Unknown, 0)),
        ("1-4 0 inc 1 = 1; 3-5 5@replica-1 own 1/0 = 0", (Unknown, 0)),
        ("0 inc 1 ?; 5@replica-1 own 1/0 = 0", (Unknown, 0)),
        // Acknowledged after the read had begun, though before it ended.
        ("0 inc 1 = 1; 1-9 5@replica-1 own 1/0 = 0", (Unknown, 0)),
        ("0 inc 1 = 1; 5@replica-1 own 1/0 !", (Unknown, 0)),
        ("0 inc 1 = 1; 5@replica-1 own 1/0 ?", (Unknown, 0)),
        // Reads of the primary say nothing about the replica.
        ("0 inc 1 = 1; 5 own 1/0 = 0", (Unknown, 0)),
        ("", (Unknown, 0)),
    ] {
        assert_eq!(result(&own(text)), expected, "{text}");
    }
}

#[test]
fn how_stale_own_reads_are() {
    let judgement = own(
        "0-10 0 inc 1 = 1; 20-30 0 inc 1 = 2; 30-40 0 inc 1 = 3; 50-51 5@replica-1 own 1/0 = 1; 60-61 5@replica-1 own 1/0 = 3",
    );
    assert_eq!(result(&judgement), (Fail, 1));
    assert_eq!(
        judgement.summary,
        "2 reads judged, 1 stale (50.00 %), behind by 20.0 ms at the median, 20.0 ms at p99 and 20.0 ms at most, by up to 2 versions"
    );
    assert_eq!(
        words(&judgement),
        [
            "replica-1 read key 1 as 1 at 0.050 s, though writer 0 had been told of 3 at 0.040 s; behind since 0.030 s (20.0 ms)"
        ]
    );
    assert_eq!(["reads judged", "stale reads"].map(|name| figure(&judgement, name)), [2, 1]);
    assert_eq!(figure(&judgement, "microseconds behind, max"), 20_000);
    assert!(!judgement.claimed);
}

#[test]
fn own_reads_of_the_primary_are_claimed() {
    let primary = reads("0 inc 1 = 1; 5 own 1/0 = 0", Guarantee::ReadYourWrites, "primary");
    assert_eq!((result(&primary), primary.claimed), ((Fail, 1), true));
}

#[test]
fn never_back() {
    for (text, expected, across) in [
        ("5@replica-1 own 1/0 = 1; 5@replica-1 own 1/0 = 1", (Pass, 0), 0),
        ("5@replica-1 own 1/0 = 1; 5@replica-1 own 1/0 = 2", (Pass, 0), 0),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 = 1", (Fail, 1), 0),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 all = 1,0", (Fail, 1), 0),
        ("5@replica-1 all = 1,2; 5@replica-1 own 2/0 = 1", (Fail, 1), 0),
        ("5@replica-1 all = 1,2; 5@replica-1 all = 2,1", (Fail, 1), 0),
        // The largest value counts, not the last.
        ("5@replica-1 own 1/0 = 3; 5@replica-1 own 1/0 = 1; 5@replica-1 own 1/0 = 2", (Fail, 2), 0),
        // Other readers, other keys.
        ("5@replica-1 own 1/0 = 2; 6@replica-1 own 1/0 = 1", (Unknown, 0), 0),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 2/0 = 1", (Unknown, 0), 0),
        // A failure of the statement leaves the session; losing the connection ends it, and so does an unknown outcome.
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 ! server; 5@replica-1 own 1/0 = 1", (Fail, 1), 0),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 ! lost; 5@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 ! cannot; 5@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 ! deadline; 5@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        ("5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 ?; 15@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        ("5@replica-1 own 1/0 = 2; 15@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        // Through an endpoint, to a node that is further behind; and back, where the first session goes on.
        ("5@replica-2 own 1/0 = 2; 15@replica-1 own 1/0 = 1", (Unknown, 0), 1),
        ("5@replica-1 own 1/0 = 2; 15@replica-2 own 1/0 = 1; 25@replica-1 own 1/0 = 2", (Unknown, 0), 0),
        ("5@replica-1 own 1/0 = 2; 5@replica-2 own 1/0 = 3; 5@replica-1 own 1/0 = 1", (Fail, 1), 0),
        (
            "5@replica-1 own 1/0 = 2; 5@replica-1 digest user_counter ! lost; 5@replica-1 own 1/0 = 1",
            (Unknown, 0),
            1,
        ),
        // Only an edited history has such keys.
        (
            "5@replica-1 own 1/0 = 1; 5@replica-1 own 1/0 = 1; 5@replica-1 own 2147483647/0 = 1",
            (Unknown, 0),
            0,
        ),
        ("5@replica-1 own 1/0 = 1; 5@replica-1 own 1/0 = 1; 5@replica-1 own -1/0 = 1", (Unknown, 0), 0),
        // The new session starts at what it sees first, and is judged by that.
        (
            "5@replica-1 own 1/0 = 5; 5@replica-1 own 1/0 ! lost; 5@replica-1 own 1/0 = 2; 5@replica-1 own 1/0 = 3; 5@replica-1 own 1/0 = 2",
            (Fail, 1),
            2,
        ),
        ("", (Unknown, 0), 0),
    ] {
        let judgement = monotonic(text);
        assert_eq!(result(&judgement), expected, "{text}");
        assert_eq!(figure(&judgement, "older reads across reconnects"), across, "{text}");
    }
}

#[test]
fn steps_back_are_told() {
    let judgement = monotonic(
        "0-1 5@replica-1 own 1/0 = 4; 2-3 5@replica-1 own 1/0 = 3; 4-5 5@replica-1 own 1/0 ! lost; 6-7 5@replica-1 own 1/0 = 2; 8-9 5@replica-1 own 1/0 = 3",
    );
    assert_eq!(
        words(&judgement),
        [
            "process 5 on replica-1 read key 1 as 3 at 0.003 s, after it had read 4 at 0.001 s in the same session"
        ]
    );
    assert!(
        judgement.summary.ends_with(
            "; after 1 reconnect a reader found an older state than before it (2 reads; no session promises otherwise)"
        ),
        "{}",
        judgement.summary
    );
    assert!(judgement.claimed);
}

#[test]
fn every_node_is_judged_by_itself() {
    let all = Run { replicas: 2, ..CALM }.counter("0 inc 1 = 1; 5@replica-2 own 1/0 = 0; 6 own 1/0 = 1");
    let verdicts = ["primary", "replica-1", "replica-2"]
        .map(|node| result(&of(&all, Guarantee::ReadYourWrites, "session", Some(node))));
    assert_eq!(verdicts, [(Pass, 0), (Unknown, 0), (Fail, 1)]);
}

#[test]
fn a_cut_run_is_no_pass() {
    let cut = Run { cut: Some("killed"), ..CALM };
    let all =
        cut.counter("0 inc 1 = 1; 5@replica-1 own 1/0 = 1; 6@replica-1 own 1/0 = 1; 6@replica-1 own 1/0 = 0");
    assert_eq!(result(&of(&all, Guarantee::ReadYourWrites, "session", Some("primary"))), (Unknown, 0));
    assert_eq!(result(&of(&all, Guarantee::ReadYourWrites, "session", Some("replica-1"))), (Fail, 1));
}
