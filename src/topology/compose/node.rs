//! One container with a server: started, watched, shut down, killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::engine::Engine;
use super::file::NODE_SCRIPT_PATH;
use super::suspend::Receiver;
use super::{POLL, STOP_LIMIT};
use crate::history::{Condition, Cut, NodeName, Side, StopMode};
use crate::topology::TopologyError;
use crate::topology::process::{Process, last_lines};
use crate::topology::servers::{Life, Server, Standing};

/// How long the engine may take to do what it was told.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a server that is only to be got rid of may take to shut down by itself.
const END_LIMIT: Duration = Duration::from_secs(5);

/// Between two looks at a program that is waited for while nothing else can go on.
const GLANCE: Duration = Duration::from_millis(2);

/// One server in its container.
#[derive(Debug)]
pub(in crate::topology) struct Node {
    pub(super) name: NodeName,
    pub(super) standing: Mutex<Standing>,
    pub(super) port: u16,
    /// The container's id; it stays the same over every start.
    pub(super) container: String,
    pub(super) engine: Engine,
    pub(super) log: PathBuf,
    pub(super) life: Mutex<Life<Receiver>>,
    pub(super) cut: Mutex<Option<Cut>>,
    /// Held during an action: one at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// What the engine says of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) running: bool,
    pub(super) paused: bool,
    /// Of the container's first process, as the engine's machine counts; 0 while it does not run.
    pub(super) pid: i32,
    /// How it ended last.
    pub(super) exit_code: i32,
}

impl Node {
    /// Where it is cut off; that outlasts its processes.
    pub(super) fn cut(&self) -> MutexGuard<'_, Option<Cut>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine says of the container now.
    pub(super) async fn state(&self) -> Result<State, TopologyError> {
        let format = "{{.State.Running}} {{.State.Paused}} {{.State.Pid}} {{.State.ExitCode}}";
        let said = self.engine.tell(["container", "inspect", "--format", format, &self.container]).await?;
        State::read(&said).ok_or_else(|| TopologyError::lab(format!("docker inspect says {said:?}")))
    }

    /// Watches the container, which has been started, until it ends: `docker wait` does when the container does.
    pub(super) fn watch(&self) -> Result<(), TopologyError> {
        let path = Path::new("/dev/null");
        let null = File::options().write(true).open(path).map_err(TopologyError::io("open", path))?;
        let waiter = self.engine.program("docker").args(["wait", &self.container]).supervise(null)?;
        *self.life() = Life::begun(Some(waiter));
        Ok(())
    }

    /// Starts the container, and answers its first process. Whether its server answers queries is another question.
    async fn launch(&self) -> Result<i32, TopologyError> {
        if self.is_running() {
            return Err(TopologyError::AlreadyRunning { node: self.name, pid: self.state().await?.pid });
        }
        self.engine.tell(["start", &self.container]).await?;
        self.watch()?;
        let state = self.state().await?;
        if !state.running {
            return Err(self.no_answer(format!("it ended at once (exit code {})", state.exit_code)));
        }
        Ok(state.pid)
    }

    /// Starts the container; see [`Server::revive`].
    pub(super) async fn start(&self) -> Result<String, TopologyError> {
        let pid = self.launch().await?;
        Ok(format!("started {} as process {pid}", self.container()))
    }

    /// The running container's watch, or the error that it does not run.
    pub(super) fn running(&self, verb: &'static str) -> Result<Process, TopologyError> {
        let (waiter, asked) = {
            let life = self.life();
            (life.process.clone(), life.asked)
        };
        match waiter {
            Some(waiter) if waiter.ended().is_none() => Ok(waiter),
            // Nobody stopped it, so its log says why.
            Some(_) if !asked => {
                Err(TopologyError::NotRunning { node: self.name, verb, log: self.log_end() })
            }
            _ => Err(TopologyError::NotRunning { node: self.name, verb, log: String::new() }),
        }
    }

    /// `docker kill`: every process of the container ends at once.
    pub(super) async fn kill(&self) -> Result<String, TopologyError> {
        let waiter = self.running("kill")?;
        let pid = self.state().await?.pid;
        self.life().asked = true;
        self.engine.tell(["kill", &self.container]).await?;
        let state = self.gone(&waiter, PATIENCE).await?;
        let state =
            state.ok_or(TopologyError::Survived { node: self.name, pids: vec![pid], waited: PATIENCE })?;
        Ok(format!(
            "killed {}, process {pid}; it has ended (exit code {})",
            self.container(),
            state.exit_code
        ))
    }

    /// Shuts the server down as asked. One that does not stop within `limit` is killed, and that is an error, though the
    /// node is down.
    pub(super) async fn stop(&self, mode: StopMode, limit: Duration) -> Result<String, TopologyError> {
        let waiter = self.running("stop")?;
        self.life().asked = true;
        // The container's init passes it on to the postmaster.
        let signal = match mode {
            StopMode::Fast => "SIGINT",
            StopMode::Immediate => "SIGQUIT",
        };
        self.engine.tell(["kill", "--signal", signal, &self.container]).await?;
        if let Some(state) = self.gone(&waiter, limit).await? {
            return Ok(format!("{} stopped (exit code {})", self.container(), state.exit_code));
        }
        self.engine.tell(["kill", &self.container]).await?;
        let survived = || TopologyError::Survived { node: self.name, pids: Vec::new(), waited: PATIENCE };
        self.gone(&waiter, PATIENCE).await?.ok_or_else(survived)?;
        Err(TopologyError::StopForced { node: self.name, signal, waited: limit, log: self.log_end() })
    }

