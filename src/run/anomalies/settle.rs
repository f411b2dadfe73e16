//! What is awaited between two steps: answers, and the servers' word that a session waits.

use tokio::time::{sleep, timeout};

use super::PlayError;
use super::actor::Pending;
use super::look::POLL;
use super::play::Play;
use super::script::Verb;
use crate::anomaly::{Answer, Warning};
use crate::pg::{PgError, Said};

impl Play<'_> {
    /// Until every step that was sent is answered, or is seen to wait for another session.
    pub(super) async fn settle(&mut self) -> Result<(), PlayError> {
        let deadline = self.stage.rules.deadline;
        let settling = async {
            loop {
                self.collect().await?;
                if self.cast.iter().all(|actor| actor.pending.is_none()) {
                    return Ok(());
                }
                let looked = self.stage.waits(&self.cast, self.held.is_some()).await;
                let waits = looked.map_err(|source| self.asked(source))?;
                // An answer after the look may have let others go on: only what was stable counts.
                if self.collect().await? {
                    continue;
                }
                let mut all_wait = true;
                for actor in self.cast.iter().filter(|actor| actor.pending.is_some()) {
                    match (waits.get(&actor.name), &actor.pending) {
                        (Some(others), Some(pending)) => {
                            self.transcript.steps[pending.place].waited_for.clone_from(others);
                        }
                        _ => all_wait = false,
                    }
                }
                if all_wait {
                    return Ok(());
                }
                sleep(POLL).await;
            }
        };
        match timeout(deadline, settling).await {
            Ok(settled) => settled,
            Err(_) => Err(self.late()),
        }
    }

    /// Until the step of that name is answered, whoever it was seen waiting for: a signal takes a moment to arrive.
    pub(super) async fn answered(&mut self, label: &str) -> Result<(), PlayError> {
        loop {
            let of = |pending: &Pending| self.transcript.steps[pending.place].label == label;
            if !self.cast.iter().filter_map(|actor| actor.pending.as_ref()).any(of) {
                return self.pump().await;
            }
            // The step has a deadline of its own.
            sleep(POLL).await;
            self.settle().await?;
        }
    }

    /// Until every step is answered.
    pub(super) async fn finish(&mut self) -> Result<(), PlayError> {
        loop {
            self.pump().await?;
            if self.cast.iter().all(|actor| actor.pending.is_none() && actor.queue.is_empty()) {
                return Ok(());
            }
            // Each has a deadline of its own.
            sleep(POLL).await;
            self.settle().await?;
        }
    }

    /// Takes the answers that are there; answers whether there was one.
    async fn collect(&mut self) -> Result<bool, PlayError> {
        let last = self.transcript.steps.len().saturating_sub(1);
        let mut any = false;
        for place in 0..self.cast.len() {
            let actor = &mut self.cast[place];
            let Some(pending) = actor.pending.take_if(|pending| pending.task.is_finished()) else { continue };
            any = true;
            let Pending { place, verb, task } = pending;
            let said = task.await.unwrap_or_else(|error| Err(PgError::Mismatch(error.to_string())));
            let played = &mut self.transcript.steps[place];
            played.answered_after = last;
            played.answer = match said {
                Ok(said) => {
                    let rolled_back = actor.failed && verb == Verb::Rollback;
                    if verb == Verb::Begin {
                        actor.in_transaction = true;
                    }
                    if verb.ends() {
                        (actor.in_transaction, actor.failed) = (false, false);
                    }
                    if rolled_back { Answer::RolledBack } else { answer(said, verb) }
                }
                Err(PgError::Sql { sqlstate, message, .. }) => {
                    // A commit that fails ends its transaction.
                    let goes_on = (actor.in_transaction || verb == Verb::Begin) && !verb.ends();
                    (actor.in_transaction, actor.failed) = (goes_on, goes_on);
                    Answer::Refused { sqlstate, message }
                }
                Err(PgError::Deadline(deadline)) => {
                    let (step, waits_for) = (played.label.clone(), played.waited_for.clone());
                    return Err(PlayError::Deadline {
                        case: self.case.name.clone(),
                        step,
                        waits_for,
                        deadline,
                    });
                }
                Err(source) => {
                    let (case, step) = (self.case.name.clone(), played.label.clone());
                    return Err(PlayError::Lost { case, step, source });
                }
            };
            let warned =
                actor.session.take_warnings().into_iter().filter(|notice| notice.severity == "WARNING");
            played.warnings =
                warned.map(|notice| Warning { sqlstate: notice.sqlstate, message: notice.message }).collect();
        }
        Ok(any)
    }

    fn late(&self) -> PlayError {
        let pending = self.cast.iter().find_map(|actor| actor.pending.as_ref());
        let played = pending.and_then(|pending| self.transcript.steps.get(pending.place));
        PlayError::Deadline {
            case: self.case.name.clone(),
            step: played.map(|played| played.label.clone()).unwrap_or_default(),
            waits_for: played.map(|played| played.waited_for.clone()).unwrap_or_default(),
            deadline: self.stage.rules.deadline,
        }
    }

    fn asked(&self, source: PgError) -> PlayError {
        PlayError::Ask { case: self.case.name.clone(), what: "ask who waits for whom", source }
    }
}

fn answer(said: Said, verb: Verb) -> Answer {
    match said.rows {
        Some(rows) => {
            let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
            Answer::Rows { rows: rows.into_iter().map(|row| row.into_iter().map(text).collect()).collect() }
        }
        None if verb == Verb::Write => Answer::Affected { rows: said.count },
        None => Answer::Done,
    }
}
