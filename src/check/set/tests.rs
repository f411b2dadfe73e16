use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

fn durability(text: &str) -> Judgement {
    of(&CALM.set(text), Guarantee::Durability, "set", None)
}

fn once(text: &str) -> Judgement {
    of(&CALM.set(text), Guarantee::ExactlyOnce, "set", None)
}

fn monotonic(text: &str) -> Judgement {
    of(&CALM.set(text), Guarantee::MonotonicReads, "set", Some("replica-1"))
}

#[test]
fn what_was_acknowledged_is_there_at_the_end() {
    for (text, expected) in [
        ("0 insert 1; 0 insert 2; 9 last = 1-2", (Pass, 0)),
        ("0 insert 1; 0 insert 2; 9 last = 1-1", (Fail, 1)),
        ("0 insert 1; 0 insert 2; 9 last =", (Fail, 2)),
        ("0 insert 1; 1 insert 2 ?; 0 insert 3 !; 9 last = 1-1", (Pass, 0)),
        // More than that is no loss.
        ("0 insert 1; 9 last = 1-5", (Pass, 0)),
        // Only the last read of the primary counts, after the load.
        ("0 insert 1; 9@replica-1 last = 1-1", (Unknown, 0)),
        ("0 insert 1; 9 read = 1-1", (Unknown, 0)),
        ("9 last = 1-1; 0 insert 1", (Unknown, 0)),
        ("0 insert 1; 9 last ! lost", (Unknown, 0)),
        ("0 insert 1; 9 last = 5-1", (Unknown, 0)),
        ("0 insert 1 ?; 9 last = 1-1", (Unknown, 0)),
        ("", (Unknown, 0)),
    ] {
        assert_eq!(result(&durability(text)), expected, "{text}");
    }
    let lost = durability("0-5 0 insert 1; 6-7 0 insert 2; 8-9 9 last = 2-2");
    assert_eq!(words(&lost), ["1, acknowledged at 0.005 s, is not there at the end"]);
    assert_eq!((lost.summary.as_str(), lost.claimed), ("2 inserts acknowledged, 1 lost", true));
    assert_eq!(lost.lost.map(|lost| lost.commits), Some(1));
}

#[test]
fn a_warning_explains_a_loss_in_a_failover_and_no_other() {
    let run = |faults| Run { faults, ..CALM };
    let text = "0-5 0 insert 1 =w; 40-41 9@replica-1 last =";
    let moved =
        of(&run("10-20 nemesis@replica-1 promote = up").set(text), Guarantee::Durability, "set", None);
    assert_eq!(result(&moved), (Pass, 0));
    assert_eq!(figure(&moved, "acknowledged with a warning and lost in a failover"), 1);
    assert!(words(&moved)[0].ends_with("nobody else may have had it, as a warning said"));
    assert_eq!(result(&durability("0 insert 1 =w; 9 last =")), (Fail, 1));
}

#[test]
fn nothing_is_there_that_nobody_inserted() {
    for (text, expected) in [
        ("0 insert 1; 0 insert 2 ?; 5 read = 1-2; 9 last = 1-2", (Pass, 0)),
        ("0 insert 1; 5@replica-1 read = 1-2; 9 last = 1-1", (Fail, 1)),
        // Each is told once, a range as one.
        ("0 insert 1; 5 read = 1-1 5-7; 5 read = 1-1 5-7; 9 last = 1-1 5-7", (Fail, 1)),
        ("0 insert 1 !; 9 last = 1-1", (Fail, 1)),
        ("5 read = 1-1; 0 insert 1; 9 last = 1-1", (Fail, 1)),
        // It was under way.
        ("0-9 0 insert 1; 2-3 5 read = 1-1; 20-21 9 last = 1-1", (Pass, 0)),
        ("1-9 5 read = 1-1; 2-10 0 insert 1; 20-21 9 last = 1-1", (Pass, 0)),
        ("0 insert 1; 5 read = -9223372036854775808-9223372036854775807; 9 last = 1-1", (Fail, 2)),
        ("0 insert 1; 5 read = 1-1", (Unknown, 0)),
        ("0 insert 1; 5 read = 2-1; 9 last = 1-1", (Unknown, 0)),
        ("", (Unknown, 0)),
    ] {
        assert_eq!(result(&once(text)), expected, "{text}");
    }
    let found = once("0 insert 1; 5@replica-1 read = 1-1 5-7; 9 last = 1-1");
    assert_eq!(words(&found), ["5 to 7 was read on replica-1, and no client ever inserted it"]);
    assert_eq!(figure(&found, "elements that nobody inserted"), 3);
}

