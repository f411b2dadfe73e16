//! Aurora's functions, on the writer and on the readers, and what they do.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::serving::Serving;
use crate::lab::until;

const INSTANCES: [&str; 3] = ["part-4-instance-1", "part-4-instance-2", "part-4-instance-3"];

#[test]
fn every_server_knows_all_of_them() {
    let Some(serving) = Serving::start(&[]) else { return };
    let version = serving.facts["version"].as_str().unwrap();
    for instance in INSTANCES {
        assert_eq!(serving.value(instance, "SELECT pg_catalog.aurora_db_instance_identifier()"), instance);
        assert_eq!(serving.value(instance, "SELECT aurora_version()"), version);
        // As AWS's own drivers ask.
        let topology = "SELECT server_id, CASE WHEN session_id = 'MASTER_SESSION_ID' THEN 't' ELSE 'f' END, cpu, \
            coalesce(replica_lag_in_msec, 0) >= 0, last_update_timestamp IS NULL \
            FROM pg_catalog.aurora_replica_status() WHERE extract(epoch FROM now() - last_update_timestamp) <= 300 \
            OR session_id = 'MASTER_SESSION_ID' OR last_update_timestamp IS NULL ORDER BY server_id";
        let rows = serving.ask(instance, topology).unwrap();
        let told: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| [0, 1, 3, 4].iter().map(|&at| row[at].as_deref().unwrap()).collect())
            .collect();
        let own = |name| if name == instance { "t" } else { "f" };
        let expected: Vec<Vec<&str>> = INSTANCES
            .into_iter()
            .map(|name| vec![name, if name == INSTANCES[0] { "t" } else { "f" }, "t", own(name)])
            .collect();
        assert_eq!(told, expected, "{instance}");
    }
    let plain = "SELECT session_id ~ '^[0-9a-f]{8}-', durable_lsn > 0, highest_lsn_rcvd >= durable_lsn, \
        replica_lag_in_msec IS NOT NULL FROM aurora_replica_status() WHERE server_id = 'part-4-instance-2'";
    let row = serving.ask("writer", plain).unwrap().remove(0);
    assert!(row.iter().all(|value| value.as_deref() == Some("t")), "{row:?}");

    // A reader has what the writer has written, and the next database has the functions, too.
    serving.ask("writer", "CREATE TABLE t AS SELECT generate_series(1, 1000) AS id").unwrap();
    let reached = "SELECT (SELECT min(durable_lsn) FROM aurora_replica_status() WHERE session_id <> 'MASTER_SESSION_ID') \
        >= (SELECT durable_lsn FROM aurora_replica_status() WHERE session_id = 'MASTER_SESSION_ID')";
    until("the readers have caught up", || serving.value("writer", reached) == "t");
    serving.ask("writer", "CREATE DATABASE other").unwrap();
    assert_eq!(serving.value("writer", "SELECT aurora_version()"), version);
    for (call, code) in [
        ("aurora_inject_crash('disk')", "22023"),
        ("aurora_inject_replica_failure(101, 1, '')", "22023"),
        ("aurora_inject_replica_failure(50, 1, 'nobody')", "22023"),
        ("aurora_inject_disk_failure(50, 1, true, 1)", "0A000"),
        ("aurora_inject_disk_congestion(50, 1, true, 1, 1, 2)", "0A000"),
    ] {
        let refused = serving.ask("writer", &format!("SELECT {call}")).unwrap_err();
        assert_eq!(refused.sqlstate(), Some(code), "{call}: {refused}");
    }
    serving.ask("writer", "CREATE ROLE somebody LOGIN").unwrap();
    let as_somebody = "SET ROLE somebody; SELECT count(*) FROM aurora_replica_status(); \
        SELECT aurora_inject_crash('instance')";
    let refused = serving.ask("writer", as_somebody).unwrap_err();
    assert_eq!(refused.sqlstate(), Some("42501"), "only the master user may: {refused}");
    serving.end();
}

