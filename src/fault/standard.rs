//! The default schedules: forced restarts of the primary and of a replica, jittered by the seed; and replicas that do not
//! receive.

use crate::history::{Action, Nanos, NodeName, StopMode};

use super::random::Random;
use super::{Schedule, Step};

/// A load of this length or shorter gets one round of faults, a longer one a round for each such length.
const ROUND: u64 = 60_000_000_000;
/// More rounds than this only make a report unreadable.
const MAX_ROUNDS: u64 = 20;
/// A load of this length or shorter gets one freeze, a longer one a freeze for each such length.
const FREEZE_ROUND: u64 = 1_000_000_000;
/// More forks show nothing new.
const MAX_FREEZES: u64 = 10;
/// How long a replica stays frozen, at most: longer than anybody takes to commit and read meanwhile.
const LONGEST_FREEZE: u64 = 500_000_000;
/// How long the primary stays stopped, at most.
const LONGEST_STOP: u64 = 2_000_000_000;

impl Schedule {
    /// The schedule of a run that asks for none: in each round the primary crashes (about 30 % of the way through),
    /// a replica restarts or crashes (55 %; without replicas, the primary restarts), and the primary is stopped
    /// without a checkpoint and started again (75 %). The first and the last sixth of a round are calm.
    ///
    /// The same seed, duration and number of replicas give the same schedule.
    pub fn default_for(seed: u64, duration: Nanos, replicas: usize) -> Schedule {
        let mut random = Random::new(seed);
        let rounds = (duration.0 / ROUND).clamp(1, MAX_ROUNDS);
        let round = duration.0 / rounds;
        let primary = NodeName::primary();
        let mut steps = Vec::new();
        for number in 0..rounds {
            let mut at = |percent: u64| {
                // Jitter of ±4 % of the round, in whole milliseconds where the round is long enough to have them.
                let percent = percent * 1_000 - 4_000 + random.below(8_001);
                let nanos = number * round + (u128::from(round) * u128::from(percent) / 100_000) as u64;
                Nanos(if round >= 1_000_000_000 { nanos - nanos % 1_000_000 } else { nanos })
            };
            let (crash, middle, stop) = (at(30), at(55), at(75));
            steps.push(Step { at: crash, action: Action::Crash, target: primary.into() });
            let (action, node) = match replicas as u64 {
                0 => (Action::Restart, primary),
                count => {
                    let node = NodeName::replica(1 + random.below(count) as usize);
                    (if random.below(2) == 0 { Action::Restart } else { Action::Crash }, node)
                }
            };
            steps.push(Step { at: middle, action, target: node.into() });
            steps.push(Step { at: stop, action: Action::Stop(StopMode::Immediate), target: primary.into() });
            let start = stop + Nanos((round * 8 / 100).min(LONGEST_STOP));
            steps.push(Step { at: start, action: Action::Start, target: primary.into() });
        }
        Schedule::new(steps)
    }

