//! What the checks make of a run in which another node became the primary.

use super::bench::{CALM, Run, figure, of, result, words};
use super::{Guarantee, Judgement, Verdict};
use Verdict::{Fail, Pass, Unknown};

/// The primary is killed at 40 ms; replica-1 is the primary from somewhere between 50 and 60 ms on.
const FAILOVER: Run = Run { faults: "40-45 nemesis@primary kill; 50-60 nemesis@replica-1 promote", ..CALM };
const SWITCHOVER: Run = Run { faults: "50-60 nemesis@replica-1 switchover", ..CALM };
const LOST_SIGHT: Run = Run { faults: "50-60 nemesis@replica-1 promote ?", ..CALM };

fn orders(run: Run, text: &str, guarantee: Guarantee, check: &str) -> Judgement {
    of(&run.orders(text), guarantee, check, None)
}

fn counter(run: Run, text: &str, guarantee: Guarantee) -> Judgement {
    of(&run.counter(text), guarantee, "counter", None)
}

#[test]
fn the_ledger_is_that_of_the_last_primary() {
    let kept = |run, text| result(&orders(run, text, Guarantee::Durability, "durability"));
    let text = "1-2 0 order = 1; 70-71 0@replica-1 order = 2; 80-81 9@replica-1 ledger 0 = 1/0 2/0";
    assert_eq!(kept(FAILOVER, text), (Pass, 0));
    let lost = "1-2 0 order = 1; 70-71 0@replica-1 order = 2; 80-81 9@replica-1 ledger 0 = 2/0";
    assert_eq!(kept(FAILOVER, lost), (Fail, 1));
    // What the old primary shows, before or after it has come back, is no evidence of anything.
    let of_old = "1-2 0 order = 1; 70-71 0@replica-1 order = 2; 80-81 9@primary ledger 0 = 1/0 2/0";
    assert_eq!(kept(FAILOVER, of_old), (Unknown, 0));
    assert_eq!(kept(LOST_SIGHT, text), (Unknown, 0));
}

#[test]
fn a_failover_cuts_off_an_end_and_no_middle() {
    let judge = |text: &str| orders(FAILOVER, text, Guarantee::Durability, "durability");
    let tail = judge(
        "1-2 0 order = 1; 3-4 0 order = 2; 70-71 0@replica-1 order = 3; 80-81 9@replica-1 ledger 0 = 1/0 3/0",
    );
    assert_eq!((result(&tail), figure(&tail, "gaps")), ((Fail, 1), 0));
    let middle = judge(
        "1-2 0 order = 1; 3-4 0 order = 2; 70-71 0@replica-1 order = 3; 80-81 9@replica-1 ledger 0 = 2/0 3/0",
    );
    assert_eq!((result(&middle), figure(&middle, "gaps"), middle.claimed), ((Fail, 1), 1, true));
}

#[test]
fn an_identifier_can_come_again_after_a_failover_and_not_after_a_switchover() {
    let text = "1-2 0 order = 1; 70-71 1@replica-1 order = 1; 80-81 9@replica-1 ledger 0 = 1/1";
    let once = |run| result(&orders(run, text, Guarantee::ExactlyOnce, "durability"));
    assert_eq!(once(FAILOVER), (Pass, 0));
    assert_eq!(once(SWITCHOVER), (Fail, 1));
    // The old primary, back as a replica, crashes: that cuts nobody's log.
    let later = Run { faults: "1-2 nemesis@replica-1 switchover; 50-60 nemesis@primary crash", ..CALM };
    let text = "10-11 0@replica-1 order = 1; 70-71 1@replica-1 order = 1; 80-81 9@replica-1 ledger 0 = 1/1";
    assert_eq!(result(&orders(later, text, Guarantee::ExactlyOnce, "durability")), (Fail, 1));
    let of_new = Run { faults: "1-2 nemesis@replica-1 switchover; 50-60 nemesis@replica-1 crash", ..CALM };
    assert_eq!(result(&orders(of_new, text, Guarantee::ExactlyOnce, "durability")), (Pass, 0));
}

#[test]
fn increments_that_a_failover_took_are_lost() {
    let lost = counter(
        FAILOVER,
        "1-2 0 inc 1 = 1; 3-4 0 inc 1 = 2; 70-71 0@replica-1 inc 1 = 2; 80-81 9@replica-1 all = 2",
        Guarantee::Durability,
    );
    assert_eq!(result(&lost), (Fail, 1));
    assert!(words(&lost)[0].ends_with("after a forced restart or failover of the primary"), "{lost:?}");
}

#[test]
fn only_a_primary_shows_a_loss() {
    let judge = |text: &str| result(&counter(FAILOVER, text, Guarantee::Durability));
    let end = "; 80-81 9@replica-1 all = 2";
    // The replica before it is promoted, and the old primary as a replica, may be behind.
    assert_eq!(
        judge(&format!("1-2 0 inc 1 = 1; 3-4 5@replica-1 own 1/0 = 0; 70-71 0@replica-1 inc 1 = 2{end}")),
        (Pass, 0)
    );
    assert_eq!(
        judge(&format!("1-2 0 inc 1 = 1; 70-71 0@replica-1 inc 1 = 2; 75-76 5 own 1/0 = 0{end}")),
        (Pass, 0)
    );
    assert_eq!(
        judge(&format!("1-2 0 inc 1 = 1; 70-71 5@replica-1 own 1/0 = 0; 72-73 0@replica-1 inc 1 = 2{end}")),
        (Fail, 1)
    );
}