#[test]
fn crashes_and_failing_readers_are_real() {
    let Some(serving) = Serving::start(&[]) else { return };
    let started = "SELECT pg_postmaster_start_time()";
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    for (instance, kind) in [("part-4-instance-2", "instance"), ("part-4-instance-1", "DISPATCHER")] {
        let before = serving.value(instance, started);
        let lost = serving.ask(instance, &format!("SELECT aurora_inject_crash('{kind}')")).unwrap_err();
        assert_eq!(lost.sqlstate(), None, "its session is lost: {lost}");
        until("it has restarted", || {
            let restarted = "&SourceType=db-instance&EventCategories.EventCategory.1=availability";
            let name = format!("{restarted}&SourceIdentifier={instance}");
            serving.instance_status(instance) == "available"
                && serving.events(&name).contains(&"DB instance restarted".to_owned())
        });
        assert_ne!(serving.value(instance, started), before);
        assert_eq!(serving.writer(), "part-4-instance-1", "a crash is no failover");
    }

    let lag = "SELECT replica_lag_in_msec FROM aurora_replica_status() WHERE server_id = 'part-4-instance-3'";
    let milliseconds = || serving.value("writer", lag).parse::<f64>().unwrap();
    serving.ask("writer", "SELECT aurora_inject_replica_failure(100, 10, 'part-4-instance-3')").unwrap();
    until("its lag is seen", || {
        serving.ask("writer", "INSERT INTO t VALUES (1)").unwrap();
        milliseconds() > 500.0
    });
    // The other one goes on.
    let count = "SELECT count(*) FROM t";
    until("the other one has it", || {
        serving.value("part-4-instance-2", count) == serving.value("writer", count)
    });
    until("it is over", || serving.value("part-4-instance-3", count) == serving.value("writer", count));
    until("and its lag is gone", || milliseconds() < 500.0);
    serving.end();
}

#[test]
fn a_server_that_dies_unasked_is_started_again() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id int); INSERT INTO t VALUES (7)").unwrap();
    for (node, instance) in [("replica-1", "part-4-instance-2"), ("primary", "part-4-instance-1")] {
        let old = serving.postmaster(node).unwrap();
        kill(Pid::from_raw(old), Signal::SIGKILL).unwrap();
        until("another one runs", || serving.postmaster(node).is_some_and(|new| new != old));
        until("it is back", || serving.instance_status(instance) == "available");
        let events = serving.events(&format!("&SourceType=db-instance&SourceIdentifier={instance}"));
        let recovery = "Recovery of the DB instance is complete.".to_owned();
        assert!(
            events.contains(&recovery) && events.contains(&"DB instance restarted".to_owned()),
            "{events:?}"
        );
        assert!(serving.said().contains(&format!("{node} ended unasked")), "{}", serving.said());
    }
    until("the writer answers", || serving.ask("writer", "SELECT 1").is_ok());
    serving.ask("writer", "INSERT INTO t VALUES (8)").unwrap();
    assert_eq!(serving.value("writer", "SELECT count(*) FROM t"), "2");
    serving.end();
}

#[test]
fn a_server_that_cannot_start_has_failed_and_can_be_deleted() {
    let Some(serving) = Serving::start(&["--readers", "1", "--domain", "lab.test"]) else { return };
    let instance = "part-4-instance-2";
    let hosts = || std::fs::read_to_string(serving.facts["hosts"].as_str().unwrap()).unwrap();
    assert!(hosts().contains(instance));
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    let _spoiled = serving.spoil("replica-1");
    kill(Pid::from_raw(serving.postmaster("replica-1").unwrap()), Signal::SIGKILL).unwrap();
    until("it has failed", || serving.instance_status(instance) == "failed");
    until("commits wait for nobody", || serving.value("writer", "SHOW synchronous_standby_names").is_empty());
    let attempts = || serving.said().matches("replica-1 did not come back").count();
    until("it is tried again", || {
        assert_eq!(serving.instance_status(instance), "failed");
        attempts() >= 2
    });
    assert_eq!(serving.said().matches("replica-1 ended unasked").count(), 1, "{}", serving.said());

    let more = format!("&DBInstanceIdentifier={instance}&SkipFinalSnapshot=true");
    assert_eq!(serving.call("DeleteDBInstance", &more).ok().text("DBInstanceStatus"), "deleting");
    until("it is gone", || serving.call("DescribeDBInstances", &more).status == 404);
    until("its name is, too", || !hosts().contains(instance));
    assert!(hosts().contains("part-4-instance-1"));
    assert_eq!(serving.value("writer", "SELECT count(*) FROM pg_replication_slots"), "0");
    serving.ask("writer", "INSERT INTO t VALUES (1)").unwrap();
    serving.end();
}

#[test]
fn a_reader_and_its_writer_that_die_together_are_both_brought_back() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    // The reader is the first of the servers now.
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    serving.until_available();
    assert_eq!(serving.writer(), "part-4-instance-2");
    let nodes = ["primary", "replica-1"];
    let old = nodes.map(|node| serving.postmaster(node).unwrap());
    old.iter().for_each(|&pid| kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap());
    until("others run", || {
        nodes.iter().zip(old).all(|(node, old)| serving.postmaster(node).is_some_and(|new| new != old))
    });
    until("both are available", || {
        ["part-4-instance-1", "part-4-instance-2"]
            .iter()
            .all(|instance| serving.instance_status(instance) == "available")
    });
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    until("the reader follows", || {
        serving.value("part-4-instance-1", "SELECT to_regclass('t') IS NOT NULL") == "t"
    });
    serving.end();
}
