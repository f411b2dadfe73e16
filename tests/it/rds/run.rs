//! `replab run -t aurora` against the served cluster: the same code as against AWS's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::history::{Clock, Nanos};
use serde_json::Value;

use super::serving::{KEY_ID, SECRET, Serving};
use crate::lab::{Done, Lab, judgement, until};

/// A place to run in, and what the run left there.
pub(super) struct Runner<'a> {
    serving: &'a Serving,
    pub(super) lab: Lab,
}

impl<'a> Runner<'a> {
    pub(super) fn new(serving: &'a Serving) -> Runner<'a> {
        Runner { serving, lab: Lab::new() }
    }

    pub(super) fn text(&self, key: &str) -> &str {
        self.serving.facts[key].as_str().unwrap()
    }

    /// With the authority that the endpoints' certificates are of.
    pub(super) fn run(&self, args: &[&str]) -> Done {
        self.run_with(&[&["--ca-bundle", self.text("ca")], args].concat())
    }

    fn run_with(&self, args: &[&str]) -> Done {
        let mut command = self.command(self.text("endpoint_url"), args);
        self.finish(command.env("PGPASSWORD", self.password()))
    }

    /// Without a password, and with the API at `url`.
    pub(super) fn command(&self, url: &str, args: &[&str]) -> Command {
        let always = ["run", "--cluster", "part-4", "--region", "us-east-1", "--endpoint-url", url];
        let short = ["--clients", "4", "--seed", "1"];
        let mut command = self.lab.replab(&[&always[..], &short, args].concat());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("AWS_") {
                command.env_remove(name);
            }
        }
        command.env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command
    }

    /// To its end, at which it has said no secret.
    pub(super) fn finish(&self, command: &mut Command) -> Done {
        let done: Done = command.output().unwrap().into();
        let said = format!("{}{}", done.stdout, done.stderr);
        for secret in self.secrets() {
            assert!(!said.contains(secret), "{said}");
        }
        done
    }

    /// In the background; what it says is in a file.
    fn start(&self, args: &[&str]) -> Child {
        let said = fs::File::create(self.said()).unwrap();
        let args = [&["--ca-bundle", self.text("ca"), "--yes"], args].concat();
        let mut command = self.command(self.text("endpoint_url"), &args);
        command.env("PGPASSWORD", self.password()).stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    fn said(&self) -> PathBuf {
        self.lab.path().join("said")
    }

    /// Waits until it has said `words`, and has not ended before.
    fn until_said(&self, child: &mut Child, words: &str) {
        until(words, || {
            let said = fs::read_to_string(self.said()).unwrap();
            assert!(said.contains(words) || child.try_wait().unwrap().is_none(), "{said}");
            said.contains(words)
        });
    }

    /// What nothing that can be read holds; of a token its signature's name.
    fn secrets(&self) -> [&str; 3] {
        [self.password(), SECRET, "X-Amz-Signature"]
    }

    fn password(&self) -> &str {
        self.serving.facts["env"]["PGPASSWORD"].as_str().unwrap()
    }

    /// No secret is in any file of the run, and its schema is gone.
    pub(super) fn assert_clean(&self) {
        let mut seen = 0;
        for path in files(&self.lab.runs()) {
            let bytes = fs::read(&path).unwrap();
            let bytes = match path.extension() {
                Some(extension) if extension == "zst" => zstd::decode_all(&*bytes).unwrap(),
                _ => bytes,
            };
            let text = String::from_utf8_lossy(&bytes);
            for secret in self.secrets() {
                assert!(!text.contains(secret), "{}", path.display());
            }
            seen += 1;
        }
        assert!(seen > 8, "{seen} files");
        self.assert_no_schema();
    }

    pub(super) fn assert_no_schema(&self) {
        let left =
            self.serving.ask("writer", "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replab%'");
        assert_eq!(left.unwrap(), Vec::<Vec<Option<String>>>::new());
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) =
        entries.filter(|path| !path.is_symlink()).partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

fn texts<'v>(values: &'v Value, key: &str) -> Vec<&'v str> {
    values.as_array().unwrap().iter().filter_map(|value| value[key].as_str()).collect()
}

