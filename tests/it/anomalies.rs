//! `replab anomalies`: the catalogue on real servers, what the comparison finds, and that nothing stays behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::anomaly::{self, Answer, Case, Ending, Place, Placement, Transcript, isolationtester};
use replab::history::NodeName;
use replab::isolation::Isolation;
use replab::report::anomalies::{self as report, Anomalies, State};
use replab::run::anomalies::{Campaign, PlayError, Rules, Slip, Stage, Wanted};
use replab::topology::{Access, Site};
use serde_json::Value;
use tokio::sync::watch;

use crate::lab::{Done, Lab as Folder, is_own_server, until};
use crate::support::{Lab, require_pg};

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/anomalies.schema.json");
const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) fn rules() -> Rules {
    Rules { schema: "replab_test".to_owned(), deadline: DEADLINE, may_change_settings: true, slip: None }
}

pub(crate) async fn stage(lab: &Lab, rules: Rules) -> Stage {
    let sites = lab.cluster.endpoints().into_iter().map(|endpoint| Site {
        node: endpoint.node,
        role: endpoint.role,
        access: Access::Postgres(endpoint.conninfo),
    });
    Stage::open(&sites.collect::<Vec<_>>(), rules).await.unwrap()
}

fn wanted(cases: Vec<Case>, repeat: u32) -> Wanted {
    Wanted {
        cases,
        levels: Isolation::ALL.to_vec(),
        placements: vec![Placement::Primary, Placement::Replica],
        repeat,
        cluster: "a test's".to_owned(),
        reproduce: "replab anomalies".to_owned(),
    }
}

async fn play(stage: &Stage, wanted: &Wanted) -> Anomalies {
    let (_on, interrupt) = watch::channel(false);
    Campaign::new(wanted, stage).play(&interrupt, |_, _| {}).await
}

fn catalogue() -> Vec<Case> {
    anomaly::catalogue().unwrap_or_else(|error| panic!("{error}"))
}

fn case(name: &str) -> Case {
    catalogue().into_iter().find(|case| case.name == name).unwrap()
}

/// The file of a case of the catalogue, changed.
fn changed(name: &str, from: &str, to: &str) -> String {
    let (_, text) = anomaly::SOURCES.into_iter().find(|(one, _)| *one == name).unwrap();
    assert!(text.contains(from), "{name}: {from}");
    text.replacen(from, to, 1)
}

async fn column(lab: &Lab, node: NodeName, sql: &str) -> Vec<String> {
    let session = lab.session(node).await;
    let rows = session.simple_query_rows(sql).await.unwrap();
    session.close().await;
    rows.into_iter().flatten().flatten().collect()
}

/// Neither tables, nor settings, nor sessions.
async fn assert_nothing_left(lab: &Lab) {
    let primary = NodeName::primary();
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replab%'";
    assert_eq!(column(lab, primary, schemas).await, [""; 0]);
    let settings = "SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' \
                    AND name = 'synchronous_standby_names'";
    assert_eq!(column(lab, primary, settings).await, [""; 0]);
    assert_eq!(column(lab, primary, "SHOW synchronous_standby_names").await, [""]);
    let extensions = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'";
    assert_eq!(column(lab, primary, extensions).await, [""; 0]);
    // Nobody waits for a standby any more.
    lab.session(primary)
        .await
        .batch("SET synchronous_commit = on; CREATE TABLE done (); DROP TABLE done")
        .await
        .unwrap();
}

/// `REPLAB_UPDATE_SCHEMA=1 cargo test --test it anomalies_schema` writes the file anew.
#[test]
fn the_anomalies_schema_in_the_tree_is_the_generated_one() {
    let generated = report::schema();
    if std::env::var_os("REPLAB_UPDATE_SCHEMA").is_some() {
        fs::write(SCHEMA, &generated).unwrap();
    }
    let kept = fs::read_to_string(SCHEMA).unwrap_or_default();
    assert!(kept == generated, "{SCHEMA} is stale: run with REPLAB_UPDATE_SCHEMA=1");
}

