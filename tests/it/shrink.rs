//! `replab shrink`: the binary, and its scripts on a real server.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use replab::anomaly::Placement;
use replab::anomaly::replay::{Fidelity, Replay, replay};
use replab::history::NodeName;
use replab::history::simulation::{Level, Settings, simulate};
use replab::isolation::Isolation;
use replab::pg::Session;
use replab::report::shrink as report;
use serde_json::Value;

use crate::anomalies::{require_tester, rules, run_tester, stage};
use crate::support::Lab;

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/shrink.schema.json");

/// Two that each miss the other's append, among others that do nothing wrong.
const WRITE_SKEW: &str = r#"
{:index 0, :type :invoke, :process 0, :f :txn, :value [[:append :z 1]]}
{:index 1, :type :ok, :process 0, :f :txn, :value [[:append :z 1]]}
{:index 2, :type :invoke, :process 0, :f :txn, :value [[:r :x nil] [:append :y 1] [:r :z nil]]}
{:index 3, :type :invoke, :process 1, :f :txn, :value [[:r :z nil] [:r :y nil] [:append :x 1]]}
{:index 4, :type :ok, :process 0, :f :txn, :value [[:r :x []] [:append :y 1] [:r :z [1]]]}
{:index 5, :type :ok, :process 1, :f :txn, :value [[:r :z [1]] [:r :y []] [:append :x 1]]}
{:index 6, :type :invoke, :process 2, :f :txn, :value [[:r :x nil] [:r :y nil]]}
{:index 7, :type :ok, :process 2, :f :txn, :value [[:r :x [1]] [:r :y [1]]]}
"#;

/// Two that each read 1 and wrote on, and one that tells who came last.
const LOST_UPDATE: &str = r#"
{:type :invoke, :process 0, :f :txn, :value [[:w 7 1]]}
{:type :ok, :process 0, :f :txn, :value [[:w 7 1]]}
{:type :invoke, :process 0, :f :txn, :value [[:r 7 nil] [:w 7 2]]}
{:type :invoke, :process 1, :f :txn, :value [[:r 7 nil] [:w 7 3]]}
{:type :ok, :process 0, :f :txn, :value [[:r 7 1] [:w 7 2]]}
{:type :ok, :process 1, :f :txn, :value [[:r 7 1] [:w 7 3]]}
{:type :invoke, :process 0, :f :txn, :value [[:r 7 nil]]}
{:type :ok, :process 0, :f :txn, :value [[:r 7 2]]}
"#;

/// A reader that saw the second of two appends and not the first.
const READ_SKEW: &str = r#"
{:type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:type :invoke, :process 1, :f :txn, :value [[:append 1 5] [:append 2 6]]}
{:type :ok, :process 1, :f :txn, :value [[:append 1 5] [:append 2 6]]}
{:type :ok, :process 0, :f :txn, :value [[:r 1 []] [:r 2 [6]]]}
"#;

/// Two nodes that show two appends in opposite orders.
const LONG_FORK: &str = r#"
{:type :invoke, :process 0, :node "n1", :f :txn, :value [[:append 1 1]]}
{:type :invoke, :process 1, :node "n1", :f :txn, :value [[:append 2 1]]}
{:type :invoke, :process 2, :node "n1", :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:type :invoke, :process 3, :node "n2", :f :txn, :value [[:r 1 nil] [:r 2 nil]]}
{:type :ok, :process 2, :node "n1", :f :txn, :value [[:r 1 [1]] [:r 2 []]]}
{:type :ok, :process 3, :node "n2", :f :txn, :value [[:r 1 []] [:r 2 [1]]]}
{:type :ok, :process 0, :node "n1", :f :txn, :value [[:append 1 1]]}
{:type :ok, :process 1, :node "n1", :f :txn, :value [[:append 2 1]]}
"#;

/// Two sessions that saw two writes in opposite orders; of each, only its own order is known.
const SESSIONS: &str = "w(1,1,0,0)\nw(2,1,0,1)\nr(1,1,1,2)\nr(2,0,1,3)\nr(2,1,2,4)\nr(1,0,2,5)\nw(3,1,1,2)\n";

/// `replab` in `folder`, without any variable of ours, with `stdin`.
fn replab(folder: &Path, args: &[&str], stdin: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_replab"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("REPLAB_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.current_dir(folder).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not look at its stdin may be gone already.
    drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
    child.wait_with_output().unwrap()
}

