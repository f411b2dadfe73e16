//! A cluster that replab did not make: the tests make one, and give the program its URLs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use replab::history::{Action, NodeName};
use replab::pg::Session;
use replab::topology::TopologyError;
use replab::topology::urls::{Cluster, Config};
use serde_json::Value;

use crate::lab::{Done, Lab as Folder};
use crate::support::{DEADLINES, Lab, until};

fn primary() -> NodeName {
    NodeName::primary()
}

fn replica() -> NodeName {
    NodeName::replica(1)
}

/// A primary and a replica, and a folder to run the program in.
struct Foreign {
    servers: Lab,
    folder: Folder,
}

impl Foreign {
    async fn up() -> Option<Foreign> {
        let servers = Lab::up(1).await?;
        Some(Foreign { servers, folder: Folder::new() })
    }

    /// Without the password.
    fn url(&self, node: NodeName) -> String {
        self.servers.conninfo(node).to_string()
    }

    fn password(&self) -> String {
        self.servers.conninfo(primary()).password().unwrap().expose().to_owned()
    }

    /// The program with the password in the environment, to its end.
    async fn replab(&self, args: &[&str]) -> Done {
        let password = self.password();
        self.replab_with(args, &[("PGPASSWORD", &password)]).await
    }

    async fn replab_with(&self, args: &[&str], envs: &[(&str, &str)]) -> Done {
        let mut command = self.folder.replab(args);
        command.envs(envs.iter().copied());
        // The servers' own links are served by this test's runtime meanwhile.
        let output: Output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        output.into()
    }

    /// A short run on both URLs.
    async fn run(&self, more: &[&str]) -> Done {
        let (writer, reader) = (self.url(primary()), self.url(replica()));
        let args = ["run", "--writer", &writer, "--reader", &reader];
        let short = ["--duration", "2s", "--clients", "2", "--seed", "1"];
        self.replab(&[&args[..], &short, more].concat()).await
    }

    async fn schemas(&self, node: NodeName) -> Vec<String> {
        column(
            &self.servers.session(node).await,
            "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'replab%'",
        )
        .await
    }

