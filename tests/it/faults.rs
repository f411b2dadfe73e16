//! `replab fault` as a user meets it: each command a process of its own, on a cluster that `replab up` left running.

use std::fs;

use serde_json::{Value, json};

use crate::lab::{Lab, until};

/// The nodes as `fault list` tells them: `replica-1 replica<-primary up`, and what each is in.
fn nodes(lab: &Lab) -> Vec<String> {
    let listed = lab.run(&["fault", "list", "--json"]).exits(0).json();
    lines(&listed["cluster"])
}

fn lines(cluster: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |node: &Value| {
        let up = if node["running"].as_bool().unwrap() { "up" } else { "down" };
        let conditions: Vec<String> = node["conditions"].as_array().unwrap().iter().map(word).collect();
        let words = [word(&node["node"]), word(&node["role"]), word(&node["follows"]), up.to_owned()];
        [&words[..], &conditions].concat().join(" ")
    };
    cluster["nodes"].as_array().unwrap().iter().map(line).collect()
}

/// A node of `replab status --json`.
fn status(lab: &Lab, node: usize) -> Value {
    lab.run(&["status", "--json"]).exits(0).json()["clusters"][0]["nodes"][node].clone()
}

/// The letters of a process's and its children's states (Linux only). A child that has ended while its parent is stopped
/// is still in the table, and no longer counts.
fn states(pid: &Value) -> Vec<char> {
    let pid = pid.to_string();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let family = stats.filter_map(|stat| {
        let (head, tail) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let own = head.split_whitespace().next()?;
        (own == pid || *fields.get(1)? == pid).then(|| fields[0].chars().next())?
    });
    family.filter(|state| *state != 'Z').collect()
}

fn sql(lab: &Lab, node: &str, sql: &str) -> String {
    lab.run(&["psql", node, "--", "-XAtqc", sql]).exits(0).stdout
}

const ONE_PRIMARY: [&str; 3] =
    ["primary primary - up", "replica-1 replica primary up", "replica-2 replica primary up"];

