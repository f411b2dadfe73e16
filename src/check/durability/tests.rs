use crate::check::bench::{CALM, Run, figure, of, result, words};
use crate::check::{Guarantee, Judgement, Lost, Verdict};
use crate::history::{LEDGER_CHUNK, Nanos};
use Verdict::{Fail, Pass, Unknown};

const CRASH: Run = Run { faults: "50-60 nemesis@primary crash", ..CALM };

fn judge(run: Run, text: &str) -> (Judgement, Judgement) {
    let all = run.orders(text);
    (
        of(&all, Guarantee::Durability, "durability", None),
        of(&all, Guarantee::ExactlyOnce, "durability", None),
    )
}

/// Verdict and violations of durability and of exactly-once.
fn check(run: Run, text: &str, durability: (Verdict, u64), exactly_once: (Verdict, u64)) {
    let (kept, once) = judge(run, text);
    assert_eq!((result(&kept), result(&once)), (durability, exactly_once), "{text}\n{kept:#?}\n{once:#?}");
}

#[test]
fn the_four_classes() {
    let text = "0 order = 1; 1 order = 2; 2 order ?; 3 order ?; 4 order ! refused; 5 order = 3; 5 ledger 0 = 1/0 2/1 4/2";
    let (kept, once) = judge(CALM, text);
    assert_eq!((result(&kept), result(&once)), ((Fail, 1), (Pass, 0)));
    let figures = ["acknowledged", "acknowledged and present", "acknowledged and absent"];
    assert_eq!(figures.map(|name| figure(&kept, name)), [3, 2, 1]);
    assert_eq!(["unknown and present", "unknown and absent"].map(|name| figure(&kept, name)), [1, 1]);
    assert_eq!(
        kept.summary,
        "3 acknowledged, 1 lost (orders 3, acknowledged between 0.012 s and 0.012 s); 1 unknown were applied, 1 were not"
    );
    assert_eq!(words(&kept), ["order 3 of process 5, acknowledged at 0.012 s, is absent"]);
    let at = Nanos::from_millis(12);
    let lost = Lost { commits: 1, forewarned: 0, at_least: false, first: at, last: at };
    assert_eq!((kept.lost, once.lost), (Some(lost), None));
    assert_eq!(kept.findings[0].events[0].index, 11);
    assert!(kept.claimed && !once.claimed);
    assert_eq!(
        once.summary,
        "3 orders there, 0 that nobody was told of, 0 acknowledged twice, 0 with other contents"
    );
}

#[test]
fn nothing_wrong() {
    check(CALM, "0 order = 1; 0 order = 2; 9 ledger 0 = 1/0 2/0", (Pass, 0), (Pass, 0));
    check(CALM, "0 order = 1; 0 order ...; 9 ledger 0 = 1/0", (Pass, 0), (Pass, 0));
    check(CALM, "0 order = 1; 0 order ...; 9 ledger 0 = 1/0 2/0", (Pass, 0), (Pass, 0));
    check(CALM, "0 order = 1; 1 order ? lost; 11 order = 3; 9 ledger 0 = 1/0 2/1 3/11", (Pass, 0), (Pass, 0));
}

