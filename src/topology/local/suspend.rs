//! Holding a server up without ending it: all of it, its WAL receiver, its replay.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::{sleep, timeout};

use super::node::{Node, PATIENCE};
use super::{Cluster, POLL, query_error};
use crate::history::Condition;
use crate::pg::{PgError, Session, probe};
use crate::topology::TopologyError;
use crate::topology::process::{Identity, processes_of};

const LOOK: Duration = Duration::from_millis(1);

impl Node {
    /// SIGSTOP for every process of the node; answers when none of them runs.
    pub(super) async fn pause(&self) -> Result<String, TopologyError> {
        let root = self.running("pause")?.identity;
        let all_stopped = async {
            loop {
                // The postmaster first: it is the one that can start more. They are counted while it is stopped.
                root.signal(Signal::SIGSTOP);
                let postmaster_stopped = root.is_stopped();
                let family = processes_of(&self.data, Some(&root));
                let running: Vec<&Identity> = family.iter().filter(|one| !one.is_stopped()).collect();
                if postmaster_stopped && running.is_empty() {
                    return family.len();
                }
                for one in running {
                    one.signal(Signal::SIGSTOP);
                }
                sleep(LOOK).await;
            }
        };
        let count = self.within(all_stopped, Condition::Paused, false).await?;
        self.life().lasting.insert(Condition::Paused);
        Ok(format!("stopped {count} processes, among them postmaster {}; none runs", root.pid))
    }

    /// SIGCONT for every process of the node; an error if one of them had been running meanwhile.
    pub(super) async fn resume(&self) -> Result<String, TopologyError> {
        let root = self.running("resume")?.identity;
        self.is_in(Condition::Paused)?;
        let family = processes_of(&self.data, Some(&root));
        if let Some(awake) = family.iter().find(|one| !one.is_stopped()) {
            return Err(self.did_not_hold(Condition::Paused, format!("process {} runs", awake.pid)));
        }
        self.let_go(&family, Condition::Paused).await?;
        Ok(format!("{} processes go on; all had stayed stopped", family.len()))
    }

    /// SIGSTOP for the WAL receiver, which is process `pid`.
    pub(super) async fn freeze(&self, pid: i32) -> Result<String, TopologyError> {
        let root = self.running("freeze")?.identity;
        let receiver = processes_of(&self.data, Some(&root)).into_iter().find(|one| one.pid == pid);
        let receiver = receiver
            .ok_or_else(|| self.did_not_hold(Condition::Frozen, format!("WAL receiver {pid} is gone")))?;
        let stopped = async {
            loop {
                receiver.signal(Signal::SIGSTOP);
                while !receiver.is_stopped() {
                    sleep(LOOK).await;
                }
                // In the middle of its work it would first read whatever has arrived meanwhile, and only then see that it
                // is to end. So it is stopped while it waits, however long it takes to meet that moment.
                if receiver.waits_for_input() != Some(false) {
                    return;
                }
                receiver.signal(Signal::SIGCONT);
                sleep(LOOK).await;
            }
        };
        self.within(stopped, Condition::Frozen, false).await?;
        let mut life = self.life();
        life.lasting.insert(Condition::Frozen);
        life.receiver = Some(receiver);
        Ok(format!("stopped WAL receiver {pid}"))
    }

    /// SIGCONT for the WAL receiver; an error if it did not stay stopped.
    pub(super) async fn thaw(&self) -> Result<String, TopologyError> {
        self.running("thaw")?;
        self.is_in(Condition::Frozen)?;
        let receiver = self.life().receiver.take();
        let receiver = receiver.filter(Identity::is_stopped).ok_or_else(|| {
            self.did_not_hold(Condition::Frozen, "its WAL receiver runs, or is another one by now".to_owned())
        })?;
        let pid = receiver.pid;
        self.let_go(&[receiver], Condition::Frozen).await?;
        Ok(format!("WAL receiver {pid} goes on; it had stayed stopped"))
    }

    async fn let_go(&self, stopped: &[Identity], condition: Condition) -> Result<(), TopologyError> {
        let all_run = async {
            while let Some(one) = stopped.iter().find(|one| one.is_stopped()) {
                one.signal(Signal::SIGCONT);
                tokio::task::yield_now().await;
            }
        };
        self.within(all_run, condition, true).await?;
        self.life().lasting.remove(&condition);
        Ok(())
    }

    /// What `change` answers, or the error that the node is not in `condition` in time (or, `lifted`, not out of it).
    pub(super) async fn within<T>(
        &self,
        change: impl Future<Output = T>,
        condition: Condition,
        lifted: bool,
    ) -> Result<T, TopologyError> {
        let late = |_| TopologyError::NotTaken { node: self.name, condition, lifted, waited: PATIENCE };
        timeout(PATIENCE, change).await.map_err(late)
    }

    fn is_in(&self, condition: Condition) -> Result<(), TopologyError> {
        let is_in = self.life().lasting.contains(&condition);
        if is_in { Ok(()) } else { Err(TopologyError::NothingToCure { node: self.name, condition }) }
    }

    pub(super) fn did_not_hold(&self, condition: Condition, why: String) -> TopologyError {
        TopologyError::DidNotHold { node: self.name, condition, why }
    }
}

impl Cluster {
    /// The process that receives the log on a replica. A link that is being made anew gets the time for that.
    pub(super) async fn wal_receiver(&self, node: &Node) -> Result<i32, TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        let streams = async {
            loop {
                match probe::wal_receiver(&session).await {
                    Ok(None) => sleep(POLL).await,
                    found => return found,
                }
            }
        };
        let found = node.within(streams, Condition::Frozen, false).await?;
        let found = found.map_err(query_error(node, "look for the WAL receiver"))?;
        session.close().await;
        found.ok_or_else(|| TopologyError::lab("the WAL receiver was found and is none"))
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
        probe::pause_replay(session, pause).await?;
        while probe::is_replay_paused(session).await? != pause {
            sleep(POLL).await;
        }
        Ok::<_, PgError>(())
    };
    let done = node.within(done, Condition::ReplayPaused, !pause).await?;
    done.map_err(query_error(node, if pause { "pause the replay" } else { "resume the replay" }))
}
