//! Named mixtures of faults: what happens to whom is drawn from the seed, among what is possible at that moment.

use std::fmt;
use std::str::FromStr;

use crate::history::{Action, Cut, Nanos, NodeName, Side, Slowness, StopMode, Way};

use super::conditions::Conditions;
use super::random::Random;
use super::{Schedule, ScheduleError, Step, Target};

/// A mixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What maintenance does: shutdowns, restarts, replay that is held up. Nothing is lost by it.
    Gentle,
    /// Crashes and restarts of every node.
    Restarts,
    /// Failovers and switchovers, one after the other.
    Failovers,
    /// Nodes cut off from clients and peers, links that are slow, connections that are dropped.
    Partitions,
    /// All of it, on top of each other.
    Chaos,
}

/// To which nodes a fault of a mixture may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Writer,
    Replica,
    Best,
}

const FROM_CLIENTS: Action = Action::Isolate(Cut { side: Side::Clients, way: Way::Both });
const FROM_PEERS: Action = Action::Isolate(Cut { side: Side::Peers, way: Way::Both });
/// What the node says reaches nobody, and it hears everything.
const UNHEARD: Action = Action::Isolate(Cut { side: Side::Peers, way: Way::Out });
const SLOW: Action = Action::Slow(Slowness {
    side: Side::Peers,
    latency: Nanos::from_millis(20),
    jitter: Nanos::from_millis(5),
    bandwidth: None,
});
const DROPPED: Action = Action::Reset(Side::Clients);

/// How often what is done, compared with the rest of the mixture.
type Weight = (u64, Action, Whom);

/// How long after one fault the next comes, and after how long a fault that lasts is ended, in milliseconds.
struct Pace {
    next: (u64, u64),
    lasts: (u64, u64),
}

impl Profile {
    /// Every profile, by severity.
    pub const ALL: [Profile; 5] =
        [Profile::Gentle, Profile::Restarts, Profile::Failovers, Profile::Partitions, Profile::Chaos];

    /// The word that stands for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Profile::Gentle => "gentle",
            Profile::Restarts => "restarts",
            Profile::Failovers => "failovers",
            Profile::Partitions => "partitions",
            Profile::Chaos => "chaos",
        }
    }

    /// What it is made of, in a line.
    pub fn explanation(self) -> &'static str {
        match self {
            Profile::Gentle => "shutdowns, restarts and paused replay, as maintenance does it",
            Profile::Restarts => "crashes, immediate shutdowns and restarts of every node",
            Profile::Failovers => {
                "failovers to the best replica, switchovers, and the way back of the old primary"
            }
            Profile::Partitions => "nodes cut off from clients or peers, slow links, dropped connections",
            Profile::Chaos => "everything, on top of each other",
        }
    }

    fn weights(self) -> &'static [Weight] {
        use Action::{
            Crash, Freeze, Kill, Pause, PauseReplay, Promote, Restart, Stop, Switchover, Terminate,
        };
        use Whom::{Best, Replica, Writer};
        const FAST: Action = Stop(StopMode::Fast);
        const IMMEDIATE: Action = Stop(StopMode::Immediate);
        match self {
            Profile::Gentle => &[
                (3, Restart, Replica),
                (2, Restart, Writer),
                (2, PauseReplay, Replica),
                (1, FAST, Replica),
                (1, Terminate, Writer),
            ],
            Profile::Restarts => &[
                (4, Crash, Writer),
                (2, IMMEDIATE, Writer),
                (1, Restart, Writer),
                (2, Crash, Replica),
                (1, Kill, Replica),
                (1, Restart, Replica),
            ],
            Profile::Failovers => &[(3, Promote, Best), (2, Switchover, Replica)],
            Profile::Partitions => &[
                (2, FROM_CLIENTS, Writer),
                (1, FROM_CLIENTS, Replica),
                (3, FROM_PEERS, Replica),
                (1, UNHEARD, Replica),
                (2, SLOW, Replica),
                (1, SLOW, Writer),
                (1, DROPPED, Writer),
            ],
            Profile::Chaos => &[
                (1, FROM_CLIENTS, Writer),
                (1, FROM_PEERS, Replica),
                (1, SLOW, Replica),
                (1, DROPPED, Writer),
                (2, Crash, Writer),
                (1, Kill, Writer),
                (1, Pause, Writer),
                (1, Terminate, Writer),
                (2, Promote, Best),
                (1, Switchover, Replica),
                (2, Crash, Replica),
                (1, Kill, Replica),
                (2, Freeze, Replica),
                (1, Pause, Replica),
                (2, PauseReplay, Replica),
            ],
        }
    }

    fn pace(self) -> Pace {
        match self {
            Profile::Gentle | Profile::Restarts | Profile::Partitions => {
                Pace { next: (1_800, 3_200), lasts: (300, 1_200) }
            }
            Profile::Failovers => Pace { next: (2_600, 3_800), lasts: (500, 1_000) },
            // Shorter than what lasts, so that faults overlap.
            Profile::Chaos => Pace { next: (400, 1_800), lasts: (500, 2_500) },
        }
    }

    /// The schedule that `seed` stands for, on `nodes`, the primary first, of a cluster that `can` do what is asked of it,
    /// within `duration`. The first tenth and the last sixth are calm: what lasts until then is ended there.
    pub fn schedule(
        self,
        seed: u64,
        duration: Nanos,
        nodes: &[NodeName],
        can: impl Fn(Action) -> bool,
    ) -> Schedule {
        let mut draw = Draw::new(self, seed, nodes, &can);
        let (mut at, last) = (whole(duration.0 / 10), whole(duration.0 / 6 * 5));
        while at < last {
            draw.end_what_is_due(at);
            draw.one_of(self.weights(), at, &can);
            at = draw.later(at, draw.pace.next);
        }
        draw.end_what_is_due(last);
        draw.end_all(last);
        Schedule::new(draw.steps)
    }

    /// The same for `cycles` faults, each with what ends it, and how long a load has to be for them. Of a cluster that can
    /// do nothing of the profile, nothing.
    pub fn cycles(
        self,
        seed: u64,
        cycles: usize,
        nodes: &[NodeName],
        can: impl Fn(Action) -> bool,
    ) -> (Schedule, Nanos) {
        let mut draw = Draw::new(self, seed, nodes, &can);
        let (mut at, mut begun, mut idle) = (CALM, 0, 0);
        while begun < cycles && idle < PATIENCE {
            draw.end_what_is_due(at);
            let drawn = draw.one_of(self.weights(), at, &can);
            (begun, idle) = if drawn { (begun + 1, 0) } else { (begun, idle + 1) };
            at = draw.later(at, draw.pace.next);
        }
        draw.end_what_is_due(at);
        draw.end_all(at);
        (Schedule::new(draw.steps), Nanos(at.0 + CALM.0))
    }
}

