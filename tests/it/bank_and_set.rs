//! `replab run bank` and `replab run set` on real servers.

use serde_json::Value;

use crate::lab::{Lab, judgement};

fn count(judgement: &Value, name: &str) -> u64 {
    let counts = judgement["counts"].as_array().unwrap();
    let found = counts.iter().find(|count| count["name"] == name);
    found.unwrap_or_else(|| panic!("no count {name}: {counts:?}"))["value"].as_u64().unwrap()
}

#[test]
fn transfers_that_are_serializable_keep_the_total() {
    let Some(lab) = Lab::real() else { return };
    let faults = "crash(primary)@1s,restart(replica-1)@2s";
    for level in ["serializable", "repeatable-read"] {
        let args =
            ["run", "bank", "--duration", "3s", "--keys", "2", "--isolation", level, "--fault", faults];
        lab.run(&args).exits(0);
        let report = lab.results();
        for node in ["primary", "replica-1"] {
            let isolation = judgement(&report, "bank", "isolation", Some(node));
            assert_eq!(
                (&isolation["claimed"], &isolation["verdict"]),
                (&true.into(), &"pass".into()),
                "{level}"
            );
            assert!(count(isolation, "reads judged") > 1, "{isolation}");
            assert!(count(isolation, "transfers acknowledged") > 0, "{isolation}");
        }
        let convergence = judgement(&report, "bank", "convergence", None);
        assert_eq!((&convergence["claimed"], &convergence["verdict"]), (&true.into(), &"pass".into()));
        // Eight clients and two accounts: most transfers come too late, and the server says so.
        let errors = report["figures"]["errors"].to_string();
        assert!(errors.contains("40001"), "{level}: {errors}");
        // What was not looked at is said.
        assert!(report["not_checked"].to_string().contains("each transfer of the bank"), "{report:#}");
    }
    lab.assert_nothing_left();
}

#[test]
fn read_committed_loses_updates_and_the_total_drifts() {
    let Some(lab) = Lab::real() else { return };
    // Two accounts: every transfer writes the rows that every other one has read. All that ends the run is the number of
    // transfers that were begun.
    let args = [
        "run",
        "bank",
        "--isolation",
        "read-committed",
        "--keys",
        "2",
        "--clients",
        "16",
        "--operations",
        "4000",
        "--duration",
        "120s",
        "--no-faults",
    ];
    lab.run(&args).exits(0);
    let report = lab.results();
    for node in ["primary", "replica-1"] {
        let isolation = judgement(&report, "bank", "isolation", Some(node));
        assert_eq!(
            (&isolation["claimed"], &isolation["verdict"]),
            (&false.into(), &"fail".into()),
            "{isolation}"
        );
        assert!(count(isolation, "wrong reads") > 0, "{isolation}");
        assert!(isolation["findings"].to_string().contains("wrong-total"), "{isolation}");
    }
    let convergence = judgement(&report, "bank", "convergence", None);
    assert_eq!((&convergence["claimed"], &convergence["verdict"]), (&true.into(), &"pass".into()));
    // Whoever wants the total to stay can say so.
    lab.run(&["check", "--require", "isolation"]).exits(1);
    lab.assert_nothing_left();
}

#[test]
fn a_set_survives_a_crash_of_the_primary() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["run", "set", "--duration", "3s", "--fault", "crash(primary)@1s,crash(replica-1)@2s"]).exits(0);
    let report = lab.results();
    let durability = judgement(&report, "set", "durability", None);
    assert_eq!((&durability["claimed"], &durability["verdict"]), (&true.into(), &"pass".into()));
    let acknowledged = count(durability, "inserts acknowledged");
    assert!(acknowledged > 10, "{durability}");
    let once = judgement(&report, "set", "exactly-once", None);
    assert_eq!((&once["claimed"], &once["verdict"]), (&true.into(), &"pass".into()));
    for node in ["primary", "replica-1"] {
        let monotonic = judgement(&report, "set", "monotonic-reads", Some(node));
        assert_eq!(
            (&monotonic["claimed"], &monotonic["verdict"]),
            (&true.into(), &"pass".into()),
            "{monotonic}"
        );
        // The last read of every node has all of them.
        assert_eq!(count(monotonic, "elements never read"), 0, "{monotonic}");
        assert!(count(monotonic, "stable elements") >= acknowledged, "{monotonic}");
    }
    let convergence = judgement(&report, "set", "convergence", None);
    assert_eq!((&convergence["claimed"], &convergence["verdict"]), (&true.into(), &"pass".into()));
    lab.assert_nothing_left();
}
