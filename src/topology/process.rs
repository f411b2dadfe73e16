//! Child processes: the one place that starts, watches and signals them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Gid, Pid, Uid, User};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::TopologyError;
use crate::pg::Conninfo;

mod table;

pub(super) use table::Row;

/// What replab starts in a node's directory, as the system's table names it.
const SERVER_PROGRAMS: [&str; 5] = ["postgres", "postmaster", "initdb", "pg_basebackup", "pg_rewind"];

/// A process, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it started, in the system's own words, and in which boot where those are relative to it.
    start: String,
}

/// The user that runs PostgreSQL when replab runs as root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: Uid,
    pub(super) gid: Gid,
    pub(super) name: String,
}

/// A program about to be started, in its own process group or session, without this process's libpq variables. No `Debug`: its
/// environment may hold a password.
pub(super) struct Program {
    path: PathBuf,
    args: Vec<OsString>,
    envs: Vec<(String, String)>,
    directory: PathBuf,
    account: Option<Account>,
    /// Whether this process's libpq variables stay.
    keeps_environment: bool,
}

/// A program of somebody else's, with whatever it has started in its process group. Dropped before its end is seen, it
/// is asked to end.
#[derive(Debug)]
pub(super) struct Group {
    process: Process,
}

/// A child that is reaped as soon as it ends, whatever the runtime is busy with.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) identity: Identity,
    /// `None`: not our child, so its end is seen and its status is not.
    exit: Option<watch::Receiver<Option<ExitStatus>>>,
}

impl Identity {
    /// The process that has this number now; `None` for a zombie and for nobody.
    pub(super) fn of(pid: i32) -> Option<Identity> {
        table::row(pid).filter(|row| !row.zombie).map(|row| row.identity)
    }

    /// Whether the process with this number has ended and waits for its parent to notice.
    pub(super) fn is_zombie(pid: i32) -> bool {
        table::row(pid).is_some_and(|row| row.zombie)
    }

    /// This process.
    pub fn of_self() -> Option<Identity> {
        i32::try_from(std::process::id()).ok().and_then(Identity::of)
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        Identity::of(self.pid).as_ref() == Some(self)
    }

    /// Whether it exists and a signal has stopped it.
    pub(super) fn is_stopped(&self) -> bool {
        table::row(self.pid).is_some_and(|row| row.stopped && row.identity == *self)
    }

    /// Whether it waits for something to arrive, as the system's table says of a process that a signal has stopped;
    /// `None` where the table does not say.
    pub(super) fn waits_for_input(&self) -> Option<bool> {
        table::system_call(self.pid).map(|call| table::WAITS.contains(&call))
    }

    /// Sends a signal, if the process is still the same; `false` if it is gone.
    pub(super) fn signal(&self, signal: Signal) -> bool {
        self.pid > 1 && self.is_alive() && kill(Pid::from_raw(self.pid), signal).is_ok()
    }
}

/// Every PostgreSQL process whose working directory is `directory` or below, and every descendant of `root` whatever it
/// is. The server's processes stay in their data directory, also when their parent is gone; each is a session of its
/// own, so a process group would not do. Other programs may stand there too (somebody's shell): they are left alone.
pub(super) fn processes_of(directory: &Path, root: Option<&Identity>) -> Vec<Identity> {
    let rows = table::rows();
    let mut family: Vec<i32> = rows.iter().filter(|row| Some(&row.identity) == root).map(Row::pid).collect();
    let mut seen = 0;
    while seen < family.len() {
        let parent = family[seen];
        family.extend(rows.iter().filter(|row| row.parent == parent).map(Row::pid));
        seen += 1;
    }
    let stands_there = |row: &Row| {
        SERVER_PROGRAMS.contains(&&*row.name)
            && row.directory.as_ref().is_some_and(|standing| standing.starts_with(directory))
    };
    let of_node = |row: &Row| family.contains(&row.pid()) || stands_there(row);
    let own = std::process::id();
    rows.into_iter()
        .filter(|row| !row.zombie && u32::try_from(row.pid()) != Ok(own) && of_node(row))
        .map(|row| row.identity)
        .collect()
}

