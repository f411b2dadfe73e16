//! A cluster that is served, and what tests ask of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use replab::pg::{Conninfo, Deadlines, Host, PgError, Secret, Session};
use serde_json::Value;

use super::signed::{self, Answer};
use crate::lab::{Lab, until, waiting};

pub(super) const KEY_ID: &str = "AKIDEXAMPLE";
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// For sessions whose deadlines are not what is tested.
pub(super) const DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(30), statement: Duration::from_secs(60) };

/// `replab aurora serve` in the background.
pub(super) struct Serving {
    // Dropped before the folder that it works in.
    running: Running,
    pub(super) lab: Lab,
    pub(super) facts: Value,
}

/// The program; dropped, it is killed, and its guard ends the servers.
struct Running {
    child: Child,
    /// What it says on stderr.
    said: PathBuf,
}

/// A configuration that no server starts with.
pub(super) struct Spoiled {
    path: PathBuf,
    text: String,
}

impl Spoiled {
    pub(super) fn undo(self) {
        fs::write(self.path, self.text).unwrap();
    }
}

impl Serving {
    /// A cluster `part-4`; `None` where there is no PostgreSQL.
    pub(super) fn start(more: &[&str]) -> Option<Serving> {
        let lab = Lab::real()?;
        let file = |name: &str| File::create(lab.path().join(name)).unwrap();
        let mut command = lab.replab(&["aurora", "serve", "--json", "--cluster", "Part-4"]);
        command.args(more).env("AWS_ACCESS_KEY_ID", KEY_ID).env("AWS_SECRET_ACCESS_KEY", SECRET);
        command.stdout(file("stdout")).stderr(file("stderr")).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut facts = None;
        until("it is served", || {
            let said = fs::read_to_string(lab.path().join("stderr")).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{said}");
            facts = serde_json::from_slice(&fs::read(lab.path().join("stdout")).unwrap()).ok();
            facts.is_some()
        });
        Some(Serving {
            running: Running { child, said: lab.path().join("stderr") },
            lab,
            facts: facts.unwrap(),
        })
    }

    /// What it has said besides.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(self.lab.path().join("stderr")).unwrap()
    }

    /// Where the API is: `127.0.0.1:4711`.
    pub(super) fn api(&self) -> &str {
        self.facts["endpoint_url"].as_str().unwrap().strip_prefix("http://").unwrap()
    }

    /// The answer to a signed request.
    pub(super) fn call(&self, action: &str, more: &str) -> Answer {
        let body = format!("Action={action}&Version=2014-10-31{more}");
        signed::post(self.api(), &body, KEY_ID, SECRET, chrono::Utc::now())
    }

    /// The cluster's status.
    pub(super) fn status(&self) -> String {
        self.call("DescribeDBClusters", "").ok().text("Status")
    }

    /// The status of an instance.
    pub(super) fn instance_status(&self, name: &str) -> String {
        let more = format!("&DBInstanceIdentifier={name}");
        self.call("DescribeDBInstances", &more).ok().text("DBInstanceStatus")
    }

    /// The instance that the API calls the writer.
    pub(super) fn writer(&self) -> String {
        let members = self.call("DescribeDBClusters", "").ok().all("DBClusterMember");
        let mut writers = members.iter().filter(|member| member.text("IsClusterWriter") == "true");
        let writer = writers.next().unwrap().text("DBInstanceIdentifier");
        assert!(writers.next().is_none(), "one writer");
        writer
    }

    pub(super) fn until_available(&self) {
        until("the cluster is available", || self.status() == "available");
    }

    /// The messages of events, oldest first.
    pub(super) fn events(&self, more: &str) -> Vec<String> {
        let events = self.call("DescribeEvents", more).ok().all("Event");
        events.iter().map(|event| event.text("Message")).collect()
    }

    /// The address of an endpoint: `writer`, `reader`, or that of an instance.
    pub(super) fn address(&self, endpoint: &str) -> String {
        match &self.facts[endpoint] {
            Value::String(address) => address.clone(),
            _ => {
                let more = format!("&DBInstanceIdentifier={endpoint}");
                self.call("DescribeDBInstances", &more).ok().text("Address")
            }
        }
    }

    pub(super) fn conninfo(&self, endpoint: &str) -> Conninfo {
        let port = u16::try_from(self.facts["port"].as_u64().unwrap()).unwrap();
        let password = self.facts["env"]["PGPASSWORD"].as_str().unwrap();
        let host = Host::Tcp(self.address(endpoint));
        Conninfo::new(host, port, "postgres", "postgres").with_password(Secret::new(password))
    }

    /// The rows that an endpoint answers, through a new connection.
    pub(super) fn ask(&self, endpoint: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>, PgError> {
        let conninfo = self.conninfo(endpoint);
        waiting(async {
            let session = Session::connect(&conninfo, "test", DEADLINES).await?;
            let rows = session.simple_query_rows(sql).await?;
            session.close().await;
            Ok(rows)
        })
    }

    /// The one value that an endpoint answers, empty for NULL.
    pub(super) fn value(&self, endpoint: &str, sql: &str) -> String {
        let rows = self.ask(endpoint, sql).unwrap_or_else(|error| panic!("{endpoint}: {sql}: {error}"));
        rows[0][0].clone().unwrap_or_default()
    }

    /// The instance that an endpoint leads to; empty while it leads nowhere.
    pub(super) fn instance_at(&self, endpoint: &str) -> String {
        let asked = self.ask(endpoint, "SELECT aurora_db_instance_identifier()");
        asked.ok().and_then(|rows| rows[0][0].clone()).unwrap_or_default()
    }

    /// The process that is the server of a node.
    pub(super) fn postmaster(&self, node: &str) -> Option<i32> {
        let place = format!("nodes/{node} ");
        let is_server = |line: &str| line.contains("bin/postgres -D") && line.contains(&place);
        self.lab.processes().into_iter().find(|(_, line)| is_server(line)).map(|(pid, _)| pid)
    }

    /// The data directory of a node.
    pub(super) fn data(&self, node: &str) -> PathBuf {
        let passfile = Path::new(self.facts["passfile"].as_str().unwrap());
        passfile.with_file_name("nodes").join(node)
    }

    /// Has the server of a node refuse to start again, until that is undone.
    pub(super) fn spoil(&self, node: &str) -> Spoiled {
        let path = self.data(node).join("postgresql.conf");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}\nno_such_setting = 1\n")).unwrap();
        Spoiled { path, text }
    }

    /// The processes that work in the directory of a node.
    pub(super) fn processes_of(&self, node: &str) -> Vec<i32> {
        let works_there = |pid: &i32| {
            let place = fs::read_link(format!("/proc/{pid}/cwd"));
            place.is_ok_and(|place| place.ends_with(format!("nodes/{node}")))
        };
        self.lab.processes().into_iter().map(|(pid, _)| pid).filter(works_there).collect()
    }

    /// Ended without a chance to end anything itself.
    pub(super) fn killed(self) -> Lab {
        let Serving { running, lab, .. } = self;
        drop(running);
        lab
    }

    /// Ctrl-C: everything ends, and nothing is left.
    pub(super) fn end(mut self) {
        kill(Pid::from_raw(i32::try_from(self.running.child.id()).unwrap()), Signal::SIGINT).unwrap();
        let status = self.running.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{}", self.said());
        self.lab.assert_nothing_left();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprint(&fs::read_to_string(&self.said).unwrap_or_default());
        }
    }
}

#[expect(clippy::print_stderr, reason = "what the program said, of a test that failed")]
fn eprint(said: &str) {
    eprintln!("{said}");
}
