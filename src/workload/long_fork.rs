//! The recipe of a long fork: two commits that readers of two nodes see in opposite orders, made on purpose.
//!
//! PostgreSQL writes a commit to its log, waits for the standbys that it has to wait for, and only then lets others on the
//! primary see it; a replica shows it as soon as it has replayed it (manual, "Synchronous Replication"). So while a standby
//! is waited for that does not receive, another replica shows a commit that the primary does not. A later commit that waits
//! for nobody is seen on the primary, and was not there when that replica was read.
//!
//! Everything happens in rounds, each with two lists of its own. What may be done next follows from what has been seen: no
//! step waits for a time.

use crate::history::{Committed, Micro, Observed, TxnOp, TxnReply};
use crate::workload::Answer;

/// Reads of replicas that do not show an acknowledged commit, until nobody waits for that any more: a failover may have lost
/// it.
const PATIENCE: u32 = 100;

/// Who does something in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Commits to the first list, and waits for whatever its session has to wait for.
    First,
    /// Commits to the second list, once a replica shows the first commit.
    Second,
    /// Reads both lists on a replica, until the first commit is there.
    Watcher,
    /// Reads both lists on the primary, once the second commit is acknowledged.
    Comparer,
}

/// Where the newest round stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rounds {
    /// From 1; 0: none has begun.
    number: u64,
    first: Commit,
    /// Whether a replica has shown the first commit.
    seen: bool,
    /// Reads that have not, since it was acknowledged.
    missed: u32,
    second: Commit,
    compared: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Commit {
    #[default]
    Open,
    Acknowledged,
    /// It did not happen, or nobody knows whether it did.
    Doubtful,
}

impl Rounds {
    /// How many have begun.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The round in which `actor` may act now, if it has last acted in round `last`. For [`Actor::First`] that is a new one.
    pub fn turn(&self, actor: Actor, last: u64) -> Option<u64> {
        let is_new = self.number > last;
        let (round, may) = match actor {
            Actor::First => (self.number + 1, self.is_over()),
            Actor::Watcher => (self.number, self.number > 0 && !self.seen),
            Actor::Second => (self.number, is_new && self.seen),
            Actor::Comparer => (self.number, is_new && self.second == Commit::Acknowledged),
        };
        may.then_some(round)
    }

    /// Round `round` begins.
    pub fn begin(&mut self, round: u64) {
        *self = Rounds { number: round, ..Rounds::default() };
    }

    /// What `actor` did in `round` has ended so. What comes late changes nothing.
    pub fn ended(&mut self, actor: Actor, round: u64, answer: &Answer<TxnReply>) {
        if round != self.number {
            return;
        }
        let commit = match answer {
            Answer::Ok { .. } => Commit::Acknowledged,
            Answer::Fail(_) | Answer::Info(_) => Commit::Doubtful,
        };
        match actor {
            Actor::First => self.first = commit,
            Actor::Second => self.second = commit,
            Actor::Watcher if shows_first(answer) => self.seen = true,
            Actor::Watcher => self.missed += u32::from(self.first != Commit::Open),
            Actor::Comparer => self.compared = true,
        }
    }

    /// Whether the first commit is answered, and nothing more can come of it.
    fn is_over(&self) -> bool {
        match self.first {
            Commit::Open => self.number == 0,
            Commit::Doubtful => true,
            Commit::Acknowledged if self.seen => self.compared || self.second == Commit::Doubtful,
            Commit::Acknowledged => self.missed >= PATIENCE,
        }
    }
}

/// What `actor` does in `round`.
pub fn operation(actor: Actor, round: u64) -> TxnOp {
    let ([first, second], element) = (keys(round), round as i64);
    TxnOp::Transaction(match actor {
        Actor::First => vec![Micro::Append(first, element)],
        Actor::Second => vec![Micro::Append(second, element)],
        Actor::Watcher | Actor::Comparer => vec![Micro::Read(first), Micro::Read(second)],
    })
}

/// The keys of the two lists of `round`. They are negative: those of other transactions on lists are not.
pub fn keys(round: u64) -> [i64; 2] {
    let second = -2 * round as i64;
    [second + 1, second]
}

