//! Transactions on lists and registers, and counters of one client each, on real servers.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::lab::{Lab, judgement};

/// How often an anomaly was found in the transactions of a workload, all endpoints together.
fn anomaly(report: &Value, workload: &str, name: &str) -> u64 {
    let all = report["transactions"][workload]["anomalies"].as_array().unwrap();
    all.iter().find(|one| one["name"] == name).map_or(0, |one| one["count"].as_u64().unwrap())
}

/// `replab run WORKLOAD` without faults, so many writes, everything claimed held.
fn run(lab: &Lab, workload: &str, more: &[&str]) -> Value {
    let bounded = ["run", workload, "--no-faults", "--duration", "2m", "--seed", "5"];
    lab.run(&[&bounded[..], more].concat()).exits(0);
    serde_json::from_slice(&fs::read(lab.latest("results.json")).unwrap()).unwrap()
}

#[test]
fn serializable_lists_are_serializable_on_the_primary_and_snapshots_on_the_replica() {
    let Some(lab) = Lab::real() else { return };
    let report = run(&lab, "append", &["--operations", "3000"]);
    for (node, model) in [("primary", "serializable"), ("replica-1", "snapshot-isolation")] {
        let found = judgement(&report, "append", "isolation", Some(node));
        assert_eq!((&found["verdict"], &found["claimed"]), (&"pass".into(), &true.into()), "{found}");
        assert!(
            found["summary"].as_str().unwrap().contains(&format!("no counter-example to {model}")),
            "{found}"
        );
    }
    assert_eq!(judgement(&report, "append", "durability", None)["verdict"], "pass");
    // The file is judged as the run was.
    let file = lab.latest("history/append.jsonl.zst");
    let checked = lab.run(&["check", file.to_str().unwrap(), "--model", "read-committed", "--json"]).exits(0);
    let document: Value = serde_json::from_str(&checked.stdout).unwrap();
    let of_run = &report["transactions"]["append"];
    for field in ["transactions", "acknowledged", "anomaly-types", "not"] {
        assert_eq!(document[field], of_run[field], "{field}");
    }
    // A run knows its nodes by their order, a file by that of their first use.
    let nodes = |found: &Value| {
        let nodes = found["nodes"].as_array().unwrap().iter();
        nodes.map(|node| (node["name"].to_string(), node.clone())).collect::<BTreeMap<String, Value>>()
    };
    assert_eq!(nodes(&document), nodes(of_run));
    let page = fs::read_to_string(lab.latest("report.html")).unwrap();
    assert!(page.contains("Transactions on lists"), "the page has a section of them");
}

#[test]
fn repeatable_read_lets_write_skew_through() {
    let Some(lab) = Lab::real() else { return };
    for workload in ["append", "register"] {
        let report =
            run(&lab, workload, &["--isolation", "repeatable-read", "--keys", "3", "--operations", "4000"]);
        let primary = judgement(&report, workload, "isolation", Some("primary"));
        assert_eq!((&primary["verdict"], &primary["claimed"]), (&"pass".into(), &true.into()), "{primary}");
        let summary = primary["summary"].as_str().unwrap();
        assert!(
            summary.contains("at repeatable read on primary, no counter-example to snapshot-isolation"),
            "{summary}"
        );
        let required = ["check", "latest", "--require", "isolation", "--json"];
        lab.run(&required).exits(0);
        // Of lists every read tells the order of versions, so that hundreds are found. Of registers most orders stay unknown.
        let skews = anomaly(&report, workload, "G2-item");
        assert!(skews > 0 || workload == "register", "{}", report["transactions"][workload]["anomaly-types"]);
        if workload == "append" {
            // What the servers said of the transactions of an anomaly, a run has in memory.
            let found = &report["transactions"]["append"]["anomalies"][0]["transactions"];
            let steps = found.as_array().unwrap();
            assert!(steps.iter().any(|step| step["xid"].is_u64() && step["lsn"].is_string()), "{steps:?}");
        }
        if skews == 0 {
            continue;
        }
        // What was found is cut down to a few transactions, and can be judged again.
        let part = lab.path().join(format!("{workload}.edn"));
        let part = part.to_str().unwrap();
        lab.run(&["shrink", "latest", "write-skew", "--format", "edn", "--output", part]).exits(0);
        let again = lab.run(&["check", part, "--model", "serializable", "--json"]).exits(1);
        let document: Value = serde_json::from_str(&again.stdout).unwrap();
        let anomalies = document["anomaly-types"].as_array().unwrap();
        assert!(anomalies.contains(&"G2-item".into()), "{anomalies:?}");
        assert!(document["transactions"].as_u64().unwrap() <= 6, "{document}");
    }
}

#[test]
fn counters_form_a_chain_on_each_node() {
    let Some(lab) = Lab::real() else { return };
    let report = run(&lab, "counters", &["--operations", "4000"]);
    for node in ["primary", "replica-1"] {
        let found = judgement(&report, "counters", "isolation", Some(node));
        assert_eq!((&found["verdict"], &found["claimed"]), (&"pass".into(), &true.into()), "{found}");
    }
    // Whether two readers came by at the right moment is chance; the anomaly `long-fork` makes it happen.
    assert_eq!(judgement(&report, "counters", "snapshot-order", None)["claimed"], false);
}

#[test]
fn lists_survive_a_crash_of_the_primary() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["run", "append", "--duration", "3s", "--fault", "crash(primary)@1.5s", "--seed", "7"]).exits(0);
    let report: Value = serde_json::from_slice(&fs::read(lab.latest("results.json")).unwrap()).unwrap();
    for guarantee in ["durability", "exactly-once", "convergence"] {
        assert_eq!(judgement(&report, "append", guarantee, None)["verdict"], "pass", "{guarantee}");
    }
    assert_eq!(judgement(&report, "append", "isolation", Some("primary"))["verdict"], "pass");
    lab.assert_nothing_left();
}
