//! Holding a server up without ending it: all of it, or its WAL receiver.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::sleep;

use super::POLL;
use super::node::Node;
use crate::history::Condition;
use crate::topology::TopologyError;
use crate::topology::process::{Identity, processes_of};
use crate::topology::servers::Server;

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

    /// SIGSTOP for the WAL receiver, which is process `pid`; nothing where it has ended meanwhile, as it does when its
    /// upstream ends.
    pub(super) async fn freeze(&self, pid: i32) -> Result<Option<String>, TopologyError> {
        let root = self.running("freeze")?.identity;
        let receiver = processes_of(&self.data, Some(&root)).into_iter().find(|one| one.pid == pid);
        let Some(receiver) = receiver else { return Ok(None) };
        let stopped = async {
            loop {
                while !receiver.is_stopped() {
                    if !receiver.signal(Signal::SIGSTOP) {
                        return false;
                    }
                    sleep(LOOK).await;
                }
                // In the middle of its work it would first read whatever has arrived meanwhile, and only then see that it
                // is to end. So it is stopped while it waits, however long it takes to meet that moment.
                if receiver.waits_for_input() != Some(false) {
                    return true;
                }
                receiver.signal(Signal::SIGCONT);
                sleep(LOOK).await;
            }
        };
        if !self.within(stopped, Condition::Frozen, false).await? {
            return Ok(None);
        }
        let mut life = self.life();
        life.lasting.insert(Condition::Frozen);
        life.receiver = Some(receiver);
        Ok(Some(format!("stopped WAL receiver {pid}")))
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

    /// SIGTERM for a WAL receiver that is frozen, and only then SIGCONT.
    pub(super) async fn end_receiver(&self, receiver: Identity) -> Result<(), TopologyError> {
        // It waits for data, so the first thing that it sees when it goes on is that it is to end.
        receiver.signal(Signal::SIGTERM);
        let gone = async {
            while receiver.signal(Signal::SIGCONT) {
                sleep(POLL).await;
            }
        };
        self.within(gone, Condition::Frozen, true).await
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
}
