//! What can be done to a node, as a value that schedules, topologies and histories share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Congestion, Cut, DiskFailure, Nanos, ReplicaFailure, Side, Slowness};

/// How PostgreSQL is told to shut down (manual, "Shutting Down the Server").
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StopMode {
    /// SIGINT: sessions are ended, a shutdown checkpoint is written.
    Fast,
    /// SIGQUIT: no checkpoint; the next start recovers from the log, as after a crash.
    Immediate,
}

/// What an action leaves a node in, until another action ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Nothing more fits on the node's disk; its server may have ended of that.
    DiskFull,
    /// Nothing passes between the node and its clients, its peers, or both.
    Isolated,
    /// What passes there takes longer.
    Slow,
    /// No process of the node runs.
    Down,
    /// Every process of the node is stopped: it keeps its connections and answers nobody.
    Paused,
    /// The replica's WAL receiver is stopped: nothing of the log arrives any more.
    Frozen,
    /// The replica receives and flushes the log, and shows nothing new.
    ReplayPaused,
    /// The node's log is not the beginning of the primary's: it was the primary itself, or had received more than the
    /// replica that was promoted. It follows nobody.
    Diverged,
}

impl Condition {
    /// Every condition, in the order in which they are put right: the disk first, as a server that starts has to write,
    /// and ended of what it could not write; then the network, as a node that comes back has to reach the others; and
    /// nothing else can be done to a node that is down.
    pub const ALL: [Condition; 8] = [
        Condition::DiskFull,
        Condition::Isolated,
        Condition::Slow,
        Condition::Down,
        Condition::Paused,
        Condition::Frozen,
        Condition::ReplayPaused,
        Condition::Diverged,
    ];

    /// The action that ends it.
    pub fn cure(self) -> Action {
        match self {
            Condition::DiskFull => Action::FreeDisk,
            Condition::Isolated => Action::Reconnect,
            Condition::Slow => Action::SpeedUp,
            Condition::Down => Action::Start,
            Condition::Paused => Action::Resume,
            Condition::Frozen => Action::Thaw,
            Condition::ReplayPaused => Action::ResumeReplay,
            Condition::Diverged => Action::Rejoin,
        }
    }

    /// Whether `action`, which is not its cure, cannot be done to a node in this condition.
    pub fn hinders(self, action: Action) -> bool {
        match self {
            // The server may be gone at any moment, and nothing that has to be written can be: no start, no promotion, and
            // nothing that has to be seen to take hold. A kill needs nobody's help, so that a failover can end it first.
            Condition::DiskFull => action != Action::Kill,
            // The disk is there without the server, whatever that is in.
            _ if action == Action::FreeDisk => false,
            // It takes a network that is as it should be to see that another fault took hold, or is over.
            Condition::Isolated => {
                matches!(action, Action::Isolate(_) | Action::Slow(_) | Action::Reset(_))
            }
            Condition::Slow => matches!(action, Action::Slow(_)),
            // The network is there without the node.
            _ if matches!(action, Action::Reconnect | Action::SpeedUp) => false,
            Condition::Down | Condition::Diverged => true,
            // What is stopped obeys no signal but SIGKILL.
            Condition::Paused => !matches!(action, Action::Kill | Action::Crash | Action::Isolate(_)),
            // A shutdown would wait for the receiver, and `resume` would wake it.
            Condition::Frozen => {
                matches!(
                    action,
                    Action::Stop(_) | Action::Restart | Action::Pause | Action::Freeze | Action::Switchover
                ) || action == Action::FillDisk
            }
            // Nobody could tell any more whether it held, of a server that may end.
            Condition::ReplayPaused => matches!(action, Action::PauseReplay | Action::FillDisk),
        }
    }

    /// Whether it is about the node's network.
    pub fn is_of_network(self) -> bool {
        matches!(self, Condition::Isolated | Condition::Slow)
    }

    /// Whether it is about something else than the node's processes, so that their end does not end it.
    pub fn outlasts_processes(self) -> bool {
        self.is_of_network() || self == Condition::DiskFull
    }

    /// Whether a node in this condition cannot be expected to answer, however it is reached.
    pub fn silences(self) -> bool {
        matches!(self, Condition::DiskFull | Condition::Down | Condition::Paused | Condition::Diverged)
    }

    /// What is said of a node: `primary is down`.
    pub fn adjective(self) -> &'static str {
        match self {
            Condition::DiskFull => "out of disk space",
            Condition::Isolated => "isolated",
            Condition::Slow => "slow",
            Condition::Down => "down",
            Condition::Paused => "paused",
            Condition::Frozen => "frozen",
            Condition::ReplayPaused => "paused in its replay",
            Condition::Diverged => "diverged",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.adjective())
    }
}

