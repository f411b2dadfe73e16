//! A control plane that misbehaves on purpose.

use std::time::{Duration, Instant};

use super::serving::Serving;
use crate::lab::until;

#[test]
fn a_failover_may_be_accepted_and_not_performed() {
    let Some(serving) = Serving::start(&["--readers", "1", "--drop-failover", "1"]) else { return };
    serving.call("FailoverDBCluster", "&DBClusterIdentifier=part-4").ok();
    until("it is dropped", || serving.said().contains("will not be performed"));
    assert_eq!((serving.status().as_str(), serving.writer().as_str()), ("available", "part-4-instance-1"));
    assert_eq!(serving.events("&EventCategories.EventCategory.1=failover"), [""; 0]);
    serving.end();
}

#[test]
fn requests_are_throttled_and_states_last() {
    let more = ["--readers", "1", "--throttle", "0.5", "--seed", "3", "--slow-states", "700"];
    let Some(serving) = Serving::start(&more) else { return };
    let answers: Vec<(u16, bool)> = (0..40)
        .map(|_| serving.call("DescribeDBClusters", ""))
        .map(|answer| (answer.status, answer.xml.contains("<Code>Throttling</Code>")))
        .collect();
    let throttled = answers.iter().filter(|answer| **answer == (400, true)).count();
    assert_eq!(answers.iter().filter(|answer| **answer == (200, false)).count(), 40 - throttled);
    assert!((8..33).contains(&throttled), "{throttled} of 40");

    let reboot = "&DBInstanceIdentifier=part-4-instance-2";
    #[expect(clippy::disallowed_methods, reason = "how long a state lasts is what is tested")]
    let begin = Instant::now();
    until("it is accepted", || serving.call("RebootDBInstance", reboot).status == 200);
    until("it is over", || {
        let answer = serving.call("DescribeDBInstances", reboot);
        answer.status == 200 && answer.text("DBInstanceStatus") == "available"
    });
    assert!(begin.elapsed() >= Duration::from_millis(700));
    serving.end();
}
