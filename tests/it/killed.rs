//! A run that does not come to its end: replab killed, interrupted, terminated. Nothing runs on, and what was seen is
//! kept and judged as what it is.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::{Done, Lab, judgement, until};

/// A run in the background, its output in files.
struct Running {
    child: Child,
    lab: Lab,
}

impl Running {
    fn start(lab: Lab, more: &[&str]) -> Running {
        Running::under("none", lab, more)
    }

    fn under(faults: &str, lab: Lab, more: &[&str]) -> Running {
        let mut command = lab.replab(&["run", "--duration", "10m", "--fault", faults]);
        let file = |name: &str| File::create(lab.path().join(name)).unwrap();
        command.args(more).stdout(file("stdout")).stderr(file("stderr")).stdin(Stdio::null());
        Running { child: command.spawn().unwrap(), lab }
    }

    fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Commits are acknowledged and in the file: the history grows beyond its header and the first reads.
    fn until_loaded(&mut self) {
        let history = |name| self.lab.latest("history").join(name);
        let (orders, counter) = (history("orders.jsonl.zst"), history("counter.jsonl.zst"));
        until("the history is written", || {
            assert!(self.child.try_wait().unwrap().is_none(), "{:?}", read(&self.lab, "stderr"));
            acknowledged(&orders, "\"reply\":{\"ordered\"") && acknowledged(&counter, "incremented")
        });
    }

    /// A server of the lab works, but the run has not written a history yet.
    fn until_starting(&mut self) {
        until("a server starts", || {
            assert!(!self.ended());
            self.lab.processes().iter().any(|(_, line)| line.contains("bin/postgres"))
        });
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn finish(mut self) -> (Done, Lab) {
        let code = self.child.wait().unwrap().code();
        let (stdout, stderr) = (read(&self.lab, "stdout"), read(&self.lab, "stderr"));
        (Done { code, stdout, stderr }, self.lab)
    }
}

fn read(lab: &Lab, name: &str) -> String {
    fs::read_to_string(lab.path().join(name)).unwrap()
}

/// Whether the part of a history that is on disk holds an acknowledgement.
fn acknowledged(history: &std::path::Path, word: &str) -> bool {
    let Ok(file) = File::open(history) else { return false };
    let mut text = Vec::new();
    // What comes after the last whole frame is an error, and is still being written.
    let _ = zstd::Decoder::new(file).unwrap().read_to_end(&mut text);
    String::from_utf8_lossy(&text).contains(word)
}

/// Judged unknown, for `why`, with figures of what was seen.
fn assert_cut(report: &Value, why: &str, exit: u8) {
    assert_eq!((&report["verdict"], &report["exit_code"]), (&"unknown".into(), &exit.into()));
    assert_eq!(report["cut"], why);
    let operations = report["figures"]["operations"].as_array().unwrap();
    let order = operations.iter().find(|of| of["operation"] == "order").unwrap();
    assert!(order["ok"].as_u64().unwrap() > 0, "{order}");
    let durability = judgement(report, "orders", "durability", None);
    assert_eq!(durability["verdict"], "unknown", "nothing was read at the end: {durability}");
}

#[test]
fn a_killed_replab_leaves_no_server_and_a_readable_history() {
    let Some(lab) = Lab::real() else { return };
    let mut running = Running::start(lab, &[]);
    running.until_loaded();
    let servers = running.lab.processes().iter().filter(|(_, line)| line.contains("postgres")).count();
    assert!(servers > 10, "the test must see the servers: {:?}", running.lab.processes());
    let list = || running.lab.run(&["runs", "list"]).exits(0).stdout;
    assert!(list().contains("running"), "{}", list());
    running.lab.run(&["runs", "rm", "latest"]).exits(2).explains(&["is still running", "Ctrl-C"]);
    running.lab.run(&["runs", "prune", "--keep", "0"]).exits(0);
    assert!(list().contains("running"), "{}", list());
    running.signal(Signal::SIGKILL);
    let (done, lab) = running.finish();
    assert_eq!(done.code, None, "it was killed");
    until("no process is left", || lab.processes().is_empty());

    lab.run(&["gc"]).exits(0);
    lab.assert_nothing_left();
    assert_eq!(lab.run(&["gc"]).exits(0).stdout, "nothing was left behind\n");
    let report = lab.run(&["check", "--json"]).exits(3).json();
    assert_cut(&report, "replab was killed before the run's end", 3);
    assert!(lab.run(&["runs", "list"]).exits(0).stdout.contains("killed"));

    lab.run(&["run", "--duration", "1s", "--no-faults"]).exits(0);
    lab.assert_nothing_left();
}

#[test]
fn ctrl_c_ends_a_run_with_a_report() {
    let Some(lab) = Lab::real() else { return };
    let mut running = Running::start(lab, &["--json"]);
    running.until_loaded();
    running.signal(Signal::SIGINT);
    let (done, lab) = running.finish();
    let done = done.exits(130);
    lab.assert_nothing_left();
    assert_cut(&done.json(), "the run was interrupted", 130);
    assert_eq!(done.json(), lab.results());
    assert!(lab.latest("report.html").exists());
    assert_cut(&lab.run(&["check", "--json"]).exits(130).json(), "the run was interrupted", 130);
}

#[test]
fn a_termination_is_an_interruption() {
    let Some(lab) = Lab::real() else { return };
    let mut running = Running::start(lab, &[]);
    running.until_loaded();
    running.signal(Signal::SIGTERM);
    let (done, lab) = running.finish();
    let done = done.exits(130);
    lab.assert_nothing_left();
    let shown = |words: &str| assert!(done.stdout.contains(words), "{words}: {}", done.stdout);
    shown("the run was interrupted");
    shown("INTERRUPTED");
    shown("exit 130");
    assert_cut(&lab.results(), "the run was interrupted", 130);
}

#[test]
fn ctrl_c_while_the_cluster_starts_leaves_nothing() {
    let Some(lab) = Lab::real() else { return };
    let mut running = Running::start(lab, &["--replicas", "3"]);
    running.until_starting();
    running.signal(Signal::SIGINT);
    let (done, lab) = running.finish();
    done.exits(130);
    lab.assert_nothing_left();
    let report = lab.results();
    assert_eq!((&report["verdict"], &report["cut"]), (&"unknown".into(), &"the run was interrupted".into()));
    lab.run(&["check"]).exits(130);
    lab.run(&["report", "--format", "html"]).exits(0);
}

#[test]
fn a_fault_that_does_not_hold_is_a_failure_of_the_lab() {
    let Some(lab) = Lab::real() else { return };
    let mut running = Running::under("pause(primary)@300ms,resume(primary)@4s", lab, &[]);
    // Again and again: while the pause is still being made, it is made to hold.
    until("the lab has noticed", || {
        if let Some(pid) = stopped_primary(&running.lab) {
            kill(Pid::from_raw(pid), Signal::SIGCONT).unwrap();
        }
        running.ended()
    });
    let (done, lab) = running.finish();
    done.exits(12).explains(&["primary did not stay paused: process "]);
    assert_eq!(lab.results()["exit_code"], 12);
    lab.assert_nothing_left();
}

/// The primary's postmaster, if a signal has stopped it.
fn stopped_primary(lab: &Lab) -> Option<i32> {
    let is_primary = |line: &str| line.contains("bin/postgres") && line.contains("nodes/primary");
    let (pid, _) = lab.processes().into_iter().find(|(_, line)| is_primary(line))?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.starts_with('T').then_some(pid)
}
