//! Readers that come and go; the whole cluster stopped and started; tags.

use super::serving::Serving;
use crate::lab::until;

#[test]
fn readers_come_and_go() {
    let Some(serving) = Serving::start(&["--readers", "0"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id int); INSERT INTO t VALUES (1)").unwrap();
    let new = "&DBClusterIdentifier=part-4&DBInstanceIdentifier=Extra&DBInstanceClass=db.r6g.large\
        &Engine=aurora-postgresql&PromotionTier=0";
    let asked = serving.call("CreateDBInstance", new).ok();
    assert_eq!(asked.text("DBInstanceStatus"), "creating");
    assert_eq!(serving.call("CreateDBInstance", new).refusal(), (400, "DBInstanceAlreadyExists".to_owned()));
    until("it is there", || serving.instance_status("extra") == "available");
    assert_eq!(serving.instance_at("extra"), "extra");
    assert_eq!(serving.instance_at("reader"), "extra");
    assert_eq!(serving.value("extra", "SELECT count(*) FROM t"), "1");
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "ANY 1 (*)");

    // It becomes the writer, and then the first one can go.
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    serving.until_available();
    assert_eq!(serving.writer(), "extra");
    let old = "&DBInstanceIdentifier=part-4-instance-1&SkipFinalSnapshot=true";
    assert_eq!(serving.call("DeleteDBInstance", old).ok().text("DBInstanceStatus"), "deleting");
    until("it is gone", || {
        let more = "&DBInstanceIdentifier=part-4-instance-1";
        serving.call("DescribeDBInstances", more).status == 404
    });
    assert_eq!(serving.postmaster("primary"), None);
    let slots = "SELECT count(*) FROM pg_replication_slots";
    assert_eq!(serving.value("writer", slots), "0", "nothing is kept for it");
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "");
    serving.ask("writer", "INSERT INTO t VALUES (2)").unwrap();
    let events = serving.events("&SourceType=db-instance");
    assert!(events.contains(&"DB instance deleted".to_owned()), "{events:?}");
    serving.end();
}

#[test]
fn a_cluster_is_stopped_and_started() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    serving.ask("writer", "CREATE TABLE t (id int); INSERT INTO t VALUES (1)").unwrap();
    let cluster = "&DBClusterIdentifier=part-4";
    assert_eq!(serving.call("StopDBCluster", cluster).ok().text("Status"), "stopping");
    until("it is stopped", || serving.status() == "stopped");
    assert_eq!(serving.instance_status("part-4-instance-2"), "stopped");
    assert_eq!((serving.postmaster("primary"), serving.postmaster("replica-1")), (None, None));
    assert!(serving.ask("writer", "SELECT 1").is_err() && serving.ask("reader", "SELECT 1").is_err());
    for action in ["FailoverDBCluster", "StopDBCluster"] {
        let refused = serving.call(action, cluster).refusal();
        assert_eq!(refused, (400, "InvalidDBClusterStateFault".to_owned()), "{action}");
    }
    let reboot = serving.call("RebootDBInstance", "&DBInstanceIdentifier=part-4-instance-2").refusal();
    assert_eq!(reboot, (400, "InvalidDBInstanceState".to_owned()));
    // As a server asks for its crash, which would start it again.
    let request = "{\"node\": \"replica-1\", \"inject\": \"crash\"}\n";
    std::fs::write(serving.data("replica-1").join("replab_aurora_request.1"), request).unwrap();
    until("it is heard", || {
        assert_eq!(serving.instance_status("part-4-instance-2"), "stopped");
        serving.said().contains("replica-1 is left alone: the cluster is stopped")
    });
    assert_eq!(serving.postmaster("replica-1"), None);
    assert_eq!(serving.call("StartDBCluster", cluster).ok().text("Status"), "starting");
    serving.until_available();
    assert_eq!(serving.value("reader", "SELECT count(*) FROM t"), "1");
    let events = serving.events("&SourceType=db-cluster");
    assert_eq!(events, ["DB cluster created", "DB cluster stopped", "DB cluster started"]);
    tags(&serving);
    serving.end();
}

#[test]
fn what_cannot_start_keeps_no_other_one_down() {
    let Some(serving) = Serving::start(&[]) else { return };
    let cluster = "&DBClusterIdentifier=part-4";
    serving.call("StopDBCluster", cluster).ok();
    until("it is stopped", || serving.status() == "stopped");
    let spoiled = serving.spoil("replica-1");
    serving.call("StartDBCluster", cluster).ok();
    serving.until_available();
    let statuses =
        || ["1", "2", "3"].map(|number| serving.instance_status(&format!("part-4-instance-{number}")));
    assert_eq!(statuses(), ["available", "failed", "available"]);
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    assert_eq!(serving.instance_at("reader"), "part-4-instance-3");
    spoiled.undo();
    until("it is tried again", || statuses() == ["available"; 3]);
    serving.end();
}

fn tags(serving: &Serving) {
    let arn = serving.call("DescribeDBClusters", "").ok().text("DBClusterArn");
    let resource = format!("&ResourceName={}", arn.replace(':', "%3A"));
    let listed = || {
        let tags = serving.call("ListTagsForResource", &resource).ok().all("Tag");
        tags.iter().map(|tag| (tag.text("Key"), tag.text("Value"))).collect::<Vec<_>>()
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(listed(), [pair("replab:faults", "allowed")]);
    serving.call("AddTagsToResource", &format!("{resource}&Tags.Tag.1.Key=a&Tags.Tag.1.Value=1")).ok();
    serving.call("RemoveTagsFromResource", &format!("{resource}&TagKeys.member.1=replab%3Afaults")).ok();
    assert_eq!(listed(), [pair("a", "1")]);
}
