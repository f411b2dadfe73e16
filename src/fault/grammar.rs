//! Schedules as text: `crash(primary)@8s,stop(replica-1,immediate)@20s`; without the times, what is done at once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::history::{Action, StopMode};
use crate::suggest::hint;

use super::{Act, Schedule, Step, Target, duration, format_duration, impairment, network};

const NONE: &str = "none";

/// Why a text is not a schedule, or not an act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("in `{piece}`: {problem}")]
pub struct ScheduleSyntax {
    /// The step that cannot be read.
    pub piece: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ScheduleSyntax {
    fn new(text: &str, problem: impl Into<String>) -> ScheduleSyntax {
        ScheduleSyntax { piece: text.trim().to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Act { action, target } = self;
        match action {
            Action::Stop(StopMode::Fast) => write!(f, "stop({target},fast)"),
            Action::Stop(StopMode::Immediate) => write!(f, "stop({target},immediate)"),
            Action::Isolate(cut) => write!(f, "isolate({target}{})", network::format_cut(*cut)),
            Action::Slow(how) => write!(f, "slow({target}{})", network::format_slowness(*how)),
            Action::Reset(side) => write!(f, "reset({target}{})", network::format_reset(*side)),
            plain => write!(f, "{}({target}{})", plain.verb(), impairment::format(*plain)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.act(), format_duration(self.at))
    }
}

/// Every word that a step can begin with.
fn verbs() -> Vec<&'static str> {
    let immediate = Action::Stop(StopMode::Immediate);
    let spelt = Action::ALL.into_iter().filter(|action| *action != immediate);
    let mut verbs: Vec<&str> = spelt.map(Action::verb).collect();
    verbs.sort_unstable();
    verbs
}

/// What is done, from its verb and what is said beside the node.
fn action(verb: &str, words: &[&str]) -> Result<Action, String> {
    match (verb, words) {
        ("stop", [] | ["fast"]) => Ok(Action::Stop(StopMode::Fast)),
        ("stop", ["immediate"]) => Ok(Action::Stop(StopMode::Immediate)),
        ("stop", [mode, ..]) => Err(format!("`{mode}` is not a way to stop; known are fast and immediate")),
        ("isolate", words) => network::cut(words).map(Action::Isolate),
        ("slow", words) => network::slowness(words).map(Action::Slow),
        ("reset", words) => network::reset(words).map(Action::Reset),
        ("inject-replica-failure", words) => {
            impairment::replica_failure(words).map(Action::InjectReplicaFailure)
        }
        ("inject-disk-failure", words) => impairment::disk_failure(words).map(Action::InjectDiskFailure),
        ("inject-disk-congestion", words) => impairment::congestion(words).map(Action::InjectDiskCongestion),
        (verb, words) => {
            let action = Action::ALL.into_iter().find(|action| action.verb() == verb).ok_or_else(|| {
                let (hint, known) = (hint(verb, verbs()), verbs().join(", "));
                format!("`{verb}` is not a fault{hint}; known are {known}")
            })?;
            match words {
                [] => Ok(action),
                more => {
                    Err(format!("`{verb}` takes a node and nothing else, but found `{}`", more.join(",")))
                }
            }
        }
    }
}

impl FromStr for Step {
    type Err = ScheduleSyntax;

    fn from_str(text: &str) -> Result<Step, ScheduleSyntax> {
        let fail = |problem| ScheduleSyntax::new(text, problem);
        let (what, at) = text
            .trim()
            .rsplit_once('@')
            .ok_or_else(|| fail("it does not say when; a fault is written `crash(primary)@8s`".to_owned()))?;
        let Act { action, target } = Act::read(what, "crash(primary)@8s").map_err(fail)?;
        let at = duration(at.trim()).map_err(|error| fail(error.to_string()))?;
        Ok(Step { at, action, target })
    }
}

impl FromStr for Act {
    type Err = ScheduleSyntax;

    fn from_str(text: &str) -> Result<Act, ScheduleSyntax> {
        if let Some((_, at)) = text.trim().rsplit_once('@') {
            let problem = format!("it is done at once; leave out `@{at}`");
            return Err(ScheduleSyntax::new(text, problem));
        }
        Act::read(text, "crash(primary)").map_err(|problem| ScheduleSyntax::new(text, problem))
    }
}

impl Act {
    /// Reads one act or several: `kill(primary),promote(best)`, in the order in which they are to be done.
    pub fn several(text: &str) -> Result<Vec<Act>, ScheduleSyntax> {
        pieces(text).map(str::parse).collect()
    }

    /// What stands before the time; the error is what is wrong with it.
    fn read(text: &str, example: &str) -> Result<Act, String> {
        let shape = || format!("a fault is written `{example}`");
        let (verb, rest) = text.trim().split_once('(').ok_or_else(shape)?;
        let arguments = rest.trim_end().strip_suffix(')').ok_or_else(shape)?;
        let words: Vec<&str> = arguments.split(',').map(str::trim).collect();
        let (node, words) = words.split_first().map_or(("", &[][..]), |(node, words)| (*node, words));
        let action = action(verb.trim(), words)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if node.is_empty() || !node.chars().all(is_name) {
            return Err(format!("`{node}` is not the name of a node, such as primary or replica-1"));
        }
        let target = Target::new(node);
        if target == Target::Best && !action.moves_primary() {
            return Err(format!("only promote and switchover choose the best replica; `{action}` a node"));
        }
        Ok(Act { action, target })
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str(NONE);
        }
        for (place, step) in self.steps().iter().enumerate() {
            write!(f, "{}{step}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Schedule {
    type Err = ScheduleSyntax;

    /// Reads steps in any order.
    fn from_str(text: &str) -> Result<Schedule, ScheduleSyntax> {
        if text.trim() == NONE {
            return Ok(Schedule::none());
        }
        let steps: Result<Vec<Step>, ScheduleSyntax> = pieces(text).map(str::parse).collect();
        Ok(Schedule::new(steps?))
    }
}

/// The parts between the commas that stand outside of parentheses.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c| {
        match c {
            '(' => inside = true,
            // A forgotten `)` must not swallow the steps after it.
            ')' | '@' => inside = false,
            _ => {}
        }
        c == ',' && !inside
    })
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Schedule, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use proptest::prelude::*;

    use super::*;
    use crate::history::{Cut, Nanos, NodeName, Side, Slowness, Way};

    #[test]
    fn reads_and_writes() {
        let text = " crash(primary)@8s, stop( replica-1 , immediate )@20s,kill(replica-2)@1.5s,stop(primary)@2m,start(replica-2)@2500ms";
        let schedule: Schedule = text.parse().unwrap();
        insta::assert_snapshot!(schedule, @"kill(replica-2)@1.5s,start(replica-2)@2.5s,crash(primary)@8s,stop(replica-1,immediate)@20s,stop(primary,fast)@2m");
        let text = "isolate(primary)@1s,isolate(replica-1, peers)@2s,isolate(writer,both,in)@3s,isolate(replica-2,clients,both)@4s,reset( primary ,both)@5s,reset(primary,peers)@6s,slow(primary, jitter=5ms , peers, latency=20ms,bandwidth=1500000B)@7s,slow(replica-1,both,bandwidth=64KB)@8s,speed-up(primary)@9s,reconnect(primary)@9s";
        let schedule: Schedule = text.parse().unwrap();
        insta::assert_snapshot!(schedule, @"isolate(primary)@1s,isolate(replica-1,peers)@2s,isolate(writer,both,in)@3s,isolate(replica-2,clients)@4s,reset(primary)@5s,reset(primary,peers)@6s,slow(primary,peers,latency=20ms,jitter=5ms,bandwidth=1500KB)@7s,slow(replica-1,bandwidth=64KB)@8s,speed-up(primary)@9s,reconnect(primary)@9s");
        assert_eq!("none".parse(), Ok(Schedule::none()));
        assert_eq!(Schedule::none().to_string(), "none");
    }

    #[test]
    fn says_which_piece_is_wrong() {
        let say = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
        insta::assert_snapshot!(say("crash(primary)@8s,crsh(replica-1)@9s"), @"in `crsh(replica-1)@9s`: `crsh` is not a fault (did you mean `crash`?); known are cancel-sync-wait, crash, fill-disk, free-disk, freeze, inject-disk-congestion, inject-disk-failure, inject-replica-failure, isolate, kill, pause, pause-replay, promote, reconnect, rejoin, reset, restart, resume, resume-replay, slow, speed-up, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("partition(primary)@8s"), @"in `partition(primary)@8s`: `partition` is not a fault; known are cancel-sync-wait, crash, fill-disk, free-disk, freeze, inject-disk-congestion, inject-disk-failure, inject-replica-failure, isolate, kill, pause, pause-replay, promote, reconnect, rejoin, reset, restart, resume, resume-replay, slow, speed-up, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("crash(primary)"), @"in `crash(primary)`: it does not say when; a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash(primary)@8"), @"in `crash(primary)@8`: `8` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("crash primary@8s"), @"in `crash primary@8s`: a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash(primary@8s,kill(replica-1)@9s"), @"in `crash(primary@8s`: a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash()@8s"), @"in `crash()@8s`: `` is not the name of a node, such as primary or replica-1");
        insta::assert_snapshot!(say("crash(the primary)@8s"), @"in `crash(the primary)@8s`: `the primary` is not the name of a node, such as primary or replica-1");
        insta::assert_snapshot!(say("stop(primary,smart)@8s"), @"in `stop(primary,smart)@8s`: `smart` is not a way to stop; known are fast and immediate");
        insta::assert_snapshot!(say("crash(best)@8s"), @"in `crash(best)@8s`: only promote and switchover choose the best replica; `crash` a node");
        insta::assert_snapshot!(say("kill(primary,fast)@8s"), @"in `kill(primary,fast)@8s`: `kill` takes a node and nothing else, but found `fast`");
        insta::assert_snapshot!(say("isolate(primary,client)@8s"), @"in `isolate(primary,client)@8s`: `client` is not a side (did you mean `clients`?); known are clients, peers and both");
        insta::assert_snapshot!(say("isolate(primary,in)@8s"), @"in `isolate(primary,in)@8s`: `in` is not a side; known are clients, peers and both");
        insta::assert_snapshot!(say("isolate(primary,both,back)@8s"), @"in `isolate(primary,both,back)@8s`: `back` is not a way; known are in, out and both, as the node sees it");
        insta::assert_snapshot!(say("isolate(primary,both,in,out)@8s"), @"in `isolate(primary,both,in,out)@8s`: `isolate` takes a node, a side and a way, but found `out` too");
        insta::assert_snapshot!(say("reset(primary,peers,in)@8s"), @"in `reset(primary,peers,in)@8s`: `reset` takes a node and a side, but found `in` too");
        insta::assert_snapshot!(say("slow(primary)@8s"), @"in `slow(primary)@8s`: `slow` needs to be told how: latency=20ms, jitter=5ms or bandwidth=1MB, or several of them");
        insta::assert_snapshot!(say("slow(primary,latency=0s)@8s"), @"in `slow(primary,latency=0s)@8s`: `slow` needs to be told how: latency=20ms, jitter=5ms or bandwidth=1MB, or several of them");
        insta::assert_snapshot!(say("slow(primary,delay=1ms)@8s"), @"in `slow(primary,delay=1ms)@8s`: `slow` takes no `delay`; known are latency, jitter, bandwidth");
        insta::assert_snapshot!(say("slow(primary,20ms)@8s"), @"in `slow(primary,20ms)@8s`: `20ms` is neither a side (clients, peers or both) nor, such as latency=20ms, a latency, jitter or bandwidth");
        insta::assert_snapshot!(say("slow(primary,latency=20)@8s"), @"in `slow(primary,latency=20)@8s`: `20` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("slow(primary,jitter=2m)@8s"), @"in `slow(primary,jitter=2m)@8s`: a jitter of 2m is longer than 1m");
        insta::assert_snapshot!(say("slow(primary,latency=1ms,latency=2ms)@8s"), @"in `slow(primary,latency=1ms,latency=2ms)@8s`: `latency=2ms` says again what was said before");
        insta::assert_snapshot!(say("slow(primary,bandwidth=1.5MB)@8s"), @"in `slow(primary,bandwidth=1.5MB)@8s`: `1.5MB` is not a bandwidth: it needs a whole number of bytes a second with a unit, such as 64KB, 1MB or 1GB");
        insta::assert_snapshot!(say("slow(primary,bandwidth=999B)@8s"), @"in `slow(primary,bandwidth=999B)@8s`: a bandwidth of 999B is less than 1KB a second");
        insta::assert_snapshot!(say(""), @"in ``: it does not say when; a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash(primary)@8s,"), @"in ``: it does not say when; a fault is written `crash(primary)@8s`");
    }

    #[test]
    fn without_a_time_it_is_done_at_once() {
        let acts =
            Act::several(" pause( replica-1 ), stop(primary,immediate),stop(writer),promote(best)").unwrap();
        let texts: Vec<String> = acts.iter().map(Act::to_string).collect();
        assert_eq!(
            texts,
            ["pause(replica-1)", "stop(primary,immediate)", "stop(writer,fast)", "promote(best)"]
        );
        assert_eq!(Act::several(&texts.join(",")), Ok(acts));
        let say = |text: &str| Act::several(text).unwrap_err().to_string();
        insta::assert_snapshot!(say("pause(replica-1)@8s"), @"in `pause(replica-1)@8s`: it is done at once; leave out `@8s`");
        insta::assert_snapshot!(say("kill(primary),pause replica-1"), @"in `pause replica-1`: a fault is written `crash(primary)`");
        insta::assert_snapshot!(say("puase(replica-1)"), @"in `puase(replica-1)`: `puase` is not a fault (did you mean `pause`?); known are cancel-sync-wait, crash, fill-disk, free-disk, freeze, inject-disk-congestion, inject-disk-failure, inject-replica-failure, isolate, kill, pause, pause-replay, promote, reconnect, rejoin, reset, restart, resume, resume-replay, slow, speed-up, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("stop(primary,smart)"), @"in `stop(primary,smart)`: `smart` is not a way to stop; known are fast and immediate");
        insta::assert_snapshot!(say("kill(best)"), @"in `kill(best)`: only promote and switchover choose the best replica; `kill` a node");
        insta::assert_snapshot!(say("none"), @"in `none`: a fault is written `crash(primary)`");
        insta::assert_snapshot!(say(""), @"in ``: a fault is written `crash(primary)`");
    }

    fn any_action() -> impl Strategy<Value = Action> {
        let side = || prop::sample::select(Side::ALL.to_vec());
        let way = prop::sample::select(Way::ALL.to_vec());
        let (latency, jitter) = (1..=60_000_000_000_u64, 0..=60_000_000_000_u64);
        let rate = prop::option::of(1_000..=u64::MAX);
        let slow = (side(), latency, jitter, rate).prop_map(|(side, latency, jitter, rate)| {
            let bandwidth = rate.and_then(NonZeroU64::new);
            Action::Slow(Slowness { side, latency: Nanos(latency), jitter: Nanos(jitter), bandwidth })
        });
        prop_oneof![
            prop::sample::select(Action::ALL.to_vec()),
            (side(), way).prop_map(|(side, way)| Action::Isolate(Cut { side, way })),
            side().prop_map(Action::Reset),
            slow,
        ]
    }

    fn any_step() -> impl Strategy<Value = Step> {
        (0..3_600_000_000_000_u64, any_action(), 0..4_usize).prop_map(|(at, action, node)| Step {
            at: Nanos(at),
            action,
            target: match node {
                0 => Target::Writer,
                1 if action.moves_primary() => Target::Best,
                number => NodeName::replica(number).into(),
            },
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(steps in prop::collection::vec(any_step(), 0..8)) {
            for step in &steps {
                prop_assert_eq!(step.act().to_string().parse::<Act>(), Ok(step.act()));
            }
            let schedule = Schedule::new(steps);
            prop_assert_eq!(schedule.to_string().parse::<Schedule>(), Ok(schedule.clone()));
            let json = serde_json::to_string(&schedule).unwrap();
            prop_assert_eq!(serde_json::from_str::<Schedule>(&json).unwrap(), schedule);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a-zB(),@=0-9. µ-]*") {
            let _ = (text.parse::<Schedule>(), Act::several(&text));
        }
    }
}
