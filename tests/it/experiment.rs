//! `replab run` on real servers, from nothing to a verdict.

use std::fs;

use serde_json::Value;

use crate::lab::{Done, Lab, judgement};

fn count(judgement: &Value, name: &str) -> u64 {
    let counts = judgement["counts"].as_array().unwrap();
    let found = counts.iter().find(|count| count["name"] == name);
    found.unwrap_or_else(|| panic!("no count {name}: {counts:?}"))["value"].as_u64().unwrap()
}

/// What the report says was done to nodes: action, node, and whether it ever answered again.
fn recoveries(report: &Value) -> Vec<(&str, &str, bool)> {
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    recoveries
        .iter()
        .map(|r| (r["action"].as_str().unwrap(), r["node"].as_str().unwrap(), r["answered"].is_u64()))
        .collect()
}

#[track_caller]
fn assert_schema(report: &Value) {
    let schema = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/results.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&serde_json::from_slice(&schema).unwrap()).unwrap();
    if let Err(error) = validator.validate(report) {
        panic!("{error} at {}", error.instance_path());
    }
}

#[test]
fn forced_restarts_lose_nothing() {
    let Some(lab) = Lab::real() else { return };
    let done = lab
        .run(&[
            "run",
            "--duration",
            "4s",
            "--fault",
            "crash(primary)@1.5s,restart(replica-1)@2.5s",
            "--seed",
            "7",
        ])
        .exits(0);
    lab.assert_nothing_left();
    let lines: Vec<&str> = done.stdout.trim_end().lines().collect();
    assert!(
        lines[0].starts_with("✓ VALID  orders (8 clients), counter (8 clients) on local"),
        "{}",
        lines[0]
    );
    assert!(lines.last().unwrap().ends_with("exit 0"), "{:?}", lines.last());
    assert!(done.stderr.contains("seed 7"), "{}", done.stderr);
    assert!(done.stderr.contains("fault: crash primary: answers again"), "{}", done.stderr);

    for file in ["results.json", "report.html", "report.md", "junit.xml", "plan.toml", "nodes/primary.log"] {
        assert!(fs::metadata(lab.latest(file)).unwrap().len() > 0, "{file}");
    }
    assert!(fs::read_link(lab.runs().join("latest")).unwrap().is_relative());
    let report = lab.results();
    assert_schema(&report);
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"pass".into(), &0.into()));
    assert_eq!(recoveries(&report), [("crash", "primary", true), ("restart", "replica-1", true)]);
    assert!(report["figures"]["recoveries"][0]["first_success"].is_u64(), "nobody committed after the crash");
    for workload in ["orders", "counter"] {
        let durability = judgement(&report, workload, "durability", None);
        assert_eq!((&durability["claimed"], &durability["verdict"]), (&true.into(), &"pass".into()));
        assert!(count(durability, "acknowledged") > 10, "{durability}");
    }

    let again = lab.run(&["check", "latest", "--json"]).exits(0).json();
    assert_eq!(again["judgements"], report["judgements"]);
    assert_eq!(again["verdict"], report["verdict"]);
    // Who stores it can read it without replab.
    let orders = zstd::decode_all(&*fs::read(lab.latest("history/orders.jsonl.zst")).unwrap()).unwrap();
    let acknowledged = String::from_utf8(orders)
        .unwrap()
        .lines()
        .filter(|line| line.contains("\"reply\":{\"ordered\""))
        .count();
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!(acknowledged as u64, count(durability, "acknowledged"));
}

#[test]
fn without_synchronous_commit_a_crash_loses_what_was_acknowledged() {
    let Some(lab) = Lab::real() else { return };
    let args = [
        "run",
        "--duration",
        "2s",
        "--synchronous-commit",
        "off",
        "--require",
        "durability",
        "--clients",
        "16",
        "--fault",
        "crash(primary)@1s",
    ];
    // How much of the log a crash finds unwritten is a matter of chance.
    let lost = (0..8).any(|_| match lab.run(&args) {
        Done { code: Some(1), .. } => true,
        Done { code: Some(0), .. } => false,
        other => panic!("{other:?}"),
    });
    assert!(lost, "eight crashes at full load lost nothing");
    let report = lab.results();
    assert_schema(&report);
    let failed: Vec<&Value> = ["orders", "counter"]
        .map(|workload| judgement(&report, workload, "durability", None))
        .into_iter()
        .filter(|judgement| judgement["verdict"] == "fail")
        .collect();
    assert!(!failed.is_empty(), "{report:#}");
    for durability in &failed {
        assert_eq!(durability["claimed"], true);
        assert!(durability["violations"].as_u64().unwrap() > 0);
        let findings = durability["findings"].to_string();
        let named = if durability["workload"] == "orders" { "order " } else { "key " };
        assert!(findings.contains(named), "{findings}");
    }
    // Not required, the same loss is observed, and nobody promised otherwise.
    let plan = fs::read_to_string(lab.latest("run.json")).unwrap();
    let mut manifest: Value = serde_json::from_str(&plan).unwrap();
    let everywhere = manifest["claims"]["everywhere"].as_array_mut().unwrap();
    everywhere.retain(|guarantee| guarantee != "durability");
    fs::write(lab.latest("run.json"), manifest.to_string()).unwrap();
    let observed = lab.run(&["check", "--json"]).exits(0).json();
    for durability in failed {
        let workload = durability["workload"].as_str().unwrap();
        let judged = judgement(&observed, workload, "durability", None);
        assert_eq!((&judged["claimed"], &judged["verdict"]), (&false.into(), &"fail".into()));
        assert_eq!(judged["findings"], durability["findings"]);
    }
    assert!(lab.run(&["check"]).exits(0).stdout.contains("observed, not claimed: "));
    lab.run(&["check", "--require", "durability"]).exits(1);
    lab.assert_nothing_left();
}

