//! Planted bugs: the whole pipeline over the in-memory cluster. Each bug is caught by the checks meant for it and by no
//! other, and a clean run by none.

use std::collections::BTreeSet;
use std::path::Path;

use replab::check::{Guarantee, Verdict};
use replab::config::{self, Overrides};
use replab::report::Report;
use replab::run::{self, Ended, Watcher};
use replab::topology::memory::Bug;
use tokio::sync::{mpsc, watch};

/// The load that nobody chose.
const DEFAULT: &[&str] = &["orders", "counter"];

/// Whether a load of `workloads` shows anything of `guarantee`.
fn is_shown(guarantee: Guarantee, workloads: &[&str]) -> bool {
    let has = |any: &[&str]| workloads.iter().any(|workload| any.contains(workload));
    match guarantee {
        Guarantee::Durability => !has(&["register", "bank"]),
        Guarantee::Atomicity => has(&["orders"]),
        Guarantee::ReadYourWrites => has(&["counter"]),
        Guarantee::MonotonicReads => has(&["counter", "counters", "set"]),
        Guarantee::Isolation => has(&["counters", "append", "register", "longfork", "bank"]),
        Guarantee::SnapshotOrder => has(&["counter", "counters", "append", "register", "longfork"]),
        Guarantee::ExactlyOnce => !has(&["bank"]),
        Guarantee::Convergence => true,
    }
}

/// Runs a small load with a crash of the primary and a restart of the replica, everything that it can show required, and
/// judges it.
async fn report(runs: &Path, workloads: &[&str], bug: Option<Bug>) -> Report {
    let required = Guarantee::ALL.into_iter().filter(|&guarantee| is_shown(guarantee, workloads));
    let flags = Overrides {
        workloads: workloads.iter().map(|&name| name.to_owned()).collect(),
        topology: Some("memory".to_owned()),
        duration: Some("1500ms".to_owned()),
        schedule: Some("crash(primary)@600ms,restart(replica-1)@900ms".to_owned()),
        // For the other workloads it is one.
        replicas: workloads.contains(&"longfork").then_some(2),
        // Enough of everything: a refused order would end with what a bug has to show.
        stock: Some(1_000_000),
        seed: Some(7),
        // Lists that contradict each other everywhere take the judge long, in a build without optimisation.
        clients: (workloads != DEFAULT).then_some(4),
        require: required.map(|guarantee| guarantee.name().to_owned()).collect(),
        runs: Some(runs.to_owned()),
        ..Overrides::default()
    };
    let plan = config::load(&flags, None, []).expect("the plan is valid").plan;
    let (dir, manifest) =
        run::begin(&plan, bug, run::Leave::default()).expect("the directory can be written");
    let (progress, _) = mpsc::unbounded_channel();
    let (_keep, interrupt) = watch::channel(false);
    let ended = run::execute(&plan, bug, &dir, manifest, Watcher { progress, interrupt })
        .await
        .expect("the run ends");
    assert_eq!(ended, Ended::Complete);
    run::judge(&dir, &[]).expect("the run can be judged")
}

/// Which guarantees were found violated, by the name of the check.
fn violated(report: &Report) -> BTreeSet<(String, Guarantee)> {
    let failed = report.judgements.iter().filter(|judgement| judgement.verdict == Verdict::Fail);
    failed.map(|judgement| (judgement.check.clone(), judgement.guarantee)).collect()
}

/// All of `must`, nothing beyond `may`.
async fn expect_between(
    workloads: &[&str],
    bug: Option<Bug>,
    must: &[(&str, Guarantee)],
    may: &[(&str, Guarantee)],
) {
    let runs = tempfile::tempdir().expect("a temporary directory");
    let report = report(runs.path(), workloads, bug).await;
    let named = |list: &[(&str, Guarantee)]| -> BTreeSet<(String, Guarantee)> {
        list.iter().map(|(check, guarantee)| ((*check).to_owned(), *guarantee)).collect()
    };
    let (must, may, found) = (named(must), named(may), violated(&report));
    let lines: Vec<_> =
        report.judgements.iter().map(|j| format!("{} {:?}: {}", j.check, j.node, j.summary)).collect();
    assert_eq!(&found - &may, must, "{bug:?}\n{}", lines.join("\n"));
    let unknown = report.judgements.iter().filter(|judgement| judgement.verdict == Verdict::Unknown).count();
    assert_eq!(report.exit_code, u8::from(!must.is_empty()), "{unknown} unknown\n{}", lines.join("\n"));
}