#[test]
fn reboots_and_a_failover_lose_nothing() {
    let Some(serving) = Serving::start(&["--readers", "2"]) else { return };
    let runner = Runner::new(&serving);
    let faults = "restart(replica-2)@1s,restart(writer)@2s,promote(best)@5s,promote(primary)@8s";
    let done = runner.run(&["orders", "counter", "append", "--duration", "10s", "--fault", faults, "--yes"]);
    let done = done.exits(0);
    assert!(done.stderr.contains("primary: part-4-instance-1"), "{}", done.stderr);
    let report = runner.lab.results();
    assert!(report["run"]["topology"].as_str().unwrap().starts_with("aurora part-4, 1 primary + 2 replicas"));
    assert!(report["run"]["reproduce"].as_str().unwrap().contains(" --yes"), "{}", report["run"]);
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!((&durability["verdict"], &durability["claimed"]), (&"pass".into(), &true.into()));
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    assert_eq!(recoveries.len(), 4, "{recoveries:?}");
    for recovery in recoveries {
        assert!(recovery["first_success"].is_u64(), "its time is measured: {recovery}");
    }
    let line = recoveries[2]["detail"].as_str().unwrap();
    for words in
        ["FailoverDBCluster to part-4-instance-2: accepted", "the cluster's endpoint leads to it after"]
    {
        assert!(line.contains(words), "{words}: {line}");
    }
    let ids: Vec<&str> = texts(&report["events"], "id");
    for id in ["RDS-EVENT-0006", "RDS-EVENT-0071"] {
        assert!(ids.contains(&id), "{id}: {}", report["events"]);
    }
    let names: Vec<&str> = report["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["instance"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["part-4-instance-1", "part-4-instance-2", "part-4-instance-3"]);
    let endpoints = report["endpoints"].as_array().unwrap();
    assert_eq!(texts(&report["endpoints"], "endpoint"), ["cluster", "reader"]);
    // Both readers answered those who came through the reader endpoint, and none of them was stuck to one.
    let reads = endpoints[1]["reads"].as_object().unwrap();
    let instances: Vec<&String> =
        reads.iter().filter(|(_, reads)| reads.as_u64() > Some(0)).map(|(name, _)| name).collect();
    assert!(instances.len() > 1, "{reads:?}");
    let samples = fs::read_to_string(runner.lab.latest("endpoints.jsonl")).unwrap();
    let samples: Vec<Value> = samples.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_load: Vec<&Value> = samples.iter().filter(|sample| sample["reads"].is_u64()).collect();
    assert!(of_load.len() > 3, "{of_load:?}");
    for sample in of_load.iter().filter(|sample| sample["error"].is_null()) {
        assert!(sample["address"].is_string() && sample["instance"].is_string(), "{sample}");
    }
    let followed = endpoints[0]["followed"].as_array().unwrap();
    assert!(followed.len() == 2 && followed.iter().all(|one| one["after"].is_u64()), "{followed:?}");
    let lag = &report["figures"]["lag"][0];
    assert!(lag["replay_time"]["count"].as_u64().unwrap() > 0, "replica_lag_in_msec: {lag}");
    runner.assert_clean();
    serving.end();
}

#[test]
fn faults_of_auroras_own_are_injected() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    let faults = "inject-replica-failure(replica-1,for=2s)@1s,crash(writer)@5s";
    runner.run(&["--duration", "7s", "--fault", faults, "--yes"]).exits(0);
    let report = runner.lab.results();
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    let details: Vec<&str> = recoveries.iter().filter_map(|one| one["detail"].as_str()).collect();
    let all = details.join("\n");
    assert!(all.contains("part-4-instance-1 crashed by aurora_inject_crash"), "{all}");
    runner.assert_clean();

    // What is refused there is refused here, in the server's words.
    let refused =
        runner.run(&["--duration", "2s", "--fault", "inject-disk-failure(writer,for=1s)@1s", "--yes"]);
    let refused = refused.exits(12);
    assert!(refused.stderr.contains("aurora_inject_disk_failure"), "{}", refused.stderr);
    runner.assert_clean();
    serving.end();
}

