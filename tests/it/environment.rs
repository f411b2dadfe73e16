//! A machine that lacks something or refuses it: one clear error, the right exit code, nothing left running.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use nix::unistd::Uid;
use serde_json::Value;

use crate::lab::{Done, Lab};

const SHORT: [&str; 4] = ["run", "--duration", "500ms", "--no-faults"];

/// A disk of its own, as small as wanted; only root can have one.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    /// `None`, and a line that says why, where it cannot be mounted.
    fn mount(at: &'a Path, size: &str) -> Option<Disk<'a>> {
        fs::create_dir_all(at).unwrap();
        let options = format!("size={size},mode=0755");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(at).output();
        match mount {
            Ok(output) if output.status.success() => Some(Disk(at)),
            Ok(output) => {
                println!("no small disk: {}", String::from_utf8_lossy(&output.stderr).trim());
                None
            }
            Err(error) => {
                println!("no small disk: mount: {error}");
                None
            }
        }
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: what still runs there is the test's failure, not the next one's.
        let _ = Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}

#[test]
fn a_folder_without_servers_programs() {
    let lab = Lab::new();
    let empty = lab.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let args = [&SHORT[..], &["--pg-bin", empty.to_str().unwrap()]].concat();
    lab.run(&args).exits(11).explains(&[
        "no PostgreSQL server binaries",
        "initdb",
        "--pg-bin",
        "replab doctor",
    ]);
    let done = lab.run(&[&args[..], &["--json"]].concat()).exits(11);
    assert_eq!(done.json()["error"]["exit_code"], 11);
    lab.assert_nothing_left();
    // The last run that had a load stays the latest.
    lab.run(&[&SHORT[..], &["--topology", "memory", "--quiet"]].concat()).exits(0);
    let latest = || fs::read_link(lab.runs().join("latest")).unwrap();
    let before = latest();
    lab.run(&args).exits(11);
    assert_eq!(latest(), before);
    lab.run(&["report"]).exits(0);
    assert_eq!(fs::read_dir(lab.runs()).unwrap().count(), 2, "that run, and the link");
}

#[test]
fn a_port_in_use() {
    let Some(lab) = Lab::real() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let done = lab.run(&[&SHORT[..], &["--port", &port]].concat()).exits(11);
    done.explains(&[&format!("port {port} on 127.0.0.1 is in use"), "--port"]);
    lab.assert_nothing_left();
    // It wrote no log, and the error has said why: there is no run to report.
    assert_eq!(lab.run(&["runs", "list", "--json"]).exits(0).json(), serde_json::json!([]));
    lab.run(&["report"]).exits(2).explains(&["there is no run `latest`"]);
}

#[test]
fn a_directory_that_cannot_be_written() {
    let lab = Lab::new();
    fs::write(lab.path().join("file"), "").unwrap();
    let done = lab.run(&[&SHORT[..], &["--runs", "file/runs"]].concat()).exits(11);
    done.explains(&["write file/runs", "Not a directory", "--runs DIR"]);
    lab.assert_nothing_left();
}

#[test]
fn a_state_directory_that_cannot_be_made() {
    let Some(lab) = Lab::real() else { return };
    fs::write(lab.path().join("file"), "").unwrap();
    let state = lab.path().join("file/state");
    let done = lab.replab(&SHORT).env("REPLAB_STATE_DIR", &state).output().unwrap();
    let done = Done::from(done).exits(11);
    done.explains(&[state.to_str().unwrap(), "Not a directory", "REPLAB_STATE_DIR"]);
    lab.assert_nothing_left();
}

#[test]
fn a_full_disk_under_the_runs() {
    let Some(lab) = Lab::real() else { return };
    let small = lab.path().join("small");
    let disk = Disk::mount(&small, "256k");
    let done: Done = match &disk {
        Some(_) => lab.run(&["run", "--duration", "10m", "--no-faults", "--json", "--runs", "small"]),
        // No file larger than that: the history is the first to find out. The servers' files are larger already.
        None => {
            let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
            let args = [
                "run",
                "--json",
                "--topology",
                "memory",
                "--duration",
                "10m",
                "--no-faults",
                "--runs",
                "small",
            ];
            lab.program("bash")
                .args(["-c", script, env!("CARGO_BIN_EXE_replab")])
                .args(args)
                .output()
                .unwrap()
                .into()
        }
    }
    .exits(11);
    lab.assert_nothing_left();
    let (why, help) = match &disk {
        Some(_) => ("No space left on device", "make room on that disk"),
        None => ("File too large", "choose another directory"),
    };
    done.explains(&["write small/", why, help]);
    assert_eq!(done.json()["error"]["exit_code"], 11, "one document, and it is the error");
}

#[test]
fn a_full_disk_under_the_servers() {
    let Some(lab) = Lab::real() else { return };
    let state = lab.path().join("small");
    let Some(disk) = Disk::mount(&state, "20m") else { return };
    let done = lab.replab(&SHORT).env("REPLAB_STATE_DIR", &state).output().unwrap();
    let done = Done::from(done).exits(11);
    done.explains(&["No space left on device"]);
    lab.assert_nothing_left();
    assert_eq!(fs::read_dir(state.join("clusters")).map_or(0, Iterator::count), 0);
    drop(disk);
}

#[test]
fn not_as_root() {
    if !Uid::effective().is_root() {
        println!("skipped: every other test runs as this user, who is not root");
        return;
    }
    let Some(lab) = Lab::real() else { return };
    let can = Command::new("setpriv").arg("--version").output().is_ok_and(|output| output.status.success());
    let nobody = nix::unistd::User::from_name("nobody").ok().flatten();
    let (true, Some(nobody)) = (can, nobody) else {
        println!("skipped: no setpriv, or no user `nobody`");
        return;
    };
    // The user may not be able to enter the folder where this binary was built.
    let (home, binary) = (lab.path().join("home"), lab.path().join("replab"));
    fs::copy(env!("CARGO_BIN_EXE_replab"), &binary).unwrap();
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::chown(&home, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    let replab = |args: &[&str]| {
        let mut command = lab.program("setpriv");
        command.args([format!("--reuid={}", nobody.uid), format!("--regid={}", nobody.gid)]);
        command.args(["--clear-groups", "--"]).arg(&binary).args(args);
        command
            .current_dir(&home)
            .env("HOME", &home)
            .env_remove("REPLAB_STATE_DIR")
            .env_remove("XDG_STATE_HOME");
        Done::from(command.output().unwrap())
    };
    let args = ["run", "--json", "--duration", "2s", "--fault", "crash(primary)@500ms,restart(replica-1)@1s"];
    let report: Value = replab(&args).exits(0).json();
    assert_eq!(report["figures"]["recoveries"].as_array().unwrap().len(), 2);
    assert_eq!(fs::read_dir(home.join(".local/state/replab/clusters")).unwrap().count(), 0);
    let full = replab(&["run", "--fault", "fill-disk(primary)@1s"]).exits(11);
    full.explains(&["each node would need a small disk of its own", "needs root", "no other fault needs"]);
    replab(&["up", "--name", "mine"]).exits(0);
    let status = replab(&["status", "--json"]).exits(0).json();
    assert_eq!(status["clusters"][0]["nodes"][1]["answers"], true);
    replab(&["down"]).exits(0);
    lab.assert_nothing_left();
}
