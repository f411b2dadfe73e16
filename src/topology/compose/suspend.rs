//! Holding a server up without ending it: its whole container, or its WAL receiver.

use std::time::Duration;

use tokio::time::sleep;

use super::file::NODE_SCRIPT_PATH;
use super::node::Node;
use crate::history::Condition;
use crate::topology::TopologyError;
use crate::topology::servers::Server;

/// Between two looks, each of which starts a program.
const LOOK: Duration = Duration::from_millis(20);

/// A WAL receiver, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::topology) struct Receiver {
    /// As the container counts.
    pub(super) pid: i32,
    /// When it started, in the system's own words.
    start: String,
}

impl Node {
    /// `docker pause`: the engine's freezer holds every process of the container.
    pub(super) async fn pause(&self) -> Result<String, TopologyError> {
        self.running("pause")?;
        let paused = async {
            loop {
                // The freezer gives up where new processes come faster than it holds them; it may be asked again.
                let told = self.engine.tell(["pause", &self.container]).await;
                let state = self.state().await?;
                match told {
                    _ if state.paused => return Ok::<_, TopologyError>(state),
                    Err(error) if !state.running => return Err(error),
                    _ => sleep(LOOK).await,
                }
            }
        };
        let state = self.within(paused, Condition::Paused, false).await??;
        self.life().lasting.insert(Condition::Paused);
        Ok(format!("paused {}, process {} and all others in it", self.container(), state.pid))
    }

    /// `docker unpause`; an error if the container had been let go meanwhile.
    pub(super) async fn resume(&self) -> Result<String, TopologyError> {
        self.running("resume")?;
        self.is_in(Condition::Paused)?;
        if !self.state().await?.paused {
            let why = format!("{} runs", self.container());
            return Err(self.did_not_hold(Condition::Paused, why));
        }
        self.engine.tell(["unpause", &self.container]).await?;
        let goes_on = async {
            while self.state().await?.paused {
                sleep(LOOK).await;
            }
            Ok::<_, TopologyError>(())
        };
        self.within(goes_on, Condition::Paused, true).await??;
        self.life().lasting.remove(&Condition::Paused);
        Ok(format!("{} goes on; it had stayed paused", self.container()))
    }

    /// SIGSTOP for the WAL receiver, which is process `pid` of the container; taken while it waits for something to
    /// arrive, so that a later end finds it there. The script in the container looks, as it takes many looks.
    pub(super) async fn freeze(&self, pid: i32) -> Result<String, TopologyError> {
        self.running("freeze")?;
        let number = pid.to_string();
        let freeze = async |whose: [&str; 2]| {
            let [how, who] = whose;
            let script = [&self.container, "sh", NODE_SCRIPT_PATH, "freeze", &number];
            let [container, sh, path, verb, number] = script;
            self.engine.tell(["exec", how, who, container, sh, path, verb, number]).await
        };
        // What another process is doing, the kernel tells those who might change it: everywhere those with all privileges,
        // which not every engine can give, and on many machines the same user.
        let said = match freeze(["--privileged", "--user=root"]).await {
            Ok(said) => Ok(said),
            Err(_) => freeze(["--privileged=false", "--user=postgres"]).await,
        };
        let gone = |why: String| self.did_not_hold(Condition::Frozen, why);
        let said = said.map_err(|error| gone(format!("WAL receiver {pid} cannot be stopped: {error}")))?;
        let stopped = Receiver::read(pid, &said).filter(|(_, letter)| *letter == 'T');
        let (receiver, _) = stopped.ok_or_else(|| gone(format!("WAL receiver {pid} is gone")))?;
        let mut life = self.life();
        life.lasting.insert(Condition::Frozen);
        life.receiver = Some(receiver);
        Ok(format!("stopped WAL receiver {pid}"))
    }

    /// SIGCONT for the WAL receiver; an error if it did not stay stopped.
    pub(super) async fn thaw(&self) -> Result<String, TopologyError> {
        self.running("thaw")?;
        self.is_in(Condition::Frozen)?;
        let other = || {
            let why = "its WAL receiver runs, or is another one by now".to_owned();
            self.did_not_hold(Condition::Frozen, why)
        };
        let frozen = self.life().receiver.take().ok_or_else(other)?;
        let held = matches!(self.look(frozen.pid).await?, Some((found, 'T')) if found == frozen);
        if !held {
            return Err(other());
        }
        self.signal(frozen.pid, "CONT").await?;
        let goes_on = async {
            while matches!(self.look(frozen.pid).await?, Some((found, 'T')) if found == frozen) {
                sleep(LOOK).await;
            }
            Ok::<_, TopologyError>(())
        };
        self.within(goes_on, Condition::Frozen, true).await??;
        self.life().lasting.remove(&Condition::Frozen);
        Ok(format!("WAL receiver {} goes on; it had stayed stopped", frozen.pid))
    }

    /// Sends a signal to a process of the container.
    pub(super) async fn signal(&self, pid: i32, signal: &str) -> Result<(), TopologyError> {
        let kill = format!("kill -s {signal} {pid}");
        self.engine.tell(["exec", &self.container, "sh", "-c", &kill]).await.map(drop)
    }

    /// A process of the container with the letter of its state (`proc(5)`); `None` if there is none.
    async fn look(&self, pid: i32) -> Result<Option<(Receiver, char)>, TopologyError> {
        let read = format!("cat /proc/{pid}/stat 2>/dev/null || true");
        let said = self.engine.tell(["exec", &self.container, "sh", "-c", &read]).await?;
        Ok(Receiver::read(pid, &said))
    }

    /// SIGTERM for a WAL receiver that is frozen, and only then SIGCONT.
    pub(super) async fn end_receiver(&self, receiver: Receiver) -> Result<(), TopologyError> {
        let pid = receiver.pid;
        let is_there = async || {
            let found = self.look(pid).await?;
            Ok::<_, TopologyError>(found.is_some_and(|(found, _)| found == receiver))
        };
        let gone = async {
            while is_there().await? {
                // It waits for data, so the first thing that it sees when it goes on is that it is to end. It may have
                // ended by now.
                let end = format!("kill -s TERM {pid} && kill -s CONT {pid} || true");
                self.engine.tell(["exec", &self.container, "sh", "-c", &end]).await?;
                sleep(LOOK).await;
            }
            Ok(())
        };
        self.within(gone, Condition::Frozen, true).await?
    }

    /// Lets whatever is held up in the container go on.
    pub(super) async fn let_go(&self) -> Result<(), TopologyError> {
        if self.state().await?.paused {
            self.engine.tell(["unpause", &self.container]).await?;
        }
        let frozen = self.life().receiver.take();
        match frozen {
            Some(receiver) => self.signal(receiver.pid, "CONT").await,
            None => Ok(()),
        }
    }
}

impl Receiver {
    /// The second field is the name in parentheses, which may hold anything; the rest is separated by spaces.
    fn read(pid: i32, stat: &str) -> Option<(Receiver, char)> {
        let (_, tail) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = tail.split_whitespace().collect();
        let start = (*fields.get(19)?).to_owned();
        Some((Receiver { pid, start }, fields.first()?.chars().next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_known_by_its_number_and_its_start() {
        let stat = "41 (postgres: walrec) T 7 41 41 0 -1 4 1 0 0 0 2 3 0 0 20 0 1 0 98765 1 2";
        let (receiver, letter) = Receiver::read(41, stat).unwrap();
        assert_eq!((receiver.pid, &*receiver.start, letter), (41, "98765", 'T'));
        assert_eq!(Receiver::read(41, ""), None);
    }
}