async fn expect(bug: Option<Bug>, expected: &[(&str, Guarantee)]) {
    expect_between(DEFAULT, bug, expected, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_cluster_gives_no_counter_example() {
    expect(None, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_is_a_loss_in_orders_and_counters() {
    let must = [("durability", Guarantee::Durability), ("counter", Guarantee::Durability)];
    // Whether a reader comes by between the loss and the next increments is a matter of chance.
    let may = [("session", Guarantee::ReadYourWrites), ("session", Guarantee::MonotonicReads)];
    expect_between(DEFAULT, Some(Bug::LostCommit), &must, &may).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_apply_is_seen_in_orders_and_counters() {
    let expected = [("durability", Guarantee::ExactlyOnce), ("counter", Guarantee::ExactlyOnce)];
    expect(Some(Bug::DoubleApply), &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_order_is_not_what_was_asked_for() {
    expect(Some(Bug::AlteredOrder), &[("durability", Guarantee::ExactlyOnce)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_order_is_seen_in_snapshots() {
    expect(Some(Bug::TornOrder), &[("conservation", Guarantee::Atomicity)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_replica_hides_its_readers_own_writes() {
    expect(Some(Bug::Stale), &[("session", Guarantee::ReadYourWrites)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_goes_backwards_breaks_monotonic_reads() {
    expect(Some(Bug::Backwards), &[("session", Guarantee::MonotonicReads)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diverged_replica_does_not_converge() {
    expect(Some(Bug::Diverged), &[("convergence", Guarantee::Convergence)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_fork_is_its_own_class() {
    expect(Some(Bug::LongFork), &[("long-fork", Guarantee::SnapshotOrder)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_transactions_give_no_counter_example() {
    for workload in ["append", "register", "longfork", "counters", "bank", "set"] {
        expect_between(&[workload], None, &[], &[]).await;
    }
    // Lists of both are in one table, and neither takes the other's for its own.
    expect_between(&["append", "longfork"], None, &[], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_is_a_loss_in_a_round() {
    let must = [("durability", Guarantee::Durability)];
    // Who had read what was lost contradicts those who come later.
    let may = [("isolation", Guarantee::Isolation), ("isolation", Guarantee::SnapshotOrder)];
    expect_between(&["longfork"], Some(Bug::LostCommit), &must, &may).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_apply_is_twice_in_a_list_of_a_round() {
    let must = [
        ("exactly-once", Guarantee::ExactlyOnce),
        ("isolation", Guarantee::Isolation),
        ("isolation", Guarantee::SnapshotOrder),
    ];
    expect_between(&["longfork"], Some(Bug::DoubleApply), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_is_a_loss_in_lists() {
    let must = [("durability", Guarantee::Durability)];
    // Who had read what was lost, or reads what comes in its place, contradicts the others.
    let may = [("isolation", Guarantee::Isolation), ("isolation", Guarantee::SnapshotOrder)];
    expect_between(&["append"], Some(Bug::LostCommit), &must, &may).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_apply_is_twice_in_a_list() {
    // An element that is there twice is at no level's word.
    let must = [
        ("exactly-once", Guarantee::ExactlyOnce),
        ("isolation", Guarantee::Isolation),
        ("isolation", Guarantee::SnapshotOrder),
    ];
    expect_between(&["append"], Some(Bug::DoubleApply), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_reads_an_older_state_is_not_isolated() {
    let must = [("isolation", Guarantee::Isolation), ("isolation", Guarantee::SnapshotOrder)];
    expect_between(&["append"], Some(Bug::LostUpdate), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_holds_what_nobody_wrote_is_at_no_levels_word() {
    let must = [
        ("exactly-once", Guarantee::ExactlyOnce),
        ("isolation", Guarantee::Isolation),
        ("isolation", Guarantee::SnapshotOrder),
    ];
    expect_between(&["register"], Some(Bug::AlteredOrder), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_fork_of_lists_is_seen_between_nodes() {
    let must = [("isolation", Guarantee::SnapshotOrder)];
    // Transactions that write a list which is hidden and one which is not are seen in half on the replica.
    let may = [("isolation", Guarantee::Isolation)];
    expect_between(&["append"], Some(Bug::LongFork), &must, &may).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_fork_of_counters_is_between_nodes_and_not_on_one() {
    expect_between(&["counters"], Some(Bug::LongFork), &[("long-fork", Guarantee::SnapshotOrder)], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_goes_backwards_contradicts_itself_in_counters() {
    let must = [("session", Guarantee::MonotonicReads)];
    expect_between(&["counters"], Some(Bug::Backwards), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_reads_an_older_state_changes_the_total() {
    expect_between(&["bank"], Some(Bug::LostUpdate), &[("bank", Guarantee::Isolation)], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_is_missing_in_a_set() {
    // Whoever has seen it on the replica, whose sessions outlive the primary, sees it go.
    let may = [("set", Guarantee::MonotonicReads)];
    expect_between(&["set"], Some(Bug::LostCommit), &[("set", Guarantee::Durability)], &may).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_altered_element_is_one_that_nobody_inserted_and_one_that_is_missing() {
    let must = [("set", Guarantee::Durability), ("set", Guarantee::ExactlyOnce)];
    expect_between(&["set"], Some(Bug::AlteredOrder), &must, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_goes_backwards_takes_elements_back() {
    expect_between(&["set"], Some(Bug::Backwards), &[("set", Guarantee::MonotonicReads)], &[]).await;
}
