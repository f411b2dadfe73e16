//! Topology `aurora` as a user meets it: one clear screen for whatever is wrong, and nothing done before it.

pub(crate) mod stub;

use crate::lab::{Done, Lab};
use stub::{Shape, Stub};

/// `replab run` with nothing of this machine's AWS settings but these variables.
fn run(lab: &Lab, args: &[&str], envs: &[(&str, &str)]) -> Done {
    let mut command = lab.replab(&[&["run"], args].concat());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    let none = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")];
    command.envs(none).env("AWS_EC2_METADATA_DISABLED", "true").envs(envs.iter().copied());
    command.output().unwrap().into()
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];

/// The same with keys, against `stub`.
fn ask(lab: &Lab, stub: &Stub, args: &[&str]) -> Done {
    let always = ["--cluster", "lab", "--region", "us-east-1", "--endpoint-url", &stub.url];
    let done = run(lab, &[&always, args].concat(), &KEYS);
    assert!(!done.stderr.contains("hunter2") && !done.stdout.contains("hunter2"), "{}", done.stderr);
    assert!(!done.stderr.contains("SdkError") && !done.stderr.contains("raw: "), "{}", done.stderr);
    done
}

fn stub(change: impl FnOnce(&mut Shape)) -> Stub {
    let mut shape = Shape::default();
    change(&mut shape);
    Stub::serve(shape)
}

#[test]
fn without_region_credentials_or_network_nothing_is_begun() {
    let lab = Lab::new();
    let nowhere = ["--cluster", "lab"];
    run(&lab, &nowhere, &KEYS).exits(11).explains(&["no AWS region is set", "--region us-east-1"]);
    let region = ["--cluster", "lab", "--region", "us-east-1"];
    run(&lab, &region, &[]).exits(11).explains(&["no AWS credentials", "--profile NAME"]);
    let closed = [&region[..], &["--endpoint-url", "http://127.0.0.1:1"]].concat();
    run(&lab, &closed, &KEYS).exits(11).explains(&[
        "DescribeDBClusters: the AWS API cannot be reached",
        "refused",
        "--endpoint-url",
    ]);
    assert!(!lab.runs().exists());
}

#[test]
fn what_is_no_cluster_for_a_run_is_refused_by_name() {
    let lab = Lab::new();
    let refused = |change: fn(&mut Shape)| ask(&lab, &stub(change), &[]).exits(11);
    refused(|shape| shape.engine = "aurora-mysql")
        .explains(&["runs aurora-mysql, and not Aurora PostgreSQL"]);
    refused(|shape| shape.status = "stopped").explains(&["is `stopped`", "aws rds start-db-cluster"]);
    refused(|shape| shape.instance_status = "rebooting").explains(&["instance `lab-1` is `rebooting`"]);
    refused(|shape| shape.error = Some("ExpiredToken"))
        .explains(&["credentials have expired", "aws sso login"]);
    refused(|shape| shape.error = Some("AccessDenied"))
        .explains(&["as the test wants it (AccessDenied)", "infra/policy-run.json"]);
    let other = ["--cluster", "other", "--region", "us-east-1", "--endpoint-url", &stub(|_| {}).url];
    run(&lab, &other, &KEYS).exits(11).explains(&["no cluster `other` in us-east-1"]);
    // As many as a cluster can have are as many as anybody says, too.
    for said in ["3", "15"] {
        let differs = format!("has 1 readers, and the plan has {said} replicas");
        ask(&lab, &stub(|_| {}), &["--replicas", said]).exits(11).explains(&[&differs, "--replicas 1"]);
    }
    ask(&lab, &stub(|_| {}), &["--fault", "restart(replica-2)@1s"])
        .exits(2)
        .explains(&["there is no node `replica-2`"]);
    assert!(!lab.runs().exists());
}

