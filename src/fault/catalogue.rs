//! Every fault in a line: what is typed, and what it does.

use super::Profile;
use super::{impairment, network};
use crate::history::{Action, StopMode};

/// How `action` is written in a schedule, without its time: `stop(NODE,immediate)`.
pub fn syntax(action: Action) -> String {
    match action {
        Action::Stop(StopMode::Fast) => "stop(NODE)".to_owned(),
        Action::Stop(StopMode::Immediate) => "stop(NODE,immediate)".to_owned(),
        Action::Promote => "promote(NODE or best)".to_owned(),
        Action::Isolate(cut) => format!("isolate(NODE{})", network::format_cut(cut)),
        Action::Slow(slowness) => format!("slow(NODE{})", network::format_slowness(slowness)),
        Action::Reset(side) => format!("reset(NODE{})", network::format_reset(side)),
        plain => format!("{}(NODE{})", plain.verb(), impairment::format(plain)),
    }
}

/// What it does, in a line.
pub fn explanation(action: Action) -> &'static str {
    match action {
        Action::Crash => "kill every process of the node, and start it at once",
        Action::Kill => "the same, but it stays down until start, or until the end of the load",
        Action::Stop(StopMode::Fast) => "shut down fast; it stays down",
        Action::Stop(StopMode::Immediate) => "shut down without a checkpoint; it stays down",
        Action::Start => "start a node that is down",
        Action::Restart => "shut down fast, and start at once",
        Action::Pause => {
            "stop every process of the node (SIGSTOP): it keeps its connections and answers nobody"
        }
        Action::Resume => "let a node that is paused go on",
        Action::Freeze => "stop a replica's WAL receiver (SIGSTOP): nothing of the log arrives any more",
        Action::Thaw => "let a WAL receiver that is frozen go on",
        Action::PauseReplay => "let a replica receive the log and not replay it (pg_wal_replay_pause)",
        Action::ResumeReplay => "let the replay go on",
        Action::Terminate => "end every client's session (pg_terminate_backend)",
        Action::CancelSyncWait => {
            "cancel commits that wait for a standby: each is acknowledged, with a warning"
        }
        Action::Promote => "fail over: end the primary if it runs, and make this replica the primary",
        Action::Switchover => {
            "shut the primary down, make this replica the primary, let the old one follow it"
        }
        Action::Isolate(_) => {
            "let nothing pass between the node and others; (NODE,clients), (NODE,peers,in): on one side, one way"
        }
        Action::Reconnect => "let everything pass again; what was held back arrives",
        Action::Slow(_) => {
            "make what passes take longer, each way; also jitter=5ms, bandwidth=1MB; (NODE,peers,...): on one side"
        }
        Action::SpeedUp => "let it pass as fast as before",
        Action::Reset(_) => "reset every established connection; (NODE,clients), (NODE,peers): on one side",
        Action::FillDisk => {
            "let a file take all that is left of the node's disk (needs root, for a disk of its own)"
        }
        Action::FreeDisk => "make room on it again, and start the server if it ended of that",
        Action::InjectReplicaFailure(_) => {
            "Aurora only: let a reader fail in percent of what it is sent, for so long"
        }
        Action::InjectDiskFailure(_) => {
            "Aurora only: let a logical block of the volume (index), or with node a storage node, fail"
        }
        Action::InjectDiskCongestion(_) => "Aurora only: the same, delayed by min to max instead",
        Action::Rejoin => "make the old primary a replica of the new one: pg_rewind, else a new base backup",
    }
}

/// Every profile with its explanation, one a line.
pub fn profiles() -> String {
    let line = |profile: &Profile| format!("  {profile:11} {}\n", profile.explanation());
    Profile::ALL.iter().map(line).collect()
}

/// The help is as wide.
const COLUMNS: usize = 98;

/// Every fault with its explanation, one a line.
pub fn list() -> String {
    let entries: Vec<(String, &str)> =
        Action::ALL.iter().map(|&action| (format!("{}@TIME", syntax(action)), explanation(action))).collect();
    let width = entries.iter().map(|(syntax, _)| syntax.len()).max().unwrap_or_default();
    let line = |(syntax, explanation): &(String, &str)| {
        let mut text = format!("  {syntax:width$} ");
        let mut column = width + 3;
        for word in explanation.split(' ') {
            if column + 1 + word.chars().count() > COLUMNS {
                text += &format!("\n{:1$}", "", width + 3);
                column = width + 3;
            }
            text += &format!(" {word}");
            column += 1 + word.chars().count();
        }
        text + "\n"
    };
    entries.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Step;

    #[test]
    fn what_is_explained_can_be_typed() {
        for action in Action::ALL {
            let text =
                format!("{}@1s", syntax(action).replace("NODE or best", "best").replace("NODE", "replica-1"));
            assert_eq!(text.parse::<Step>().map(|step| step.action), Ok(action));
        }
    }
}
