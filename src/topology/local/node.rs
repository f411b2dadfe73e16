//! One PostgreSQL server of a local cluster: started, watched, shut down, killed.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};

use super::disk::Disk;
use super::disturbance::Disturbance;
use super::lock::holder;
use super::state::NodeState;
use super::{STOP_LIMIT, postmaster, stopped};
use crate::history::{Condition, NodeName, Side, StopMode};
use crate::topology::TopologyError;
use crate::topology::process::{Account, Identity, Process, Program, last_lines, processes_of};
use crate::topology::servers::{Life, Server, Standing};

/// How long processes may take to obey a signal, and a postmaster to take its data directory.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// One server.
#[derive(Debug)]
pub(in crate::topology) struct Node {
    pub(super) name: NodeName,
    pub(super) standing: Mutex<Standing>,
    pub(super) port: AtomicU16,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) postgres: PathBuf,
    pub(super) account: Option<Account>,
    pub(super) life: Mutex<Life<Identity>>,
    pub(super) disturbed: Mutex<Disturbance>,
    /// Its own, in a cluster whose disks can be filled.
    pub(super) disk: Option<Disk>,
    /// Held during an action: one at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
}

impl From<&NodeState> for Life<Identity> {
    /// As another replab has left it.
    fn from(state: &NodeState) -> Life<Identity> {
        Life {
            process: state.process.clone().map(Process::foreign),
            asked: state.ended,
            lasting: state.conditions.clone(),
            receiver: state.receiver.clone(),
        }
    }
}