#[test]
fn a_run_without_faults_says_so_and_can_miss_a_limit() {
    let Some(lab) = Lab::real() else { return };
    let limit = "errors.refused>=1000000000";
    let done = lab.run(&["run", "--json", "--duration", "1s", "--no-faults", "--threshold", limit]).exits(4);
    let report = done.json();
    assert_schema(&report);
    assert_eq!(report, lab.results());
    assert_eq!(report["verdict"], "pass", "a limit is no guarantee");
    assert_eq!(report["thresholds"][0]["verdict"], "fail");
    assert_eq!(recoveries(&report), []);
    assert!(report["not_checked"].to_string().contains("no fault was injected"), "{}", report["not_checked"]);
    assert!(done.stderr.contains("faults: none"), "{}", done.stderr);
    lab.assert_nothing_left();
}

#[test]
fn orders_alone_end_after_as_many_writes_as_planned() {
    let Some(lab) = Lab::real() else { return };
    let done = lab.run(&[
        "run",
        "orders",
        "--duration",
        "10m",
        "--operations",
        "300",
        "--no-faults",
        "--threshold",
        "latency.order.p99<1us",
    ]);
    let report = lab.results();
    // A lab that was too slow itself cannot say that the servers were.
    let tainted = !report["figures"]["lab"]["taints"].as_array().unwrap().is_empty();
    let (verdict, code) = if tainted { ("unknown", 3) } else { ("fail", 4) };
    assert_eq!(report["thresholds"][0]["verdict"], verdict, "{}", report["thresholds"]);
    assert!(done.exits(code).stdout.contains("300 writes within 600 s"), "not the time alone");
    let orders = report["figures"]["operations"].as_array().unwrap();
    let orders: Vec<&Value> = orders.iter().filter(|of| of["operation"] == "order").collect();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(orders[0]["invoked"], 300);
    assert_eq!(judgement(&report, "orders", "durability", None)["verdict"], "pass");
    assert!(
        report["judgements"].as_array().unwrap().iter().all(|judgement| judgement["workload"] == "orders")
    );
    assert!(report["not_checked"].to_string().contains("Workloads that did not run: counter"));
    assert!(!lab.latest("history/counter.jsonl.zst").exists());
}

#[test]
fn a_limit_on_what_was_not_measured_is_unknown() {
    let Some(lab) = Lab::real() else { return };
    let args = ["run", "counter", "--duration", "2s", "--fault"];
    let faults = ["stop(primary,immediate)@500ms,start(primary)@1s", "--threshold", "latency.order.p99<1s"];
    lab.run(&[&args[..], &faults].concat()).exits(3);
    let report = lab.results();
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"pass".into(), &3.into()));
    assert_eq!(report["thresholds"][0]["verdict"], "unknown");
    assert!(report["thresholds"][0]["measured"].is_null());
    assert_eq!(recoveries(&report), [("stop immediate", "primary", true), ("start", "primary", true)]);
    assert!(
        report["judgements"].as_array().unwrap().iter().all(|judgement| judgement["workload"] == "counter")
    );
    lab.assert_nothing_left();
}

