//! `replab check FILE`: the binary on anybody's history of transactions.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use replab::report::{objects, transactions};
use serde_json::Value;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/transactions.schema.json");
const OBJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/objects.schema.json");

/// Two readers that see two appends in opposite orders.
const LONG_FORK: &str = r#"
{:index 0, :time 0, :type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}
{:index 1, :time 1, :type :invoke, :process 1, :f :txn, :value [[:append 2 1]]}
{:index 2, :time 2, :type :invoke, :process 2, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:index 3, :time 3, :type :invoke, :process 3, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:index 4, :time 4, :type :ok, :process 2, :f :txn, :value [[:r 1 [1]] [:r 2 []]]}
{:index 5, :time 5, :type :ok, :process 3, :f :txn, :value [[:r 1 []] [:r 2 [1]]]}
{:index 6, :time 6, :type :ok, :process 0, :f :txn, :value [[:append 1 1]]}
{:index 7, :time 7, :type :ok, :process 1, :f :txn, :value [[:append 2 1]]}
"#;

/// `replab` in a folder of its own, without any variable of ours.
pub(super) fn replab(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replab"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REPLAB_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.current_dir(folder);
    command
}

fn check(folder: &Path, content: impl AsRef<[u8]>, args: &[&str]) -> Output {
    let file = folder.join("history.edn");
    fs::write(&file, content).unwrap();
    replab(folder).arg("check").arg(&file).args(args).output().unwrap()
}

pub(super) fn words(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_long_fork_is_prefix_for_nobody_and_parallel_snapshots_for_all() {
    let folder = tempfile::tempdir().unwrap();
    for (model, code) in
        [("snapshot-isolation", 1), ("prefix", 1), ("parallel-snapshot-isolation", 0), ("read-committed", 0)]
    {
        let (found, text) = words(&check(folder.path(), LONG_FORK, &["--model", model]));
        assert_eq!(found, Some(code), "{model}: {text}");
    }
    let (code, text) = words(&check(folder.path(), LONG_FORK, &[]));
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("T1 < T2, because"), "{text}");
    let output = check(folder.path(), LONG_FORK, &["--json"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["model"], "strict-serializable");
    assert_eq!(document["anomaly-types"], serde_json::json!(["prefix-violation", "G-nonadjacent-item"]));
    assert_schema(SCHEMA, &document);
}

#[test]
fn what_a_history_does_not_tell_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = "w(1,1,0,0)\nr(1,1,1,1)\n";
    let (code, text) = words(&check(folder.path(), sessions, &["--model", "strict-serializable"]));
    assert_eq!(code, Some(3), "{text}");
    let (code, text) = words(&check(folder.path(), sessions, &[]));
    assert_eq!((code, text.contains("strong-session-serializable")), (Some(0), true), "{text}");
}

/// One line for each event of a history of single objects.
fn events(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{{{line}}}\n")).collect()
}

#[test]
fn objects_are_linearizable_or_a_few_calls_show_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let register = |read: &str| {
        events(&[
            ":type :invoke, :process 0, :f :write, :value 1",
            ":type :ok, :process 0, :f :write, :value 1",
            ":type :invoke, :process 0, :f :cas, :value [1 2]",
            ":type :ok, :process 0, :f :cas, :value [1 2]",
            ":type :invoke, :process 1, :f :read, :value nil",
            &format!(":type :ok, :process 1, :f :read, :value {read}"),
        ])
    };
    let adds = |read: &str| {
        events(&[
            ":type :invoke, :process 0, :f :add, :value 1",
            ":type :ok, :process 0, :f :add, :value 1",
            ":type :invoke, :process 1, :f :read, :value nil",
            &format!(":type :ok, :process 1, :f :read, :value {read}"),
        ])
    };
    for (content, code, expected) in [
        (register("2"), 0, "✓ LINEARIZABLE"),
        (register("1"), 1, "process 1 on primary"),
        (adds("1"), 0, "✓ LINEARIZABLE"),
        (adds("2"), 1, "read 2"),
        (adds("#{1}"), 0, "✓ LINEARIZABLE"),
        (adds("#{}"), 1, "read {}"),
    ] {
        let (found, text) = words(&check(folder.path(), &content, &[]));
        assert_eq!((found, text.contains(expected)), (Some(code), true), "{content}{text}");
    }
    let (code, text) = words(&check(folder.path(), LONG_FORK, &["--model", "linearizable"]));
    assert_eq!(
        (code, text.contains("of 2 objects")),
        (Some(0), true),
        "each key by itself has an order: {text}"
    );
    let output = check(folder.path(), register("1"), &["--json", "--model", "linearizable"]);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_schema(OBJECTS, &document);
    assert_eq!((&document["verdict"], &document["object"]), (&"fail".into(), &"register".into()));
    let (code, text) = words(&check(folder.path(), register("1"), &["--model", "serializable"]));
    assert_eq!((code, text.contains("single objects")), (Some(2), true), "{text}");
}

