//! Holding a server up without ending it: its whole container, its WAL receiver, its replay.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::node::{Node, PATIENCE};
use super::{Cluster, POLL, query_error};
use crate::history::Condition;
use crate::pg::{PgError, Session, probe};
use crate::topology::{Role, TopologyError};

/// Between two looks, each of which starts a program.
const LOOK: Duration = Duration::from_millis(20);

/// A WAL receiver, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receiver {
    /// As the container counts.
    pid: i32,
    /// When it started, in the system's own words.
    start: String,
}

impl Node {
    /// `docker pause`: the engine's freezer holds every process of the container.
    pub(super) async fn pause(&self) -> Result<String, TopologyError> {
        self.running("pause")?;
        self.engine.tell(["pause", &self.container]).await?;
        let paused = async {
            loop {
                let state = self.state().await?;
                if state.paused {
                    return Ok(state);
                }
                sleep(LOOK).await;
            }
        };
        let state = self.within(paused, Condition::Paused, false).await?;
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
            Ok(())
        };
        self.within(goes_on, Condition::Paused, true).await?;
        self.life().lasting.remove(&Condition::Paused);
        Ok(format!("{} goes on; it had stayed paused", self.container()))
    }

    /// SIGSTOP for the WAL receiver, which is process `pid` of the container.
    pub(super) async fn freeze(&self, pid: i32) -> Result<String, TopologyError> {
        self.running("freeze")?;
        self.signal(pid, "STOP").await?;
        let stopped = async {
            loop {
                match self.look(pid).await? {
                    Some((receiver, 'T')) => return Ok(Some(receiver)),
                    Some(_) => sleep(LOOK).await,
                    None => return Ok(None),
                }
            }
        };
        let receiver = self.within(stopped, Condition::Frozen, false).await?;
        let gone = || self.did_not_hold(Condition::Frozen, format!("WAL receiver {pid} is gone"));
        let receiver = receiver.ok_or_else(gone)?;
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
            Ok(())
        };
        self.within(goes_on, Condition::Frozen, true).await?;
        self.life().lasting.remove(&Condition::Frozen);
        Ok(format!("WAL receiver {} goes on; it had stayed stopped", frozen.pid))
    }

    /// Sends a signal to a process of the container.
    async fn signal(&self, pid: i32, signal: &str) -> Result<(), TopologyError> {
        let kill = format!("kill -s {signal} {pid}");
        self.engine.tell(["exec", &self.container, "sh", "-c", &kill]).await.map(drop)
    }

    /// A process of the container with the letter of its state (`proc(5)`); `None` if there is none.
    async fn look(&self, pid: i32) -> Result<Option<(Receiver, char)>, TopologyError> {
        let read = format!("cat /proc/{pid}/stat 2>/dev/null || true");
        let said = self.engine.tell(["exec", &self.container, "sh", "-c", &read]).await?;
        Ok(Receiver::read(pid, &said))
    }

    /// What `change` answers, or the error that the node is not in `condition` in time (or, `lifted`, not out of it).
    async fn within<T>(
        &self,
        change: impl Future<Output = Result<T, TopologyError>>,
        condition: Condition,
        lifted: bool,
    ) -> Result<T, TopologyError> {
        let late = |_| TopologyError::NotTaken { node: self.name, condition, lifted, waited: PATIENCE };
        timeout(PATIENCE, change).await.map_err(late)?
    }

    /// Whether it runs, and nothing keeps it from receiving and replaying.
    fn is_free(&self) -> bool {
        self.is_running() && self.life().lasting.is_empty()
    }

    fn is_in(&self, condition: Condition) -> Result<(), TopologyError> {
        let is_in = self.life().lasting.contains(&condition);
        if is_in { Ok(()) } else { Err(TopologyError::NothingToCure { node: self.name, condition }) }
    }

    fn did_not_hold(&self, condition: Condition, why: String) -> TopologyError {
        TopologyError::DidNotHold { node: self.name, condition, why }
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

impl Cluster {
    /// Waits until every replica that is neither down nor held up receives the log.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        for node in self.nodes.iter().filter(|node| node.role == Role::Replica && node.is_free()) {
            let session = self.session(node, PATIENCE).await?;
            let follows = async {
                while probe::receives_timeline(&session)
                    .await
                    .map_err(query_error(node, "look whom it follows"))?
                    .is_none()
                {
                    sleep(POLL).await;
                }
                Ok(())
            };
            node.within(follows, Condition::Diverged, true).await?;
            session.close().await;
        }
        Ok(())
    }

    /// The process that receives the log on a replica. A link that is being made anew gets the time for that.
    pub(super) async fn wal_receiver(&self, node: &Node) -> Result<i32, TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        let streams = async {
            loop {
                match probe::wal_receiver(&session).await {
                    Ok(None) => sleep(POLL).await,
                    Ok(Some(pid)) => return Ok(pid),
                    Err(error) => return Err(query_error(node, "look for the WAL receiver")(error)),
                }
            }
        };
        let pid = node.within(streams, Condition::Frozen, false).await?;
        session.close().await;
        Ok(pid)
    }

    /// Stops the replay of a replica, and waits until it has stopped.
    pub(super) async fn pause_replay(&self, node: &Node) -> Result<String, TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        set_replay(node, &session, true).await?;
        node.life().lasting.insert(Condition::ReplayPaused);
        let at = probe::replay_lsn(&session).await.map_err(query_error(node, "ask for the position"))?;
        session.close().await;
        Ok(format!("replay is paused at {}", at.map_or_else(|| "the start".to_owned(), |at| at.to_string())))
    }

    /// Lets the replay of a replica go on; an error if it did not stay paused.
    pub(super) async fn resume_replay(&self, node: &Node) -> Result<String, TopologyError> {
        let condition = Condition::ReplayPaused;
        node.is_in(condition)?;
        let session = self.session(node, PATIENCE).await?;
        let paused = probe::is_replay_paused(&session).await;
        if !paused.map_err(query_error(node, "ask for the replay"))? {
            return Err(node.did_not_hold(condition, "its replay goes on".to_owned()));
        }
        set_replay(node, &session, false).await?;
        node.life().lasting.remove(&condition);
        session.close().await;
        Ok("replay goes on; it had stayed paused".to_owned())
    }
}

async fn set_replay(node: &Node, session: &Session, pause: bool) -> Result<(), TopologyError> {
    let done = async {
        let done: Result<(), PgError> = async {
            probe::pause_replay(session, pause).await?;
            while probe::is_replay_paused(session).await? != pause {
                sleep(POLL).await;
            }
            Ok(())
        }
        .await;
        done.map_err(query_error(node, if pause { "pause the replay" } else { "resume the replay" }))
    };
    node.within(done, Condition::ReplayPaused, !pause).await
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
