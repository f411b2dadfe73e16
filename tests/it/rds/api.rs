//! The API of a cluster with nothing but a writer: who may ask, and what is refused.

use chrono::{TimeDelta, Utc};

use super::serving::{KEY_ID, SECRET, Serving};
use super::signed;

const DESCRIBE: &str = "Action=DescribeDBClusters&Version=2014-10-31";

#[test]
fn who_may_ask_and_what_is_refused() {
    let Some(serving) = Serving::start(&["--readers", "0"]) else { return };
    let api = serving.api().to_owned();
    let now = Utc::now();
    let refusal = |key, secret, now| signed::post(&api, DESCRIBE, key, secret, now).refusal();
    let ok = signed::post(&api, DESCRIBE, KEY_ID, SECRET, now).ok();
    assert_eq!(ok.text("DBClusterIdentifier"), "part-4");
    assert_eq!(signed::send(&api, DESCRIBE, "").refusal(), (403, "MissingAuthenticationToken".to_owned()));
    assert_eq!(refusal(KEY_ID, "other", now), (403, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(refusal("AKIDOTHER", SECRET, now), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(refusal(KEY_ID, SECRET, now - TimeDelta::minutes(20)), (400, "RequestExpired".to_owned()));

    let refused = |action: &str, more: &str| serving.call(action, more).refusal();
    assert_eq!(refused("CreateDBCluster", ""), (400, "InvalidAction".to_owned()));
    assert_eq!(refused("FailoverDBCluster", ""), (400, "MissingParameter".to_owned()));
    let (cluster, other) = ("&DBClusterIdentifier=part-4", "&DBClusterIdentifier=part-5");
    for action in ["DescribeDBClusters", "DescribeDBClusterEndpoints", "FailoverDBCluster", "StopDBCluster"] {
        assert_eq!(refused(action, other), (404, "DBClusterNotFoundFault".to_owned()), "{action}");
    }
    for action in ["DescribeDBInstances", "RebootDBInstance", "DeleteDBInstance"] {
        let more = "&DBInstanceIdentifier=nobody";
        assert_eq!(refused(action, more), (404, "DBInstanceNotFound".to_owned()), "{action}");
    }
    let state = (400, "InvalidDBClusterStateFault".to_owned());
    assert_eq!(refused("FailoverDBCluster", cluster), state, "there is no reader");
    assert_eq!(refused("StartDBCluster", cluster), state, "it runs");
    let writer = "&DBInstanceIdentifier=part-4-instance-1";
    assert_eq!(refused("DeleteDBInstance", writer), (400, "InvalidDBInstanceState".to_owned()));
    let force = format!("{writer}&ForceFailover=true");
    assert_eq!(refused("RebootDBInstance", &force), (400, "InvalidParameterCombination".to_owned()));
    let filter = "&Filters.Filter.1.Name=colour&Filters.Filter.1.Values.Value.1=red";
    for action in ["DescribeDBClusters", "DescribeDBInstances", "DescribeDBClusterEndpoints"] {
        assert_eq!(refused(action, filter), (400, "InvalidParameterValue".to_owned()), "{action}");
    }
    let identifier = "&SourceIdentifier=part-4";
    assert_eq!(refused("DescribeEvents", identifier), (400, "InvalidParameterCombination".to_owned()));

    without_a_reader(&serving);
    serving.end();
}

/// Nobody waits for a standby, and the reader endpoint leads to the writer.
fn without_a_reader(serving: &Serving) {
    serving.ask("writer", "CREATE TABLE t (id int)").unwrap();
    serving.ask("reader", "INSERT INTO t VALUES (1)").unwrap();
    assert_eq!(serving.instance_at("reader"), "part-4-instance-1");
    assert_eq!(serving.value("writer", "SHOW synchronous_standby_names"), "");
}
