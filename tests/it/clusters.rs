//! Clusters that stay up, as a user meets them: up, status, psql, logs, tables, the example, down, gc.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::lab::{Done, Lab};

/// `product: stock` of the inventory that `replab tables --json` shows of a node.
fn stock(tables: &Value, node: usize) -> Vec<String> {
    let inventory =
        tables[node]["tables"].as_array().unwrap().iter().find(|table| table["table"] == "inventory");
    let rows = inventory.unwrap_or_else(|| panic!("{tables:#}"))["rows"].as_array().unwrap();
    let mut rows: Vec<(String, String)> = rows
        .iter()
        .map(|row| {
            let value = |name: &str| row[name].as_str().unwrap_or_else(|| panic!("{row}")).to_owned();
            (value("product_id"), value("stock_quantity"))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, stock)| stock).collect()
}

#[test]
fn without_a_cluster() {
    let lab = Lab::new();
    assert_eq!(lab.run(&["status"]).exits(0).stdout, "no cluster is up; replab up starts one\n");
    assert_eq!(lab.run(&["status", "--json"]).exits(0).json(), json!({ "clusters": [] }));
    for args in [&["down"][..], &["psql"], &["logs"], &["tables"], &["status", "--env"]] {
        lab.run(args).exits(11).explains(&["no cluster is running here", "replab up starts one"]);
    }
    lab.run(&["down", "--name", "x"]).exits(11).explains(&["no cluster named `x` is running here"]);
    assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n");
    assert_eq!(lab.run(&["gc", "--json"]).exits(0).json(), json!({ "dry_run": false, "found": [] }));
}