    /// In each round none of `replicas` receives for a while, which begins a fifth of the way through.
    pub fn freezes(duration: Nanos, replicas: &[NodeName]) -> Schedule {
        let rounds = (duration.0 / FREEZE_ROUND).clamp(1, MAX_FREEZES);
        let round = duration.0 / rounds;
        let step = |at, action| {
            replicas.iter().map(move |&node| Step { at: Nanos(at), action, target: node.into() })
        };
        let steps = (0..rounds).flat_map(|number| {
            let begin = number * round + round / 5;
            let end = begin + (round / 2).min(LONGEST_FREEZE);
            step(begin, Action::Freeze).chain(step(end, Action::Thaw))
        });
        Schedule::new(steps.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_seed_stands_for_a_schedule() {
        let schedule =
            |seed, ms, replicas| Schedule::default_for(seed, Nanos::from_millis(ms), replicas).to_string();
        insta::assert_snapshot!(schedule(1, 20_000, 1), @"crash(primary)@5.844s,restart(replica-1)@10.328s,stop(primary,immediate)@15.154s,start(primary)@16.754s");
        insta::assert_snapshot!(schedule(2, 20_000, 3), @"crash(primary)@6.61s,restart(replica-3)@11.077s,stop(primary,immediate)@15.462s,start(primary)@17.062s");
        insta::assert_snapshot!(schedule(1, 3_000, 0), @"crash(primary)@876ms,restart(primary)@1.549s,stop(primary,immediate)@2.273s,start(primary)@2.513s");
    }

    #[test]
    fn long_loads_get_more_rounds() {
        let steps = |ms| Schedule::default_for(7, Nanos::from_millis(ms), 2).steps().len();
        assert_eq!([steps(59_000), steps(119_000), steps(180_000), steps(86_400_000)], [4, 4, 12, 80]);
    }

    #[test]
    fn seeds_differ_and_reach_every_replica() {
        let schedules: Vec<Schedule> =
            (0..100).map(|seed| Schedule::default_for(seed, Nanos::from_millis(20_000), 3)).collect();
        let distinct: BTreeSet<String> = schedules.iter().map(Schedule::to_string).collect();
        assert_eq!(distinct.len(), 100);
        let nodes: BTreeSet<NodeName> =
            schedules.iter().flat_map(Schedule::steps).filter_map(|step| step.target.node()).collect();
        assert_eq!(nodes.len(), 4);
    }

    #[test]
    fn replicas_are_frozen_once_a_second_and_not_for_ever() {
        let [one, two] = [1, 2].map(NodeName::replica);
        let schedule = |ms, replicas: &[NodeName]| Schedule::freezes(Nanos::from_millis(ms), replicas);
        insta::assert_snapshot!(schedule(1_000, &[one]), @"freeze(replica-1)@200ms,thaw(replica-1)@700ms");
        insta::assert_snapshot!(schedule(2_500, &[one]), @"freeze(replica-1)@250ms,thaw(replica-1)@750ms,freeze(replica-1)@1.5s,thaw(replica-1)@2s");
        insta::assert_snapshot!(schedule(100, &[one, two]), @"freeze(replica-1)@20ms,freeze(replica-2)@20ms,thaw(replica-1)@70ms,thaw(replica-2)@70ms");
        assert!(schedule(1_000, &[]).is_empty());
        let day = schedule(86_400_000, &[one]);
        assert_eq!(day.steps().len(), 20);
        assert_eq!(day.steps()[1].at, day.steps()[0].at + Nanos(LONGEST_FREEZE));
    }

    proptest! {
        #[test]
        fn freezes_can_always_be_carried_out(ms in 1..100_000_000_u64, replicas in 2..17_usize) {
            let duration = Nanos::from_millis(ms);
            let nodes: Vec<NodeName> =
                std::iter::once(NodeName::primary()).chain((1..=replicas).map(NodeName::replica)).collect();
            let schedule = Schedule::freezes(duration, &nodes[1..replicas]);
            prop_assert_eq!(schedule.validate(&nodes, |_| true, duration), Ok(()));
            prop_assert!(schedule.steps().last().is_some_and(|step| step.action == Action::Thaw));
        }

        #[test]
        fn can_always_be_carried_out(seed: u64, ms in 1..100_000_000_u64, replicas in 0..17_usize) {
            let duration = Nanos::from_millis(ms);
            let schedule = Schedule::default_for(seed, duration, replicas);
            let mut nodes = vec![NodeName::primary()];
            nodes.extend((1..=replicas).map(NodeName::replica));
            prop_assert_eq!(schedule.validate(&nodes, |_| true, duration), Ok(()));
            let of_primary = schedule.steps().iter().filter(|step| step.target == NodeName::primary().into()).count();
            prop_assert!(of_primary >= 3);
            prop_assert_eq!(schedule.steps().len() > of_primary, replicas > 0);
            if duration <= Nanos(ROUND) {
                let calm = Nanos(duration.0 / 8);
                prop_assert!(schedule.steps()[0].at >= calm);
                prop_assert!(schedule.steps()[3].at + calm <= duration);
            }
        }
    }
}