#[test]
fn what_the_schedule_leaves_down_is_healed_at_the_end() {
    let Some(lab) = Lab::real() else { return };
    let args =
        ["run", "--replicas", "2", "--duration", "2s", "--fault", "kill(primary)@1s,kill(replica-2)@1200ms"];
    lab.run(&args).exits(0);
    let report = lab.results();
    assert_eq!(report["nodes"].as_array().unwrap().len(), 3);
    let mut done = recoveries(&report);
    done.sort_unstable();
    assert_eq!(
        done,
        [
            ("kill", "primary", true),
            ("kill", "replica-2", true),
            ("start", "primary", true),
            ("start", "replica-2", true)
        ]
    );
    for replica in ["replica-1", "replica-2"] {
        let atomicity = judgement(&report, "orders", "atomicity", Some(replica));
        assert_eq!(atomicity["verdict"], "pass", "{atomicity}");
    }
    let convergence = judgement(&report, "orders", "convergence", None)["summary"].as_str().unwrap();
    assert!(convergence.starts_with("6 of 6 tables of 2 replicas"), "{convergence}");
    lab.assert_nothing_left();
}

#[test]
fn what_holds_a_node_up_is_lifted_at_the_end() {
    let Some(lab) = Lab::real() else { return };
    let faults = "pause(primary)@400ms,resume(primary)@700ms,freeze(replica-1)@500ms,pause-replay(replica-1)@600ms,\
                  pause(primary)@1500ms";
    lab.run(&["run", "--duration", "2s", "--fault", faults]).exits(0);
    let report = lab.results();
    let mut done = recoveries(&report);
    done.sort_unstable();
    assert_eq!(
        done,
        [
            ("freeze", "replica-1", false),
            ("pause", "primary", true),
            ("pause", "primary", true),
            ("pause-replay", "replica-1", false),
            ("resume", "primary", true),
            ("resume", "primary", true),
            ("resume-replay", "replica-1", false),
            ("thaw", "replica-1", false),
        ]
    );
    assert_eq!(judgement(&report, "orders", "durability", None)["verdict"], "pass");
    assert_eq!(judgement(&report, "orders", "convergence", None)["verdict"], "pass");
    lab.assert_nothing_left();
}

/// Acknowledged and lost: orders and increments.
fn lost(report: &Value) -> [u64; 2] {
    [
        count(judgement(report, "orders", "durability", None), "acknowledged and absent"),
        count(judgement(report, "counter", "durability", None), "acknowledged and lost"),
    ]
}

#[test]
fn a_failover_to_a_synchronous_standby_loses_nothing() {
    let Some(lab) = Lab::real() else { return };
    let faults = "kill(writer)@1s,promote(best)@1.2s,rejoin(primary)@2s,switchover(primary)@3s";
    let flags = ["run", "--replicas", "2", "--sync-standbys", "ANY 1", "--duration", "4s", "--fault", faults];
    lab.run(&flags).exits(0);
    let report = lab.results();
    assert_schema(&report);
    assert_eq!(lost(&report), [0, 0]);
    for workload in ["orders", "counter"] {
        let durability = judgement(&report, workload, "durability", None);
        assert_eq!((&durability["verdict"], &durability["claimed"]), (&"pass".into(), &true.into()));
        assert_eq!(judgement(&report, workload, "convergence", None)["verdict"], "pass");
    }
    let done = recoveries(&report);
    let verbs: Vec<&str> = done.iter().map(|(verb, ..)| *verb).collect();
    assert_eq!(verbs, ["kill", "promote", "rejoin", "switchover"]);
    // Writes came back, wherever; the kill's own way back is the promotion.
    let figures = report["figures"]["recoveries"].as_array().unwrap();
    for figure in [&figures[0], &figures[1], &figures[3]] {
        assert!(figure["first_success"].is_u64() && figure["unavailable"].is_u64(), "{figure}");
    }
    let writer = &report["figures"]["availability"][0];
    assert_eq!(writer["node"], "writer");
    assert!(!writer["gaps"].as_array().unwrap().is_empty(), "{writer}");
    lab.assert_nothing_left();
}

#[test]
fn a_failover_to_a_replica_that_was_behind_loses_and_says_what() {
    let Some(lab) = Lab::real() else { return };
    let faults = "freeze(replica-1)@1s,kill(writer)@1.5s,promote(best)@1.5s";
    lab.run(&["run", "--duration", "3s", "--fault", faults]).exits(0);
    let report = lab.results();
    let [orders, increments] = lost(&report);
    assert!(orders > 0 && increments > 0, "{orders} {increments}");
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!((&durability["verdict"], &durability["claimed"]), (&"fail".into(), &false.into()));
    assert_eq!(count(durability, "gaps"), 0, "only the end is lost");
    let named = durability["findings"].as_array().unwrap();
    assert!(named[0]["message"].as_str().unwrap().ends_with("is absent"), "{named:?}");
    assert_eq!(
        judgement(&report, "orders", "convergence", None)["verdict"],
        "pass",
        "it came back and was rewound"
    );
    lab.run(&["check", "--require", "durability"]).exits(1);
    lab.assert_nothing_left();
}

