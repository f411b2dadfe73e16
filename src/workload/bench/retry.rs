//! Doing a task again when somebody else was faster.

use std::time::Duration;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::pg::{self, Certainty, Failed, PgError};
use crate::workload::Answer;

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::workload) enum Tried {
    /// It is done.
    Done,
    /// Somebody was faster, and nothing was done.
    Conflict,
}

/// A task, as long as it is tried.
pub(in crate::workload) trait Attempt {
    /// Tries once.
    fn attempt(&mut self) -> impl Future<Output = Result<Tried, Failed>> + Send;
}

/// How often a task is tried again, and how long is waited before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The most retries of one task; `None`: until it is done.
    pub max_retries: Option<u32>,
    /// Before the first retry; twice as long before each further one, and of that a random part ("full jitter", Brooker,
    /// "Exponential Backoff and Jitter"). Zero: at once.
    pub backoff: Duration,
}

/// The longest pause of all, however often it was doubled.
const LONGEST: Duration = Duration::from_secs(1);

/// How a task that was answered ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Attempts but for the first.
    pub retries: u32,
    /// Whether it was given up after the last of them: it is certainly not done.
    pub given_up: bool,
}

impl Policy {
    /// Tries until it is done, or the retries are used up. An attempt whose outcome is unknown is never repeated.
    pub(in crate::workload) async fn pursue(
        &self,
        rng: &mut (impl Rng + Send),
        task: &mut impl Attempt,
    ) -> Answer<Effort> {
        let mut retries = 0;
        loop {
            match task.attempt().await {
                Ok(Tried::Done) => return Answer::ok(Effort { retries, given_up: false }),
                Ok(Tried::Conflict) => {}
                Err(failed) if is_conflict(&failed) => {}
                Err(Failed { stage, error }) => return Answer::error(stage, &error),
            }
            if self.max_retries.is_some_and(|most| retries >= most) {
                return Answer::ok(Effort { retries, given_up: true });
            }
            retries += 1;
            let longest = self.longest_pause(retries);
            if !longest.is_zero() {
                tokio::time::sleep(longest.mul_f64(rng.random::<f64>())).await;
            }
        }
    }

    /// What the pause before retry number `retry`, from 1, is at most.
    fn longest_pause(&self, retry: u32) -> Duration {
        let doubled =
            self.backoff.saturating_mul(1_u32.checked_shl(retry.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled.min(LONGEST.max(self.backoff))
    }
}

/// Whether the server rolled it back because of what others did: serialization failure or deadlock (manual,
/// "Serialization Failure Handling"). Only where that is certain may it be done again.
fn is_conflict(failed: &Failed) -> bool {
    let Failed { stage, error } = failed;
    let is_named =
        matches!(error, PgError::Sql { sqlstate, .. } if sqlstate == "40001" || sqlstate == "40P01");
    is_named && pg::certainty(*stage, error) == Certainty::Fail
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::pg::{Lost, Stage};

    fn sql(sqlstate: &str, stage: Stage) -> Result<Tried, Failed> {
        let error = PgError::Sql {
            sqlstate: sqlstate.to_owned(),
            severity: "ERROR".to_owned(),
            message: String::new(),
            detail: None,
        };
        Err(Failed { stage, error })
    }

    /// What comes of attempts that end so, and how many of them were made.
    async fn pursue(policy: Policy, mut ends: Vec<Result<Tried, Failed>>) -> (Answer<Effort>, usize) {
        ends.reverse();
        let planned = ends.len();
        let mut task = Scripted(ends);
        let answer = policy.pursue(&mut ChaCha8Rng::seed_from_u64(1), &mut task).await;
        (answer, planned - task.0.len())
    }

    /// Ends as written, the last one first.
    struct Scripted(Vec<Result<Tried, Failed>>);

    impl Attempt for Scripted {
        async fn attempt(&mut self) -> Result<Tried, Failed> {
            self.0.pop().unwrap()
        }
    }

    #[tokio::test]
    async fn a_conflict_is_tried_again_and_an_unknown_outcome_never() {
        let endless = Policy::default();
        let conflicts = [
            Ok(Tried::Conflict),
            sql("40001", Stage::BeforeCommit),
            sql("40P01", Stage::CommitSent),
            Ok(Tried::Done),
        ];
        let (answer, made) = pursue(endless, conflicts.into()).await;
        assert_eq!((answer, made), (Answer::ok(Effort { retries: 3, given_up: false }), 4));
        let lost =
            PgError::ConnectionLost(Lost { sqlstate: Some("40001".to_owned()), message: String::new() });
        for unknown in [
            Err(Failed { stage: Stage::CommitSent, error: lost }),
            sql("40001", Stage::NoBlock),
            sql("40003", Stage::CommitSent),
        ] {
            let (answer, made) = pursue(endless, vec![unknown, Ok(Tried::Done)]).await;
            assert!(matches!(answer, Answer::Info(_)), "{answer:?}");
            assert_eq!(made, 1, "it may have happened");
        }
        let (answer, made) = pursue(endless, vec![sql("23505", Stage::CommitSent), Ok(Tried::Done)]).await;
        assert!(matches!(answer, Answer::Fail(_)) && made == 1, "{answer:?}");
    }

    #[tokio::test]
    async fn who_may_not_try_again_gives_up() {
        let five = Policy { max_retries: Some(5), ..Policy::default() };
        let (answer, made) = pursue(five, vec![Ok(Tried::Conflict); 7]).await;
        assert_eq!((answer, made), (Answer::ok(Effort { retries: 5, given_up: true }), 6));
        let (answer, made) = pursue(Policy { max_retries: Some(0), ..five }, vec![Ok(Tried::Conflict)]).await;
        assert_eq!((answer, made), (Answer::ok(Effort { retries: 0, given_up: true }), 1));
    }

    #[test]
    fn pauses_double_up_to_a_second() {
        let policy = Policy { max_retries: None, backoff: Duration::from_millis(2) };
        let longest = |retry| policy.longest_pause(retry).as_millis();
        assert_eq!([1, 2, 3, 9, 10, 40, u32::MAX].map(longest), [2, 4, 8, 512, 1000, 1000, 1000]);
        assert!(Policy::default().longest_pause(30).is_zero());
        let slow = Policy { backoff: Duration::from_secs(3), ..policy };
        assert_eq!(slow.longest_pause(2), Duration::from_secs(3));
    }
}