#[test]
fn without_a_cluster_there_is_only_the_list() {
    let lab = Lab::new();
    let listed = lab.run(&["fault", "list"]).exits(0).stdout;
    for words in
        ["stop(NODE,immediate)", "promote(NODE or best)", "pg_rewind", "no cluster is up; replab up starts"]
    {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let json = lab.run(&["fault", "list", "--json"]).exits(0).json();
    assert_eq!(
        (json["faults"].as_array().unwrap().len(), &json["cluster"]),
        (replab::history::Action::ALL.len(), &Value::Null)
    );
    assert_eq!(
        (&json["faults"][0]["fault"], &json["faults"][0]["supported"]),
        (&"crash(NODE)".into(), &true.into())
    );
    for args in [&["fault", "heal"][..], &["fault", "inject", "pause(replica-1)"]] {
        lab.run(args).exits(11).explains(&["no cluster is running here", "replab up starts one"]);
    }
    lab.run(&["fault", "list", "--name", "x"]).exits(11).explains(&["no cluster named `x`"]);
    lab.run(&["fault", "inject"]).exits(2);
    lab.run(&["fault", "inject", "pause(replica-1)@8s"])
        .exits(2)
        .explains(&["leave out `@8s`", "fault list"]);
    let supported = |fault: &str| {
        let faults = json["faults"].as_array().unwrap();
        faults.iter().find(|one| one["fault"] == fault).unwrap()["supported"].clone()
    };
    assert_eq!(
        [supported("isolate(NODE)"), supported("pause(NODE)")],
        [Value::Bool(false), Value::Bool(true)]
    );
    let refused = lab.run(&["fault", "inject", "puase(replica-1)", "--json"]).exits(2);
    assert_eq!(refused.json()["error"]["exit_code"], 2);
    refused.explains(&["did you mean `pause`?"]);
}

#[test]
fn what_holds_nodes_up_is_known_to_the_next_command() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up", "--replicas", "2"]).exits(0);
    assert_eq!(nodes(&lab), ONE_PRIMARY);

    let paused = lab.run(&["fault", "inject", "pause(replica-1)"]).exits(0).stdout;
    for words in
        ["pause replica-1: stopped ", "'resume(replica-1)'", "replica-1 is paused", "replab fault heal"]
    {
        assert!(paused.contains(words), "{words}: {paused}");
    }
    assert_eq!(nodes(&lab)[1], "replica-1 replica primary up paused");
    let now = status(&lab, 1);
    assert_eq!((&now["answers"], &now["conditions"]), (&false.into(), &json!(["paused"])));
    assert!(states(&now["pid"]).iter().all(|state| *state == 'T'), "{:?}", states(&now["pid"]));
    let table = lab.run(&["status"]).exits(0).stdout;
    assert!(table.contains("┆ paused ") && table.contains("┆ takes writes "), "{table}");
    // The rules of schedules, from here on.
    for (fault, why) in [
        ("pause(replica-1)", "replica-1 is already paused; `resume(replica-1)` it first"),
        ("switchover(replica-2)", "replica-1 is already paused"),
        ("freeze(replica-2),switchover(replica-2)", "replica-2 is already frozen by then"),
        ("promote(replica-1)", "replica-1 is already paused"),
        ("start(replica-2)", "replica-2 is not down"),
        ("kill(replica-2),crash(replica-2)", "already down by then, since kill(replica-2)"),
        ("freeze(writer)", "primary is the primary"),
        ("rejoin(replica-2)", "replica-2 is not diverged"),
        ("crash(replica-3)", "there is no node `replica-3`"),
    ] {
        lab.run(&["fault", "inject", fault]).exits(2).explains(&[why, "replab fault list"]);
    }
    assert_eq!(nodes(&lab)[1..], ["replica-1 replica primary up paused", "replica-2 replica primary up"]);

    let healed = lab.run(&["fault", "heal"]).exits(0).stdout;
    assert!(healed.contains("resume replica-1: ") && healed.contains("all had stayed stopped"), "{healed}");
    assert!(healed.ends_with("every replica follows the primary, primary\n"), "{healed}");
    let again = lab.run(&["fault", "heal"]).exits(0).stdout;
    assert_eq!(again, "nothing to heal; every replica follows the primary, primary\n");

    let both = "freeze(replica-1), pause-replay(replica-2)";
    let held = lab.run(&["fault", "inject", both, "--json"]).exits(0).json();
    let done = |document: &Value| -> Vec<String> {
        let done = document["done"].as_array().unwrap().iter();
        done.map(|done| format!("{} {}", done["action"], done["node"]).replace('"', "")).collect()
    };
    assert_eq!(done(&held), ["freeze replica-1", "pause-replay replica-2"]);
    let found = ["replica-1 replica primary up frozen", "replica-2 replica primary up replay-paused"];
    assert_eq!(
        (&lines(&held["cluster"])[1..], &nodes(&lab)[1..]),
        (&found.map(str::to_owned)[..], &found.map(str::to_owned)[..])
    );
    sql(&lab, "primary", "SET synchronous_commit = local; CREATE TABLE t (id int)");
    let shows = |node| sql(&lab, node, "SELECT count(*) FROM pg_class WHERE relname = 't'") == "1\n";
    assert!(!shows("replica-1") && !shows("replica-2"));
    let healed = lab.run(&["fault", "heal", "--json"]).exits(0).json();
    let mut cured = done(&healed);
    cured.sort();
    assert_eq!(
        (cured, lines(&healed["cluster"])),
        (
            vec!["resume-replay replica-2".to_owned(), "thaw replica-1".to_owned()],
            ONE_PRIMARY.map(str::to_owned).to_vec(),
        )
    );
    until("both show it", || shows("replica-1") && shows("replica-2"));

    // A cluster that is held up goes down all the same.
    lab.run(&["fault", "inject", "freeze(replica-1),pause(replica-2)", "pause(writer)"]).exits(0);
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn what_a_command_started_outlives_it() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up", "--replicas", "1"]).exits(0);
    for _ in 0..2 {
        lab.run(&["fault", "inject", "kill(replica-1),kill(primary)"]).exits(0);
        assert_eq!(nodes(&lab), ["primary primary - down down", "replica-1 replica primary down down"]);
        // Nothing of it runs, and still it is somebody's.
        assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n");
        lab.run(&["up"]).exits(11).explains(&["a cluster named `lab` is already up"]);
        let healed = lab.run(&["fault", "heal"]).exits(0).stdout;
        for words in ["start primary: started as postmaster ", "replica-1 answers again"] {
            assert!(healed.contains(words), "{words}: {healed}");
        }
        assert_eq!(nodes(&lab), ONE_PRIMARY[..2]);
    }
    // Whoever ends with its child stopped must not wake it by that.
    lab.run(&["fault", "inject", "crash(replica-1),pause(replica-1)"]).exits(0);
    let pid = status(&lab, 1)["pid"].clone();
    assert!(states(&pid).len() > 1 && states(&pid).iter().all(|state| *state == 'T'), "{:?}", states(&pid));
    let healed = lab.run(&["fault", "heal"]).exits(0).stdout;
    assert!(healed.contains("all had stayed stopped"), "{healed}");

    // Somebody else ends a fault, or a server.
    lab.run(&["fault", "inject", "pause(replica-1)"]).exits(0);
    let signal = |signal| {
        let pid = i32::try_from(pid.as_i64().unwrap()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    };
    signal(nix::sys::signal::Signal::SIGCONT);
    lab.run(&["fault", "heal"]).exits(12).explains(&["replica-1 did not stay paused", "'crash(replica-1)'"]);
    lab.run(&["fault", "inject", "crash(replica-1)"]).exits(0);
    let pid = status(&lab, 0)["pid"].as_i64().unwrap();
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    until("it is gone", || status(&lab, 0)["pid"].is_null());
    assert_eq!(nodes(&lab)[0], "primary primary - down");
    assert!(lab.run(&["status"]).exits(0).stdout.contains("┆ down, unasked "));
    lab.run(&["fault", "heal"]).exits(12).explains(&["primary ended unasked", "'start(primary)'"]);
    lab.run(&["fault", "inject", "start(primary)"]).exits(0);
    assert!(lab.run(&["fault", "heal"]).exits(0).stdout.starts_with("nothing to heal; "));
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn after_a_failover_everybody_follows_the_new_primary() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up", "--replicas", "2"]).exits(0);
    sql(&lab, "writer", "CREATE TABLE t (id int)");
    let promoted = lab.run(&["fault", "inject", "freeze(replica-2),promote(best)", "--json"]).exits(0).json();
    let done: Vec<String> = promoted["done"]
        .as_array()
        .unwrap()
        .iter()
        .map(|done| format!("{} {} {}", done["occasion"], done["action"], done["node"]).replace('"', ""))
        .collect();
    assert_eq!(done, ["planned freeze replica-2", "fencing kill primary", "planned promote replica-1"]);
    assert_eq!(nodes(&lab)[..2], ["primary replica replica-1 down diverged", "replica-1 primary - up"]);
    // Without a node, the primary of this moment is meant.
    let name = ["psql", "--", "-XAtc", "SHOW cluster_name"];
    assert_eq!(lab.run(&name).exits(0).stdout, "replica-1\n");
    sql(&lab, "writer", "SET synchronous_commit = local; INSERT INTO t VALUES (1)");
    let env = lab.run(&["status", "--env"]).exits(0).stdout;
    assert!(env.contains(&format!("export PGPORT='{}'", status(&lab, 1)["port"])), "{env}");
    lab.run(&["fault", "inject", "start(primary)"]).exits(2).explains(&["`rejoin(primary)` it first"]);

    let healed = lab.run(&["fault", "heal"]).exits(0).stdout;
    assert!(
        healed.contains("rejoin primary: rewound; ") && healed.ends_with("the primary, replica-1\n"),
        "{healed}"
    );
    let followers =
        ["primary replica replica-1 up", "replica-1 primary - up", "replica-2 replica replica-1 up"];
    assert_eq!(nodes(&lab), followers);
    for node in ["primary", "replica-2"] {
        until("it shows what was written", || sql(&lab, node, "SELECT count(*) FROM t") == "1\n");
    }
    let table = lab.run(&["status"]).exits(0).stdout;
    assert_eq!(table.matches("streaming").count(), 2, "{table}");

    let back = lab.run(&["fault", "inject", "switchover(primary)"]).exits(0).stdout;
    assert!(back.contains("switchover primary: ") && back.ends_with("nothing to heal\n"), "{back}");
    assert_eq!(nodes(&lab)[0], "primary primary - up");
    assert_eq!(lab.run(&name).exits(0).stdout, "primary\n");
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}
