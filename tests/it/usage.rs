//! The binary as a user meets it: exit codes, what goes to which stream, and bad input.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// `replab` in an empty folder of its own, without any variable of ours.
fn replab(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replab"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("REPLAB_") {
            command.env_remove(name);
        }
    }
    command.current_dir(folder);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    replab(folder).args(args).output().expect("the binary starts")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("text")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("text")
}

#[test]
fn without_arguments_it_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(0));
    let examples = stdout(&output).lines().filter(|line| line.starts_with("  replab ")).count();
    assert_eq!(examples, 6, "{}", stdout(&output));
    assert_eq!(stderr(&output), "");
}

#[test]
fn wrong_flags_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for (args, said) in [
        (&["config", "show", "--clients", "0"][..], "--clients: it must be between 1 and 1000, but is 0"),
        (&["config", "show", "--duration", "0s"], "--duration: it must be between 1ms and 24h, but is 0s"),
        (&["config", "show", "--fault", "crash(replica-9)@1s"], "there is no node `replica-9`"),
        (&["config", "show", "--fault", "crash(primary)@1h"], "the load ends after 20s"),
        (&["config", "show", "forum"], "`forum` is not a workload"),
        (&["config", "show", "--replicas", "x"], "invalid value 'x' for '--replicas <N>'"),
        (&["up", "--replicas", "17"], "--replicas: it must be between 0 and 16, but is 17"),
        (&["up", "--synchronous-commit", "foo"], "--synchronous-commit: `foo` is not a value of"),
        (&["up", "--port", "0"], "--port: it must be between 1 and "),
        (&["up", "--name", "a b"], "the cluster's name `a b` is not"),
        (&["run", "counter", "--example"], "only the order system has an example"),
        (&["confg"], "unrecognized subcommand 'confg'"),
    ] {
        let output = run(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).starts_with("error: "), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).lines().count() <= 24, "one screen: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");

        let output = run(folder.path(), &[args, &["--json"]].concat());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["exit_code"], 2, "{args:?}");
        assert!(document["error"]["message"].as_str().unwrap().contains(said), "{args:?}: {document}");
    }
}

#[test]
fn json_is_one_document_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (args, key) in [
        (&["--version"][..], "version"),
        (&["--help"], "help"),
        (&["run", "--help"], "help"),
        (&["run", "--dry-run"], "plan"),
        (&["runs", "prune"], "removed"),
    ] {
        let output = run(folder.path(), &[args, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(!document[key].is_null(), "{args:?}: {document}");
    }
    for args in [&["logs"][..], &["psql"], &["status", "--env"], &["report", "--format", "html"]] {
        let output = run(folder.path(), &[args, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["exit_code"], 2, "{args:?}");
        assert!(
            stderr(&output).contains("JSON") || stderr(&output).contains("--json"),
            "{}",
            stderr(&output)
        );
    }
}

#[test]
fn a_wrong_file_ends_with_10_and_names_the_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("replab.toml"), "[load]\n\nduraton = \"20s\"\n").unwrap();
    let output = run(folder.path(), &["config", "show"]);
    assert_eq!(output.status.code(), Some(10));
    insta::assert_snapshot!(stderr(&output), @r#"
        error: replab.toml:3: there is no key `duraton` in [load] (did you mean `duration`?)
          3 | duraton = "20s"
            | ^^^^^^^
        help: `replab config init` prints a file with every key and its default
              `replab config show` tells where each value comes from
        "#);
    for command in [&["config", "show"][..], &["up"]] {
        let output = run(folder.path(), &[command, &["--config", "other.toml", "--json"]].concat());
        assert_eq!(output.status.code(), Some(10), "{command:?}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["error"]["exit_code"], 10, "{command:?}");
    }
    fs::write(folder.path().join("replab.toml"), "[topology]\nkind = \"memory\"\n").unwrap();
    let output = run(folder.path(), &["up"]);
    assert_eq!(output.status.code(), Some(10));
    assert!(stderr(&output).contains("topology.kind is memory"), "{}", stderr(&output));
}

#[test]
fn a_wrong_variable_ends_with_10_and_suggests_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    for (name, said) in [
        ("REPLAB_LAOD__DURATION", "did you mean `REPLAB_LOAD__DURATION`?"),
        ("REPLAB_LOAD_DURATION", "did you mean `REPLAB_LOAD__DURATION`, with two underscores"),
    ] {
        let output = replab(folder.path()).args(["config", "show"]).env(name, "20s").output().unwrap();
        assert_eq!(output.status.code(), Some(10));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
    }
    let output =
        replab(folder.path()).args(["config", "show"]).env("REPLAB_LOAD__DURATION", "0s").output().unwrap();
    assert_eq!(output.status.code(), Some(10));
}

#[test]
fn the_file_that_init_prints_is_accepted_and_shown_as_the_origin() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["config", "init"]);
    fs::write(folder.path().join("replab.toml"), &output.stdout).unwrap();
    let output = run(folder.path(), &["config", "show", "--json", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let settings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let origin = |key: &str| {
        let setting = settings.as_array().unwrap().iter().find(|setting| setting["key"] == key).unwrap();
        setting["origin"]["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(origin("load.duration"), "file");
    assert_eq!(origin("load.seed"), "flag");
    assert_eq!(origin("topology.port"), "default");
}

#[test]
fn the_schema_accepts_the_default_file_and_refuses_an_unknown_key() {
    let folder = tempfile::tempdir().unwrap();
    let schema: Value = serde_json::from_slice(&run(folder.path(), &["config", "schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let file: toml::Table = stdout(&run(folder.path(), &["config", "init"])).parse().unwrap();
    assert!(validator.is_valid(&serde_json::to_value(&file).unwrap()));
    assert!(validator.is_valid(&serde_json::json!({ "load": { "seed": 1 } })));
    assert!(!validator.is_valid(&serde_json::json!({ "load": { "sed": 1 } })));
}

#[test]
fn doctor_ends_with_11_where_there_is_no_postgresql() {
    let folder = tempfile::tempdir().unwrap();
    let state = tempfile::tempdir().unwrap();
    let doctor = |args: &[&str]| {
        replab(folder.path()).args(args).env("REPLAB_STATE_DIR", state.path()).output().unwrap()
    };
    let empty = folder.path().to_str().unwrap();
    let output = doctor(&["doctor", "--pg-bin", empty]);
    assert_eq!(output.status.code(), Some(11));
    assert!(stdout(&output).contains("has no initdb, no postgres, no pg_basebackup"), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("a run is not possible here\n"), "{}", stdout(&output));
    let output = doctor(&["doctor", "--pg-bin", empty, "--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["ready"], false);
    assert_eq!(document["findings"][0]["level"], "problem");
}