#[test]
fn nothing_can_be_said() {
    check(CALM, "", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 order = 1", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 order !; 9 ledger 0 =", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 order = 1; 9@replica-1 ledger 0 = 1/0", (Unknown, 0), (Unknown, 0));
    // Read before the load had ended.
    check(CALM, "9 ledger 0 =; 0 order = 1", (Unknown, 0), (Unknown, 0));
    check(CALM, "1-9 0 order = 1; 2-3 9 ledger 0 =", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 order = 1; 9 ledger 0 !", (Unknown, 0), (Unknown, 0));
    check(CALM, "0 order = 1; 9 ledger 0 = 2/0 1/0", (Unknown, 0), (Unknown, 0));
    let (kept, _) = judge(CALM, "0 order = 1");
    assert_eq!(
        kept.summary,
        "1 acknowledged, none of them looked for; unknown because primary has no final ledger"
    );
}

#[test]
fn a_cut_run_is_unknown_unless_something_is_seen_missing() {
    let cut = Run { cut: Some("interrupted"), ..CALM };
    check(cut, "0 order = 1; 9 ledger 0 = 1/0", (Unknown, 0), (Unknown, 0));
    check(cut, "0 order = 1; 0 order = 2; 9 ledger 0 = 2/0", (Fail, 1), (Unknown, 0));
    let (kept, _) = judge(cut, "0 order = 1");
    assert_eq!(words(&kept), ["the run was cut short: interrupted", "primary has no final ledger"]);
}

#[test]
fn a_ledger_is_read_in_chunks() {
    let lines = |from: usize, to: usize| -> String {
        (from..=to).map(|order| format!("{order}/0 ")).collect::<Vec<_>>().concat()
    };
    // Process 0 was told of two orders: of the first chunk's third, and of one in the second chunk.
    let (next, surplus) = (LEDGER_CHUNK + 2, LEDGER_CHUNK as u64 - 1);
    let full = lines(1, LEDGER_CHUNK);
    let with = |rest: &str| format!("0 order = {next}; 0 order = 3; 9 ledger 0 = {full}; {rest}");
    check(CALM, &with(&format!("9 ledger {LEDGER_CHUNK} = {next}/0")), (Pass, 0), (Fail, surplus));
    check(CALM, &with(&format!("9 ledger {LEDGER_CHUNK} =")), (Fail, 1), (Fail, surplus));
    check(CALM, &with(""), (Unknown, 0), (Fail, surplus));
    check(CALM, &with(&format!("9 ledger 5 = {next}/0")), (Unknown, 0), (Fail, surplus));
    // An absence in the part that was read is an absence.
    let without = format!("0 order = {next}; 0 order = 3; 9 ledger 0 = {} ", lines(4, LEDGER_CHUNK + 3));
    check(CALM, &without, (Fail, 1), (Fail, surplus));
    // Starting over replaces what was read before.
    check(CALM, "0 order = 1; 9 ledger 0 =; 9 ledger 0 = 1/0", (Pass, 0), (Pass, 0));
}

#[test]
fn losses_are_ranges_with_their_window() {
    let acks: String = (1..=9).map(|order| format!("{order} order = {order}; ")).collect::<Vec<_>>().concat();
    let (kept, _) = judge(CRASH, &format!("{acks} 70-71 12 order = 20; 9 ledger 0 = 1/1 2/2 6/6 20/12"));
    assert_eq!(result(&kept), (Fail, 6));
    assert!(
        kept.summary.starts_with(
            "10 acknowledged, 6 lost (orders 3–5, 7–9, acknowledged between 0.006 s and 0.018 s)"
        ),
        "{}",
        kept.summary
    );
    let ms = Nanos::from_millis;
    let lost = kept.lost.map(|lost| (lost.commits, lost.at_least, lost.first, lost.last));
    assert_eq!(lost, Some((6, false, ms(6), ms(18))));
    // A ledger that was not read to its end leaves some unlooked for.
    let cut = Run { cut: Some("killed"), ..CRASH };
    let (kept, _) = judge(cut, &format!("{acks} 70-71 12 order = 20; 9 ledger 0 = 1/1 2/2 6/6 20/12"));
    assert_eq!(kept.lost.map(|lost| (lost.commits, lost.at_least)), Some((6, true)));
}

#[test]
fn a_gap_is_a_loss_with_a_survivor_after_it() {
    let gaps = |run, text| figure(&judge(run, text).0, "gaps");
    // Order 2 began after order 1 was acknowledged, and is there: no crash cuts a hole into a log.
    assert_eq!(gaps(CRASH, "1-2 0 order = 1; 3-4 1 order = 2; 90-91 9 ledger 0 = 2/1"), 1);
    // Concurrent orders have no order in the log.
    assert_eq!(gaps(CRASH, "1-3 0 order = 1; 2-4 1 order = 2; 90-91 9 ledger 0 = 2/1"), 0);
    // After the crash everything starts anew.
    assert_eq!(gaps(CRASH, "1-2 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 0);
    assert_eq!(gaps(CRASH, "1-2 0 order = 1; 45-55 1 order = 2; 90-91 9 ledger 0 = 2/1"), 0);
    // The acknowledgement of a commit before the crash was read after it.
    assert_eq!(gaps(CRASH, "48-62 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 0);
    assert_eq!(gaps(CRASH, "61-62 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 1);
    // Without a forced restart nothing may be lost, and every survivor after it makes a gap.
    assert_eq!(gaps(CALM, "1-2 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 1);
    let fast = Run { faults: "50-60 nemesis@primary restart", ..CALM };
    assert_eq!(gaps(fast, "1-2 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 1);
    // Who else's servers were told to restart, or to hand over, may have been killed all the same; and a failure that is
    // simulated may end one until it is over.
    for (faults, node) in
        [("50-60 nemesis@primary restart", "primary"), ("50-60 nemesis@replica-1 switchover", "replica-1")]
    {
        let theirs = Run { faults, foreign: true, ..CALM };
        let later =
            |at: &str| format!("{at} 0@NODE order = 1; 70-71 1@NODE order = 2; 90-91 9@NODE ledger 0 = 2/1");
        let gaps = |at| figure(&judge(theirs, &later(at).replace("NODE", node)).0, "gaps");
        assert_eq!((gaps("55-56"), gaps("61-62")), (0, 1), "{faults}");
        let before = "1-2 0 order = 1; 70-71 1@NODE order = 2; 90-91 9@NODE ledger 0 = 2/1";
        assert_eq!(figure(&judge(theirs, &before.replace("NODE", node)).0, "gaps"), 0, "{faults}");
    }
    let simulated = Run { faults: "3-4 nemesis@primary inject-disk-failure", foreign: true, ..CALM };
    assert_eq!(gaps(simulated, "5-6 0 order = 1; 8-9 1 order = 2; 90-91 9 ledger 0 = 2/1"), 0);
    let later = "3600001-3600002 0 order = 1; 3600003-3600004 1 order = 2; 3600005-3600006 9 ledger 0 = 2/1";
    assert_eq!(gaps(simulated, later), 1);
    let other = Run { faults: "50-60 nemesis@replica-1 crash", ..CALM };
    assert_eq!(gaps(other, "1-2 0 order = 1; 70-71 1 order = 2; 90-91 9 ledger 0 = 2/1"), 1);
    let (kept, _) = judge(CRASH, "1-2 0 order = 1; 3-4 1 order = 2; 90-91 9 ledger 0 = 2/1");
    assert_eq!(
        words(&kept),
        [
            "order 1 of process 0, acknowledged at 0.002 s, is absent; a gap: order 2 of process 1, begun at 0.003 s and acknowledged at 0.004 s, is there"
        ]
    );
}

#[test]
fn an_identifier_can_come_again_after_a_crash() {
    // PostgreSQL's sequence lost its end with the order: the order under 1 is another one.
    let again = "1-2 0 order = 1; 70-71 1 order = 1; 90-91 9 ledger 0 = 1/1";
    check(CRASH, again, (Fail, 1), (Pass, 0));
    let (kept, _) = judge(CRASH, again);
    assert_eq!(figure(&kept, "identifiers handed out again after a forced restart"), 1);
    assert_eq!(words(&kept), ["order 1 of process 0, acknowledged at 0.002 s, is absent"]);
    // Even to the same process: it is the first acknowledgement that is lost.
    let same = "1-2 0 order = 1; 70-71 0 order = 1; 90-91 9 ledger 0 = 1/0";
    check(CRASH, same, (Fail, 1), (Pass, 0));
    assert_eq!(judge(CRASH, same).0.findings[0].events[0].index, 1);
    // The acknowledgement of the lost one may be recorded only after the primary is back.
    check(CRASH, "49-65 0 order = 1; 70-71 1 order = 1; 90-91 9 ledger 0 = 1/1", (Fail, 1), (Pass, 0));
    check(CRASH, "61-65 0 order = 1; 70-71 1 order = 1; 90-91 9 ledger 0 = 1/1", (Fail, 1), (Fail, 1));
    // By an order whose outcome is unknown.
    check(CRASH, "1-2 0 order = 1; 70-71 1 order ?; 90-91 9 ledger 0 = 1/1", (Fail, 1), (Pass, 0));
}

#[test]
fn a_primary_whose_disk_is_full_may_die_at_any_moment_until_there_is_room() {
    let full = |faults| Run { faults, ..CALM };
    let freed = full("40-50 nemesis@primary fill-disk; 60-65 nemesis@primary free-disk");
    let again = |first: &str| format!("{first} 0 order = 1; 70-71 1 order = 1; 90-91 9 ledger 0 = 1/1");
    check(freed, &again("55-56"), (Fail, 1), (Pass, 0));
    // Long before, and still: nothing was certain until the server was seen to go on.
    check(freed, &again("1-2"), (Fail, 1), (Pass, 0));
    check(freed, &again("66-67"), (Fail, 1), (Fail, 1));
    check(full("40-50 nemesis@primary fill-disk"), &again("66-67"), (Fail, 1), (Pass, 0));
    let unproved = full("40-50 nemesis@primary fill-disk; 60-65 nemesis@primary free-disk ?");
    check(unproved, &again("66-67"), (Fail, 1), (Pass, 0));
    check(full("40-50 nemesis@primary fill-disk !"), &again("66-67"), (Fail, 1), (Fail, 1));
    check(full("40-50 nemesis@replica-1 fill-disk"), &again("66-67"), (Fail, 1), (Fail, 1));
}

#[test]
fn an_identifier_twice_without_a_crash_is_a_double_acknowledgement() {
    check(CALM, "0 order = 1; 1 order = 1; 9 ledger 0 = 1/1", (Fail, 1), (Fail, 1));
    check(CALM, "0 order = 1; 1 order = 1", (Unknown, 0), (Fail, 1));
    let failed = Run { faults: "3-4 nemesis@primary crash !", ..CALM };
    check(failed, "1-2 0 order = 1; 5-6 1 order = 1; 9 ledger 0 = 1/1", (Fail, 1), (Fail, 1));
    // Nobody knows whether this crash happened.
    let unsure = Run { faults: "3-4 nemesis@primary crash ?", ..CALM };
    check(unsure, "1-2 0 order = 1; 5-6 1 order = 1; 9 ledger 0 = 1/1", (Fail, 1), (Pass, 0));
}

#[test]
fn what_nobody_was_told_of() {
    let once = |text| {
        let (_, once) = judge(CALM, text);
        (result(&once), words(&once).join("\n"))
    };
    // Applied twice.
    assert_eq!(
        once("0 order = 1; 9 ledger 0 = 1/0 2/0"),
        ((Fail, 1), "order 2 of process 0 is there without an acknowledgement: the process had no operation of unknown outcome and no failure, so something was applied twice".to_owned())
    );
    // A failure that happened.
    assert_eq!(
        once("0 order = 1; 1 order ! server; 9 ledger 0 = 1/0 2/1"),
        ((Fail, 1), "order 2 of process 1 is there without an acknowledgement: the process had no operation of unknown outcome and 1 definite failure, so one that was reported as failed happened, or something was applied twice".to_owned())
    );
    // Garbage.
    assert_eq!(
        once("0 order = 1; 9 ledger 0 = 1/0 2/77"),
        ((Fail, 1), "order 2 belongs to 77, a process that placed no order in this run".to_owned())
    );
    // One unknown outcome explains one order, not two.
    assert_eq!(
        once("0 order = 1; 1 order ?; 9 ledger 0 = 1/0 2/1 3/1"),
        ((Fail, 1), "order 2 of process 1 is there without an acknowledgement: the process had one operation of unknown outcome, which explains another order and no failure, so something was applied twice".to_owned())
    );
}

#[test]
fn what_was_there_before_the_load_is_nobodys() {
    check(CALM, "9 stock = 1:7+3 o2 d2; 0 order = 3; 9 ledger 0 = 1/500 2/501 3/0", (Pass, 0), (Pass, 0));
    check(CALM, "9 stock = 1:7+3 o1 d1; 0 order = 3; 9 ledger 0 = 1/500 2/501 3/0", (Pass, 0), (Fail, 1));
}

#[test]
fn warnings_are_counted_apart() {
    let (kept, _) = judge(CALM, "0 order = 1; 0 order =w 2; 1 order =w 3; 9 ledger 0 = 1/0 2/0");
    assert_eq!((result(&kept), figure(&kept, "acknowledged with a warning")), ((Fail, 1), 2));
    assert!(kept.summary.ends_with("; 2 came with a warning, 1 of them lost"), "{}", kept.summary);
}

#[test]
fn findings_are_limited_and_the_number_is_not() {
    let acks: String = (1..=1_200).map(|order| format!("0 order = {order};")).collect::<Vec<_>>().concat();
    let (kept, _) = judge(CALM, &format!("{acks} 9 ledger 0 ="));
    assert_eq!((result(&kept), kept.findings.len()), ((Fail, 1_200), 25));
    assert!(kept.summary.starts_with("1,200 acknowledged, 1,200 lost (orders 1–1200,"), "{}", kept.summary);
}

#[test]
fn a_restart_that_a_cut_run_does_not_show_may_have_happened() {
    // The history of the faults was cut before the crash after which 1 was handed out again.
    let cut = Run { cut: Some("killed"), faults: "", ..CALM };
    let text = "1-2 0 order = 1; 70-71 1 order = 1";
    assert_eq!(result(&judge(cut, text).1), (Unknown, 0));
    assert_eq!(result(&judge(CALM, text).1), (Fail, 1));
    // It is not excused where the faults are known.
    let later = Run { cut: Some("killed"), faults: "80-90 nemesis@primary crash", ..CALM };
    assert_eq!(result(&judge(later, text).1), (Fail, 1));
}

#[test]
fn a_gap_is_claimed_never_to_happen() {
    let claims = |text: &str| {
        let history = crate::history::notation::history::<crate::history::OrdersOp>(text);
        let faults = crate::history::notation::history("50-60 nemesis@primary crash");
        let nodes = [crate::history::NodeName::primary()];
        let evidence = crate::check::Evidence {
            history: &history,
            faults: &faults,
            lag: &[],
            nodes: &nodes,
            foreign: false,
            cut: None,
        };
        let all = crate::check::orders(&evidence, &crate::check::Claims::default());
        let kept = of(&all, Guarantee::Durability, "durability", None);
        (result(&kept), figure(&kept, "gaps"), kept.claimed)
    };
    assert_eq!(claims("1-2 0 order = 1; 3-4 0 order = 2; 90-91 9 ledger 0 = 1/0"), ((Fail, 1), 0, false));
    assert_eq!(claims("1-2 0 order = 1; 3-4 0 order = 2; 90-91 9 ledger 0 = 2/0"), ((Fail, 1), 1, true));
}

#[test]
fn an_order_holds_what_was_asked_for() {
    let asked = "0 order 2*3@1998 = 1; 9 ledger 0 = 1/0=2*3@1998";
    check(CALM, asked, (Pass, 0), (Pass, 0));
    for other in ["1*3@1998", "2*1@1998", "2*3@1997"] {
        let text = asked.replace("1/0=2*3@1998", &format!("1/0={other}"));
        check(CALM, &text, (Pass, 0), (Fail, 1));
    }
    let (_, once) = judge(CALM, &asked.replace("1/0=2*3@1998", "1/0=1*1@1998"));
    assert_eq!(
        words(&once),
        [
            "order 1 of process 0 asked for 3 of product 2 at 1998 hundredths, and holds 1 of product 1 at 1998 in its detail and 1998 as its price"
        ]
    );
    // An order without its one detail is torn, which is for another check to say.
    check(CALM, "0 order = 1; 9 ledger 0 = 1/0x0=0*0@100", (Pass, 0), (Pass, 0));
}

#[test]
fn an_unknown_outcome_explains_only_what_it_asked_for() {
    let text = "0 order = 1; 1 order 2*3@1998 ?; 9 ledger 0 = 1/0 2/1=2*3@1998";
    check(CALM, text, (Pass, 0), (Pass, 0));
    // What process 1 was told has failed, it is there all the same; the unknown one is not.
    let text = "0 order = 1; 1 order ! refused; 1 order 2*3@1998 ?; 9 ledger 0 = 1/0 2/1";
    check(CALM, text, (Pass, 0), (Fail, 1));
    assert_eq!(figure(&judge(CALM, text).0, "unknown and present"), 0);
}