#[test]
fn a_cluster_from_up_to_down() {
    let Some(lab) = Lab::real() else { return };
    let up = lab.run(&["up", "--replicas", "2"]).exits(0);
    assert!(up.stdout.starts_with("cluster `lab` is up: PostgreSQL "), "{}", up.stdout);
    lab.run(&["up"]).exits(11).explains(&["a cluster named `lab` is already up", "--name OTHER"]);

    let table = lab.run(&["status"]).exits(0).stdout;
    for words in ["left running by replab up", "takes writes", "replays", "streaming", "replica-2"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let status = lab.run(&["status", "--json"]).exits(0).json();
    let nodes = status["clusters"][0]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    for (node, role) in nodes.iter().zip(["primary", "replica", "replica"]) {
        assert_eq!((&node["role"], &node["answers"]), (&role.into(), &true.into()), "{node}");
        assert!(node["pid"].is_u64(), "{node}");
    }
    assert_eq!(nodes[1]["link"], "streaming");

    let recovering = "SELECT pg_is_in_recovery()";
    for (node, answer) in [("primary", "f\n"), ("replica-1", "t\n"), ("replica-2", "t\n")] {
        assert_eq!(lab.run(&["psql", node, "--", "-XAtc", recovering]).exits(0).stdout, answer);
        assert!(lab.run(&["logs", node]).exits(0).stdout.contains("ready to accept"), "{node}");
    }
    lab.run(&["psql", "replica-9"]).exits(2);
    // What other clients need goes through a shell, the password too; status shows it nowhere else.
    let script = "eval \"$(\"$1\" status --env replica-1)\"; psql -XAtc \"$2\"; printf %s \"$PGPASSWORD\"";
    let replab = env!("CARGO_BIN_EXE_replab");
    let shell = lab.program("sh").args(["-c", script, "sh", replab, recovering]).output().unwrap();
    let shell = Done::from(shell).exits(0);
    let password =
        shell.stdout.strip_prefix("t\n").unwrap_or_else(|| panic!("{}{}", shell.stdout, shell.stderr));
    assert!(password.len() >= 32);
    assert!(!table.contains(password) && !status.to_string().contains(password));

    let down = lab.run(&["down"]).exits(0);
    let logs = down.stdout.trim_end().rsplit(' ').next().unwrap();
    assert!(fs::metadata(format!("{logs}/replica-2.log")).unwrap().len() > 0, "the logs stay");
    lab.assert_nothing_left();
}

#[test]
fn the_example_shows_the_same_stock_on_every_node() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up"]).exits(0);
    lab.run(&["tables"]).exits(11).explains(&["read the tables of primary", "replab run orders --example"]);
    let example = lab.run(&["run", "orders", "--example", "--json"]).exits(0);
    assert!(example.stderr.contains("the cluster that was up"), "{}", example.stderr);
    let tables = lab.run(&["tables", "--json"]).exits(0).json();
    assert_eq!(example.json(), tables);
    for node in 0..2 {
        assert_eq!(stock(&tables, node), ["97", "149", "200"], "{tables:#}");
        assert_eq!(tables[node]["tables"][0]["total"], 3, "three orders");
    }
    assert_eq!(tables[1]["node"], "replica-1");
    let text = lab.run(&["tables"]).exits(0).stdout;
    for stock in ["97", "149", "200"] {
        assert_eq!(text.matches(&format!("┆ {stock} ")).count(), 2, "{stock}: {text}");
    }
    // Again, from the start.
    lab.run(&["run", "--example"]).exits(0);
    assert_eq!(stock(&lab.run(&["tables", "--json"]).exits(0).json(), 1), ["97", "149", "200"]);
    // But not where somebody has gone on with the tables, or made others of these names.
    let sql = |sql: &str| lab.run(&["psql", "--", "-XAtqc", sql]).exits(0).stdout;
    sql("INSERT INTO Orders (users_id, order_price, order_date) VALUES (7, 1, CURRENT_DATE)");
    let drop = "replab psql -- -c 'DROP TABLE orders'";
    lab.run(&["run", "--example"]).exits(11).explains(&["did not make: orders", drop]);
    sql("DROP TABLE Orders, OrderDetails, Inventory");
    sql("CREATE TABLE Inventory (mine int)");
    lab.run(&["run", "--example"]).exits(11).explains(&["did not make: inventory"]);
    assert_eq!(sql("SELECT count(*) FROM Inventory WHERE mine IS NULL"), "0\n");
    sql("DROP TABLE Inventory");
    lab.run(&["run", "--example", "--quiet"]).exits(0);
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn a_cluster_is_made_as_configured() {
    let Some(lab) = Lab::real() else { return };
    // A fault of runs with two replicas is no reason against a cluster with none.
    let file = "[topology]\nreplicas = 2\nsynchronous_commit = \"local\"\n[faults]\nschedule = \"crash(replica-2)@1s\"\n";
    fs::write(lab.path().join("replab.toml"), file).unwrap();
    let mut up = lab.replab(&["up", "--json"]);
    let up = Done::from(up.env("REPLAB_TOPOLOGY__REPLICAS", "0").output().unwrap()).exits(0).json();
    assert_eq!(up["nodes"].as_array().unwrap().len(), 1, "{up}");
    let status = lab.run(&["status", "--json"]).exits(0).json();
    assert_eq!(status["clusters"][0]["synchronous_commit"], "local");
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn two_that_start_at_once_do_not_share_a_name() {
    let Some(lab) = Lab::real() else { return };
    let up = || {
        lab.replab(&["up", "--replicas", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let both = [up(), up()].map(|up| Done::from(up.wait_with_output().unwrap()));
    let refused: Vec<&Done> = both.iter().filter(|done| done.code != Some(0)).collect();
    assert_eq!(refused.len(), 1, "{both:?}");
    refused[0].explains(&["a cluster named `lab` is already up"]);
    lab.run(&["down"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn two_clusters_are_told_apart_by_name() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up", "--replicas", "0", "--name", "a"]).exits(0);
    lab.run(&["up", "--replicas", "0", "--name", "b"]).exits(0);
    lab.run(&["psql"]).exits(11).explains(&["several clusters are up: a, b", "--name"]);
    lab.run(&["run", "--example"])
        .exits(11)
        .explains(&["several clusters are up: a, b", "replab down --name"]);
    lab.run(&["tables", "--name", "b"]).exits(11).explains(&["read the tables of primary"]);
    lab.run(&["psql", "--name", "a", "--", "-XAtc", "CREATE TABLE only_in_a ()"]).exits(0);
    let count = "SELECT count(*) FROM pg_class WHERE relname = 'only_in_a'";
    assert_eq!(lab.run(&["psql", "--name", "b", "--", "-XAtc", count]).exits(0).stdout, "0\n");
    let status = lab.run(&["status", "--json", "--name", "a"]).exits(0).json();
    let id = status["clusters"][0]["id"].as_str().unwrap();
    lab.run(&["down", "--name", id]).exits(0);
    assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n", "b is in use");
    let status = lab.run(&["status", "--json"]).exits(0).json();
    assert_eq!(
        (status["clusters"].as_array().unwrap().len(), &status["clusters"][0]["name"]),
        (1, &"b".into())
    );
    // A server that was killed by somebody else.
    let pid = status["clusters"][0]["nodes"][0]["pid"].as_i64().unwrap();
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
    crate::lab::until("the server is gone", || lab.processes().is_empty());
    assert!(lab.run(&["status"]).exits(0).stdout.contains("down"));
    assert!(lab.run(&["gc", "--dry-run"]).exits(0).stdout.contains("would be removed"));
    assert!(lab.run(&["gc"]).exits(0).stdout.contains("removed"));
    lab.assert_nothing_left();
}