#[test]
fn a_commit_whose_wait_was_cancelled_is_acknowledged_with_a_warning_and_lost() {
    let Some(lab) = Lab::real() else { return };
    let faults = "freeze(replica-1)@1s,cancel-sync-wait(primary)@1.4s,kill(writer)@1.5s,promote(best)@1.5s";
    let flags = ["run", "--sync-standbys", "ANY 1", "--duration", "3s", "--fault", faults];
    lab.run(&flags).exits(0);
    let report = lab.results();
    let forewarned = |workload| {
        let durability = judgement(&report, workload, "durability", None);
        assert_eq!(
            (&durability["verdict"], &durability["claimed"]),
            (&"pass".into(), &true.into()),
            "{durability}"
        );
        assert!(count(durability, "acknowledged with a warning") > 0, "{durability}");
        count(durability, "acknowledged with a warning and lost in a failover")
    };
    assert!(forewarned("orders") + forewarned("counter") > 0);
    lab.assert_nothing_left();
}

#[test]
fn sessions_that_are_ended_come_back() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["run", "--duration", "2s", "--fault", "terminate(primary)@800ms,terminate(replica-1)@900ms"])
        .exits(0);
    let report = lab.results();
    let errors = report["figures"]["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["sqlstate"] == "57P01"), "{errors:?}");
    assert_eq!(lost(&report), [0, 0]);
    lab.assert_nothing_left();
}

/// Deadlines that pass while a node is cut off.
fn impatient(lab: &Lab) {
    let deadlines = "[load]\nstatement_deadline = \"1s\"\nconnect_deadline = \"1s\"\n";
    fs::write(lab.path().join("replab.toml"), deadlines).unwrap();
}

#[test]
fn clients_that_are_cut_off_know_nothing_and_nothing_is_lost() {
    let Some(lab) = Lab::real() else { return };
    impatient(&lab);
    let faults = "isolate(primary,clients)@1.5s,reconnect(primary)@3.5s,isolate(replica-1)@4s,reset(primary,clients)@4.5s,\
                  slow(primary,latency=5ms)@5s";
    lab.run(&["run", "--duration", "6s", "--fault", faults]).exits(0);
    let report = lab.results();
    assert_schema(&report);
    assert_eq!(lost(&report), [0, 0]);
    let mut done = recoveries(&report);
    done[5..].sort_unstable();
    assert_eq!(
        done,
        [
            ("isolate", "primary", true),
            ("reconnect", "primary", true),
            ("isolate", "replica-1", true),
            ("reset", "primary", true),
            ("slow", "primary", false),
            ("reconnect", "replica-1", true),
            ("speed-up", "primary", false),
        ]
    );
    let cut = &report["figures"]["recoveries"][0];
    assert!(cut["unavailable"].as_u64().unwrap() >= 1_500_000_000, "{cut}");
    assert!(cut["first_success"].as_u64().unwrap() >= 3_500_000_000, "{cut}");
    let unknown = |workload| {
        let operations = report["figures"]["operations"].as_array().unwrap().clone();
        operations
            .iter()
            .filter(|of| of["workload"] == workload)
            .map(|of| of["info"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert!(unknown("orders") > 0 && unknown("counter") > 0, "{}", report["figures"]["operations"]);
    for workload in ["orders", "counter"] {
        assert_eq!(judgement(&report, workload, "durability", None)["verdict"], "pass");
        assert_eq!(judgement(&report, workload, "convergence", None)["verdict"], "pass");
    }
    let gaps = report["not_checked"].to_string();
    assert!(
        gaps.contains("Network faults beyond those injected") && gaps.contains("no replica was promoted"),
        "{gaps}"
    );
    lab.assert_nothing_left();
}

#[test]
fn a_replica_that_was_cut_off_and_is_promoted_has_lost_the_time_since() {
    let Some(lab) = Lab::real() else { return };
    let faults = "isolate(replica-1,peers)@1s,kill(writer)@1.6s,promote(replica-1)@1.6s";
    lab.run(&["run", "--duration", "3s", "--fault", faults]).exits(0);
    let report = lab.results();
    let [orders, increments] = lost(&report);
    assert!(orders > 0 && increments > 0, "{orders} {increments}");
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!((&durability["verdict"], &durability["claimed"]), (&"fail".into(), &false.into()));
    assert_eq!(count(durability, "gaps"), 0, "only the end is lost");
    let convergence = judgement(&report, "orders", "convergence", None);
    assert_eq!(convergence["verdict"], "pass", "it was reconnected, and the old primary rewound");
    assert!(!report["not_checked"].to_string().contains("no replica was promoted"));
    lab.run(&["check", "--require", "durability"]).exits(1);
    lab.assert_nothing_left();
}
