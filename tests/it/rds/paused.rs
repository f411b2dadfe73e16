//! A node whose processes are held up by nobody that the program knows of.

use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::serving::Serving;
use crate::lab::until;

pub(super) struct Paused(Vec<i32>);

impl Paused {
    /// SIGSTOP until none of the node's processes runs.
    pub(super) fn all(serving: &Serving, node: &str) -> Paused {
        let postmaster = serving.postmaster(node).unwrap();
        let mut stopped = vec![];
        until("all of them are stopped", || {
            // The postmaster first: it is the one that can start more.
            signal(postmaster, Signal::SIGSTOP);
            let family = serving.processes_of(node);
            let running: Vec<_> = family.iter().filter(|&&pid| !is_stopped(pid)).collect();
            let done = is_stopped(postmaster) && running.is_empty();
            running.into_iter().for_each(|&pid| signal(pid, Signal::SIGSTOP));
            stopped = family;
            done
        });
        assert!(stopped.len() > 3, "{stopped:?}");
        Paused(stopped)
    }

    pub(super) fn go_on(self) {
        self.0.into_iter().for_each(|pid| signal(pid, Signal::SIGCONT));
    }
}

/// Says nothing of a process that has ended meanwhile: sessions come and go.
fn signal(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

fn is_stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, state)| state.starts_with('T')))
}