/// Something done to one node.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// SIGKILL of every process of the node; it stays down.
    Kill,
    /// Kill, and start at once.
    Crash,
    /// Shut down; it stays down.
    Stop(StopMode),
    /// Start a node that is down.
    Start,
    /// Shut down fast, and start at once.
    Restart,
    /// SIGSTOP of every process of the node.
    Pause,
    /// SIGCONT of every process of a node that is paused.
    Resume,
    /// SIGSTOP of a replica's WAL receiver.
    Freeze,
    /// SIGCONT of a WAL receiver that is frozen.
    Thaw,
    /// Stop a replica's replay (`pg_wal_replay_pause`).
    PauseReplay,
    /// Let it go on (`pg_wal_replay_resume`).
    ResumeReplay,
    /// End every client's session (`pg_terminate_backend`).
    Terminate,
    /// Cancel the commits that wait for a synchronous standby: each is acknowledged, with a warning.
    CancelSyncWait,
    /// Make a replica the primary, whatever it has received; the old primary has ended before.
    Promote,
    /// Shut the primary down, make a replica that has received everything the primary, and let the old one follow it.
    Switchover,
    /// Make a node whose log has diverged a replica of the primary: `pg_rewind`, else a new base backup.
    Rejoin,
    /// Let nothing pass between the node and others, established connections and new ones.
    Isolate(Cut),
    /// Let everything pass again; what was held back arrives.
    Reconnect,
    /// Make what passes between the node and others take longer.
    Slow(Slowness),
    /// Let it pass as fast as before.
    SpeedUp,
    /// Reset every established connection between the node and others.
    Reset(Side),
    /// Take all that is left of the node's disk.
    FillDisk,
    /// Give it back, and start the server again if it ended of that.
    FreeDisk,
    /// Have Aurora let a reader fail in a share of what it is sent, for a while.
    InjectReplicaFailure(ReplicaFailure),
    /// Have Aurora let a part of the volume fail in a share of the node's requests, for a while.
    InjectDiskFailure(DiskFailure),
    /// Have Aurora delay a share of the node's requests to a part of the volume, for a while.
    InjectDiskCongestion(Congestion),
}

impl Action {
    /// Every action, in the order in which they are explained; of those that can be done in many ways, one.
    pub const ALL: [Action; 27] = [
        Action::Crash,
        Action::Kill,
        Action::Stop(StopMode::Fast),
        Action::Stop(StopMode::Immediate),
        Action::Start,
        Action::Restart,
        Action::Pause,
        Action::Resume,
        Action::Freeze,
        Action::Thaw,
        Action::PauseReplay,
        Action::ResumeReplay,
        Action::Terminate,
        Action::CancelSyncWait,
        Action::Promote,
        Action::Switchover,
        Action::Rejoin,
        Action::Isolate(Cut::WHOLE),
        Action::Reconnect,
        Action::Slow(Slowness::EXAMPLE),
        Action::SpeedUp,
        Action::Reset(Side::Both),
        Action::FillDisk,
        Action::FreeDisk,
        Action::InjectReplicaFailure(ReplicaFailure::EXAMPLE),
        Action::InjectDiskFailure(DiskFailure::EXAMPLE),
        Action::InjectDiskCongestion(Congestion::EXAMPLE),
    ];

    /// What the node is in when the action is complete, and was not before.
    pub fn begins(self) -> Option<Condition> {
        match self {
            Action::Kill | Action::Stop(_) => Some(Condition::Down),
            Action::Pause => Some(Condition::Paused),
            Action::Freeze => Some(Condition::Frozen),
            Action::PauseReplay => Some(Condition::ReplayPaused),
            Action::Isolate(_) => Some(Condition::Isolated),
            Action::Slow(_) => Some(Condition::Slow),
            Action::FillDisk => Some(Condition::DiskFull),
            Action::Reset(_) | Action::Reconnect | Action::SpeedUp => None,
            Action::Crash | Action::Restart | Action::Promote | Action::Switchover => None,
            Action::Terminate | Action::CancelSyncWait => None,
            Action::Start | Action::Resume | Action::Thaw | Action::ResumeReplay | Action::Rejoin => None,
            Action::FreeDisk => None,
            // Each ends by itself, and nobody can end it.
            Action::InjectReplicaFailure(_)
            | Action::InjectDiskFailure(_)
            | Action::InjectDiskCongestion(_) => None,
        }
    }

    /// What the primary so far is in when the action is complete.
    pub fn leaves_behind(self) -> Option<Condition> {
        (self == Action::Promote).then_some(Condition::Diverged)
    }

    /// Whether it is about what connects nodes, and not about a node.
    pub fn is_of_network(self) -> bool {
        self.side().is_some() || self.cures().is_some_and(Condition::is_of_network)
    }