impl Node {
    /// What its network is in.
    pub(super) fn disturbed(&self) -> MutexGuard<'_, Disturbance> {
        self.disturbed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }

    /// The file of its private socket.
    pub(super) fn socket_file(&self) -> PathBuf {
        self.socket.join(format!(".s.PGSQL.{}", self.port()))
    }

    pub(super) fn state(&self) -> NodeState {
        let life = self.life();
        NodeState {
            name: self.name,
            standing: *self.standing(),
            port: self.port(),
            process: life.process.as_ref().map(|process| process.identity.clone()),
            ended: life.asked,
            conditions: life.lasting.clone(),
            receiver: life.receiver.clone(),
        }
    }

    /// Starts the server, and answers its process once that has taken the data directory. Whether it answers queries
    /// is another question.
    pub(super) async fn start(&self) -> Result<Identity, TopologyError> {
        if let Some(process) = &self.life().process
            && process.ended().is_none()
        {
            return Err(TopologyError::AlreadyRunning { node: self.name, pid: process.identity.pid });
        }
        self.clear_locks_of_zombie().await?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(TopologyError::io("open", &self.log))?;
        let process = Program::new(&self.postgres, &self.data, self.account.as_ref())
            .args([Path::new("-D"), &self.data])
            .args(["-c", &format!("cluster_name={}", self.name)])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={}", self.port())])
            .args(["-c", &format!("unix_socket_directories={}", self.socket.display())])
            .supervise(log)?;
        *self.life() = Life::begun(Some(process.clone()));
        let holds = async {
            while process.ended().is_none() && holder(&self.lock_file()) != Some(process.identity.pid) {
                sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = timeout(PATIENCE, holds).await;
        match (waited, process.ended()) {
            (Ok(()), None) => Ok(process.identity),
            (Err(_), None) => Err(self.no_answer("it does not take its data directory".to_owned())),
            (_, Some(how)) => Err(self.no_answer(format!("it ended at once ({how})"))),
        }
    }

    /// The running server, or the error that it is not.
    pub(super) fn running(&self, verb: &'static str) -> Result<Process, TopologyError> {
        let life = self.life();
        match &life.process {
            Some(process) if process.ended().is_none() => Ok(process.clone()),
            Some(_) => Err(TopologyError::NotRunning { node: self.name, verb, log: self.log_end() }),
            None => Err(TopologyError::NotRunning { node: self.name, verb, log: String::new() }),
        }
    }

    /// SIGKILL for every process of the node; answers the postmaster's number and how many there were: none, where its disk
    /// is full and it has ended of that.
    pub(super) async fn kill(&self) -> Result<(i32, usize), TopologyError> {
        let process = match self.running("kill") {
            Err(error) if self.is_out_of_space() => self.life().process.clone().ok_or(error)?,
            process => process?,
        };
        self.life().asked = true;
        let killed = self.kill_all(Some(&process)).await?;
        self.gone();
        Ok((process.identity.pid, killed.len()))
    }

    /// SIGKILL until nothing of the node is left; without its postmaster, for backends that have outlived that.
    async fn kill_all(&self, postmaster: Option<&Process>) -> Result<BTreeSet<Identity>, TopologyError> {
        let root = postmaster.map(|process| &process.identity);
        // Before the first signal, while children that have moved elsewhere are still known by their parent.
        let mut found: BTreeSet<Identity> = processes_of(&self.data, root).into_iter().collect();
        let all_gone = async {
            loop {
                // The postmaster first: it is the one that can start more.
                let others = found.iter().filter(|other| Some(*other) != root);
                for one in root.into_iter().chain(others) {
                    one.signal(Signal::SIGKILL);
                }
                let left = processes_of(&self.data, None);
                let ended = postmaster.is_none_or(|process| process.ended().is_some());
                if left.is_empty() && ended && !found.iter().any(Identity::is_alive) {
                    break;
                }
                found.extend(left);
                sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = timeout(PATIENCE, all_gone).await;
        if waited.is_ok() {
            return Ok(found);
        }
        let pids = found.iter().filter(|process| process.is_alive()).map(|process| process.pid).collect();
        Err(TopologyError::Survived { node: self.name, pids, waited: PATIENCE })
    }

    /// Shuts down as asked; answers the postmaster's number and how it ended. One that does not stop within `limit` is
    /// killed, and that is an error, though the node is down.
    pub(super) async fn stop(&self, mode: StopMode, limit: Duration) -> Result<(i32, String), TopologyError> {
        let process = self.running("stop")?;
        self.life().asked = true;
        let signal = signal_of(mode);
        process.identity.signal(signal);
        // The postmaster waits for its children; one that it has lost track of would be found here.
        let gone = async {
            let how = process.wait().await;
            while !processes_of(&self.data, None).is_empty() {
                sleep(Duration::from_millis(2)).await;
            }
            how
        };
        let stopped = timeout(limit, gone).await;
        if stopped.is_err() {
            self.kill_all(Some(&process)).await?;
        }
        self.gone();
        match stopped {
            Ok(how) => Ok((process.identity.pid, how)),
            Err(_) => Err(TopologyError::StopForced {
                node: self.name,
                signal: signal.as_str(),
                waited: limit,
                log: self.log_end(),
            }),
        }
    }

    /// Ends the server, when the action that is done to it is complete.
    pub(super) async fn end_in_turn(&self) -> Result<(), TopologyError> {
        let _turn = self.turn.lock().await;
        self.end_whatever_it_takes().await
    }

    /// Ends the server whatever it takes: fast, then immediate, then SIGKILL.
    async fn end_whatever_it_takes(&self) -> Result<(), TopologyError> {
        match self.running("end") {
            Ok(process) => self.end_process(&process).await?,
            // Backends can outlive it for a moment.
            Err(_) => drop(self.kill_all(None).await?),
        }
        // What stays in memory is no reason to leave the rest, too.
        let _ = self.release_memory().await;
        Ok(())
    }

    async fn end_process(&self, process: &Process) -> Result<(), TopologyError> {
        self.life().asked = true;
        // What is stopped would not see the signals below.
        for stopped in processes_of(&self.data, Some(&process.identity)).iter().filter(|one| one.is_stopped())
        {
            stopped.signal(Signal::SIGCONT);
        }
        for (mode, limit) in [(StopMode::Fast, 5), (StopMode::Immediate, 3)] {
            process.identity.signal(signal_of(mode));
            if timeout(Duration::from_secs(limit), process.wait()).await.is_ok() {
                break;
            }
        }
        self.kill_all(Some(process)).await?;
        self.gone();
        Ok(())
    }

    /// Its processes have ended, and with them whatever they were in.
    fn gone(&self) {
        *self.life() = Life::gone();
    }

    /// How it ended, if it did and nobody asked for it. One that finds no room to write may.
    pub(super) fn died_unasked(&self) -> Option<String> {
        if self.is_out_of_space() {
            return None;
        }
        let life = self.life();
        let how = life.process.as_ref().filter(|_| !life.asked)?.ended()?;
        Some(format!("{} ended unasked ({how}); its log ends with:\n{}", self.name, self.log_end()))
    }

    /// What makes it a replica when it starts.
    pub(super) fn standby_signal(&self) -> PathBuf {
        self.data.join("standby.signal")
    }
}

impl Server for Node {
    type Receiver = Identity;

    const PATIENCE: Duration = PATIENCE;
    // The lab has a way of its own.
    const NEEDS: Side = Side::Peers;

    fn name(&self) -> NodeName {
        self.name
    }

    fn life(&self) -> MutexGuard<'_, Life<Identity>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disturbances(&self) -> BTreeSet<Condition> {
        let full = self.disk.as_ref().filter(|disk| disk.is_full()).map(|_| Condition::DiskFull);
        self.disturbed().conditions().chain(full).collect()
    }

    fn is_cut_off(&self, side: Side) -> bool {
        self.disturbed().cuts(side)
    }

    async fn revive(&self) -> Result<String, TopologyError> {
        self.start().await.map(postmaster)
    }

    async fn shut_down(&self) -> Result<String, TopologyError> {
        self.stop(StopMode::Fast, STOP_LIMIT).await.map(stopped)
    }

    async fn end(&self) -> Result<(), TopologyError> {
        self.end_whatever_it_takes().await?;
        // What rewinds starts the server for a moment, too.
        self.clear_locks_of_zombie().await
    }

    async fn terminate_receiver(&self, receiver: &Identity) -> Result<(), TopologyError> {
        receiver.signal(Signal::SIGTERM);
        Ok(())
    }

    async fn dismiss(&self, receiver: Identity) -> Result<(), TopologyError> {
        self.end_receiver(receiver).await
    }

    /// The last lines of its log.
    fn log_end(&self) -> String {
        let read = || {
            let mut file = fs::File::open(&self.log)?;
            let length = file.seek(SeekFrom::End(0))?;
            file.seek(SeekFrom::Start(length.saturating_sub(8_192)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map(|_| bytes)
        };
        last_lines(&String::from_utf8_lossy(&read().unwrap_or_default()), 8)
    }
}

fn signal_of(mode: StopMode) -> Signal {
    match mode {
        StopMode::Fast => Signal::SIGINT,
        StopMode::Immediate => Signal::SIGQUIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Condition;
    use std::io::ErrorKind;
    use std::os::unix::fs::PermissionsExt as _;

    /// A node whose `postgres` is a shell script; `$2` is the data directory.
    fn node(script: &str) -> (tempfile::TempDir, Node) {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().canonicalize().unwrap().join(name);
        fs::create_dir(path("data")).unwrap();
        fs::write(path("postgres"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path("postgres"), fs::Permissions::from_mode(0o755)).unwrap();
        let node = Node {
            name: NodeName::primary(),
            standing: Mutex::new(Standing::primary()),
            port: AtomicU16::new(1),
            data: path("data"),
            log: path("log"),
            socket: path("socket"),
            postgres: path("postgres"),
            account: None,
            life: Mutex::new(Life::begun(None)),
            disturbed: Mutex::default(),
            disk: None,
            turn: tokio::sync::Mutex::default(),
        };
        (root, node)
    }

    /// Starts it, once no other test's child holds the script open for writing (between its fork and its exec).
    async fn start(node: &Node) -> Result<Identity, TopologyError> {
        loop {
            match node.start().await {
                Err(TopologyError::Io { source, .. }) if source.kind() == ErrorKind::ExecutableFileBusy => {
                    sleep(Duration::from_millis(1)).await;
                }
                started => return started,
            }
        }
    }

    const TAKES_DIRECTORY: &str = "sleep 600 & echo $$ > $2/postmaster.pid";

    #[tokio::test]
    async fn a_server_that_ignores_the_shutdown_is_killed_and_that_is_an_error() {
        let (_root, node) = node(&format!("trap '' INT QUIT; {TAKES_DIRECTORY}; wait; wait"));
        let process = start(&node).await.unwrap();
        let child = processes_of(&node.data, Some(&process));
        assert_eq!(child.len(), 2, "the script and its sleep: {child:?}");
        let error = node.stop(StopMode::Fast, Duration::from_millis(50)).await.unwrap_err();
        assert!(matches!(error, TopologyError::StopForced { signal: "SIGINT", .. }), "{error}");
        assert!(!child.iter().any(Identity::is_alive) && !node.is_running());
        assert_eq!(node.conditions(), BTreeSet::from([Condition::Down]));
        assert_eq!(node.died_unasked(), None);
    }

    #[tokio::test]
    async fn a_server_that_ends_at_once_says_why() {
        let (_root, node) = node("echo 'FATAL:  no room' >&2; exit 1");
        let error = start(&node).await.unwrap_err().to_string();
        assert!(
            error.contains("ended at once (exit status: 1)") && error.contains("│ FATAL:  no room"),
            "{error}"
        );
        assert!(node.died_unasked().unwrap().contains("no room"));
    }

    #[tokio::test]
    async fn an_action_that_does_not_fit_is_an_error() {
        let (_root, node) = node(&format!("{TAKES_DIRECTORY}; wait"));
        let stop = || node.stop(StopMode::Immediate, Duration::from_secs(5));
        assert!(matches!(stop().await, Err(TopologyError::NotRunning { .. })));
        let process = start(&node).await.unwrap();
        assert!(
            matches!(start(&node).await, Err(TopologyError::AlreadyRunning { pid, .. }) if pid == process.pid)
        );
        assert_eq!(node.kill().await.unwrap(), (process.pid, 2));
        assert!(matches!(node.kill().await, Err(TopologyError::NotRunning { .. })));
        let again = start(&node).await.unwrap();
        assert_ne!(again, process);
        process_dies(&node, &again).await;
        assert!(matches!(stop().await, Err(TopologyError::NotRunning { .. })));
        assert!(node.died_unasked().unwrap().contains("signal: 9"));
    }

    async fn process_dies(node: &Node, identity: &Identity) {
        let family = processes_of(&node.data, Some(identity));
        assert!(family.iter().all(|process| process.signal(Signal::SIGKILL)));
        while node.is_running() {
            sleep(Duration::from_millis(1)).await;
        }
    }

    #[tokio::test]
    async fn a_zombie_holds_neither_directory_nor_socket() {
        let (_root, node) = node("exit 0");
        fs::create_dir(&node.socket).unwrap();
        let locks = [node.lock_file(), node.socket.join(".s.PGSQL.1.lock")];
        let write =
            |pid: i32| locks.iter().for_each(|lock| fs::write(lock, format!("{pid}\n/data\n")).unwrap());
        // It has ended, and this process has not asked how.
        let mut child = Program::new("/bin/sh", &node.data, None).args(["-c", "exit 0"]).converse().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        while !Identity::is_zombie(pid) {
            sleep(Duration::from_millis(1)).await;
        }
        write(pid);
        node.clear_locks_of_zombie().await.unwrap();
        assert!(!locks.iter().any(|lock| lock.exists()));
        child.wait().unwrap();

        let alive = Identity::of_self().unwrap().pid;
        write(alive);
        node.clear_locks_of_zombie().await.unwrap();
        assert_eq!(locks.each_ref().map(|lock| holder(lock)), [Some(alive); 2], "it may use them");
    }
}
