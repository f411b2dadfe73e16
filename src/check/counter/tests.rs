use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

const CRASH: Run = Run { faults: "50-60 nemesis@primary crash", ..CALM };

fn judge(run: Run, text: &str) -> (Judgement, Judgement) {
    let all = run.counter(text);
    (of(&all, Guarantee::Durability, "counter", None), of(&all, Guarantee::ExactlyOnce, "counter", None))
}

fn check(run: Run, text: &str, durability: (Verdict, u64), exactly_once: (Verdict, u64)) {
    let (kept, once) = judge(run, text);
    assert_eq!((result(&kept), result(&once)), (durability, exactly_once), "{text}\n{kept:#?}\n{once:#?}");
}

#[test]
fn nothing_wrong() {
    check(CALM, "0 inc 1 = 1; 1 inc 1 = 2; 2 inc 2 = 1; 9 all = 2,1", (Pass, 0), (Pass, 0));
    check(CALM, "0 inc 1 = 1; 1 inc 1 ?; 9 all = 1", (Pass, 0), (Pass, 0));
    check(CALM, "0 inc 1 = 1; 1 inc 1 ?; 9 all = 2", (Pass, 0), (Pass, 0));
    check(CALM, "0 inc 1 = 1; 1 inc 1 !; 9 all = 1", (Pass, 0), (Pass, 0));
    check(CALM, "0 inc 1 ?; 1 inc 1 = 2; 9 all = 2,0", (Pass, 0), (Pass, 0));
    // Acknowledged out of order, because concurrent.
    check(CALM, "1-9 0 inc 1 = 1; 2-5 1 inc 1 = 2; 9 all = 2", (Pass, 0), (Pass, 0));
}

#[test]
fn says_what_it_looked_at() {
    let (kept, once) = judge(CALM, "0 inc 1 = 1; 1 inc 1 ?; 2 inc 1 ?; 3 inc 1 =w 3; 9 all = 3");
    assert_eq!(
        kept.summary,
        "2 increments acknowledged on 1 key, 0 lost; 1 unknown were applied, 1 were not; 1 came with a warning, 0 of them lost"
    );
    assert_eq!(
        once.summary,
        "2 increments acknowledged, 2 unknown; 0 increments more than both explain, 0 values above what had been asked for"
    );
    let names =
        ["acknowledged", "unknown", "unknown and present", "unknown and absent", "sum of final values"];
    assert_eq!(names.map(|name| figure(&kept, name)), [2, 2, 1, 1, 3]);
}

#[test]
fn what_is_lost_has_a_number_and_a_time() {
    let lost = |text: &str| {
        let (kept, _) = judge(CRASH, text);
        kept.lost.map(|lost| (lost.commits, lost.at_least, lost.first < lost.last))
    };
    assert_eq!(lost("0 inc 1 = 1; 1 inc 1 = 2; 2 inc 2 = 1; 9 all = 0,0"), Some((3, false, true)));
    // The one of unknown outcome may have made a lost value again.
    assert_eq!(lost("0 inc 1 = 1; 1 inc 1 ?; 9 all = 0"), Some((1, true, false)));
    assert_eq!(lost("0 inc 1 = 1; 9 all = 1"), None);
}