#[test]
fn what_was_seen_does_not_go() {
    for (text, expected, across) in [
        ("5@replica-1 read = 1-1; 5@replica-1 read = 1-2", (Pass, 0), 0),
        ("5@replica-1 read = 1-2; 5@replica-1 read = 1-1", (Fail, 1), 0),
        // More is there, and less.
        ("5@replica-1 read = 1-2; 5@replica-1 read = 2-9; 5@replica-1 read = 1-9", (Fail, 1), 0),
        ("5@replica-1 read =; 5@replica-1 read =", (Pass, 0), 0),
        // Another reader, another node, another session.
        ("5@replica-1 read = 1-2; 6@replica-1 read = 1-1", (Unknown, 0), 0),
        // A node that is further behind than the one before is counted.
        ("5 read = 1-2; 5@replica-1 read = 1-1", (Unknown, 0), 1),
        ("5 read = 1-2; 15@replica-1 read = 1-1", (Unknown, 0), 1),
        ("5 read = 1-1; 15@replica-1 read = 1-2", (Unknown, 0), 0),
        ("5@replica-1 read = 1-2; 5@replica-1 read ! server; 5@replica-1 read = 1-1", (Fail, 1), 0),
        ("5@replica-1 read = 1-2; 5@replica-1 read ! lost; 5@replica-1 read = 1-1", (Unknown, 0), 1),
        ("5@replica-1 read = 1-2; 5@replica-1 read ?; 15@replica-1 read = 1-1", (Unknown, 0), 1),
        (
            "5@replica-1 read = 1-2; 5@replica-1 read ! lost; 5@replica-1 read = 1-1; 5@replica-1 read =",
            (Fail, 1),
            1,
        ),
        ("5@replica-1 read = 1-2; 5@replica-1 read = 2-1; 5@replica-1 read = 1-2", (Unknown, 0), 0),
        ("", (Unknown, 0), 0),
    ] {
        let judgement = monotonic(text);
        assert_eq!(result(&judgement), expected, "{text}");
        assert_eq!(figure(&judgement, "older reads across reconnects"), across, "{text}");
    }
    let back = monotonic("0-1 5@replica-1 read = 1-5; 2-3 5@replica-1 read = 2-3");
    assert_eq!(
        words(&back),
        [
            "process 5 on replica-1 did not read 1, 4–5 at 0.003 s, which it had read before in the same session, the last time at 0.001 s"
        ]
    );
}

#[test]
fn how_late_elements_became_visible() {
    // 1 at once, 2 late, 3 never, 4 seen and lost, 5 unknown and seen; 6 is acknowledged after the last read has begun.
    let text = "0 insert 1; 0 insert 2; 0 insert 3; 0 insert 4; 0 insert 5 ?; 6@replica-1 read = 1-1 4-4; \
                7@replica-1 read = 1-2; 7@replica-1 read = 1-2 5-5; 1 insert 6";
    let judgement = monotonic(text);
    let of = |name| figure(&judgement, name);
    assert_eq!(of("elements known"), 5);
    assert_eq!(of("stable elements"), 3);
    assert_eq!(of("stable elements that a read after their acknowledgement missed"), 1);
    assert_eq!(of("seen and lost elements"), 1);
    assert_eq!(of("elements never read"), 1);
    assert_eq!(
        judgement.summary,
        "1 read judged, 0 went back (0 %); of 5 elements known 3 stable, 1 of them late, 1 lost, 1 never read"
    );
}

#[test]
fn a_cut_run_is_no_pass() {
    let cut = Run { cut: Some("killed"), ..CALM };
    let all = cut.set("0 insert 1; 5@replica-1 read = 1-1; 5@replica-1 read = 1-1; 9 last = 1-1");
    assert!(all.iter().all(|judgement| judgement.verdict == Unknown), "{all:#?}");
}
