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
