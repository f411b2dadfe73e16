//! Schedules as text: `crash(primary)@8s,stop(replica-1,immediate)@20s`; without the times, what is done at once.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::history::{Action, StopMode};
use crate::suggest::hint;

use super::{Act, Schedule, Step, Target, duration, format_duration};

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
            plain => write!(f, "{}({target})", plain.verb()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.act(), format_duration(self.at))
    }
}

/// The actions whose verb is all there is to say.
fn plain() -> impl Iterator<Item = Action> {
    Action::ALL.into_iter().filter(|action| !matches!(action, Action::Stop(_)))
}

/// Every word that a step can begin with.
fn verbs() -> Vec<&'static str> {
    let mut verbs: Vec<&str> = plain().map(Action::verb).chain(["stop"]).collect();
    verbs.sort_unstable();
    verbs
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
        let (node, mode) = match arguments.split_once(',') {
            Some((node, mode)) => (node.trim(), Some(mode.trim())),
            None => (arguments.trim(), None),
        };
        let action = match (verb.trim(), mode) {
            ("stop", None | Some("fast")) => Action::Stop(StopMode::Fast),
            ("stop", Some("immediate")) => Action::Stop(StopMode::Immediate),
            ("stop", Some(mode)) => {
                return Err(format!("`{mode}` is not a way to stop; known are fast and immediate"));
            }
            (verb, mode) => {
                let action = plain().find(|action| action.verb() == verb).ok_or_else(|| {
                    let (hint, known) = (hint(verb, verbs()), verbs().join(", "));
                    format!("`{verb}` is not a fault{hint}; known are {known}")
                })?;
                if let Some(mode) = mode {
                    return Err(format!("`{verb}` takes a node and nothing else, but found `{mode}`"));
                }
                action
            }
        };
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
    use proptest::prelude::*;

    use super::*;
    use crate::history::{Nanos, NodeName};

    #[test]
    fn reads_and_writes() {
        let text = " crash(primary)@8s, stop( replica-1 , immediate )@20s,kill(replica-2)@1.5s,stop(primary)@2m,start(replica-2)@2500ms";
        let schedule: Schedule = text.parse().unwrap();
        insta::assert_snapshot!(schedule, @"kill(replica-2)@1.5s,start(replica-2)@2.5s,crash(primary)@8s,stop(replica-1,immediate)@20s,stop(primary,fast)@2m");
        assert_eq!("none".parse(), Ok(Schedule::none()));
        assert_eq!(Schedule::none().to_string(), "none");
    }

    #[test]
    fn says_which_piece_is_wrong() {
        let say = |text: &str| text.parse::<Schedule>().unwrap_err().to_string();
        insta::assert_snapshot!(say("crash(primary)@8s,crsh(replica-1)@9s"), @"in `crsh(replica-1)@9s`: `crsh` is not a fault (did you mean `crash`?); known are cancel-sync-wait, crash, freeze, kill, pause, pause-replay, promote, rejoin, restart, resume, resume-replay, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("partition(primary)@8s"), @"in `partition(primary)@8s`: `partition` is not a fault; known are cancel-sync-wait, crash, freeze, kill, pause, pause-replay, promote, rejoin, restart, resume, resume-replay, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("crash(primary)"), @"in `crash(primary)`: it does not say when; a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash(primary)@8"), @"in `crash(primary)@8`: `8` is not a length of time: it needs a number with a unit, such as 250ms, 3s or 2m");
        insta::assert_snapshot!(say("crash primary@8s"), @"in `crash primary@8s`: a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash(primary@8s,kill(replica-1)@9s"), @"in `crash(primary@8s`: a fault is written `crash(primary)@8s`");
        insta::assert_snapshot!(say("crash()@8s"), @"in `crash()@8s`: `` is not the name of a node, such as primary or replica-1");
        insta::assert_snapshot!(say("crash(the primary)@8s"), @"in `crash(the primary)@8s`: `the primary` is not the name of a node, such as primary or replica-1");
        insta::assert_snapshot!(say("stop(primary,smart)@8s"), @"in `stop(primary,smart)@8s`: `smart` is not a way to stop; known are fast and immediate");
        insta::assert_snapshot!(say("crash(best)@8s"), @"in `crash(best)@8s`: only promote and switchover choose the best replica; `crash` a node");
        insta::assert_snapshot!(say("kill(primary,fast)@8s"), @"in `kill(primary,fast)@8s`: `kill` takes a node and nothing else, but found `fast`");
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
        insta::assert_snapshot!(say("puase(replica-1)"), @"in `puase(replica-1)`: `puase` is not a fault (did you mean `pause`?); known are cancel-sync-wait, crash, freeze, kill, pause, pause-replay, promote, rejoin, restart, resume, resume-replay, start, stop, switchover, terminate, thaw");
        insta::assert_snapshot!(say("stop(primary,smart)"), @"in `stop(primary,smart)`: `smart` is not a way to stop; known are fast and immediate");
        insta::assert_snapshot!(say("kill(best)"), @"in `kill(best)`: only promote and switchover choose the best replica; `kill` a node");
        insta::assert_snapshot!(say("none"), @"in `none`: a fault is written `crash(primary)`");
        insta::assert_snapshot!(say(""), @"in ``: a fault is written `crash(primary)`");
    }

    fn any_step() -> impl Strategy<Value = Step> {
        let actions = prop::sample::select(Action::ALL.to_vec());
        (0..3_600_000_000_000_u64, actions, 0..4_usize).prop_map(|(at, action, node)| Step {
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
        fn no_text_makes_it_panic(text in "[a-z(),@0-9. µ-]*") {
            let _ = (text.parse::<Schedule>(), Act::several(&text));
        }
    }
}