#[test]
fn own_writes_are_judged_by_what_the_node_was() {
    let all = FAILOVER.counter(
        "1-2 0 inc 1 = 1; 3-4 5@replica-1 own 1/0 = 0; 5-6 5 own 1/0 = 1; 70-71 5@replica-1 own 1/0 = 0; 75-76 5 own 1/0 = 0",
    );
    let of = |node: &str, what: &str| {
        let of = all.iter().filter(|one| one.guarantee == Guarantee::ReadYourWrites);
        let mut of = of.filter(|one| one.node.is_some_and(|of| of.as_str() == node));
        let judgement = of.find(|one| one.summary.starts_with(what)).unwrap();
        (result(judgement), judgement.claimed)
    };
    assert_eq!(of("primary", "as the primary: 1 read"), ((Pass, 0), true));
    assert_eq!(of("primary", "as a replica: 1 read"), ((Fail, 1), false));
    assert_eq!(of("replica-1", "as a replica: 1 read"), ((Fail, 1), false));
    assert_eq!(of("replica-1", "as the primary: 1 read"), ((Fail, 1), true));
}

#[test]
fn everybody_is_compared_with_the_last_primary() {
    let judge =
        |text: &str| result(&of(&FAILOVER.counter(text), Guarantee::Convergence, "convergence", None));
    let digest = |node: &str, hash: &str| format!("9@{node} digest user_counter = 1@0/A0 0:1:{hash}");
    let text = |primary: &str, one: &str| {
        format!("1-2 0 inc 1 = 1; {}; {}", digest("replica-1", one), digest("primary", primary))
    };
    assert_eq!(judge(&text("aa", "aa")), (Pass, 0));
    assert_eq!(judge(&text("bb", "aa")), (Fail, 1));
}

#[test]
fn what_a_failover_took_back_is_no_fork() {
    let judge =
        |text: &str| result(&of(&FAILOVER.counter(text), Guarantee::SnapshotOrder, "long-fork", None));
    // A replica that had received more goes on to show what the new primary does not have.
    assert_eq!(
        judge("1-2 5 all = 1,0; 3-4 5 all = 1,1; 70-71 5@replica-2 all = 5,7; 72-73 6@replica-1 all = 4,8"),
        (Unknown, 0)
    );
    assert_eq!(judge("70-71 5@replica-1 all = 2,1; 72-73 5@replica-1 all = 1,2"), (Fail, 1));
    assert_eq!(judge("1-2 5 all = 2,1; 3-4 6@replica-1 all = 1,2"), (Fail, 1));
}

#[test]
fn a_loss_that_the_server_warned_of_is_told_and_no_counter_example() {
    let text = "1-2 0 order = 1; 3-4 0 order =w 2; 70-71 0@replica-1 order = 3; 80-81 9@replica-1 ledger 0 = 1/0 3/0";
    let kept = orders(FAILOVER, text, Guarantee::Durability, "durability");
    assert_eq!((result(&kept), figure(&kept, "acknowledged and absent")), ((Pass, 0), 1));
    assert_eq!(kept.lost.map(|lost| (lost.commits, lost.forewarned)), Some((1, 1)));
    assert_eq!(figure(&kept, "acknowledged with a warning and lost in a failover"), 1);
    assert!(
        words(&kept)[0].ends_with("is absent; nobody else may have had it, as the warning said"),
        "{kept:?}"
    );
    assert!(kept.summary.ends_with("1 came with a warning, 1 of them lost"), "{}", kept.summary);
    // Its acknowledgement may be read after the failover.
    let late = text.replace("3-4 0", "3-62 0");
    assert_eq!(result(&orders(FAILOVER, &late, Guarantee::Durability, "durability")), (Pass, 0));
    // It was on the primary's own disk, so a crash there explains nothing; nor does a failover explain a gap.
    let crash = Run { faults: "50-60 nemesis@primary crash", ..CALM };
    let text = "1-2 0 order = 1; 3-4 0 order =w 2; 70-71 0 order = 3; 80-81 9 ledger 0 = 1/0 3/0";
    assert_eq!(result(&orders(crash, text, Guarantee::Durability, "durability")), (Fail, 1));
    let gap = "1-2 0 order =w 1; 3-4 0 order = 2; 70-71 0@replica-1 order = 3; 80-81 9@replica-1 ledger 0 = 2/0 3/0";
    assert_eq!(result(&orders(FAILOVER, gap, Guarantee::Durability, "durability")), (Fail, 1));

    let text = "1-2 0 inc 1 = 1; 3-4 0 inc 1 =w 2; 70-71 1@replica-1 inc 1 = 2; 75-76 5@replica-1 own 1/0 = 1; 80-81 9@replica-1 all = 2";
    let all = FAILOVER.counter(text);
    let kept = of(&all, Guarantee::Durability, "counter", None);
    assert_eq!((result(&kept), figure(&kept, "acknowledged and lost")), ((Pass, 0), 1));
    let own = all.iter().filter(|one| one.guarantee == Guarantee::ReadYourWrites);
    assert!(own.clone().all(|one| one.violations == 0), "{own:?}", own = own.collect::<Vec<_>>());
    let late = text.replace("3-4 0", "3-62 0");
    assert_eq!(result(&counter(FAILOVER, &late, Guarantee::Durability)), (Pass, 0));
    let unwarned = text.replace("=w", "=");
    assert_eq!(result(&counter(FAILOVER, &unwarned, Guarantee::Durability)), (Fail, 1));
}