/// What `replab shrink -` prints of `history`.
#[track_caller]
fn shrunk(history: &str, args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = replab(folder.path(), &[&["shrink", "-"], args].concat(), history);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Which anomalies `replab check -` finds.
fn found(history: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let output = replab(folder.path(), &["check", "-", "--json"], history);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let types = document["anomaly-types"].as_array().unwrap();
    types.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it shrink_schema` writes the file anew.
#[test]
fn the_shrink_schema_in_the_tree_is_the_generated_one() {
    let generated = report::schema();
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &generated).unwrap();
    }
    let kept = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(kept == generated, "{SCHEMA} is stale: run with REPLAB_UPDATE_SCHEMA=1");
}

#[test]
fn the_document_is_valid_and_says_what_was_left_out() {
    let document: Value = serde_json::from_str(&shrunk(WRITE_SKEW, &["write-skew", "--json"])).unwrap();
    let schema = serde_json::from_slice(&fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = document.clone();
    broken["worth"] = "perhaps".into();
    assert!(!validator.is_valid(&broken), "the schema notices nothing");
    assert_eq!(document["of-transactions"], 4);
    assert_eq!(document["transactions"].as_array().unwrap().len(), 2);
    assert_eq!((&document["operations"], &document["is-minimal"]), (&4.into(), &true.into()));
    assert_eq!((&document["worth"], &document["level"]), (&"one-server".into(), &"repeatable-read".into()));
}

#[test]
fn what_is_printed_as_a_history_shows_the_same_again() {
    for (history, name) in [
        (WRITE_SKEW, "G2-item"),
        (LOST_UPDATE, "lost-update"),
        (READ_SKEW, "G-single-item"),
        (LONG_FORK, "G-nonadjacent-item"),
    ] {
        let whole = found(history);
        for format in ["edn", "json-history"] {
            let part = shrunk(history, &[name, "--format", format]);
            let again = found(&part);
            assert!(again.contains(&name.to_owned()), "{name}: {again:?}");
            assert!(again.iter().all(|one| whole.contains(one)), "{again:?} of {whole:?}");
            assert_eq!(shrunk(&part, &[name, "--format", format]), part, "nothing is left out any more");
        }
    }
}

#[test]
fn what_cannot_be_shrunk_is_said_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let set = "{:type :invoke, :process 1, :f :add, :value 3}";
    let nothing = "{:type :invoke, :process 0, :f :txn, :value [[:append 1 1]]}\n\
                   {:type :ok, :process 0, :f :txn, :value [[:append 1 1]]}\n";
    let twice = format!("{nothing}{nothing}");
    for (args, stdin, code, expected) in [
        (&["-", "G2-itm"][..], WRITE_SKEW, 2, "did you mean `G2-item`?"),
        (&["-", "write-skew"], READ_SKEW, 2, "shows no G2-item; it shows"),
        (&["-"], nothing, 2, "stdin cannot be shrunk\n  because: no anomaly was found"),
        (&["-"], set, 2, "single objects"),
        (&["-"], &twice, 3, "is there twice"),
        (&["-"], &WRITE_SKEW[..200], 11, "stdin"),
        (&["nothing.edn"], "", 2, "there is no run `nothing.edn`"),
        (&["-", "long-fork", "--format", "isolationtester"], LONG_FORK, 2, "s4 is on n2"),
        (&["-", "--format", "edn"], SESSIONS, 2, "process 0 runs more than one transaction at a time"),
        (&["-", "--output", "no/such/folder"], WRITE_SKEW, 11, "write `no/such/folder`"),
    ] {
        let output = replab(folder.path(), &[&["shrink"], args].concat(), stdin);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(text.contains(expected) && output.stdout.is_empty(), "{args:?}: {text}");
    }
    assert!(shrunk(SESSIONS, &["--format", "psql"]).contains("/* s1 */ BEGIN"), "other formats have it");
    let output = replab(folder.path(), &["shrink", "-", "--output", "part.txt"], WRITE_SKEW);
    assert!(output.stdout.is_empty() && output.status.success());
    assert!(fs::read_to_string(folder.path().join("part.txt")).unwrap().contains("G2-item"));
}

#[test]
fn a_script_of_several_nodes_names_them() {
    let script = shrunk(LONG_FORK, &["long-fork", "--format", "psql"]);
    for expected in
        ["-- s3: process 2, connected to n1", "-- s4: process 3, connected to n2", "on several nodes"]
    {
        assert!(script.contains(expected), "{script}");
    }
}

/// Types the lines of a script into a session each, one after the other; answers how many of them read what the comment
/// beside them says.
async fn typed(lab: &Lab, script: &str) -> usize {
    let mut sessions: BTreeMap<String, Session> = BTreeMap::new();
    let mut read = 0;
    for line in script.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        let own = line.strip_prefix("/* ").and_then(|line| line.split_once(" */ "));
        let (name, line) = own.unwrap_or(("any", line));
        if !sessions.contains_key(name) {
            sessions.insert(name.to_owned(), lab.session(NodeName::primary()).await);
        }
        let (sql, comment) = line.split_once("; --").unwrap_or((line, ""));
        let rows =
            sessions[name].simple_query_rows(sql).await.unwrap_or_else(|error| panic!("{line}: {error}"));
        if let Some((_, saw)) = comment.split_once(" read ") {
            let values: Vec<String> = rows.into_iter().flatten().flatten().collect();
            let said = if values.is_empty() { "no row".to_owned() } else { values.join(", ") };
            assert_eq!(said, saw, "{line}\n{script}");
            read += 1;
        }
    }
    for session in sessions.into_values() {
        session.close().await;
    }
    read
}

#[tokio::test]
async fn a_script_gives_on_a_server_what_the_history_saw() {
    let Some(lab) = Lab::up(0).await else { return };
    for (history, name, level, reads) in [
        (WRITE_SKEW, "write-skew", "REPEATABLE READ", 2),
        (LOST_UPDATE, "lost-update", "READ COMMITTED", 2),
        (READ_SKEW, "read-skew", "READ COMMITTED", 2),
    ] {
        let script = shrunk(history, &[name, "--format", "psql"]);
        assert!(script.contains(&format!("BEGIN ISOLATION LEVEL {level};")), "{script}");
        assert_eq!(typed(&lab, &script).await, reads, "{script}");
    }
    // At serializable the same statements are refused.
    let script = shrunk(WRITE_SKEW, &["write-skew", "--format", "psql", "--isolation", "serializable"]);
    let mut refused = Vec::new();
    let sessions = [lab.session(NodeName::primary()).await, lab.session(NodeName::primary()).await];
    for line in script.lines().filter(|line| line.starts_with("CREATE") || line.starts_with("/*")) {
        let session = &sessions[usize::from(line.starts_with("/* s2"))];
        refused.extend(session.simple_query_rows(line).await.err().map(|error| error.to_string()));
    }
    assert!(refused.len() == 1 && refused[0].contains("could not serialize"), "{refused:?}");
    lab.down().await;
}

#[tokio::test]
async fn a_specification_runs_in_postgresqls_own_tester() {
    let Some(lab) = Lab::up(0).await else { return };
    if let Some(tester) = require_tester() {
        let env = lab.conninfo(NodeName::primary()).env();
        for (history, name) in [(WRITE_SKEW, "write-skew"), (LOST_UPDATE, "lost-update")] {
            let spec = shrunk(history, &[name, "--format", "isolationtester"]);
            let output = run_tester(&tester, &env, &spec).await;
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(output.status.success() && said.contains("starting permutation: "), "{spec}\n{said}");
            assert!(!said.contains("ERROR:  ") && !said.contains("<waiting ...>"), "{spec}\n{said}");
            let nothing = said.matches("(0 rows)").count();
            assert_eq!(nothing, if name == "write-skew" { 2 } else { 0 }, "{spec}\n{said}");
        }
    }
    lab.down().await;
}

/// What is played in memory is what a server does: whole histories of imagined databases, each read compared.
#[tokio::test]
async fn whole_histories_are_replayed_on_a_server() {
    let Some(lab) = Lab::up(0).await else { return };
    let stage = stage(&lab, rules()).await;
    let mut played = BTreeMap::new();
    for (level, seed) in [(Level::Snapshot, 0..4), (Level::ReadCommitted, 0..8)]
        .into_iter()
        .flat_map(|(level, seeds)| seeds.map(move |seed| (level, seed)))
    {
        let settings = Settings { level, transactions: 10, clients: 3, keys: 2, seed, ..Settings::default() };
        let Replay { case, level, fidelity, .. } = replay(&simulate(&settings).unwrap(), "replayed", None);
        if fidelity != Fidelity::OneServer {
            continue;
        }
        let transcript = stage.play(&case, Placement::Primary, level).await.unwrap();
        for sight in &case.happens {
            assert!(transcript.shows(sight), "{settings:?}: {sight:?}\n{transcript:?}");
        }
        *played.entry(level).or_insert(0) += 1;
    }
    stage.close().await;
    assert!(played[&Isolation::RepeatableRead] >= 4 && played[&Isolation::ReadCommitted] >= 2, "{played:?}");
    lab.down().await;
}