fn shows_first(answer: &Answer<TxnReply>) -> bool {
    match answer {
        Answer::Ok { reply: TxnReply::Committed(Committed { reads, .. }), .. } => {
            matches!(reads.first(), Some(Observed::List(list)) if !list.is_empty())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Cause, CauseClass};

    const ACTORS: [Actor; 4] = [Actor::First, Actor::Second, Actor::Watcher, Actor::Comparer];

    fn acknowledged() -> Answer<TxnReply> {
        Answer::ok(TxnReply::Committed(Committed::default()))
    }

    fn read(lists: [&[i64]; 2]) -> Answer<TxnReply> {
        let reads = lists.map(|list| Observed::List(list.to_vec())).to_vec();
        Answer::ok(TxnReply::Committed(Committed { reads, ..Committed::default() }))
    }

    fn unknown() -> Answer<TxnReply> {
        let message = "connection closed".to_owned();
        Answer::Info(Cause { class: CauseClass::ConnectionLost, sqlstate: None, message })
    }

    /// Who may act, if they have acted in no round but in those before the newest.
    fn free(rounds: &Rounds) -> Vec<Actor> {
        let last = rounds.number.saturating_sub(1);
        ACTORS.into_iter().filter(|&actor| rounds.turn(actor, last).is_some()).collect()
    }

    /// A first round, whose first commit is under way.
    fn begun() -> Rounds {
        let mut rounds = Rounds::default();
        assert_eq!(free(&rounds), [Actor::First]);
        rounds.begin(rounds.turn(Actor::First, 0).unwrap());
        rounds
    }

    #[test]
    fn a_round_takes_its_steps_one_after_the_other() {
        let mut rounds = begun();
        assert_eq!(free(&rounds), [Actor::Watcher]);
        rounds.ended(Actor::Watcher, 1, &read([&[], &[]]));
        assert_eq!(free(&rounds), [Actor::Watcher]);
        rounds.ended(Actor::Watcher, 1, &read([&[1], &[]]));
        assert_eq!(rounds.turn(Actor::Watcher, 1), None, "it has seen what it waited for");
        assert_eq!(rounds.turn(Actor::Second, 0), Some(1));
        assert_eq!((rounds.turn(Actor::Second, 1), rounds.turn(Actor::Comparer, 0)), (None, None));
        rounds.ended(Actor::Second, 1, &acknowledged());
        assert_eq!(rounds.turn(Actor::Comparer, 0), Some(1));
        rounds.ended(Actor::Comparer, 1, &read([&[], &[1]]));
        assert_eq!(rounds.turn(Actor::First, 1), None, "its commit still waits");
        rounds.ended(Actor::First, 1, &acknowledged());
        assert_eq!(rounds.turn(Actor::First, 1), Some(2));
        rounds.begin(2);
        assert_eq!((rounds.number(), free(&rounds)), (2, vec![Actor::Watcher]));
    }

    #[test]
    fn each_round_has_lists_of_its_own() {
        let does = |actor| operation(actor, 2);
        assert_eq!(does(Actor::First), TxnOp::Transaction(vec![Micro::Append(-3, 2)]));
        assert_eq!(does(Actor::Second), TxnOp::Transaction(vec![Micro::Append(-4, 2)]));
        for reader in [Actor::Watcher, Actor::Comparer] {
            assert_eq!(does(reader), TxnOp::Transaction(vec![Micro::Read(-3), Micro::Read(-4)]));
        }
        assert_eq!((1..=2).flat_map(keys).collect::<Vec<_>>(), [-1, -2, -3, -4]);
    }

    #[test]
    fn a_commit_that_is_answered_first_is_still_looked_for_and_not_for_ever() {
        let mut rounds = begun();
        rounds.ended(Actor::Watcher, 1, &read([&[], &[]]));
        rounds.ended(Actor::First, 1, &acknowledged());
        for _ in 0..PATIENCE {
            assert_eq!(free(&rounds), [Actor::Watcher]);
            rounds.ended(Actor::Watcher, 1, &unknown());
        }
        assert!(rounds.turn(Actor::First, 1).is_some());
    }

    #[test]
    fn in_doubt_the_next_round_begins_and_what_comes_late_is_nothing_to_it() {
        let mut rounds = begun();
        rounds.ended(Actor::Watcher, 1, &read([&[1], &[]]));
        rounds.ended(Actor::First, 1, &unknown());
        assert_eq!(rounds.turn(Actor::First, 1), Some(2));
        rounds.begin(2);
        let before = rounds.clone();
        for actor in ACTORS {
            rounds.ended(actor, 1, &read([&[1], &[1]]));
        }
        assert_eq!(rounds, before);
        rounds.ended(Actor::Watcher, 2, &read([&[2], &[]]));
        rounds.ended(Actor::First, 2, &acknowledged());
        assert_eq!(rounds.turn(Actor::First, 2), None, "the second commit is under way");
        rounds.ended(Actor::Second, 2, &unknown());
        assert_eq!(rounds.turn(Actor::First, 2), Some(3));
    }
}