#[track_caller]
fn assert_schema(found: &Value) {
    let schema = serde_json::from_slice(&fs::read(SCHEMA).unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(found).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = found.clone();
    broken["cases"][0]["cells"][0]["result"]["state"] = "perhaps".into();
    assert!(!validator.is_valid(&broken), "the schema notices nothing");
}

#[tokio::test]
async fn the_whole_catalogue_ends_as_expected_every_time() {
    let Some(lab) = Lab::up(1).await else { return };
    let stage = stage(&lab, rules()).await;
    let times = if is_own_server() { 2 } else { 1 };
    let wanted = wanted(catalogue(), times);
    let found = play(&stage, &wanted).await;
    stage.close().await;
    assert_eq!(found.exit_code, 0, "{}", report::markdown(&found));
    assert!(!found.interrupted);
    assert_schema(&serde_json::from_str(&report::json(&found)).unwrap());
    let mut played = 0;
    for (case, place, result) in found.results() {
        if result.state == State::NotRun {
            // Some builds have no contributed extensions; that has to be said.
            let why = result.why.as_deref().unwrap();
            assert_eq!(why, "the server has no extension btree_gist", "{}, {place}", case.name);
            assert!(found.not_checked.iter().any(|line| line.contains(why)));
            continue;
        }
        played += 1;
        let expected = (State::AsExpected, times);
        assert_eq!((result.state, result.endings[0].times), expected, "{}, {place}", case.name);
    }
    assert!(played >= 117, "{played}");
    prevented_means_that_the_data_is_right(&found);
    assert_nothing_left(&lab).await;
    lab.down().await;
}

/// An ending says how a case was prevented; what is in the tables says that it was.
fn prevented_means_that_the_data_is_right(found: &Anomalies) {
    let right =
        [("lost-update", "12"), ("write-skew", "1"), ("write-skew-predicate", "1"), ("user-name", "1")];
    for (name, value) in right {
        let case = found.cases.iter().find(|case| case.name == name).unwrap();
        let mut seen = 0;
        for tried in case.preventions.iter().filter(|tried| tried.helps) {
            let Some(transcript) = &tried.result.transcript else { continue };
            // Compare and set tells the client to read again, and this one does not.
            let value = if tried.name == "compare-and-set" { "11" } else { value };
            assert_eq!(transcript.first_value("in the end"), Some(value), "{name} with {}", tried.name);
            seen += 1;
        }
        assert!(seen >= 3, "{name}");
    }
}

#[tokio::test]
async fn a_wrong_expectation_is_a_difference() {
    let Some(lab) = Lab::up(1).await else { return };
    let stage = stage(&lab, rules()).await;
    for (name, from, to, found) in [
        (
            "write-skew",
            "repeatable-read = \"happens\"",
            "repeatable-read = \"snapshot\"",
            "`happens` in 1 of 1",
        ),
        ("dirty-read", "read-committed = \"snapshot\"", "read-committed = \"happens\"", "found `snapshot`"),
        (
            "lost-update",
            "refused 40001 at bob writes",
            "refused 40P01 at bob writes",
            "`refused 40001 at bob writes`",
        ),
        (
            "lost-update",
            "refused 40001 at bob writes",
            "refused 40001 at bob commits",
            "`refused 40001 at bob writes`",
        ),
        ("dirty-write", "waits at bob overwrites", "snapshot", "`waits at bob overwrites`"),
        (
            "write-skew",
            "expect = \"waits at bob looks\"",
            "expect = \"snapshot\"",
            "with for-update: expected",
        ),
    ] {
        let case = anomaly::read("planted.toml", &changed(name, from, to)).unwrap();
        let anomalies = play(&stage, &wanted(vec![case], 1)).await;
        assert_eq!(anomalies.exit_code, 1, "{name}, {to}");
        let differs = anomalies.results().filter(|(_, _, result)| result.state == State::Differs).count();
        assert_eq!(differs, 1, "{name}, {to}");
        assert!(report::markdown(&anomalies).replace('\\', "").contains(found), "{name}, {to}");
    }
    stage.close().await;
    lab.down().await;
}

#[tokio::test]
async fn mistakes_of_the_player_are_caught_by_the_matrix() {
    let Some(lab) = Lab::up(1).await else { return };
    for (slip, name, on, level, ending) in [
        (Slip::WeakSerializable, "write-skew", Placement::Primary, Isolation::Serializable, Ending::Happens),
        (Slip::WeakSerializable, "phantom", Placement::Primary, Isolation::Serializable, Ending::Happens),
        (Slip::ReplicaIsPrimary, "dirty-read", Placement::Replica, Isolation::Serializable, Ending::Snapshot),
    ] {
        let stage = stage(&lab, Rules { slip: Some(slip), ..rules() }).await;
        let found = play(&stage, &wanted(vec![case(name)], 1)).await;
        stage.close().await;
        assert_eq!(found.exit_code, 1, "{slip:?}, {name}");
        let cell = found.cases[0].cells.iter().find(|cell| cell.on == on && cell.isolation == level).unwrap();
        assert_eq!((cell.result.state, &cell.result.endings[0].ending), (State::Differs, &ending), "{name}");
    }
    // A replica that is none sees no fork.
    let stage = stage(&lab, Rules { slip: Some(Slip::ReplicaIsPrimary), ..rules() }).await;
    let found = play(&stage, &wanted(vec![case("long-fork")], 1)).await;
    stage.close().await;
    assert!(found.cases[0].cells.iter().all(|cell| cell.result.state == State::Differs));
    assert_nothing_left(&lab).await;
    lab.down().await;
}

const SLOW: &str = "name = 'slow'\ntitle = 'Slow'\nabout = 'Slow.'\nneeds = ['superuser']\n\
    setup = ['CREATE TABLE t (v int)', 'INSERT INTO t VALUES (1)']\n\
    sessions = { dba = 'admin', alice = 'primary', bob = 'primary' }\n";

#[tokio::test]
async fn a_step_that_is_never_answered_hits_the_deadline_and_leaves_nothing() {
    let Some(lab) = Lab::up(1).await else { return };
    let stage = stage(&lab, Rules { deadline: Duration::from_millis(300), ..rules() }).await;
    for (steps, said) in [
        (
            "{ dba = 'SELECT 1' }, { bob = 'SELECT 1' }, { alice = 'SELECT pg_sleep(600)', as = 'alice sleeps' }",
            "`slow`: the step `alice sleeps` was not answered within 300 ms",
        ),
        (
            "{ dba = 'SELECT 1' }, { alice = 'BEGIN' }, { alice = 'UPDATE t SET v = 2' }, { bob = 'UPDATE t SET v = 3', as = 'bob writes' }",
            "`slow`: the step `bob writes` was not answered within 300 ms; it waits for alice",
        ),
        (
            "{ control = 'hold-commits' }, { bob = 'SELECT 1' }, { alice = 'INSERT INTO t VALUES (2)', as = 'alice commits' }",
            "`slow`: the step `alice commits` was not answered within 300 ms; it waits for a standby",
        ),
    ] {
        let case = anomaly::read("slow.toml", &format!("{SLOW}steps = [{steps}]\n")).unwrap();
        let error = stage.play(&case, Placement::Primary, Isolation::ReadCommitted).await.unwrap_err();
        assert!(matches!(error, PlayError::Deadline { .. }), "{error:?}");
        assert_eq!(error.to_string(), said);
        assert_nothing_left(&lab).await;
        let found = play(&stage, &wanted(vec![case], 2)).await;
        assert_eq!(found.exit_code, 12, "a failure of the lab is no result");
        assert!(report::markdown(&found).contains("LAB FAILED"));
    }
    // The stage is as good as before.
    let found = play(&stage, &wanted(vec![case("cancelled-commit")], 1)).await;
    stage.close().await;
    assert_eq!(found.exit_code, 0, "{}", report::markdown(&found));
    lab.down().await;
}

#[tokio::test]
async fn a_setting_that_was_there_is_put_back() {
    let Some(lab) = Lab::up(1).await else { return };
    let primary = lab.session(NodeName::primary()).await;
    let own = "\"replica-1\", \"it''s\"";
    primary.batch("SET synchronous_commit = local").await.unwrap();
    primary.batch(&format!("ALTER SYSTEM SET synchronous_standby_names = '{own}'")).await.unwrap();
    primary.batch("SELECT pg_reload_conf()").await.unwrap();
    let stage = stage(&lab, rules()).await;
    let found = play(&stage, &wanted(vec![case("long-fork"), case("cancelled-commit")], 1)).await;
    stage.close().await;
    assert_eq!(found.exit_code, 0, "{}", report::markdown(&found));
    let sql = "SELECT setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'";
    assert_eq!(column(&lab, NodeName::primary(), sql).await, ["\"replica-1\", \"it's\""]);
    lab.down().await;
}

#[tokio::test]
async fn a_setting_is_put_back_although_the_session_that_changed_it_was_ended() {
    let Some(lab) = Lab::up(0).await else { return };
    let stage = stage(&lab, rules()).await;
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name LIKE 'replab%' AND pid <> pg_backend_pid()";
    let steps = format!(
        "{{ control = 'hold-commits' }}, {{ dba = 'SELECT 1' }}, {{ bob = 'SELECT 1' }}, {{ alice = \"{end}\" }}, \
         {{ bob = 'SELECT 2' }}"
    );
    let case = anomaly::read("slow.toml", &format!("{SLOW}steps = [{steps}]\n")).unwrap();
    stage.play(&case, Placement::Primary, Isolation::ReadCommitted).await.unwrap_err();
    let sql = "SELECT setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'";
    assert_eq!(column(&lab, NodeName::primary(), sql).await, [""; 0]);
    // Nobody waits for a standby that does not exist.
    lab.session(NodeName::primary()).await.batch("CREATE TABLE after_it ()").await.unwrap();
    lab.down().await;
}

#[tokio::test]
async fn what_is_there_already_is_not_dropped() {
    let Some(lab) = Lab::up(0).await else { return };
    let primary = lab.session(NodeName::primary()).await;
    primary.batch("CREATE SCHEMA replab_test; CREATE TABLE replab_test.mine ()").await.unwrap();
    let stage = stage(&lab, rules()).await;
    let refused = stage.play(&case("dirty-read"), Placement::Primary, Isolation::Serializable).await;
    assert!(matches!(refused, Err(PlayError::SetUp { .. })), "{refused:?}");
    primary.batch("SELECT FROM replab_test.mine; DROP SCHEMA replab_test CASCADE").await.unwrap();
    // Without a replica, what needs one is not run, and that is said.
    let found = play(&stage, &wanted(vec![case("dirty-read"), case("long-fork")], 1)).await;
    stage.close().await;
    assert_eq!(found.exit_code, 0);
    let not_run = found.results().filter(|(_, _, result)| result.state == State::NotRun).count();
    assert_eq!(not_run, 6, "three levels of each");
    assert!(
        found
            .not_checked
            .iter()
            .any(|line| line.contains("long-fork, serializable, replica: there is no replica"))
    );
    lab.down().await;
}

/// The tester that PostgreSQL's packages for developers have, from beside the server or as `pg_config` says.
fn tester() -> Option<PathBuf> {
    let below = |lib: &Path| lib.join("pgxs/src/test/isolation/isolationtester");
    let config = std::process::Command::new("pg_config").arg("--pkglibdir").output();
    let said = config.ok().filter(|output| output.status.success());
    let lib = said.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let all = lib.into_iter().chain(debian.map(|entry| entry.path().join("lib")));
    all.map(|lib| below(&lib)).find(|path| path.is_file())
}

/// Whether apt could install the tester.
fn is_debian() -> bool {
    Path::new("/usr/bin/apt-get").exists()
}

/// The tester; `None`, and a line that says so, where there is none. Where apt could install it, that is a failure with
/// `REPLAB_REQUIRE_PG=1`.
pub(crate) fn require_tester() -> Option<PathBuf> {
    let found = tester();
    if found.is_none() {
        let why = "skipped: there is no isolationtester; Debian: apt-get install postgresql-client-15";
        let required = std::env::var("REPLAB_REQUIRE_PG").is_ok_and(|value| value == "1");
        assert!(!(required && is_debian()), "REPLAB_REQUIRE_PG=1, and {why}");
        println!("{why}");
    }
    found
}

#[tokio::test]
async fn exported_cases_end_alike_in_postgresqls_own_tester() {
    if require_pg().await.is_none() {
        return;
    }
    let Some(tester) = require_tester() else { return };
    let Some(lab) = Lab::up(0).await else { return };
    let conninfo = lab.conninfo(NodeName::primary());
    let mut compared = 0;
    for case in catalogue() {
        for level in Isolation::ALL {
            let Ok(spec) = isolationtester(&case, level) else { continue };
            let said = run_tester(&tester, &conninfo.env(), &spec).await;
            let said =
                format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
            let expected = &case.expect[&(Placement::Primary, level)];
            let name = format!("{} at {level}, expected {expected}:\n{spec}\n{said}", case.name);
            let errors = said.matches("ERROR:  ").count();
            let waits = said.matches("<waiting ...>").count();
            match expected {
                Ending::Refused { sqlstate, .. } => {
                    let words = if sqlstate == "23505" { "duplicate key" } else { "could not serialize" };
                    assert!(errors > 0 && said.contains(words), "{name}");
                }
                Ending::Waits { .. } => assert_eq!((errors, waits), (0, 1), "{name}"),
                Ending::Snapshot => assert_eq!((errors, waits), (0, 0), "{name}"),
                Ending::Happens | Ending::Ran => assert_eq!(errors, 0, "{name}"),
            }
            assert!(said.contains("starting permutation: "), "{name}");
            compared += 1;
        }
    }
    let expressible =
        catalogue().iter().filter(|case| isolationtester(case, Isolation::Serializable).is_ok()).count();
    assert_eq!((expressible, compared), (17, 51));
    lab.down().await;
}

pub(crate) async fn run_tester(tester: &Path, env: &[(&'static str, String)], spec: &str) -> Output {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut command = Command::new(tester);
    command.arg("").envs(env.iter().map(|(name, value)| (*name, value.as_str())));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let spec = spec.to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(spec.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let output = ran.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[tokio::test]
async fn what_each_session_saw_is_in_the_transcript() {
    let Some(lab) = Lab::up(1).await else { return };
    let stage = stage(&lab, rules()).await;
    let lost = case("lost-update");
    let plain = stage.play(&lost, Placement::Primary, Isolation::RepeatableRead).await.unwrap();
    let step = |transcript: &Transcript, label: &str| transcript.step(label).unwrap().clone();
    let bob = step(&plain, "bob writes");
    assert_eq!(bob.waited_for, ["alice"]);
    assert_eq!(plain.steps[bob.answered_after].label, "alice commits");
    assert_eq!(step(&plain, "bob commits").answer, Answer::RolledBack);
    // Begun anew it is the second attempt that counts.
    let again = lost.with(lost.prevention("repeatable-read-retry").unwrap());
    let again = stage.play(&again, Placement::Primary, Isolation::RepeatableRead).await.unwrap();
    assert_eq!((step(&again, "bob writes").attempt, again.first_value("bob reads")), (2, Some("11")));
    let commit =
        stage.play(&case("cancelled-commit"), Placement::Primary, Isolation::Serializable).await.unwrap();
    let commit = step(&commit, "alice commits");
    assert_eq!(
        (commit.warnings[0].sqlstate.as_str(), commit.waited_for),
        ("01000", vec!["a standby".to_owned()])
    );
    let skew = case("write-skew");
    let retried = skew.with(skew.prevention("serializable-retry").unwrap());
    let retried = stage.play(&retried, Placement::Primary, Isolation::Serializable).await.unwrap();
    assert_eq!(step(&retried, "bob leaves").answer, Answer::NotSent, "what it read forbids it");
    stage.close().await;
    lab.down().await;
}

#[tokio::test]
async fn a_deadlock_is_an_answer_and_not_a_hang() {
    let Some(lab) = Lab::up(0).await else { return };
    let text = "name = 'deadlock'\ntitle = 'Deadlock'\nabout = 'Deadlock.'\n\
        setup = ['CREATE TABLE t (id int PRIMARY KEY, v int)', 'INSERT INTO t VALUES (1, 0), (2, 0)']\n\
        sessions = { alice = 'primary', bob = 'primary' }\n\
        steps = [{ alice = 'BEGIN' }, { bob = 'BEGIN' }, { alice = 'UPDATE t SET v = 1 WHERE id = 1' },\n\
        { bob = 'UPDATE t SET v = 2 WHERE id = 2' }, { alice = 'UPDATE t SET v = 1 WHERE id = 2' },\n\
        { bob = 'UPDATE t SET v = 2 WHERE id = 1' }, { alice = 'COMMIT' }, { bob = 'COMMIT' }]\n";
    let case = anomaly::read("deadlock.toml", text).unwrap();
    let stage = stage(&lab, rules()).await;
    let transcript = stage.play(&case, Placement::Primary, Isolation::ReadCommitted).await.unwrap();
    let Ending::Refused { sqlstate, .. } = Ending::of(&case, &transcript) else { panic!("{transcript:?}") };
    assert_eq!(sqlstate, "40P01");
    let ends: Vec<&Answer> =
        transcript.steps.iter().filter(|step| step.sql == "COMMIT").map(|step| &step.answer).collect();
    assert!(ends.contains(&&Answer::RolledBack) && ends.contains(&&Answer::Done), "{ends:?}");
    stage.close().await;
    lab.down().await;
}

/// A cluster that the program did not make, and a folder to run it in.
struct Foreign {
    servers: Lab,
    folder: Folder,
}

impl Foreign {
    async fn run(&self, args: &[&str]) -> Done {
        let url = |node| self.servers.conninfo(node).to_string();
        let (writer, reader) = (url(NodeName::primary()), url(NodeName::replica(1)));
        let mut command = self.folder.replab(args);
        command.args(["--writer", &writer, "--reader", &reader]);
        let password = self.servers.conninfo(NodeName::primary());
        command.env("PGPASSWORD", password.password().unwrap().expose());
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap().into()
    }
}

#[tokio::test]
async fn servers_of_somebody_else_keep_their_settings_unless_allowed() {
    let Some(servers) = Lab::up(1).await else { return };
    let foreign = Foreign { servers, folder: Folder::new() };
    let cases = ["anomalies", "read-skew", "long-fork", "cancelled-commit"];
    let kept = foreign.run(&cases).await.exits(0);
    assert!(kept.stdout.contains("not run") && kept.stdout.contains("--allow-faults"), "{}", kept.stdout);
    let json = foreign.run(&[&cases[..], &["--json"]].concat()).await.exits(0).json();
    assert_schema(&json);
    let state = |case: usize| &json["cases"][case]["cells"][0]["result"]["state"];
    assert_eq!([state(0), state(1), state(2)], ["as-expected", "not-run", "not-run"]);
    let allowed = foreign.run(&[&cases[..], &["--allow-faults", "--json"]].concat()).await.exits(0).json();
    assert_eq!(allowed["cases"][1]["cells"][0]["result"]["state"], "as-expected");
    assert_nothing_left(&foreign.servers).await;
    foreign.servers.down().await;
}

#[test]
fn the_command_compares_shows_and_exports() {
    let Some(lab) = Folder::real() else { return };
    let names = ["anomalies", "dirty-read", "lost-update"];
    let json = lab.run(&[&names[..], &["--repeat", "2", "--json"]].concat()).exits(0).json();
    lab.assert_nothing_left();
    assert_schema(&json);
    assert_eq!(json["cases"][1]["cells"][0]["result"]["endings"][0]["times"], 2);

    let shown =
        lab.run(&["anomalies", "show", "lost-update", "--isolation", "repeatable-read"]).exits(0).stdout;
    for word in ["alice (primary)", "⧗ waits for alice", "✗ 40001", "goes on", "in the end", "as expected"]
    {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let json = lab.run(&["anomalies", "show", "read-only-anomaly-replica", "--with", "for-update", "--json"]);
    let json = json.exits(0).json();
    assert_schema(&json);
    assert_eq!(json["cases"][0]["cells"].as_array().unwrap().len(), 1);

    // One's own file, with a wrong expectation, and with none.
    let wrong = changed("lost-update", "read-committed = \"happens\"", "read-committed = \"snapshot\"");
    fs::write(lab.path().join("wrong.toml"), &wrong).unwrap();
    let done = lab.run(&["anomalies", "./wrong.toml", "--on", "primary"]).exits(1);
    assert!(
        done.stdout.contains("✗ DIFFERENT") && done.stdout.contains("expected `snapshot`"),
        "{}",
        done.stdout
    );
    let end = wrong.find("[expect").unwrap();
    fs::write(lab.path().join("own.toml"), &wrong[..end]).unwrap();
    let done = lab.run(&["anomalies", "own.toml"]).exits(0);
    assert!(
        done.stdout.contains("NOT COMPARED") && done.stdout.contains("Nothing was compared"),
        "{}",
        done.stdout
    );
    lab.assert_nothing_left();
}

#[test]
fn what_is_interrupted_says_so_and_leaves_nothing() {
    let Some(lab) = Folder::real() else { return };
    let (stdout, stderr) = (lab.path().join("stdout"), lab.path().join("stderr"));
    let mut command = lab.replab(&["anomalies", "long-fork", "lost-update", "--repeat", "1000", "--json"]);
    let streams = (fs::File::create(&stdout).unwrap(), fs::File::create(&stderr).unwrap());
    let mut child = command.stdout(streams.0).stderr(streams.1).spawn().unwrap();
    until("some of it was played", || {
        let said = fs::read_to_string(&stderr).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "{said}");
        said.contains("repetition 2 of 1000")
    });
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    lab.assert_nothing_left();
    let found: Value = serde_json::from_slice(&fs::read(&stdout).unwrap()).unwrap();
    assert_schema(&found);
    assert_eq!((&found["interrupted"], &found["exit_code"]), (&true.into(), &130.into()));
}

#[test]
fn what_makes_no_sense_starts_nothing() {
    let lab = Folder::new();
    let said = |args: &[&str], code: i32, words: &[&str]| {
        lab.run(&[&["anomalies"], args].concat()).exits(code).explains(words)
    };
    said(&["lost-updat"], 2, &["there is no case `lost-updat` (did you mean `lost-update`?)"]);
    said(&["show", "write-skw"], 2, &["(did you mean `write-skew`?)"]);
    said(
        &["show", "lost-update", "--with", "for-updat"],
        2,
        &["has no prevention `for-updat` (did you mean `for-update`?)"],
    );
    said(
        &["show", "lost-update", "--on", "replica"],
        2,
        &["is never played with its readers on the replica"],
    );
    said(&["missing.toml"], 2, &["read `missing.toml`"]);
    said(&["lost-update", "lost-update"], 2, &["two cases are called"]);
    said(&["--format", "isolationtester"], 2, &["one case at one level"]);
    said(&["--format", "isolationtester", "long-fork"], 2, &["cannot express `long-fork`", "on a replica"]);
    said(&["--topology", "memory"], 2, &["needs PostgreSQL"]);
    let level = lab.run(&["anomalies", "--isolation", "serialisable"]).exits(2);
    assert!(level.stderr.contains("did you mean `serializable`?"), "{}", level.stderr);
    fs::write(lab.path().join("bad.toml"), changed("lost-update", "steps =", "stpes =")).unwrap();
    said(
        &["bad.toml"],
        10,
        &["bad.toml:12: there is no key `stpes` in a case (did you mean `steps`?)", "^^^^^"],
    );
    let spec = lab.run(&["anomalies", "--format", "isolationtester", "write-skew"]).exits(0).stdout;
    assert!(spec.contains("\npermutation ") && spec.contains("\nteardown "), "{spec}");
    let list = lab.run(&["anomalies", "list", "--json"]).exits(0).json();
    assert_eq!(list.as_array().unwrap().len(), anomaly::SOURCES.len());
    assert!(lab.run(&["anomalies", "list"]).exits(0).stdout.contains("write-skew"));
    // Nothing was begun.
    lab.assert_nothing_left();
    assert!(catalogue().iter().any(|case| case.sessions.iter().any(|actor| actor.place == Place::Admin)));
}