    /// What the engine says once the container has ended, and with it whatever its server was in; `None` if it has not
    /// within `limit`.
    async fn gone(&self, waiter: &Process, limit: Duration) -> Result<Option<State>, TopologyError> {
        if timeout(limit, waiter.wait()).await.is_err() {
            return Ok(None);
        }
        let state = self.state().await?;
        if state.running {
            return Ok(None);
        }
        *self.life() = Life::gone();
        Ok(Some(state))
    }

    /// Waits until a query is answered in the container.
    pub(super) async fn answers_inside(&self, deadline: Duration) -> Result<(), TopologyError> {
        let answers = async {
            while self.engine.tell(["exec", &self.container, "sh", NODE_SCRIPT_PATH, "check"]).await.is_err()
            {
                if !self.is_running() {
                    return Err(self.no_answer("it has ended".to_owned()));
                }
                sleep(POLL).await;
            }
            Ok(())
        };
        let late = |_| self.no_answer(format!("no query was answered within {} ms", deadline.as_millis()));
        timeout(deadline, answers).await.map_err(late)?
    }

    /// How it ended, if it did and nobody asked for it.
    pub(super) fn died_unasked(&self) -> Option<String> {
        let ended = {
            let life = self.life();
            !life.asked && life.process.as_ref().is_some_and(|waiter| waiter.ended().is_some())
        };
        ended.then(|| format!("{} ended unasked; its log ends with:\n{}", self.name, self.log_end()))
    }

    /// `container 0123456789ab`.
    pub(super) fn container(&self) -> String {
        format!("container {}", self.container.get(..12).unwrap_or(&self.container))
    }

    /// Writes down everything that the server has said since it was made.
    pub(super) async fn save_log(&self) -> Result<(), TopologyError> {
        let unfinished = self.unfinished_log();
        let saving = self.begin_log(&unfinished)?;
        if timeout(PATIENCE, saving.wait()).await.is_err() {
            saving.kill_group();
        }
        self.keep_log(&saving, &unfinished)
    }

    fn unfinished_log(&self) -> PathBuf {
        self.log.with_extension("log.new")
    }

    fn begin_log(&self, to: &Path) -> Result<Process, TopologyError> {
        let file = File::create(to).map_err(TopologyError::io("create", to))?;
        self.engine.program("docker").args(["logs", &self.container]).supervise(file)
    }

    /// What `docker logs` wrote becomes the log if it came to its end.
    fn keep_log(&self, saving: &Process, from: &Path) -> Result<(), TopologyError> {
        if saving.succeeded() {
            return fs::rename(from, &self.log).map_err(TopologyError::io("write", &self.log));
        }
        let said = fs::read(from).unwrap_or_default();
        // It holds the program's complaint instead of the log.
        drop(fs::remove_file(from));
        Err(TopologyError::Tool {
            program: "docker".to_owned(),
            why: format!("logs of {}: {}", self.name, saving.ended().unwrap_or_default()),
            output: last_lines(&String::from_utf8_lossy(&said), 4),
        })
    }
}

impl Server for Node {
    type Receiver = Receiver;

    const PATIENCE: Duration = PATIENCE;
    // The lab comes where clients do.
    const NEEDS: Side = Side::Both;

    fn name(&self) -> NodeName {
        self.name
    }

    fn life(&self) -> MutexGuard<'_, Life<Receiver>> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn disturbances(&self) -> BTreeSet<Condition> {
        self.cut().map(|_| Condition::Isolated).into_iter().collect()
    }

    fn is_cut_off(&self, side: Side) -> bool {
        self.cut().is_some_and(|cut| cut.side.meets(side))
    }

    fn is_reachable(&self) -> bool {
        self.can_answer() && !self.is_cut_off(Side::Clients)
    }

    fn log_end(&self) -> String {
        let unfinished = self.unfinished_log();
        // What was written down before is better than nothing.
        if let Ok(saving) = self.begin_log(&unfinished) {
            let mut looks = PATIENCE.as_millis() / GLANCE.as_millis();
            while saving.ended().is_none() && looks > 0 {
                thread::sleep(GLANCE);
                looks -= 1;
            }
            saving.kill_group();
            drop(self.keep_log(&saving, &unfinished));
        }
        last_lines(&String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()), 8)
    }

    async fn revive(&self) -> Result<String, TopologyError> {
        let pid = self.launch().await?;
        Ok(format!("process {pid} of {}", self.container()))
    }

    async fn shut_down(&self) -> Result<String, TopologyError> {
        self.stop(StopMode::Fast, STOP_LIMIT).await
    }

    async fn end(&self) -> Result<(), TopologyError> {
        if !self.is_running() {
            return Ok(());
        }
        // What is held up would not see the signals of a shutdown.
        self.let_go().await?;
        match self.stop(StopMode::Fast, END_LIMIT).await {
            Ok(_) | Err(TopologyError::StopForced { .. } | TopologyError::NotRunning { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn terminate_receiver(&self, receiver: &Receiver) -> Result<(), TopologyError> {
        // The engine lets nobody into a container that is paused, and nothing in it runs.
        if self.state().await?.paused {
            return Ok(());
        }
        self.signal(receiver.pid, "TERM").await
    }

    async fn dismiss(&self, receiver: Receiver) -> Result<(), TopologyError> {
        self.end_receiver(receiver).await
    }
}

impl State {
    fn read(said: &str) -> Option<State> {
        let mut words = said.split_whitespace();
        Some(State {
            running: words.next()?.parse().ok()?,
            paused: words.next()?.parse().ok()?,
            pid: words.next()?.parse().ok()?,
            exit_code: words.next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_docker_inspect_says() {
        let paused = State { running: true, paused: true, pid: 4711, exit_code: 0 };
        assert_eq!(State::read("true true 4711 0\n"), Some(paused));
        assert_eq!(State::read("<no value>"), None);
    }
}