/// Before the first and after the last of a number of faults.
const CALM: Nanos = Nanos::from_millis(2_000);
/// Draws in a row after which nothing more will become possible: everything that lasts has long been ended.
const PATIENCE: usize = 100;

/// Cut to milliseconds: what a reader of a schedule can take in.
fn whole(nanos: u64) -> Nanos {
    Nanos(nanos - nanos % 1_000_000)
}

/// A schedule that is being drawn.
struct Draw<'a> {
    random: Random,
    conditions: Conditions<'a>,
    nodes: &'a [NodeName],
    /// Whether an old primary is made to follow the new one.
    rejoins: bool,
    /// What ends what lasts, and when.
    due: Vec<Step>,
    steps: Vec<Step>,
    pace: Pace,
}

impl<'a> Draw<'a> {
    fn new(profile: Profile, seed: u64, nodes: &'a [NodeName], can: impl Fn(Action) -> bool) -> Draw<'a> {
        Draw {
            rejoins: can(Action::Rejoin),
            random: Random::new(seed),
            conditions: Conditions::new(nodes).on(&can),
            nodes,
            due: Vec::new(),
            steps: Vec::new(),
            pace: profile.pace(),
        }
    }

    /// A time after `at`.
    fn later(&mut self, at: Nanos, (low, high): (u64, u64)) -> Nanos {
        Nanos(at.0 + self.random.between(low, high) * 1_000_000)
    }

    /// One of `weights` that is possible at `at`; `false` where none is.
    fn one_of(&mut self, weights: &[Weight], at: Nanos, can: impl Fn(Action) -> bool) -> bool {
        let mut choices = Vec::new();
        for &(weight, action, whom) in weights.iter().filter(|(_, action, _)| can(*action)) {
            let targets = self.targets(whom);
            for &target in &targets {
                let step = Step { at, action, target };
                // What is done to whoever is the primary then could not be ended on the same node later.
                let known = self.conditions.writer().is_some();
                if (known || action.begins().is_none() && !action.moves_primary())
                    && self.conditions.allow(step.act(), &step.to_string()).is_ok()
                {
                    // However many replicas there are, together they have the weight of one.
                    choices.push((weight * 60 / targets.len() as u64, step));
                }
            }
        }
        let Some(drawn) = self.random.choose(&choices) else { return false };
        let stage = self.conditions.stage(drawn);
        // What lasts is ended on the node that it was done to, whoever is the primary by then.
        let target =
            stage.node.filter(|_| drawn.action.begins().is_some()).map_or(drawn.target, Target::Node);
        let step = Step { target, ..drawn };
        self.take(step);
        let later = self.later(at, self.pace.lasts);
        if let Some(condition) = step.action.begins() {
            self.due.push(Step { at: later, action: condition.cure(), target });
        }
        if let (Some(condition), Some(old)) = (step.action.leaves_behind(), stage.writer) {
            // Who could not be promoted may have received more than who was.
            let left = self.nodes.iter().filter(|node| !stage.candidates.contains(node));
            for &node in left.filter(|_| self.rejoins) {
                self.due.push(Step { at: later, action: condition.cure(), target: node.into() });
            }
            // Of several replicas nobody knows which one was promoted; after a switchover everybody does.
            if stage.node.is_none() {
                let back = Nanos(later.0 + self.pace.lasts.0 * 1_000_000);
                self.due.push(Step { at: back, action: Action::Switchover, target: old.into() });
            }
        }
        true
    }

    fn targets(&self, whom: Whom) -> Vec<Target> {
        match (whom, self.conditions.writer()) {
            (Whom::Writer, _) => vec![Target::Writer],
            (Whom::Best, _) => vec![Target::Best],
            (Whom::Replica, Some(writer)) => {
                self.nodes.iter().filter(|node| **node != writer).map(|&node| node.into()).collect()
            }
            (Whom::Replica, None) => Vec::new(),
        }
    }

    /// Ends what is due by `at`, at its time, or as soon as nothing else is in the way; what has ended by itself meanwhile
    /// (a node that crashed is not paused any more) needs no end.
    fn end_what_is_due(&mut self, at: Nanos) {
        self.due.sort_by_key(|step| step.at);
        let mut place = 0;
        while let Some(step) = self.due.get(place).filter(|step| step.at <= at).copied() {
            let allowed = self.conditions.allow(step.act(), &step.to_string());
            if matches!(allowed, Err(ScheduleError::Hindered { .. })) {
                place += 1;
                continue;
            }
            self.due.remove(place);
            if allowed.is_ok() {
                let last = self.steps.last().map_or(Nanos(0), |step| step.at);
                self.take(Step { at: step.at.max(last), ..step });
                // What was in the way of what was due before may be gone with it.
                place = 0;
            }
        }
    }

    /// Ends the rest at `at`.
    fn end_all(&mut self, at: Nanos) {
        for step in &mut self.due {
            step.at = at;
        }
        self.end_what_is_due(at);
    }

    fn take(&mut self, step: Step) {
        self.conditions.apply(step.act(), &step.to_string());
        self.steps.push(step);
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Profile, String> {
        let known = || Profile::ALL.into_iter().map(Profile::as_str);
        Profile::ALL.into_iter().find(|profile| profile.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = known().collect();
            format!("`{text}` is not a profile; known are {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn nodes(replicas: usize) -> Vec<NodeName> {
        std::iter::once(NodeName::primary()).chain((1..=replicas).map(NodeName::replica)).collect()
    }

    fn verbs(profile: Profile) -> BTreeSet<&'static str> {
        let schedules =
            (0..50).map(|seed| profile.schedule(seed, Nanos::from_millis(60_000), &nodes(2), |_| true));
        schedules.flat_map(|schedule| schedule.steps().to_vec()).map(|step| step.action.verb()).collect()
    }

    #[test]
    fn a_seed_stands_for_a_schedule() {
        let schedule = |profile: Profile| {
            profile.schedule(1, Nanos::from_millis(20_000), &nodes(2), |_| true).to_string()
        };
        insta::assert_snapshot!(schedule(Profile::Gentle), @"restart(writer)@2s,restart(replica-2)@4.635s,restart(writer)@7.43s,pause-replay(replica-2)@10.455s,resume-replay(replica-2)@11.19s,restart(replica-1)@13.063s,restart(replica-2)@15.498s");
        insta::assert_snapshot!(schedule(Profile::Restarts), @"stop(primary,immediate)@2s,start(primary)@2.372s,crash(writer)@4.635s,stop(primary,immediate)@7.43s,start(primary)@7.867s,crash(replica-1)@10.455s,crash(writer)@13.063s,crash(writer)@15.498s");
        insta::assert_snapshot!(schedule(Profile::Failovers), @"promote(best)@2s,rejoin(primary)@2.54s,switchover(primary)@3.04s,promote(best)@5.316s,rejoin(primary)@5.958s,switchover(primary)@6.458s,promote(best)@8.769s,rejoin(primary)@9.345s,switchover(primary)@9.845s,switchover(replica-1)@12.419s,promote(best)@15.712s,rejoin(replica-1)@16.344s,switchover(replica-1)@16.666s");
        insta::assert_snapshot!(schedule(Profile::Partitions), @"isolate(replica-1,peers)@2s,reconnect(replica-1)@2.372s,isolate(replica-1,clients)@4.635s,reconnect(replica-1)@5.19s,isolate(replica-2,peers)@7.43s,reconnect(replica-2)@7.867s,slow(replica-1,peers,latency=20ms,jitter=5ms)@10.455s,speed-up(replica-1)@11.19s,isolate(primary,clients)@13.063s,reconnect(primary)@13.6s,isolate(replica-1,peers)@15.498s,reconnect(replica-1)@16.666s");
        insta::assert_snapshot!(schedule(Profile::Chaos), @"terminate(writer)@2s,crash(writer)@3.235s,promote(best)@4.63s,rejoin(primary)@5.435s,switchover(primary)@5.935s,kill(replica-1)@6.255s,isolate(replica-2,peers)@7.463s,start(replica-1)@7.721s,reconnect(replica-2)@8.491s,crash(writer)@8.498s,pause-replay(replica-1)@10.176s,resume-replay(replica-1)@10.942s,promote(best)@11.057s,reset(writer,clients)@11.476s,rejoin(primary)@12.352s,crash(writer)@12.612s,switchover(primary)@12.852s,pause-replay(replica-2)@13.152s,switchover(replica-1)@13.703s,resume-replay(replica-2)@15.042s,crash(writer)@15.09s,crash(primary)@15.669s");
    }

    #[test]
    fn every_weight_is_drawn() {
        for profile in Profile::ALL {
            for (_, action, _) in profile.weights() {
                assert!(verbs(profile).contains(action.verb()), "{profile}: {action}");
            }
        }
        assert!(verbs(Profile::Failovers).contains("rejoin"));
    }

    #[test]
    fn so_many_faults_and_what_ends_them() {
        for profile in Profile::ALL {
            let (schedule, duration) = profile.cycles(7, 500, &nodes(2), |_| true);
            assert_eq!(schedule.validate(&nodes(2), |_| true, duration), Ok(()), "{profile}");
            let last_third = Nanos(duration.0 / 3 * 2);
            // A switchover may also be the way back of a failover.
            let begun = schedule.steps().iter().filter(|step| step.action.cures().is_none()).count();
            assert!(begun >= 500, "{profile}: {begun}");
            // Whatever happened before, everything is still possible: nobody stays out for good.
            let late: BTreeSet<&str> = schedule
                .steps()
                .iter()
                .filter(|step| step.at > last_third)
                .map(|step| step.action.verb())
                .collect();
            for (_, action, _) in profile.weights() {
                assert!(late.contains(action.verb()), "{profile}: {action}");
            }
        }
        let (nothing, _) = Profile::Failovers.cycles(7, 500, &nodes(0), |_| true);
        assert!(nothing.is_empty());
    }

    #[test]
    fn what_a_cluster_cannot_do_is_left_out() {
        let can = |action| action != Action::Promote && action != Action::Switchover;
        let schedule = Profile::Failovers.schedule(1, Nanos::from_millis(60_000), &nodes(2), can);
        assert!(schedule.is_empty(), "{schedule}");
        // As on Aurora: the old primary comes back by itself, and nothing is there to make it.
        let can = |action| matches!(action, Action::Promote | Action::Switchover | Action::Crash);
        for (profile, replicas) in [(Profile::Failovers, 1), (Profile::Failovers, 2), (Profile::Chaos, 1)] {
            let (schedule, duration) = profile.cycles(7, 50, &nodes(replicas), can);
            assert_eq!(schedule.validate(&nodes(replicas), can, duration), Ok(()), "{profile}");
            assert!(schedule.steps().len() >= 50, "{profile}");
        }
    }

    proptest! {
        #[test]
        fn can_always_be_carried_out(seed: u64, ms in 500..200_000_u64, replicas in 0..5_usize, place in 0..5_usize) {
            let (profile, duration, nodes) = (Profile::ALL[place], Nanos::from_millis(ms), nodes(replicas));
            let schedule = profile.schedule(seed, duration, &nodes, |_| true);
            prop_assert_eq!(schedule.validate(&nodes, |_| true, duration), Ok(()), "{}", schedule);
            prop_assert!(replicas == 0 || !schedule.is_empty());
            let calm = |step: &Step| step.at >= whole(duration.0 / 10) && step.at <= Nanos(duration.0 / 6 * 5);
            prop_assert!(schedule.steps().iter().all(calm), "{}", schedule);
        }
    }
}