impl Account {
    /// Who runs PostgreSQL: `None` for the user that runs replab, unless that is root.
    pub(super) fn for_server() -> Result<Option<Account>, TopologyError> {
        if !Uid::effective().is_root() {
            return Ok(None);
        }
        let known = ["postgres", "nobody"].iter().find_map(|name| User::from_name(name).ok().flatten());
        match known {
            Some(user) => Ok(Some(Account { uid: user.uid, gid: user.gid, name: user.name })),
            None => Err(TopologyError::NoAccount),
        }
    }

    /// The names of the operating system's users that may use the private socket: the server's and replab's own.
    pub(super) fn names(server: Option<&Account>) -> Vec<String> {
        let own = User::from_uid(Uid::effective()).ok().flatten().map(|user| user.name);
        own.into_iter().chain(server.map(|account| account.name.clone())).collect()
    }
}

impl Program {
    pub(super) fn new(path: impl Into<PathBuf>, directory: &Path, account: Option<&Account>) -> Program {
        Program {
            path: path.into(),
            args: Vec::new(),
            envs: Vec::new(),
            directory: directory.to_path_buf(),
            account: account.cloned(),
            keeps_environment: false,
        }
    }

    /// For a program that is not PostgreSQL's: the user means it to have the user's own variables.
    pub(super) fn keeping_environment(mut self) -> Program {
        self.keeps_environment = true;
        self
    }

    pub(super) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Program {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    pub(super) fn envs<K: Into<String>>(mut self, envs: impl IntoIterator<Item = (K, String)>) -> Program {
        self.envs.extend(envs.into_iter().map(|(name, value)| (name.into(), value)));
        self
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.args(&self.args).current_dir(&self.directory).stdin(Stdio::null());
        let of_libpq =
            |name: &OsString| name.as_encoded_bytes().starts_with(b"PG") && !self.keeps_environment;
        for (name, _) in std::env::vars_os().filter(|(name, _)| of_libpq(name)) {
            command.env_remove(name);
        }
        command.envs(self.envs.iter().map(|(name, value)| (name, value)));
        if let Some(account) = &self.account {
            command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
        }
        command
    }

    /// Runs the program to its end and answers what it wrote on stdout. It is killed when nobody waits any more.
    pub(super) async fn run(self, limit: Duration) -> Result<String, TopologyError> {
        let program = self.name();
        let mut command = self.command();
        command.process_group(0);
        let mut command = tokio::process::Command::from(command);
        let output = command.kill_on_drop(true).output();
        let output = match tokio::time::timeout(limit, output).await {
            Ok(output) => output.map_err(TopologyError::io("run", &self.path))?,
            Err(_) => {
                let why = format!("still running after {} s", limit.as_secs());
                return Err(TopologyError::Tool { program, why, output: String::new() });
            }
        };
        judge(program, output)
    }

    /// The same for where nothing else can go on meanwhile: what a dropped cluster and `gc` do.
    pub(super) fn run_blocking(self, limit: Duration) -> Result<String, TopologyError> {
        let program = self.name();
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().map_err(TopologyError::io("run", &self.path))?;
        let pid = i32::try_from(child.id()).ok().and_then(Identity::of);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(limit) else {
            // The thread reaps it.
            pid.map(|child| child.signal(Signal::SIGKILL));
            let why = format!("still running after {} s", limit.as_secs());
            return Err(TopologyError::Tool { program, why, output: String::new() });
        };
        judge(program, output.map_err(TopologyError::io("run", &self.path))?)
    }

    /// Starts the program with both its outputs going to `log`.
    pub(super) fn supervise(self, log: File) -> Result<Process, TopologyError> {
        let error = |source| TopologyError::Io { what: "start", path: self.path.clone(), source };
        let mut command = self.command();
        session_of_its_own(&mut command);
        command.stdout(log.try_clone().map_err(error)?).stderr(log);
        let mut child = command.spawn().map_err(error)?;
        // The child is not reaped yet, so its number is its own even if it has ended already.
        let pid = i32::try_from(child.id()).unwrap_or(0);
        let identity = table::row(pid).map(|row| row.identity);
        let identity = identity.unwrap_or(Identity { pid, start: String::new() });
        let (sender, exit) = watch::channel(None);
        thread::spawn(move || {
            let status = child.wait();
            // An error means that somebody else reaped it; it has ended all the same.
            sender.send_replace(Some(status.unwrap_or_default()));
        });
        Ok(Process { identity, exit: Some(exit) })
    }

    /// Starts the program with pipes to its stdin and from its stdout.
    pub(super) fn converse(self) -> io::Result<Child> {
        let mut command = self.command();
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
    }
}

/// What a program that has ended wrote on stdout, or why it failed.
fn judge(program: String, output: Output) -> Result<String, TopologyError> {
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    Err(TopologyError::Tool { program, why: output.status.to_string(), output: last_lines(&text, 12) })
}

impl Process {
    /// A process that another replab started.
    pub(super) fn foreign(identity: Identity) -> Process {
        Process { identity, exit: None }
    }

