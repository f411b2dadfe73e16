//! `replab matrix`: what it finds, what it refuses, and how it goes on after it was killed.

use std::fs::{self, File};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::{Lab, until};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/matrix.schema.json");

/// A matrix of two cells on clusters of `kind`.
fn describe(lab: &Lab, kind: &str, levels: &str, fault: &str) {
    let text = format!(
        "repeat = 1\nsynchronous_commit = [{levels}]\nstandbys = [\"none\"]\n[topology]\nkind = \"{kind}\"\nreplicas = 1\n\
         [load]\nworkloads = [\"orders\"]\nduration = \"1s\"\n[orders]\nclients = 2\nstock = 1000000\n\
         [[fault]]\nname = \"hit\"\nschedule = \"{fault}\"\n"
    );
    fs::write(lab.path().join("matrix.toml"), text).unwrap();
}

#[track_caller]
fn assert_schema(matrix: &Value) {
    let schema = serde_json::from_slice(&fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(matrix).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = matrix.clone();
    broken["cells"][0]["claimed"] = "perhaps".into();
    assert!(!validator.is_valid(&broken), "the schema notices nothing");
}

/// The matrix's directory; there is one.
fn folder(lab: &Lab) -> std::path::PathBuf {
    let entries = fs::read_dir(lab.runs()).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut matrices = entries.filter(|path| path.join("matrix.toml").is_file());
    matrices.next().unwrap_or_else(|| lab.runs())
}

fn stored(lab: &Lab) -> Option<Value> {
    serde_json::from_slice(&fs::read(folder(lab).join("matrix.json")).ok()?).ok()
}

fn runs(matrix: &Value) -> Vec<usize> {
    let cells = matrix["cells"].as_array().unwrap();
    cells.iter().map(|cell| cell["runs"].as_array().unwrap().len()).collect()
}

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it matrix_schema` writes the file anew.
#[test]
fn the_matrix_schema_in_the_tree_is_the_generated_one() {
    let generated = replab::report::matrix::schema();
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &generated).unwrap();
    }
    let kept = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(kept == generated, "{SCHEMA} is stale: run with REPLAB_UPDATE_SCHEMA=1");
}

#[test]
fn a_violated_claim_is_no_number() {
    let lab = Lab::new();
    describe(&lab, "memory", "\"off\", \"on\"", "crash(primary)@600ms");
    let args = ["matrix", "matrix.toml", "--plant", "lost-commit", "--seed", "7"];
    let matrix = lab.run(&[&args[..], &["--json"]].concat()).exits(1).json();
    assert_schema(&matrix);
    assert_eq!((&matrix["end"], &matrix["exit_code"]), (&"complete".into(), &1.into()));
    let [off, on] = [&matrix["cells"][0], &matrix["cells"][1]];
    assert_eq!((&off["claimed"], &on["claimed"]), (&false.into(), &true.into()));
    assert!(off["summary"]["lost"]["median"].as_u64() > Some(0), "{off}");
    assert_eq!((&on["summary"]["state"], &on["summary"]["lost"]), (&"violated".into(), &Value::Null));
    assert_eq!(on["runs"][0]["exit_code"], 1);

    // Complete: nothing is run any more, and its report has the same exit code.
    let text = lab.run(&["matrix", "--resume", "latest", "--plant", "lost-commit"]).exits(1);
    assert!(
        text.stdout.contains("✗ INVALID") && text.stdout.contains("violated durability"),
        "{}",
        text.stdout
    );
    assert_eq!(stored(&lab).unwrap(), matrix);
    // Every number leads to its evidence.
    let run = folder(&lab).join(on["runs"][0]["directory"].as_str().unwrap());
    let report = lab.run(&["check", run.to_str().unwrap(), "--json"]).exits(1).json();
    assert_eq!(report["verdict"], "fail");

    lab.run(&["matrix", "--resume", "latest"]).exits(2).explains(&["is another one", "--plant lost-commit"]);
    let other = ["matrix", "--resume", "latest", "--plant", "lost-commit", "--repeat", "2"];
    lab.run(&other).exits(2).explains(&["`repeat = 1` there, `repeat = 2` here"]);
    lab.run(&["matrix", "--resume", "nowhere"]).exits(2).explains(&["there is no matrix `nowhere`"]);
}

#[test]
fn a_matrix_that_makes_no_sense_starts_nothing() {
    let lab = Lab::new();
    describe(&lab, "memory", "\"off\"", "crash(replica-7)@600ms");
    lab.run(&["matrix", "matrix.toml"])
        .exits(10)
        .explains(&["matrix.toml:15", "there is no node `replica-7`"]);
    describe(&lab, "local", "\"off\"", "crash(primary)@600ms");
    lab.run(&["matrix", "matrix.toml", "--plant", "stale"]).exits(2).explains(&["in-memory clusters only"]);
    lab.run(&["matrix", "--repeat", "0"]).exits(2).explains(&["--repeat: it must be between 1 and 100"]);
    lab.run(&["matrix", "--only", "fault=none"]).exits(2).explains(&["there is no fault `none`"]);
    assert!(!lab.runs().exists());
    let printed = lab.run(&["matrix", "--print"]).exits(0).stdout;
    assert_eq!(printed, replab::config::DEFAULT_MATRIX);
}

#[test]
fn a_matrix_of_real_servers_goes_on_after_it_was_killed() {
    let Some(lab) = Lab::real() else { return };
    describe(&lab, "local", "\"off\", \"on\"", "crash(primary)@500ms");
    let file = |name: &str| File::create(lab.path().join(name)).unwrap();
    let mut command = lab.replab(&["matrix", "matrix.toml", "--seed", "7"]);
    let mut child = command.stdout(file("stdout")).stderr(file("stderr")).spawn().unwrap();
    let stderr = || fs::read_to_string(lab.path().join("stderr")).unwrap();
    // In the middle of the second run: the first is written down, and servers of the second are there.
    until("the first cell is written, and the second has begun", || {
        assert!(child.try_wait().unwrap().is_none(), "{}", stderr());
        let first = stored(&lab).is_some_and(|matrix| runs(&matrix) == [1, 0]);
        first && lab.processes().iter().any(|(_, line)| line.contains("bin/postgres"))
    });
    let refused = lab.run(&["matrix", "--resume", "latest"]).exits(2);
    refused.explains(&["works on the matrix"]);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGKILL).unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
    until("no process is left", || lab.processes().is_empty());
    let cut = stored(&lab).unwrap();
    assert_eq!((runs(&cut), &cut["end"]), (vec![1, 0], &"open".into()), "{}", stderr());
    lab.run(&["gc"]).exits(0);

    let matrix = lab.run(&["matrix", "--resume", "latest", "--json"]).exits(0).json();
    lab.assert_nothing_left();
    assert_schema(&matrix);
    assert_eq!((runs(&matrix), &matrix["end"]), (vec![1, 1], &"complete".into()));
    assert_eq!(matrix["cells"][0]["runs"], cut["cells"][0]["runs"], "what was measured stays");
    for cell in matrix["cells"].as_array().unwrap() {
        let run = &cell["runs"][0];
        let measured = &run["measured"];
        assert_eq!(run["state"], "measured", "{cell}");
        assert!(measured["acknowledged"].as_u64() > Some(0), "{cell}");
        assert!(measured["first_commit"]["time"].as_u64() > Some(0), "{cell}");
        let nodes: Vec<_> =
            measured["reads_out"].as_array().unwrap().iter().map(|of| of["node"].as_str().unwrap()).collect();
        assert_eq!(nodes, ["primary", "replica-1"]);
        let directory = folder(&lab).join(run["directory"].as_str().unwrap());
        assert!(directory.join("report.html").is_file() && directory.join("history").is_dir());
    }
    assert_eq!(matrix["cells"][1]["summary"]["lost"]["max"], 0, "`on` claims it");
    let page = fs::read_to_string(folder(&lab).join("matrix.html")).unwrap();
    assert!(page.contains("prefers-color-scheme: dark") && !page.contains("https://"));
    let markdown = lab.run(&["matrix", "--resume", "latest", "--format", "md"]).exits(0).stdout;
    assert_eq!(markdown, fs::read_to_string(folder(&lab).join("matrix.md")).unwrap());
}

#[test]
fn ctrl_c_leaves_a_report_of_what_is_there() {
    let Some(lab) = Lab::real() else { return };
    describe(&lab, "local", "\"off\", \"on\"", "crash(primary)@500ms");
    let file = |name: &str| File::create(lab.path().join(name)).unwrap();
    let mut command = lab.replab(&["matrix", "matrix.toml"]);
    let command = command.stdout(file("stdout")).stderr(file("stderr")).stdin(Stdio::null());
    let mut child = command.spawn().unwrap();
    until("a run has begun", || {
        assert!(child.try_wait().unwrap().is_none());
        lab.processes().iter().any(|(_, line)| line.contains("bin/postgres"))
    });
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    lab.assert_nothing_left();
    let text = fs::read_to_string(lab.path().join("stdout")).unwrap();
    assert!(
        text.contains("? INTERRUPTED") && text.contains("not run") && text.contains("exit 130"),
        "{text}"
    );
    assert_eq!(stored(&lab).unwrap()["end"], "interrupted");
}