#[test]
fn nothing_can_be_said() {
    check(CALM, "", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 inc 1 = 1", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 inc 1 = 1; 9@replica-1 all = 0", (Unknown, 0), (Unknown, 0));
    check(CALM, "9 all = 0; 0 inc 1 = 1", (Unknown, 0), (Unknown, 0));
    check(CALM, "1-4 0 inc 1 = 1; 2-3 9 all = 0", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 inc 1 !; 9 all = 0", (Unknown, 0), (Unknown, 0));
    let cut = Run { cut: Some("killed"), ..CALM };
    check(cut, "0 inc 1 = 1; 9 all = 1", (Unknown, 0), (Unknown, 0));
    check(cut, "0 inc 1 = 1; 1 inc 1 = 1", (Fail, 1), (Unknown, 0));
}

#[test]
fn the_final_value_is_too_small() {
    check(CALM, "0 inc 1 = 1; 0 inc 1 = 2; 0 inc 1 = 3; 9 all = 1", (Fail, 2), (Pass, 0));
    let (kept, _) = judge(CALM, "0 inc 1 = 1; 0 inc 1 = 2; 9 all = 1");
    assert_eq!(
        words(&kept),
        ["the increment of key 1 to 2, acknowledged at 0.004 s, is lost: the final value is 1"]
    );
    assert_eq!(kept.findings[0].events.iter().map(|event| event.index).collect::<Vec<_>>(), [3, 5]);
    // An unknown outcome cannot hide it: its increment would have made another value.
    check(CALM, "0 inc 1 = 1; 0 inc 1 = 2; 1 inc 1 ?; 9 all = 1", (Fail, 1), (Pass, 0));
}

#[test]
fn a_row_that_is_gone_is_a_counter_of_0() {
    check(CALM, "0 inc 2 = 1; 9 all = 0", (Fail, 1), (Pass, 0));
    check(CALM, "0 inc 1 = 1; 1 inc 2 = 1; 1 inc 2 = 2; 9 all = 1", (Fail, 2), (Pass, 0));
}

#[test]
fn what_the_primary_did_not_show_is_lost_though_it_came_back() {
    // 2 was acknowledged, a read of the primary showed 1, and an increment of unknown outcome made 2 again.
    let text = "1-2 0 inc 1 = 1; 3-4 0 inc 1 = 2; 70-71 5 all = 1; 72-73 1 inc 1 ?; 90-91 9 all = 2";
    check(CRASH, text, (Fail, 1), (Pass, 0));
    let kept = judge(CRASH, text).0;
    assert_eq!(
        words(&kept),
        [
            "the increment of key 1 to 2, acknowledged at 0.004 s, is lost: the primary, read from 0.070 s to 0.071 s, showed 1"
        ]
    );
    assert!(
        kept.summary.starts_with("2 increments acknowledged on 1 key, at least 1 lost"),
        "{}",
        kept.summary
    );
    check(CRASH, &text.replace("5 all = 1", "5 own 1/0 = 1"), (Fail, 1), (Pass, 0));
    // A read that began before the acknowledgement, one of a replica, and one that shows it.
    for fine in ["3-71 5 all = 1", "70-71 5@replica-1 all = 1", "70-71 5 all = 2"] {
        check(CRASH, &text.replace("70-71 5 all = 1", fine), (Pass, 0), (Pass, 0));
    }
}

#[test]
fn every_loss_counts_beside_another() {
    // 2 was made again, so the first 2 is lost; that one began when 3 was known, so 3 was lost too.
    let text = "1-2 0 inc 1 = 1; 3-4 0 inc 1 = 2; 5-6 0 inc 1 = 3; 70-71 1 inc 1 = 2; 72-73 2 inc 1 ?; 90-91 9 all = 3";
    check(CRASH, text, (Fail, 2), (Pass, 0));
}

#[test]
fn the_same_value_twice_is_one_lost() {
    let text = "1-2 0 inc 1 = 1; 3-4 0 inc 1 = 2; 70-71 1 inc 1 = 2; 90-91 9 all = 2";
    check(CRASH, text, (Fail, 1), (Pass, 0));
    assert!(words(&judge(CRASH, text).0)[0].ends_with("after a forced restart or failover of the primary"));
    assert!(words(&judge(CALM, text).0)[0].contains("a lost update or a log that lost its middle"));
    // Two clients overwrite each other.
    check(CALM, "1-5 0 inc 1 = 1; 2-6 1 inc 1 = 1; 7-8 2 inc 1 = 1; 9-10 9 all = 1", (Fail, 2), (Pass, 0));
}

#[test]
fn a_loss_does_not_make_room_for_a_double() {
    // 2 acknowledged, final value 2: the plain bounds are kept. But one of the two is lost, so somebody was applied twice.
    check(CRASH, "1-2 0 inc 1 = 1; 70-71 1 inc 1 = 1; 90-91 9 all = 2", (Fail, 1), (Fail, 1));
    check(
        CRASH,
        "1-2 0 inc 1 = 1; 70-71 1 inc 1 = 1; 72-73 2 inc 1 ?; 90-91 9 all = 2",
        (Fail, 1),
        (Pass, 0),
    );
}

#[test]
fn a_value_that_was_reached_again_is_still_lost() {
    // 3 was acknowledged; the next one made 2, so 3 was gone; an unknown one made 3 again.
    let text = "1-2 0 inc 1 = 1; 3-4 2 inc 1 ?; 5-6 1 inc 1 = 3; 70-71 1 inc 1 = 2; 72-73 3 inc 1 ?; 90-91 9 all = 3";
    check(CRASH, text, (Fail, 1), (Pass, 0));
    assert_eq!(
        words(&judge(CRASH, text).0),
        [
            "the increment of key 1 to 3, acknowledged at 0.006 s, is lost: another increment, begun at 0.070 s, made only 2 at 0.071 s, after a forced restart or failover of the primary"
        ]
    );
}

#[test]
fn more_than_anybody_asked_for() {
    check(CALM, "0 inc 1 = 1; 9 all = 2", (Pass, 0), (Fail, 1));
    check(CALM, "0 inc 1 = 1; 1 inc 1 !; 9 all = 2", (Pass, 0), (Fail, 1));
    check(CALM, "0 inc 1 = 1; 1 inc 1 ?; 9 all = 3", (Pass, 0), (Fail, 1));
    // A key that nobody incremented.
    check(CALM, "0 inc 1 = 1; 9 all = 1,1", (Pass, 0), (Fail, 1));
    // Every increment twice: too early, and too many.
    check(CALM, "0 inc 1 = 2; 0 inc 1 = 4; 9 all = 4", (Pass, 0), (Fail, 4));
    let (_, once) = judge(CALM, "0 inc 1 = 2");
    assert_eq!(
        (result(&once), words(&once)[0]),
        ((Fail, 1), "key 1 was 2 at 0.002 s, when only 1 increment had begun that did not certainly fail")
    );
}

#[test]
fn a_failure_is_no_excuse_but_an_open_increment_is() {
    check(CALM, "1-9 0 inc 1 !; 2-3 1 inc 1 = 2; 9 all = 2", (Pass, 0), (Fail, 2));
    check(CALM, "1-9 0 inc 1 ?; 2-3 1 inc 1 = 2; 9 all = 2", (Pass, 0), (Pass, 0));
    check(CALM, "1-9 0 inc 1 = 1; 2-3 1 inc 1 = 2; 9 all = 2", (Pass, 0), (Pass, 0));
    check(CALM, "0 inc 1 ...; 1 inc 1 = 2; 9 all = 2", (Pass, 0), (Pass, 0));
}
