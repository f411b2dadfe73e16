//! One container with a server: started, watched, shut down, killed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::time::timeout;

use super::engine::Engine;
use super::suspend::Receiver;
use crate::history::{Condition, NodeName, StopMode};
use crate::topology::process::{Process, last_lines};
use crate::topology::{Role, TopologyError};

/// How long the engine may take to do what it was told.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks at a program that is waited for while nothing else can go on.
const GLANCE: Duration = Duration::from_millis(2);

/// One server in its container.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: NodeName,
    pub(super) role: Role,
    pub(super) port: u16,
    /// The container's id; it stays the same over every start.
    pub(super) container: String,
    pub(super) engine: Engine,
    pub(super) log: PathBuf,
    pub(super) life: Mutex<Life>,
    /// Held during an action: one at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
}

/// Whether it runs, and whether it should.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// `docker wait`: it ends when the container does.
    waiter: Option<Process>,
    /// Somebody asked for its end.
    asked: bool,
    /// What actions have left the running server in.
    pub(super) lasting: BTreeSet<Condition>,
    /// The WAL receiver that is frozen.
    pub(super) receiver: Option<Receiver>,
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
    pub(super) fn life(&self) -> MutexGuard<'_, Life> {
        self.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine says of the container now.
    pub(super) async fn state(&self) -> Result<State, TopologyError> {
        let format = "{{.State.Running}} {{.State.Paused}} {{.State.Pid}} {{.State.ExitCode}}";
        let said = self.engine.tell(["container", "inspect", "--format", format, &self.container]).await?;
        State::read(&said).ok_or_else(|| TopologyError::lab(format!("docker inspect says {said:?}")))
    }

    /// Watches the container, which has been started, until it ends.
    pub(super) fn watch(&self) -> Result<(), TopologyError> {
        let path = Path::new("/dev/null");
        let null = File::options().write(true).open(path).map_err(TopologyError::io("open", path))?;
        let waiter = self.engine.program("docker").args(["wait", &self.container]).supervise(null)?;
        *self.life() = Life { waiter: Some(waiter), ..Life::default() };
        Ok(())
    }

    /// Starts the container. Whether its server answers queries is another question.
    pub(super) async fn start(&self) -> Result<String, TopologyError> {
        if self.is_running() {
            return Err(TopologyError::AlreadyRunning { node: self.name, pid: self.state().await?.pid });
        }
        self.engine.tell(["start", &self.container]).await?;
        self.watch()?;
        let state = self.state().await?;
        if !state.running {
            return Err(self.no_answer(format!("it ended at once (exit code {})", state.exit_code)));
        }
        Ok(format!("started {} as process {}", self.container(), state.pid))
    }

    /// The running container's watch, or the error that it does not run.
    pub(super) fn running(&self, verb: &'static str) -> Result<Process, TopologyError> {
        let (waiter, asked) = {
            let life = self.life();
            (life.waiter.clone(), life.asked)
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
        self.gone(&waiter, PATIENCE).await?;
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
        *self.life() = Life { asked: true, ..Life::default() };
        Ok(Some(state))
    }

    /// How it ended, if it did and nobody asked for it.
    pub(super) fn died_unasked(&self) -> Option<String> {
        let ended = {
            let life = self.life();
            !life.asked && life.waiter.as_ref().is_some_and(|waiter| waiter.ended().is_some())
        };
        ended.then(|| format!("{} ended unasked; its log ends with:\n{}", self.name, self.log_end()))
    }

    /// What actions have left it in.
    pub(super) fn conditions(&self) -> BTreeSet<Condition> {
        if self.is_running() {
            return self.life().lasting.clone();
        }
        BTreeSet::from_iter(self.life().asked.then_some(Condition::Down))
    }

    /// Whether its container runs.
    pub(super) fn is_running(&self) -> bool {
        self.life().waiter.as_ref().is_some_and(|waiter| waiter.ended().is_none())
    }

    pub(super) fn no_answer(&self, why: String) -> TopologyError {
        TopologyError::NoAnswer { node: self.name, why, log: self.log_end() }
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

    /// The last lines of its log.
    pub(super) fn log_end(&self) -> String {
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
