//! The same experiment on processes and on containers.

use std::fs;

use serde_json::Value;

use crate::lab::{self, Lab};

/// What the report says of every guarantee that the run claimed.
fn claimed(report: &Value) -> Vec<[String; 4]> {
    let judgements = report["judgements"].as_array().unwrap().iter();
    let claimed = judgements.filter(|judgement| judgement["claimed"] == true);
    claimed.map(|of| ["workload", "guarantee", "node", "verdict"].map(|key| of[key].to_string())).collect()
}

/// What was done to which node, and whether that was seen to end.
fn faults(report: &Value) -> Vec<(Value, Value, bool)> {
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    let done = |of: &Value| (of["action"].clone(), of["node"].clone(), of["answered"].is_u64());
    recoveries.iter().map(done).collect()
}

#[test]
fn the_same_scenario_has_the_same_verdict_on_processes_and_on_containers() {
    if !lab::require_pg() {
        return;
    }
    let Some((lab, image)) = Lab::with_docker() else { return };
    let plan = "[load]\nduration = \"6s\"\nseed = 7\n\
                [faults]\nschedule = \"crash(primary)@1s,restart(replica-1)@3s\"\n";
    fs::write(lab.path().join("replab.toml"), plan).unwrap();
    let run = |kind: &str, more: &[&str]| {
        let done = lab.run(&[&["run", "-t", kind], more].concat()).exits(0);
        let head = format!("on {kind}, 1 primary + 1 replica");
        assert!(done.stdout.contains(&head), "{head}: {}", done.stdout);
        lab.assert_nothing_left();
        lab.results()
    };
    let (local, compose) = (run("local", &[]), run("compose", &["--image", &image]));
    assert_eq!((&compose["verdict"], &compose["exit_code"]), (&local["verdict"], &local["exit_code"]));
    assert_eq!(claimed(&compose), claimed(&local));
    assert!(claimed(&compose).len() > 6, "{:?}", claimed(&compose));
    let settings = |report: &Value| {
        let nodes = report["nodes"].as_array().unwrap();
        nodes.iter().map(|node| (node["node"].clone(), node["settings"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(settings(&compose), settings(&local), "both are set alike");
    assert_eq!(faults(&compose), faults(&local));
    assert!(faults(&compose).iter().all(|(_, _, answered)| *answered) && faults(&compose).len() == 2);
    for log in ["primary.log", "replica-1.log", "compose.log"] {
        assert!(fs::metadata(lab.latest("nodes").join(log)).unwrap().len() > 0, "{log}");
    }
}

#[test]
fn the_same_failover_has_the_same_verdict_on_processes_and_on_containers() {
    if !lab::require_pg() {
        return;
    }
    let Some((lab, image)) = Lab::with_docker() else { return };
    let plan = "[topology]\nsynchronous_standbys = \"ANY 1\"\nreplicas = 2\n\
                [load]\nduration = \"8s\"\nseed = 7\n\
                [faults]\nschedule = \"kill(writer)@3s,promote(best)@3200ms\"\n";
    fs::write(lab.path().join("replab.toml"), plan).unwrap();
    let run = |kind: &str, more: &[&str]| {
        lab.run(&[&["run", "-t", kind], more].concat()).exits(0);
        lab.assert_nothing_left();
        lab.results()
    };
    let (local, compose) = (run("local", &[]), run("compose", &["--image", &image]));
    assert_eq!((&compose["verdict"], &compose["exit_code"]), (&local["verdict"], &local["exit_code"]));
    // Which of two replicas has more is not the plan's, so the nodes have other names.
    let found = |report: &Value| {
        let of = |[workload, guarantee, _, verdict]: [String; 4]| [workload, guarantee, verdict];
        let mut found: Vec<_> = claimed(report).into_iter().map(of).collect();
        found.sort();
        found
    };
    let moved = |report: &Value| {
        let done = |(action, _, over): (Value, Value, bool)| (action, over);
        faults(report).into_iter().map(done).collect::<Vec<_>>()
    };
    assert_eq!((found(&compose), moved(&compose)), (found(&local), moved(&local)));
    let kept = ["\"orders\"", "\"durability\"", "\"pass\""].map(str::to_owned);
    assert!(found(&compose).contains(&kept), "{:?}", found(&compose));
    let actions: Vec<Value> = moved(&compose).into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["kill", "promote", "rejoin"], "and the end puts everything right");
}

#[test]
fn a_replica_that_was_cut_off_and_is_promoted_loses_the_same_on_processes_and_on_containers() {
    if !lab::require_pg() {
        return;
    }
    let Some((lab, image)) = Lab::with_docker() else { return };
    let plan = "[load]\nduration = \"6s\"\nseed = 7\n\
                [faults]\nschedule = \"isolate(replica-1,peers)@1s,kill(writer)@2s,promote(replica-1)@2s\"\n";
    fs::write(lab.path().join("replab.toml"), plan).unwrap();
    let run = |kind: &str, more: &[&str]| {
        lab.run(&[&["run", "-t", kind], more].concat()).exits(0);
        lab.assert_nothing_left();
        let report = lab.results();
        let durability =
            report["judgements"].as_array().unwrap().iter().filter(|of| of["guarantee"] == "durability");
        let found: Vec<_> = durability.map(|of| (&of["claimed"], &of["verdict"])).collect();
        assert_eq!(found, [(&false.into(), &"fail".into()); 2], "{kind}: lost, and not claimed");
        report
    };
    let (local, compose) = (run("local", &[]), run("compose", &["--image", &image]));
    assert_eq!((&compose["verdict"], &compose["exit_code"]), (&local["verdict"], &local["exit_code"]));
    assert_eq!(claimed(&compose), claimed(&local));
    assert_eq!(faults(&compose), faults(&local));
    let actions: Vec<Value> = faults(&compose).into_iter().map(|(action, _, _)| action).collect();
    assert_eq!(actions, ["isolate", "kill", "promote", "reconnect", "rejoin"]);
    assert!(compose["not_checked"].to_string().contains("nodes were taken off their networks as a whole"));
}