    /// Whether it is about a node's disk.
    pub fn is_of_disk(self) -> bool {
        matches!(self, Action::FillDisk | Action::FreeDisk)
    }

    /// Whether another node is the primary when it is complete.
    pub fn moves_primary(self) -> bool {
        matches!(self, Action::Promote | Action::Switchover)
    }

    /// The condition that it is there to end: [`Condition::cure`] the other way round.
    pub fn cures(self) -> Option<Condition> {
        Condition::ALL.into_iter().find(|condition| condition.cure() == self)
    }

    /// Whether the node's processes end: with them every condition but being down.
    pub fn ends_processes(self) -> bool {
        matches!(self, Action::Kill | Action::Crash | Action::Stop(_) | Action::Restart)
    }

    /// Whether the action can lose what was not yet flushed: it gives the node no chance to write. A server whose disk is
    /// full may end in the same way, and at any moment until there is room again.
    pub fn is_abrupt(self) -> bool {
        matches!(self, Action::Kill | Action::Crash | Action::Stop(StopMode::Immediate))
    }

    /// Whether a node that answered nobody answers again when it is complete.
    pub fn brings_back(self) -> bool {
        match self {
            Action::Crash | Action::Restart | Action::Start | Action::Resume | Action::Rejoin => true,
            Action::Reconnect | Action::FreeDisk => true,
            Action::Reset(side) => side.has_clients(),
            _ => false,
        }
    }

    /// Whether it is about the whole cluster, so that it comes after all that was done before, and before all that is done
    /// later.
    pub fn concerns_all(self) -> bool {
        self.moves_primary() || self == Action::Rejoin
    }

    /// Whether clients of the node get no answer meanwhile, and until it is cured.
    pub fn silences(self) -> bool {
        let cut_off = matches!(self, Action::Isolate(cut) if cut.side.has_clients());
        self.brings_back() || cut_off || self.begins().is_some_and(Condition::silences)
    }

    /// How long what it has asked for goes on by itself when it is complete.
    pub fn lasts(self) -> Nanos {
        match self {
            Action::InjectReplicaFailure(failure) => failure.length,
            Action::InjectDiskFailure(failure) => failure.length,
            Action::InjectDiskCongestion(congestion) => congestion.failure.length,
            _ => Nanos(0),
        }
    }

    /// Which of the node's connections it is done to; `None` where it is done to its processes.
    pub fn side(self) -> Option<Side> {
        match self {
            Action::Isolate(cut) => Some(cut.side),
            Action::Slow(slowness) => Some(slowness.side),
            Action::Reset(side) => Some(side),
            _ => None,
        }
    }

    /// Whether it can only be done to a node that is not the primary.
    pub fn needs_replica(self) -> bool {
        let follows =
            matches!(self.begins().or(self.cures()), Some(Condition::Frozen | Condition::ReplayPaused));
        let is_of_reader = matches!(self, Action::InjectReplicaFailure(_));
        follows || is_of_reader || self.moves_primary() || self == Action::Rejoin
    }

    /// The word that schedules and reports use.
    pub fn verb(self) -> &'static str {
        match self {
            Action::Kill => "kill",
            Action::Crash => "crash",
            Action::Stop(StopMode::Fast) => "stop",
            Action::Stop(StopMode::Immediate) => "stop immediate",
            Action::Start => "start",
            Action::Restart => "restart",
            Action::Pause => "pause",
            Action::Resume => "resume",
            Action::Freeze => "freeze",
            Action::Thaw => "thaw",
            Action::PauseReplay => "pause-replay",
            Action::ResumeReplay => "resume-replay",
            Action::Terminate => "terminate",
            Action::CancelSyncWait => "cancel-sync-wait",
            Action::Promote => "promote",
            Action::Switchover => "switchover",
            Action::Rejoin => "rejoin",
            Action::Isolate(_) => "isolate",
            Action::Reconnect => "reconnect",
            Action::Slow(_) => "slow",
            Action::SpeedUp => "speed-up",
            Action::Reset(_) => "reset",
            Action::FillDisk => "fill-disk",
            Action::FreeDisk => "free-disk",
            Action::InjectReplicaFailure(_) => "inject-replica-failure",
            Action::InjectDiskFailure(_) => "inject-disk-failure",
            Action::InjectDiskCongestion(_) => "inject-disk-congestion",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_action_begins_another_ends() {
        for condition in Condition::ALL {
            assert_eq!(condition.cure().cures(), Some(condition));
            let leads_to = |action: &Action| action.begins().or(action.leaves_behind()) == Some(condition);
            assert!(Action::ALL.iter().any(leads_to), "{condition}");
        }
        for action in Action::ALL {
            assert!(action.begins().is_none() || action.cures().is_none(), "{action}");
            assert!(!action.is_abrupt() || action.ends_processes(), "{action}");
        }
    }
}