#[test]
fn a_counter_example_is_drawn_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    for (args, begin, parts) in [
        (&["--format", "svg"][..], "<svg", &[">prefix-violation</text>", "rw 2 []→1"][..]),
        (&["--format", "svg", "--anomaly", "G-nonadjacent-item"], "<svg", &[">G-nonadjacent-item</text>"]),
        (&["--format", "dot"], "digraph", &["cluster_0", "cluster_1", "rw 2 []→1"]),
        (&["--format", "html"], "<!DOCTYPE html>", &["class=\"picture\"", "--model strict-serializable"]),
    ] {
        let (code, text) = words(&check(folder.path(), LONG_FORK, args));
        assert_eq!((code, text.starts_with(begin)), (Some(1), true), "{args:?}: {text}");
        parts.iter().for_each(|part| assert!(text.contains(part), "{args:?}: {part}: {text}"));
    }
    let register = events(&[
        ":type :invoke, :process 0, :f :write, :value 1",
        ":type :ok, :process 0, :f :write, :value 1",
        ":type :invoke, :process 1, :f :read, :value nil",
        ":type :ok, :process 1, :f :read, :value nil",
        ":type :invoke, :process 1, :f :read, :value nil",
        ":type :ok, :process 1, :f :read, :value 2",
    ]);
    for (format, begin) in [("svg", "<svg"), ("html", "<!DOCTYPE html>")] {
        let (code, text) = words(&check(folder.path(), &register, &["--format", format]));
        assert_eq!((code, text.starts_with(begin)), (Some(1), true), "{text}");
        assert!(text.contains("read 2") && text.contains("calls that have no order"), "{text}");
    }
    for (content, args, said) in [
        (
            LONG_FORK,
            &["--format", "svg", "--anomaly", "G-nonadjacent"][..],
            "did you mean `G-nonadjacent-item`?",
        ),
        (LONG_FORK, &["--anomaly", "G0"], "--anomaly is for --format svg and --format dot"),
        (LONG_FORK, &["--format", "svg", "--json"], "another format was asked for"),
        (&register, &["--format", "dot"], "--format svg draws them as lanes"),
        (&register, &["--format", "svg", "--anomaly", "G0"], "--anomaly is for transactions"),
    ] {
        let (code, text) = words(&check(folder.path(), content, args));
        assert_eq!((code, text.contains(said)), (Some(2), true), "{args:?}: {text}");
    }
    let (code, text) =
        words(&replab(folder.path()).args(["check", "nothing", "--anomaly", "G0"]).output().unwrap());
    assert_eq!((code, text.contains("are for a file")), (Some(2), true), "{text}");
}

/// Graphviz, where it is installed, reads what is written for it.
#[test]
fn graphviz_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let hostile = LONG_FORK
        .replace(":append 1 ", r#":append "a \\ \" & \\N ]; <b>" "#)
        .replace(":r 1 ", r#":r "a \\ \" & \\N ]; <b>" "#);
    let output = check(folder.path(), hostile, &["--format", "dot"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let file = folder.path().join("history.dot");
    fs::write(&file, &output.stdout).unwrap();
    match Command::new("dot").arg("-Tplain").arg(&file).output() {
        Err(error) => println!("skipped: no dot ({error}); apt-get install graphviz"),
        Ok(drawn) => {
            let plain = String::from_utf8(drawn.stdout).unwrap();
            assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
            let count = |word: &str| plain.lines().filter(|line| line.starts_with(word)).count();
            assert_eq!((count("node "), count("edge ")), (8, 8), "two rings of four: {plain}");
        }
    }
}

#[test]
fn bad_input_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let lines = |text: &str| text.lines().count();
    for (content, args, code, expected) in [
        (&LONG_FORK.as_bytes()[..300], &[][..], 11, "line"),
        (b"\xff\xfe\x00", &[], 11, "history.edn"),
        (b"", &[], 11, "history.edn"),
        (LONG_FORK.as_bytes(), &["--model", "serialisable"], 2, "did you mean `serializable`?"),
        (LONG_FORK.as_bytes(), &["--input", "plum"], 2, "did you mean `plume`?"),
        (LONG_FORK.as_bytes(), &["--require", "durability"], 2, "--require is for a run"),
    ] {
        let (found, text) = words(&check(folder.path(), content, args));
        assert_eq!(found, Some(code), "{args:?}: {text}");
        assert!(text.contains(expected) && lines(&text) <= 8, "{args:?}: {text}");
    }
    let (code, text) = words(
        &replab(folder.path()).args(["check", "nothing.edn", "--model", "serializable"]).output().unwrap(),
    );
    assert_eq!((code, text.contains("is none")), (Some(2), true), "{text}");
}

#[test]
fn the_checker_keeps_its_promises_in_a_small_bench() {
    let folder = tempfile::tempdir().unwrap();
    let output = replab(folder.path())
        .args(["bench", "checker", "--transactions", "20000", "--repeat", "1", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let judged = found["judged"].as_array().unwrap();
    assert!(judged.iter().all(|row| row["judged"]["transactions"] == 20_000), "{found}");
    let read = found["read"].as_array().unwrap();
    assert!(read.iter().all(|read| read["transactions"] == 20_000), "{found}");
    let formats: Vec<&str> = read.iter().filter_map(|read| read["format"].as_str()).collect();
    assert_eq!(formats, ["edn", "json", "replab"]);
}

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it history_schemas` writes the files anew.
#[test]
fn the_history_schemas_in_the_tree_are_the_generated_ones() {
    for (file, generated) in [(SCHEMA, transactions::schema()), (OBJECTS, objects::schema())] {
        if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
            fs::write(file, &generated).unwrap();
        }
        let kept = fs::read_to_string(file).unwrap_or_default();
        assert!(kept == generated, "{file} is stale: run with REPLAB_UPDATE_SCHEMA=1");
    }
}

#[track_caller]
pub(super) fn assert_schema(file: &str, document: &Value) {
    let schema = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