    /// SIGKILL for the program and everything that it started in its own process group; nothing once it has ended.
    pub(super) fn kill_group(&self) {
        if self.ended().is_none() && self.identity.pid > 1 {
            // It may end in between, and is as good as killed then.
            let _ = killpg(Pid::from_raw(self.identity.pid), Signal::SIGKILL);
        }
    }

    /// With whatever it starts.
    pub(super) fn into_group(self) -> Group {
        Group { process: self }
    }

    /// How it ended; `None` while it runs.
    pub(super) fn ended(&self) -> Option<String> {
        match &self.exit {
            Some(exit) => exit.borrow().map(|status| status.to_string()),
            None => (!self.identity.is_alive()).then(|| "ended".to_owned()),
        }
    }

    /// Whether it is our child and has ended well.
    pub(super) fn succeeded(&self) -> bool {
        self.exit.as_ref().is_some_and(|exit| exit.borrow().is_some_and(|status| status.success()))
    }

    /// Waits until it has ended and is reaped.
    pub(super) async fn wait(&self) -> String {
        if let Some(exit) = &self.exit {
            let mut exit = exit.clone();
            // The sender is dropped only after it has sent.
            let _ = exit.wait_for(Option::is_some).await;
        }
        loop {
            if let Some(how) = self.ended() {
                return how;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Lets a child begin a session, and with it a process group. Merely in a group of its own it would be woken, by SIGHUP
/// and SIGCONT, if it is stopped when this process ends: POSIX (`_exit`) leaves no group stopped that nobody in its
/// session watches over any more.
#[expect(unsafe_code, reason = "the standard library has no stable way to call setsid(2) before exec")]
fn session_of_its_own(command: &mut Command) {
    // SAFETY: between fork and exec only what is async-signal-safe may be called, and setsid(2) is.
    unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(io::Error::from)) };
}

impl Group {
    /// Waits until the program itself has ended and is reaped; what it leaves in the background goes on.
    pub(super) async fn wait(&self) -> ExitStatus {
        let Some(exit) = &self.process.exit else { return ExitStatus::default() };
        let mut exit = exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            // The sender is dropped only after it has sent.
            Err(_) => ExitStatus::default(),
        }
    }

    /// SIGKILL for all of it.
    pub(super) fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    /// While the program itself is there, its number is the group's.
    fn signal(&self, signal: Signal) {
        if self.process.ended().is_none() && self.process.identity.pid > 1 {
            // Gone meanwhile is as good.
            let _ = killpg(Pid::from_raw(self.process.identity.pid), signal);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
    }
}

/// Becomes `psql`, connected as `conninfo` says; the password goes through the environment. Returns only on failure.
pub fn replace_with_psql(psql: &Path, conninfo: &Conninfo, args: &[String]) -> io::Error {
    Command::new(psql).args(args).envs(conninfo.env()).exec()
}

/// The last `count` lines.
pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