    /// A configuration file with both URLs and the two commands.
    fn file(&self, restart: &str, failover: &str, schedule: &str) -> String {
        let text = format!(
            "[topology]\nkind = \"urls\"\nwriter = \"{}\"\nreaders = [\"{}\"]\nrestart_command = '''{restart}'''\n\
             failover_command = '''{failover}'''\n[load]\nduration = \"2s\"\nseed = 1\n[orders]\nclients = 2\n\
             [counter]\nclients = 2\n[faults]\nschedule = \"{schedule}\"\n",
            self.url(primary()),
            self.url(replica()),
        );
        let path = self.folder.path().join("foreign.toml");
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// What `run.json` and the like must not hold, in whatever file.
    fn assert_no_password(&self) {
        let password = self.password();
        let mut seen = 0;
        for path in files(&self.folder.runs()) {
            let bytes = fs::read(&path).unwrap();
            let bytes = match path.extension() {
                Some(extension) if extension == "zst" => zstd::decode_all(&*bytes).unwrap(),
                _ => bytes,
            };
            seen += 1;
            assert!(!String::from_utf8_lossy(&bytes).contains(&password), "{}", path.display());
        }
        assert!(seen > 8, "{seen} files");
    }

    async fn down(self) {
        self.servers.down().await;
    }
}

async fn column(session: &Session, sql: &str) -> Vec<String> {
    let rows = session.simple_query_rows(sql).await.unwrap();
    rows.into_iter().flatten().flatten().collect()
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let (folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) = entries
        .filter(|entry| !entry.path().is_symlink())
        .map(|entry| entry.path())
        .partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

#[tokio::test]
async fn a_run_on_urls_is_valid_and_leaves_only_its_report() {
    let Some(foreign) = Foreign::up().await else { return };
    let writer = foreign.servers.session(primary()).await;
    writer.batch("CREATE TABLE user_counter (mine int); INSERT INTO user_counter VALUES (7)").await.unwrap();
    foreign.run(&["--synchronous-commit", "local"]).await.exits(0);
    let report = foreign.folder.results();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let topology = text(&report["run"]["topology"]);
    assert!(
        topology.starts_with("urls, 1 primary + 1 replica, synchronous_commit = local, schema replab_"),
        "{topology}"
    );
    assert_eq!(report["run"]["faults"], "none");
    assert_eq!(report["claims"]["everywhere"].as_array().unwrap().len(), 5, "{}", report["claims"]);
    let lag = &report["figures"]["lag"][0];
    assert!(lag["samples"].as_u64().unwrap() > 0 && lag["max_replay_bytes"].is_u64(), "{lag}");
    assert_eq!([&lag["unknown"], &lag["disconnected"]], [0, 0], "{lag}");
    // Somebody else's table of the same name is as it was.
    assert_eq!(column(&writer, "SELECT mine FROM user_counter").await, ["7"]);
    assert_eq!(foreign.schemas(primary()).await, [""; 0]);
    foreign.assert_no_password();

    // The stored plan repeats the run, and says what it lacks.
    let again = text(&report["run"]["reproduce"]);
    assert!(again.ends_with("  # set PGPASSWORD first: the plan holds no password"), "{again}");
    let plan = foreign.folder.latest("plan.toml").canonicalize().unwrap();
    let plan = plan.to_str().unwrap();
    foreign.replab(&["run", "--config", plan, "--keep"]).await.exits(0);
    assert_eq!(foreign.schemas(primary()).await.len(), 1, "--keep");
    foreign
        .replab_with(&["run", "--config", plan], &[])
        .await
        .exits(11)
        .explains(&["primary cannot be reached"]);
    let passfile = foreign.servers.cluster.passfile();
    foreign
        .replab_with(&["run", "--config", plan], &[("PGPASSFILE", passfile.to_str().unwrap())])
        .await
        .exits(0);
    foreign.assert_no_password();
    foreign.down().await;
}

/// A command that has the test do `node`'s part with the library, and waits until that is done.
fn asks_the_test(folder: &Path, verb: &str) -> String {
    let folder = folder.display();
    format!(
        "echo {verb} $REPLAB_NODE $REPLAB_PRIMARY > {folder}/asked.new && mv {folder}/asked.new {folder}/asked || exit 3\n\
         for i in $(seq 2000); do test -e {folder}/done && rm {folder}/done && exit 0; sleep 0.05; done\nexit 4"
    )
}

/// What the next command asked for, when it has.
async fn asked(folder: &Path) -> String {
    let path = folder.join("asked");
    until("a command asks", async || path.exists()).await;
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    text.trim().to_owned()
}

#[tokio::test]
async fn nodes_are_restarted_by_the_users_command() {
    let Some(foreign) = Foreign::up().await else { return };
    let folder = foreign.folder.path().to_path_buf();
    let command = asks_the_test(&folder, "restart");
    let file = foreign.file(&command, "", "restart(primary)@300ms,restart(replica-1)@301ms");
    foreign
        .replab(&["run", "--config", &file])
        .await
        .exits(10)
        .explains(&["--allow-faults", "foreign.toml:"]);

    let answers = async {
        for _ in 0..2 {
            let asked = asked(&folder).await;
            let node = if asked.starts_with("restart primary") { primary() } else { replica() };
            foreign.servers.cluster.act(node, Action::Restart).await.unwrap();
            fs::write(folder.join("done"), "").unwrap();
        }
    };
    let args = ["run", "--config", &file, "--allow-faults"];
    let (done, ()) = tokio::join!(foreign.replab(&args), answers);
    done.exits(0);
    let report = foreign.folder.results();
    assert!(report["run"]["reproduce"].as_str().unwrap().contains("plan.toml --allow-faults"));
    assert_eq!(foreign.schemas(primary()).await, [""; 0]);
    foreign.assert_no_password();
    foreign.down().await;
}

#[tokio::test]
async fn a_replica_is_promoted_by_the_users_command() {
    let Some(foreign) = Foreign::up().await else { return };
    let folder = foreign.folder.path().to_path_buf();
    let command = asks_the_test(&folder, "failover");
    let file = foreign.file("", &command, "promote(best)@500ms");
    let answers = async {
        assert_eq!(asked(&folder).await, "failover replica-1 primary");
        for (node, action) in
            [(primary(), Action::Kill), (replica(), Action::Promote), (primary(), Action::Rejoin)]
        {
            foreign.servers.cluster.act(node, action).await.unwrap();
        }
        fs::write(folder.join("done"), "").unwrap();
    };
    let args = ["run", "--config", &file, "--allow-faults"];
    let (done, ()) = tokio::join!(foreign.replab(&args), answers);
    done.exits(0);
    let report = foreign.folder.results();
    let claimed = report["claims"]["everywhere"].as_array().unwrap();
    assert!(!claimed.iter().any(|claim| claim == "durability" || claim == "convergence"), "{claimed:?}");
    let convergence = crate::lab::judgement(&report, "counter", "convergence", None);
    assert_eq!(convergence["verdict"], "pass", "{convergence}");
    assert_eq!(foreign.schemas(replica()).await, [""; 0]);
    foreign.down().await;
}

#[tokio::test]
async fn what_cannot_be_used_is_refused_by_name() {
    let Some(foreign) = Foreign::up().await else { return };
    let (writer, reader) = (foreign.url(primary()), foreign.url(replica()));
    let run = async |args: &[&str]| foreign.replab(&[&["run", "--duration", "1s"], args].concat()).await;
    run(&["--writer", &reader]).await.exits(11).explains(&["primary cannot be used", "it is a replica"]);
    let other = writer.replace("127.0.0.1", "localhost");
    run(&["--writer", &writer, "--reader", &other])
        .await
        .exits(11)
        .explains(&["replica-1 cannot be used: it is a primary"]);
    let closed = "postgres://u@127.0.0.1:1/d";
    run(&["--writer", closed])
        .await
        .exits(11)
        .explains(&["primary cannot be reached at postgres://u@127.0.0.1:1/d"]);
    let faults = run(&["--writer", &writer, "--reader", &reader, "--fault", "restart(primary)@500ms"]).await;
    faults.exits(2).explains(&["--allow-faults"]);

    let session = foreign.servers.session(primary()).await;
    session.batch("CREATE ROLE guest LOGIN PASSWORD 'hunter2'").await.unwrap();
    let guest = writer.replace("postgres@", "guest:hunter2@");
    assert_ne!(guest, writer);
    let refused = run(&["--writer", &guest]).await.exits(11);
    refused.explains(&["make the schema replab_", "permission denied for database"]);
    assert!(!refused.stderr.contains("hunter2"));

    session.batch("ALTER SYSTEM SET fsync = off").await.unwrap();
    session.batch("SELECT pg_reload_conf()").await.unwrap();
    until("fsync is off", async || column(&session, "SHOW fsync").await == ["off"]).await;
    run(&["--writer", &writer]).await.exits(11).explains(&["primary cannot be used", "fsync = off"]);
    assert_eq!(foreign.schemas(primary()).await, [""; 0]);
    foreign.down().await;
}

#[tokio::test]
async fn a_command_that_did_nothing_is_found_out() {
    let Some(servers) = Lab::up(1).await else { return };
    let logs = tempfile::tempdir().unwrap();
    let attach = async |restart: &str, failover: &str| {
        let config = Config {
            writer: servers.conninfo(primary()),
            readers: vec![servers.conninfo(replica())],
            restart_command: Some(restart.to_owned()),
            failover_command: Some(failover.to_owned()),
            schema: "replab_test".to_owned(),
            synchronous_commit: "on".to_owned(),
            keep: false,
            logs_dir: logs.path().to_path_buf(),
            settle_limit: std::time::Duration::from_millis(300),
        };
        Cluster::attach(config).await.unwrap()
    };
    let idle = attach("true", "true").await;
    let error = idle.act(primary(), Action::Restart).await.unwrap_err();
    assert!(error.to_string().contains("did not show a new start of its server"), "{error}");
    let error = idle.act(replica(), Action::Promote).await.unwrap_err();
    assert!(error.to_string().contains("did not leave recovery"), "{error}");

    // A pooler that drops the session's settings would look like this: another value than the one asked for.
    let deaf = servers.conninfo(primary()).with_setting("synchronous_commit", "true");
    let error = Session::connect(&deaf, "test", DEADLINES).await.unwrap_err();
    assert!(error.to_string().contains("synchronous_commit = on although it asked for true"), "{error}");

    let failing = attach("echo no such host: $REPLAB_NODE; exit 7", "").await;
    let error = failing.act(replica(), Action::Restart).await.unwrap_err();
    assert!(matches!(error, TopologyError::Hook { .. }), "{error}");
    assert!(error.to_string().contains("exit status: 7\n  │ no such host: replica-1"), "{error}");

    // Promoted beside a primary that goes on: what the two acknowledge, one of them does not have.
    let untouched = attach("true", "true").await;
    untouched.all_follow().await.unwrap();
    servers.session(replica()).await.batch("SELECT pg_promote()").await.unwrap();
    let error = idle.act(replica(), Action::Promote).await.unwrap_err();
    assert!(matches!(error, TopologyError::SecondPrimary { .. }), "{error}");
    let error = untouched.all_follow().await.unwrap_err();
    assert!(error.to_string().contains("replica-1 is a primary now, and no fault of this run"), "{error}");
    servers.down().await;
}
