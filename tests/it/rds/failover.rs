//! Another instance becomes the writer, and every acknowledged commit is there afterwards; with the planted bug it is not.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use replab::pg::{Conninfo, Deadlines, Session};

use super::paused::Paused;
use super::serving::Serving;
use crate::lab::{until, waiting};

/// A client gives up soon enough to try the next connection.
const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(5), statement: Duration::from_secs(30) };

/// Somebody who inserts one number after the other, and knows which were acknowledged.
struct Load {
    ended: Arc<AtomicBool>,
    count: Arc<AtomicUsize>,
    task: JoinHandle<BTreeSet<i64>>,
}

impl Load {
    fn begin(conninfo: Conninfo) -> Load {
        let (ended, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (end, counted) = (Arc::clone(&ended), Arc::clone(&count));
        let task = std::thread::spawn(move || {
            let mut acknowledged = BTreeSet::new();
            let mut next = 0;
            waiting(async {
                while !end.load(Ordering::Relaxed) {
                    let Ok(session) = Session::connect(&conninfo, "load", DEADLINES).await else { continue };
                    while !end.load(Ordering::Relaxed) {
                        next += 1;
                        // Whatever is not acknowledged may be there or not.
                        if session.batch(&format!("INSERT INTO t VALUES ({next})")).await.is_err() {
                            break;
                        }
                        acknowledged.insert(next);
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            acknowledged
        });
        Load { ended, count, task }
    }

    fn until_more(&self, more: usize) {
        let before = self.count.load(Ordering::Relaxed);
        until("the load goes on", || self.count.load(Ordering::Relaxed) >= before + more);
    }

    fn end(self) -> BTreeSet<i64> {
        self.ended.store(true, Ordering::Relaxed);
        self.task.join().unwrap()
    }
}

/// The numbers that the writer does not have although it acknowledged them.
fn lost(serving: &Serving, acknowledged: &BTreeSet<i64>) -> usize {
    let rows = serving.ask("writer", "SELECT id FROM t").unwrap();
    let there: BTreeSet<i64> = rows.iter().map(|row| row[0].as_deref().unwrap().parse().unwrap()).collect();
    acknowledged.difference(&there).count()
}

#[test]
fn a_failover_under_load_loses_nothing() {
    // So that the state in between is there when it is looked at.
    let Some(serving) = Serving::start(&["--slow-states", "500"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id bigint PRIMARY KEY)").unwrap();
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "ANY 1 (*)");
    let load = Load::begin(serving.conninfo("writer"));
    load.until_more(50);
    let target = "part-4-instance-3";
    let cluster = "&DBClusterIdentifier=part-4";
    let asked =
        serving.call("FailoverDBCluster", &format!("{cluster}&TargetDBInstanceIdentifier={target}")).ok();
    assert_eq!(asked.text("Status"), "failing-over");
    let again = serving.call("FailoverDBCluster", cluster);
    assert_eq!(again.refusal(), (400, "InvalidDBClusterStateFault".to_owned()), "one after the other");
    assert_eq!(serving.instance_status("part-4-instance-1"), "rebooting");
    serving.until_available();
    assert_eq!(serving.writer(), target);
    until("the cluster endpoint leads to it", || serving.instance_at("writer") == target);
    load.until_more(50);

    // Without a target: the first by name of those of the lowest tier.
    serving.call("FailoverDBCluster", cluster).ok();
    serving.until_available();
    assert_eq!(serving.writer(), "part-4-instance-1");
    load.until_more(50);
    let acknowledged = load.end();
    assert!(acknowledged.len() >= 150);
    assert_eq!(lost(&serving, &acknowledged), 0);

    // The old writers are readers.
    for reader in ["part-4-instance-2", "part-4-instance-3"] {
        assert_eq!(serving.value(reader, "SELECT pg_is_in_recovery()"), "t");
        let refused = serving.ask(reader, "INSERT INTO t VALUES (-1)").unwrap_err();
        assert_eq!(refused.sqlstate(), Some("25006"));
    }
    let failovers = serving.events("&EventCategories.EventCategory.1=failover");
    assert_eq!(
        failovers,
        [
            "Started cross AZ failover to DB instance: part-4-instance-3",
            "Completed failover to DB instance: part-4-instance-3",
            "Started cross AZ failover to DB instance: part-4-instance-1",
            "Completed failover to DB instance: part-4-instance-1",
        ]
    );
    let restarts = "&SourceType=db-instance&SourceIdentifier=part-4-instance-1";
    let restarts = serving.events(restarts);
    assert!(restarts.contains(&"DB instance restarted".to_owned()), "{restarts:?}");
    serving.end();
}

#[test]
fn the_planted_bug_loses_what_was_acknowledged() {
    let Some(serving) = Serving::start(&["--plant", "lossy-failover"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id bigint PRIMARY KEY)").unwrap();
    until("the readers have it", || {
        let has = |reader| serving.value(reader, "SELECT to_regclass('t') IS NOT NULL") == "t";
        has("part-4-instance-2") && has("part-4-instance-3")
    });
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "");
    let load = Load::begin(serving.conninfo("writer"));
    load.until_more(50);
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    serving.until_available();
    assert_eq!(serving.writer(), "part-4-instance-2");
    load.until_more(10);
    let acknowledged = load.end();
    assert!(lost(&serving, &acknowledged) > 0, "of {}", acknowledged.len());
    for reader in ["part-4-instance-1", "part-4-instance-3"] {
        until("the others follow", || {
            let count = "SELECT count(*) FROM t";
            serving.value(reader, count) == serving.value("writer", count)
        });
    }
    serving.end();
}

#[test]
fn a_failover_that_fails_leaves_the_old_writer() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    // Not by replab's own means, so that it does not know: the reader receives nothing any more.
    let reader = Paused::all(&serving, "replica-1");
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    let failovers = || serving.events("&EventCategories.EventCategory.1=failover");
    until("it has failed", || failovers().len() == 3);
    let status = || serving.instance_status("part-4-instance-2");
    assert_eq!(status(), "rebooting", "it answers nobody yet");
    reader.go_on();
    let said = failovers();
    assert!(said[1].starts_with("Cluster failover failed"), "{said:?}");
    assert_eq!(said[2], "Promoting previous primary again: part-4-instance-1");
    serving.until_available();
    assert_eq!(serving.writer(), "part-4-instance-1");
    assert_eq!((serving.instance_status("part-4-instance-1"), status()), pair("available", "available"));
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    serving.end();
}

fn pair(first: &str, second: &str) -> (String, String) {
    (first.to_owned(), second.to_owned())
}

#[test]
fn an_old_writer_that_does_not_come_back_is_no_reader() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    let spoiled = serving.spoil("primary");
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    serving.until_available();
    assert_eq!(serving.writer(), "part-4-instance-2");
    let statuses =
        || (serving.instance_status("part-4-instance-1"), serving.instance_status("part-4-instance-2"));
    assert_eq!(statuses(), pair("failed", "available"));
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "");
    serving.ask("writer", "INSERT INTO t VALUES (1)").unwrap();
    let restarts = serving.events("&SourceType=db-instance&SourceIdentifier=part-4-instance-1");
    assert!(!restarts.contains(&"DB instance restarted".to_owned()), "{restarts:?}");

    // Its reboot is allowed, and does not help.
    let attempts = || serving.said().matches("primary did not come back").count();
    let before = attempts();
    serving.call("RebootDBInstance", "&DBInstanceIdentifier=part-4-instance-1").ok();
    until("it has failed again", || attempts() > before && statuses() == pair("failed", "available"));

    spoiled.undo();
    until("it is tried again", || statuses() == pair("available", "available"));
    let restarts = serving.events("&SourceType=db-instance&SourceIdentifier=part-4-instance-1");
    assert!(restarts.contains(&"DB instance restarted".to_owned()), "{restarts:?}");
    until("it counts", || serving.value("writer", "SHOW synchronous_standby_names") == "ANY 1 (*)");
    assert_eq!(serving.value("part-4-instance-1", "SELECT count(*) FROM t"), "1");
    serving.end();
}

#[test]
fn no_session_of_a_reader_outlives_its_promotion() {
    // More than begin between two steps of a promotion.
    const HELD: usize = 50;
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let conninfo = serving.conninfo("part-4-instance-2");
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    waiting(async {
        let mut held = VecDeque::new();
        loop {
            let Ok(session) = Session::connect(&conninfo, "held", DEADLINES).await else { continue };
            let Ok(rows) = session.simple_query_rows("SELECT pg_is_in_recovery()").await else { continue };
            if rows[0][0].as_deref() == Some("f") {
                break;
            }
            held.push_back(session);
            if held.len() > HELD {
                held.pop_front();
            }
        }
        assert!(!held.is_empty());
        serving.until_available();
        assert_eq!(serving.writer(), "part-4-instance-2");
        for session in held {
            assert!(session.simple_query_rows("SELECT 1").await.is_err());
        }
    });
    serving.end();
}
