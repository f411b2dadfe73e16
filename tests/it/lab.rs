//! What tests of the binary on real servers share: a place of its own for each, and what is left running there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::SemaphorePermit;

use crate::support;

/// Long enough to be no reason for a failure on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Whether the tests run against this machine's own server. Against another version that was named, what only takes longer
/// is done with less: every test runs with every version.
pub(crate) fn is_own_server() -> bool {
    std::env::var_os("REPLAB_PG_BIN").is_none()
}

/// Whether there is a PostgreSQL to test with; without one it prints why, unless `REPLAB_REQUIRE_PG=1` forbids that.
pub(crate) fn require_pg() -> bool {
    waiting(support::require_pg()).is_some()
}

/// These tests start programs and wait for them; only what they share with the others is asynchronous.
pub(crate) fn waiting<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// An empty folder to work in, with a state directory that nobody else uses. What still runs there at the end is killed.
pub(crate) struct Lab {
    folder: TempDir,
    state: PathBuf,
    turn: Option<SemaphorePermit<'static>>,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Lab {
    /// For tests of real servers; `None` where there are none.
    pub(crate) fn real() -> Option<Lab> {
        if !require_pg() {
            return None;
        }
        let turn = waiting(support::CLUSTERS.acquire()).unwrap();
        let mut lab = Lab::new();
        lab.turn = Some(turn);
        Some(lab)
    }

    /// For tests of real servers in containers, with the image to make them from; `None` where there is no docker.
    pub(crate) fn with_docker() -> Option<(Lab, String)> {
        let image = support::require_docker()?;
        let turn = waiting(support::CLUSTERS.acquire()).unwrap();
        let mut lab = Lab::new();
        lab.turn = Some(turn);
        Some((lab, image))
    }

    /// Where replab keeps its own files here.
    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// For tests that need no server. The account that runs PostgreSQL for root can enter the folder.
    pub(crate) fn new() -> Lab {
        let open = fs::Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("replab-it-").permissions(open).tempdir_in("/var/tmp");
        let folder = folder.unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        // What initdb makes is the same for every test, so it is made once.
        let uid = nix::unistd::Uid::effective();
        let cache = Path::new("/var/tmp").join(format!("replab-it-cache-{uid}"));
        fs::create_dir_all(&cache).unwrap();
        std::os::unix::fs::symlink(cache, state.join("cache")).unwrap();
        Lab { folder, state, turn: None }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn state_dir(&self) -> &Path {
        &self.state
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.path().join("runs")
    }

    /// A file of the newest run.
    pub(crate) fn latest(&self, file: &str) -> PathBuf {
        self.runs().join("latest").join(file)
    }

    /// `program` in the folder, with no variable of ours but the state directory and where PostgreSQL is.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if (text.starts_with("REPLAB_") && text != "REPLAB_PG_BIN") || text.starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("REPLAB_STATE_DIR", &self.state).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    /// `replab` there.
    pub(crate) fn replab(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_replab"));
        command.args(args);
        command
    }

    /// `replab` there, to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Done {
        self.replab(args).output().unwrap().into()
    }

    /// PostgreSQL's and replab's processes of this lab: those that stand in its folder, or name it (Linux only).
    pub(crate) fn processes(&self) -> Vec<(i32, String)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let folder = self.path();
        let own = pids.filter_map(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            let names = line.contains(&*folder.to_string_lossy());
            let stands = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
            (names || stands).then_some((pid, line))
        });
        own.collect()
    }

    /// Neither a process nor a cluster is left.
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(self.processes(), []);
        let entries = |part| fs::read_dir(self.state.join(part)).into_iter().flatten().flatten();
        let clusters: Vec<_> = entries("clusters").chain(entries("compose")).collect();
        assert!(clusters.is_empty(), "{clusters:?}");
    }

    /// The newest run's `results.json`.
    pub(crate) fn results(&self) -> Value {
        let path = self.latest("results.json");
        serde_json::from_slice(&fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
            .unwrap()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for (pid, _) in self.processes() {
            // Gone by itself meanwhile is as good.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Done {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Done {
    /// Asserts the exit code; everything the program said is the message.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Done {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Exactly one JSON document is on stdout.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// An error of at most one screen, below whatever progress there was, which holds all of `words`, then help.
    #[track_caller]
    pub(crate) fn explains(&self, words: &[&str]) {
        let at = self.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {}", self.stderr));
        let error = &self.stderr[at..];
        for word in words {
            assert!(error.contains(word), "`{word}` is not in: {error}");
        }
        assert!(error.contains("\nhelp: "), "no help: {error}");
        assert!(error.lines().count() <= 24, "one screen: {error}");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }
}

/// Waits for a state.
#[track_caller]
pub(crate) fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let pause = Duration::from_millis(10);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if reached() {
            return;
        }
        std::thread::sleep(pause);
    }
    panic!("never: {what}");
}

/// The judgement of a report that `check` made of `guarantee`, on `node` if it judges nodes one by one.
#[track_caller]
pub(crate) fn judgement<'a>(
    report: &'a Value,
    workload: &str,
    guarantee: &str,
    node: Option<&str>,
) -> &'a Value {
    let all = report["judgements"].as_array().unwrap();
    let found = all.iter().find(|judgement| {
        judgement["workload"] == workload
            && judgement["guarantee"] == guarantee
            && judgement["node"].as_str() == node
    });
    found.unwrap_or_else(|| panic!("no judgement {workload} {guarantee} {node:?}: {all:#?}"))
}
