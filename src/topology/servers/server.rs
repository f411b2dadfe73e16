//! One server, whatever it runs in.

use std::collections::BTreeSet;
use std::sync::MutexGuard;
use std::time::Duration;

use tokio::time::timeout;

use super::{Life, Standing};
use crate::history::{Action, Condition, NodeName, Side};
use crate::topology::{Role, TopologyError};

/// What a failover has to know of a server, and to do to it.
pub(in crate::topology) trait Server: Sync {
    /// How its WAL receiver is known.
    type Receiver: Clone + Send;

    /// How long it may take to do what it was told.
    const PATIENCE: Duration;

    /// What of its network the others and the lab need to bring it back.
    const NEEDS: Side;

    fn name(&self) -> NodeName;
    fn life(&self) -> MutexGuard<'_, Life<Self::Receiver>>;
    /// What it is in the cluster.
    fn standing(&self) -> MutexGuard<'_, Standing>;
    /// The last lines of its log.
    fn log_end(&self) -> String;
    /// Starts it, and answers what runs then: `postmaster 4711`. Whether it answers queries is another question.
    async fn revive(&self) -> Result<String, TopologyError>;
    /// The fast shutdown, in which it waits until those who receive from it have everything. Answers how it went.
    async fn shut_down(&self) -> Result<String, TopologyError>;
    /// Ends it whatever it takes, if it runs at all.
    async fn end(&self) -> Result<(), TopologyError>;
    /// SIGTERM for a WAL receiver: a frozen one sees it before anything else when it goes on.
    async fn terminate_receiver(&self, receiver: &Self::Receiver) -> Result<(), TopologyError>;
    /// Ends a WAL receiver that is frozen, without letting it read what has arrived meanwhile; answers when it is gone.
    async fn dismiss(&self, receiver: Self::Receiver) -> Result<(), TopologyError>;

    /// What it is in that the end of its processes does not end: its network, and its disk.
    fn disturbances(&self) -> BTreeSet<Condition>;
    /// Whether nothing, or not everything, passes between it and that side.
    fn is_cut_off(&self, side: Side) -> bool;

    /// Whether nothing fits on its disk, so that it may end at any moment.
    fn is_out_of_space(&self) -> bool {
        self.disturbances().contains(&Condition::DiskFull)
    }

    /// Whether its postmaster runs.
    fn is_running(&self) -> bool {
        self.life().is_running()
    }

    /// Whether it can be expected to answer who gets through to it.
    fn can_answer(&self) -> bool {
        let life = self.life();
        life.is_running() && !life.lasting.contains(&Condition::Paused)
    }

    /// Whether the lab itself can be expected to get an answer.
    fn is_reachable(&self) -> bool {
        self.can_answer()
    }

    /// The error that it was left alone, unless it is reachable.
    fn is_to_answer(&self) -> Result<(), TopologyError> {
        if self.is_out_of_space() {
            return Err(TopologyError::Impossible { node: self.name(), condition: Condition::DiskFull });
        }
        if self.is_reachable() {
            return Ok(());
        }
        let condition = match (self.is_running(), self.can_answer()) {
            (false, _) => Condition::Down,
            (true, false) => Condition::Paused,
            (true, true) => Condition::Isolated,
        };
        Err(TopologyError::Impossible { node: self.name(), condition })
    }

    /// Whether nothing keeps it from sending and receiving the log.
    fn streams(&self) -> bool {
        self.can_answer()
            && !self.life().lasting.contains(&Condition::Frozen)
            && !self.is_cut_off(Side::Peers)
            && !self.is_out_of_space()
    }

    /// Whether it runs, and nothing keeps it from receiving and replaying.
    fn is_free(&self) -> bool {
        self.streams() && self.is_reachable() && self.life().lasting.is_empty()
    }

    /// What actions have left it in.
    fn conditions(&self) -> BTreeSet<Condition> {
        let diverged = self.standing().diverged.then_some(Condition::Diverged);
        let mut conditions = self.disturbances();
        let life = self.life();
        if life.is_running() {
            conditions.extend(life.lasting.iter().copied().chain(diverged));
        } else {
            // One that has diverged is not to be started as it is: it may have been the primary.
            let down = life.asked.then_some(Condition::Down);
            conditions.extend(diverged.or(down));
        }
        conditions
    }

    /// The error that `action` cannot be done as the node is now, which its state decides and nobody could know before.
    /// One that has diverged and runs can be broken like any other.
    fn admit(&self, action: Action) -> Result<(), TopologyError> {
        let (node, conditions) = (self.name(), self.conditions());
        if action.needs_replica() && self.standing().role == Role::Primary {
            return Err(TopologyError::IsPrimary { node });
        }
        let hinders = |&condition: &Condition| {
            let counts = condition != Condition::Diverged || !self.is_running();
            counts && condition.cure() != action && condition.hinders(action)
        };
        if let Some(condition) = conditions.iter().copied().find(hinders) {
            return Err(TopologyError::Impossible { node, condition });
        }
        match action.cures().filter(|condition| !conditions.contains(condition)) {
            // One that has ended by itself may be started, and whether one has diverged is not the question.
            Some(Condition::Diverged) => Ok(()),
            Some(Condition::Down) if !self.is_running() => Ok(()),
            Some(condition) => Err(TopologyError::NothingToCure { node, condition }),
            None => Ok(()),
        }
    }

    /// What it is in that keeps a stream of the log from going on.
    fn hindrance(&self) -> Option<Condition> {
        let cut_off = self.is_cut_off(Side::Peers).then_some(Condition::Isolated);
        let held_up = [Condition::Paused, Condition::Frozen];
        let full = self.is_out_of_space().then_some(Condition::DiskFull);
        cut_off
            .or(full)
            .or_else(|| held_up.into_iter().find(|condition| self.life().lasting.contains(condition)))
    }

    /// Whether it is a replica of the primary's log, and nothing that was done to it keeps it from becoming the primary.
    fn is_candidate(&self) -> bool {
        let standing = *self.standing();
        let hindered = self.conditions().iter().any(|condition| condition.hinders(Action::Promote));
        standing.role == Role::Replica && !standing.diverged && self.is_running() && !hindered
    }

    /// What `change` answers, or the error that the node is not in `condition` in time (or, `lifted`, not out of it).
    async fn within<T>(
        &self,
        change: impl Future<Output = T>,
        condition: Condition,
        lifted: bool,
    ) -> Result<T, TopologyError> {
        let waited = Self::PATIENCE;
        let late = |_| TopologyError::NotTaken { node: self.name(), condition, lifted, waited };
        timeout(waited, change).await.map_err(late)
    }

    /// The error that there is nothing to end, unless it is in `condition`.
    fn is_in(&self, condition: Condition) -> Result<(), TopologyError> {
        let is_in = self.life().lasting.contains(&condition);
        if is_in { Ok(()) } else { Err(TopologyError::NothingToCure { node: self.name(), condition }) }
    }

    fn did_not_hold(&self, condition: Condition, why: String) -> TopologyError {
        TopologyError::DidNotHold { node: self.name(), condition, why }
    }

    /// A fault that found nothing to do.
    fn no_effect(&self, why: &str) -> TopologyError {
        let why = format!("{why} within {} s", Self::PATIENCE.as_secs());
        TopologyError::NoEffect { node: self.name(), why }
    }

    fn no_answer(&self, why: String) -> TopologyError {
        TopologyError::NoAnswer { node: self.name(), why, log: self.log_end() }
    }
}
