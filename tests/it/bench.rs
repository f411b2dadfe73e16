//! `replab bench counter`: that every method keeps its promise, and that a verdict catches who does not.

use std::fs::{self, File};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::{Done, Lab, is_own_server, until};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/bench.schema.json");

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it bench_schema` writes the file anew.
#[test]
fn the_bench_schema_in_the_tree_is_the_generated_one() {
    let generated = replab::report::bench::schema();
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &generated).unwrap();
    }
    let kept = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(kept == generated, "{SCHEMA} is stale: run with REPLAB_UPDATE_SCHEMA=1");
}

#[track_caller]
fn assert_schema(bench: &Value) {
    let schema = serde_json::from_slice(&fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(bench).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = bench.clone();
    broken["groups"][0]["rows"][0]["promise"] = "perhaps".into();
    assert!(!validator.is_valid(&broken), "the schema notices nothing");
}

/// The rows of every group, each with the clients of its group.
fn rows(bench: &Value) -> Vec<(u64, &str, &Value)> {
    let groups = bench["groups"].as_array().unwrap();
    assert!(!groups.is_empty());
    groups
        .iter()
        .flat_map(|group| {
            let clients = group["clients"].as_u64().unwrap();
            let rows = group["rows"].as_array().unwrap();
            rows.iter().map(move |row| (clients, row["method"].as_str().unwrap(), row))
        })
        .collect()
}

/// What the laps of `row` were told, and what was found.
fn laps(row: &Value) -> Vec<(u64, u64, i64)> {
    let laps = row["laps"].as_array().unwrap();
    laps.iter()
        .map(|lap| {
            let of = &lap["increments"];
            let number = |name: &str| of[name].as_u64().unwrap();
            (number("acknowledged"), number("unknown"), of["found"].as_i64().unwrap())
        })
        .collect()
}

#[test]
fn every_method_counts_right_with_many_clients() {
    let Some(lab) = Lab::real() else { return };
    let clients = if is_own_server() { "64" } else { "16" };
    let args = "bench counter --increments 2 --repeat 1 --replicas 0 --pgbench --seed 7 --json --clients";
    let bench = lab.run(&args.split(' ').chain([clients]).collect::<Vec<_>>()).exits(0).json();
    assert_schema(&bench);
    assert_eq!(rows(&bench).len(), 11, "ten methods and pgbench");
    for (clients, method, row) in rows(&bench) {
        assert_eq!(laps(row).len(), 1, "{method}");
        for (acknowledged, unknown, found) in laps(row) {
            assert_eq!((acknowledged, unknown), (clients * 2, 0), "{method} with {clients} clients");
            if method == "lost-update" {
                assert!(
                    found > 0 && found < i64::try_from(acknowledged).unwrap(),
                    "{found} of {acknowledged}"
                );
            } else {
                assert_eq!(found, i64::try_from(acknowledged).unwrap(), "{method} with {clients} clients");
            }
        }
    }
    // Who waits for a lock has nothing to do again, and who does not has.
    let retries = |method: &str| {
        rows(&bench).iter().find(|row| row.1 == method).unwrap().2["summary"]["retries"].as_f64().unwrap()
    };
    assert!(retries("row-lock") == 0.0 && retries("optimistic") > 1.0 && retries("serializable") > 1.0);
    let folder = fs::read_dir(lab.runs()).unwrap().flatten().next().unwrap().path();
    for file in ["bench.html", "bench.md", "bench.json", "plan.toml"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    assert_eq!(
        serde_json::from_slice::<Value>(&fs::read(folder.join("bench.json")).unwrap()).unwrap(),
        bench
    );
    lab.assert_nothing_left();
}

#[test]
fn an_increment_that_is_applied_twice_is_caught_in_every_method() {
    let Some(lab) = Lab::real() else { return };
    // Alone, so that nothing that is lost makes up for it.
    let args =
        "bench counter --clients 1 --increments 30 --repeat 1 --replicas 0 --plant double-apply --json";
    let bench = lab.run(&args.split(' ').collect::<Vec<_>>()).exits(1).json();
    for (_, method, row) in rows(&bench) {
        assert_eq!(laps(row), [(30, 0, 33)], "{method}");
        let balance = &row["laps"][0]["balance"];
        assert_eq!((&balance["verdict"], &balance["doubled"]), (&"fail".into(), &3.into()), "{method}");
    }
}

#[test]
fn a_method_without_its_guard_is_caught() {
    let Some(lab) = Lab::real() else { return };
    let args = "bench counter --clients 10 --increments 40 --repeat 1 --replicas 0 --plant unguarded --json";
    let bench = lab.run(&args.split(' ').collect::<Vec<_>>()).exits(1).json();
    for (_, method, row) in rows(&bench).into_iter().filter(|row| row.1 != "lost-update") {
        let balance = &row["laps"][0]["balance"];
        assert_eq!(balance["verdict"], "fail", "{method}: {row}");
        let [(acknowledged, _, found)] = laps(row)[..] else { panic!("{row}") };
        assert_eq!(
            balance["lost"].as_i64().unwrap(),
            i64::try_from(acknowledged).unwrap() - found,
            "{method}"
        );
        assert!(found < 400, "{method}");
    }
}

#[test]
fn through_a_crash_no_increment_is_lost_or_doubled() {
    let Some(lab) = Lab::real() else { return };
    let args = "bench counter --method lost-update,in-place,optimistic,ledger --clients 6 --repeat 1 \
                --replicas 0 --duration 1500ms --fault crash(primary)@500ms --json";
    let bench = lab.run(&args.split(' ').collect::<Vec<_>>()).exits(0).json();
    assert_eq!(bench["durable"], true);
    let mut doubtful = 0;
    for (_, method, row) in rows(&bench) {
        let [(acknowledged, unknown, found)] = laps(row)[..] else { panic!("{row}") };
        doubtful += unknown;
        let faults = row["laps"][0]["faults"].as_array().unwrap();
        assert!(faults[0].as_str().unwrap().starts_with("crash primary at 0.5"), "{faults:?}");
        if method != "lost-update" {
            let found = u64::try_from(found).unwrap();
            assert!(acknowledged <= found && found <= acknowledged + unknown, "{method}: {row}");
        }
        assert_eq!(row["summary"]["against"], Value::Null, "rates with an outage in them are not compared");
    }
    assert!(doubtful > 0, "the crash left no outcome unknown, so that nothing was tested");
    lab.assert_nothing_left();
}

#[test]
fn through_a_failover_what_was_acknowledged_is_there_where_that_is_claimed() {
    let Some(lab) = Lab::real() else { return };
    let methods = ["--method", "in-place", "--clients", "6", "--repeat", "1", "--duration", "2s", "--json"];
    let failover = ["--replicas", "2", "--fault", "kill(writer)@600ms,promote(best)@800ms"];
    let synchronous = ["--sync-standbys", "ANY 1"];
    let bench = [&["bench", "counter"][..], &methods, &failover, &synchronous].concat();
    let bench = lab.run(&bench).exits(0).json();
    assert_eq!(bench["durable"], true);
    assert!(
        rows(&bench)
            .iter()
            .all(|(_, _, row)| row["promise"] == "kept" && row["laps"][0]["balance"]["lost"] == 0)
    );

    let bench = [&["bench", "counter"][..], &methods, &failover].concat();
    let bench = lab.run(&bench).exits(0).json();
    assert_eq!(bench["durable"], false);
    assert!(rows(&bench).iter().all(|(_, _, row)| row["promise"] == "not-durable"));
}

#[test]
fn on_servers_that_somebody_else_runs_the_methods_work_in_a_schema_of_their_own() {
    let Some(lab) = Lab::real() else { return };
    lab.run(&["up", "--replicas", "0", "--name", "theirs"]).exits(0);
    let said = lab.run(&["status", "--name", "theirs", "--env"]).exits(0).stdout;
    let of = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(&format!("export {name}='")));
        line.unwrap().trim_end_matches('\'').to_owned()
    };
    let writer =
        format!("postgres://{}@{}:{}/{}", of("PGUSER"), of("PGHOST"), of("PGPORT"), of("PGDATABASE"));
    let args =
        ["bench", "counter", "--writer", &writer, "--clients", "4", "--increments", "10", "--repeat", "2"];
    // pgbench finds the tables as well.
    let mut command =
        lab.replab(&[&args[..], &["--method", "in-place,ledger", "--pgbench", "--json"]].concat());
    let bench = Done::from(command.env("PGPASSWORD", of("PGPASSWORD")).output().unwrap()).exits(0).json();
    assert!(rows(&bench).iter().all(|(_, _, row)| laps(row) == [(40, 0, 40); 2]), "{bench}");
    // Nobody always comes first.
    let turns = |row: &Value| {
        row["laps"].as_array().unwrap().iter().map(|lap| lap["turn"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert!(rows(&bench).iter().all(|(_, _, row)| turns(row)[0] != turns(row)[1]));
    lab.run(&["down", "--name", "theirs"]).exits(0);
}

#[test]
fn a_bench_that_makes_no_sense_starts_nothing() {
    let lab = Lab::new();
    let refused = |args: &[&str], words: &str| {
        let done = lab.run(&[&["bench", "counter"], args].concat()).exits(2);
        assert!(done.stderr.contains(words), "no `{words}` in {}", done.stderr);
    };
    refused(&["--method", "in-plase"], "did you mean `in-place`");
    refused(&["--clients", "0"], "0 is not in 1..=1000");
    refused(&["-t", "memory"], "methods are SQL");
    refused(&["--increments", "5", "--duration", "2s"], "both were given");
    refused(&["--full", "--fault", "crash(primary)@1s"], "cannot be used with");
    refused(&["--fault", "crash(replica-7)@1s"], "no node `replica-7`");
    refused(&["--backoff", "soon"], "--backoff");
    refused(&["--format", "md", "--json"], "leave out one of them");
    assert!(!lab.runs().exists());
}

#[test]
fn a_bench_that_is_interrupted_has_a_report() {
    let Some(lab) = Lab::real() else { return };
    let args = "bench counter --increments 100000 --method in-place --replicas 0 --json";
    let said = File::create(lab.path().join("said")).unwrap();
    let mut command = lab.replab(&args.split(' ').collect::<Vec<_>>());
    let child = command.stdout(Stdio::piped()).stderr(said).spawn().unwrap();
    until("the first lap", || fs::read_to_string(lab.path().join("said")).unwrap().contains("lap 1 of 6"));
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    let bench = Done::from(child.wait_with_output().unwrap()).exits(130).json();
    assert_eq!((&bench["complete"], &bench["exit_code"]), (&false.into(), &130.into()));
    assert_eq!(laps(rows(&bench)[0].2), []);
    lab.assert_nothing_left();
}