#[test]
fn what_is_simulated_may_start_an_instance_anew_until_it_is_over() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    let fault = "inject-replica-failure(replica-1,percent=10,for=15s)@500ms";
    let mut child = runner.start(&["--duration", "4s", "--fault", fault]);
    runner.until_said(&mut child, "\nfault: inject-replica-failure");
    // As Aurora would, of itself.
    drop(serving.ask("part-4-instance-2", "SELECT aurora_inject_crash('instance')"));
    assert!(child.try_wait().unwrap().is_none(), "it waits until the fault is over");
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(0), "{}", fs::read_to_string(runner.said()).unwrap());
    runner.assert_clean();
    serving.end();
}

#[test]
fn ctrl_c_ends_the_wait_for_what_is_simulated() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    let clock = Clock::start();
    let fault = "inject-replica-failure(replica-1,percent=10,for=5m)@500ms";
    let mut child = runner.start(&["--duration", "1s", "--fault", fault]);
    runner.until_said(&mut child, "ending the load");
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let status = child.wait().unwrap();
    assert!(clock.now() < Nanos::from_millis(300_000), "the fault is not over yet");
    assert_eq!(status.code(), Some(130), "{}", fs::read_to_string(runner.said()).unwrap());
    let events = runner.lab.results()["events"].clone();
    assert_eq!(texts(&events, "message"), ["the events were not read: interrupted"]);
    runner.assert_clean();
    serving.end();
}

#[test]
fn a_failover_that_loses_commits_is_found() {
    let Some(serving) = Serving::start(&["--readers", "1", "--plant", "lossy-failover"]) else { return };
    let runner = Runner::new(&serving);
    runner.run(&["--duration", "6s", "--fault", "promote(best)@3s", "--yes"]).exits(1);
    let report = runner.lab.results();
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!(
        (&durability["verdict"], &durability["claimed"]),
        (&"fail".into(), &true.into()),
        "{durability}"
    );
    runner.assert_clean();
    serving.end();
}

#[test]
fn a_mode_of_consistency_is_held_to_its_promise() {
    let fresh = ["counter", "--duration", "4s", "--consistency-mode", "global"];
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    runner.run(&fresh).exits(11).explains(&[
        "`part-4` does not have local write forwarding enabled: it is disabled",
        "--consistency-mode",
    ]);
    serving.end();

    let Some(serving) = Serving::start(&["--readers", "1", "--plant", "stale-forwarding"]) else { return };
    let runner = Runner::new(&serving);
    // The reader is sure to be behind for a while.
    let fault = ["--fault", "inject-replica-failure(replica-1,for=2s)@1s", "--yes"];
    runner.run(&[&fresh[..], &fault].concat()).exits(1);
    let report = runner.lab.results();
    assert!(
        report["run"]["topology"].as_str().unwrap().contains("(consistency mode global)"),
        "{}",
        report["run"]
    );
    let stale = judgement(&report, "counter", "read-your-writes", Some("replica-1"));
    assert_eq!((&stale["verdict"], &stale["claimed"]), (&"fail".into(), &true.into()), "{stale}");
    runner.assert_clean();
    serving.end();
}

#[test]
fn who_cannot_be_verified_is_not_talked_to() {
    let Some(serving) = Serving::start(&["--readers", "0"]) else { return };
    let runner = Runner::new(&serving);
    let other = rcgen::generate_simple_self_signed(["127.0.0.2".to_owned()]).unwrap();
    let bundle = runner.lab.path().join("other.pem");
    fs::write(&bundle, other.cert.pem()).unwrap();
    runner
        .run_with(&["--ca-bundle", bundle.to_str().unwrap()])
        .exits(11)
        .explains(&["the instance `part-4-instance-1` cannot be reached", "--ca-bundle"]);
    runner
        .run(&["--fault", "promote(best)@1s", "--yes"])
        .exits(2)
        .explains(&["no replica that could be promoted"]);
    assert!(!runner.lab.runs().exists() || fs::read_dir(runner.lab.runs()).unwrap().next().is_none());
    // Without a reader there is a run all the same, and without TLS on loopback, where that is said.
    runner.run_with(&["--sslmode", "disable", "--duration", "1s"]).exits(0);
    let report = runner.lab.results();
    assert!(report["run"]["topology"].as_str().unwrap().contains("(without TLS)"), "{}", report["run"]);
    runner.assert_clean();
    serving.end();
}