#[test]
fn a_plan_that_is_wrong_is_refused_before_anything_is_asked() {
    let lab = Lab::new();
    let api = stub(|_| {});
    let refused = |args: &[&str]| ask(&lab, &api, args).exits(2);
    refused(&["--threshold", "rto<5s"]).explains(&["there is no metric `rto`"]);
    refused(&["--plant", "stale"]).explains(&["in the in-memory cluster only"]);
    refused(&["--fault", "kill(primary)@1s"]).explains(&["it can crash, restart, promote"]);
    assert_eq!(api.asked(), [""; 0]);
}

#[test]
fn nothing_is_broken_unasked() {
    let lab = Lab::new();
    let api = stub(|_| {});
    let fault = ["--fault", "restart(primary)@1s,promote(replica-1)@2s", "--duration", "5s"];
    ask(&lab, &api, &fault).exits(2).explains(&["nothing is rebooted or failed over unasked", "--yes"]);
    let rehearsed = ask(&lab, &api, &[&fault[..], &["--dry-run"]].concat()).exits(0);
    for line in [
        "[aurora]\ncluster = \"lab\"\n",
        "# restart(primary)@1s: rds:RebootDBInstance DBInstanceIdentifier=lab-1",
        "# promote(replica-1)@2s: rds:FailoverDBCluster DBClusterIdentifier=lab TargetDBInstanceIdentifier=lab-2",
        "# on the writer: CREATE SCHEMA replab_",
        "# rds:DescribeEvents",
        "TargetDBInstanceIdentifier=lab-2, and again where nothing comes of it, 3 times in all at most",
        "# on the writer: INSERT INTO replab_mark",
        "# on the writer, once in 50ms at most: SELECT … FROM pg_catalog.aurora_replica_status()",
    ] {
        assert!(rehearsed.stdout.contains(line), "{line}: {}", rehearsed.stdout);
    }
    for line in ["primary: lab-1, promotion tier 1", "replica-1: lab-2"] {
        assert!(rehearsed.stderr.contains(line), "{line}: {}", rehearsed.stderr);
    }

    // What is sent once is said to be sent once, and what is waited for differs.
    let simulated = "crash(writer)@1s,inject-replica-failure(replica-1,for=3s)@2s";
    let shown = ask(&lab, &api, &["--fault", simulated, "--dry-run", "--duration", "20s"]).exits(0).stdout;
    let of = |words: &str| shown.lines().filter(|line| line.contains(words)).collect::<Vec<_>>();
    assert!(!shown.contains("again where nothing comes of it"), "{shown}");
    assert_eq!(of("aurora_inject_crash").len(), 1, "{shown}");
    assert!(of("# crash(writer)@1s:")[1].contains("until it is done"), "{shown}");
    let failure = of("# inject-replica-failure");
    assert!(
        failure[0].contains("SELECT pg_catalog.aurora_inject_replica_failure(100.0, 3, 'lab-2')"),
        "{shown}"
    );
    assert!(failure[1].contains("the last reads wait until its 3s are over"), "{shown}");
    assert_eq!(of("once in 100ms at most").len(), 1, "{shown}");

    let untagged = stub(|shape| shape.tagged = false);
    let yes = [&fault[..], &["--yes"]].concat();
    ask(&lab, &untagged, &yes).exits(11).explains(&[
        "does not carry the tag replab:faults=allowed",
        "aws rds add-tags-to-resource --resource-name arn:aws:rds:us-east-1:1:cluster:lab",
    ]);
    let made: Vec<String> = [api.asked(), untagged.asked()].concat();
    assert!(
        made.len() > 6 && made.iter().all(|call| call.starts_with("Describe") || call.starts_with("List")),
        "{made:?}"
    );

    // Leave is given; now the servers are looked for, and only then is there anything to tell of.
    let allowed = [&yes[..], &["--allow-faults", "--sslmode", "disable"]].concat();
    ask(&lab, &untagged, &allowed)
        .exits(11)
        .explains(&["the instance `lab-1` cannot be reached at postgres://"]);
    assert!(!lab.runs().exists() || std::fs::read_dir(lab.runs()).unwrap().next().is_none());
}
