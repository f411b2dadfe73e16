//! One playing of one case.

use tokio::time::{sleep, timeout};

use super::actor::{Actor, Pending};
use super::hold::Held;
use super::look::POLL;
use super::script::{Verb, filled};
use super::stage::PATIENCE;
use super::{PlayError, Stage};
use crate::anomaly::{Action, Answer, Case, Isolation, Placement, Played, Seat, Step, Transcript, Warning};
use crate::pg::{PgError, Said};

/// What an application begins anew (manual, "Serialization Failure Handling").
const AGAIN: [&str; 2] = ["40001", "40P01"];

/// A case that is being played.
struct Play<'a> {
    stage: &'a Stage,
    case: &'a Case,
    cast: Vec<Actor>,
    held: Option<Held>,
    /// Whether the schema is ours to drop.
    made: bool,
    transcript: Transcript,
}

impl Stage {
    /// Plays `case` at `level` with its readers `on` the primary or a replica. Whatever happens, its sessions are ended, its
    /// tables dropped and the server's settings as before when this returns.
    ///
    /// # Errors
    /// A failure of the lab, which says nothing about the case.
    pub async fn play(&self, case: &Case, on: Placement, level: Isolation) -> Result<Transcript, PlayError> {
        let (cast, transcript) = (Vec::new(), Transcript::default());
        let mut play = Play { stage: self, case, cast, held: None, made: false, transcript };
        let played = Box::pin(play.perform(on, level)).await;
        let cleaned = Box::pin(play.clean_up()).await;
        played?;
        cleaned?;
        Ok(play.transcript)
    }
}

impl Play<'_> {
    async fn perform(&mut self, on: Placement, level: Isolation) -> Result<(), PlayError> {
        self.set_up().await?;
        let (cast, connected) = self.stage.cast(self.case, on, level).await;
        self.cast = cast;
        connected?;
        let seat = |actor: &Actor| Seat { name: actor.name.clone(), on: actor.on };
        self.transcript.sessions = self.cast.iter().filter(|actor| actor.name != "after").map(seat).collect();
        for step in &self.case.steps {
            self.offer(step, 1).await?;
        }
        self.finish().await?;
        if self.case.retry {
            for step in self.refused() {
                self.offer(&step, 2).await?;
            }
            self.finish().await?;
        }
        for step in &self.case.after {
            self.offer(step, 1).await?;
        }
        self.finish().await
    }

    async fn set_up(&mut self) -> Result<(), PlayError> {
        let schema = &self.stage.rules.schema;
        let extension = self.case.needs.extension.as_ref();
        let extension = extension.map(|name| format!("CREATE EXTENSION IF NOT EXISTS {name}"));
        let first = [format!("CREATE SCHEMA {schema}"), format!("SET LOCAL search_path = {schema}, public")];
        let statements: Vec<String> =
            first.into_iter().chain(extension).chain(self.case.setup.iter().cloned()).collect();
        let sql = format!("BEGIN; {}; COMMIT", statements.join(";\n"));
        let made = self.stage.monitor.batch(&sql).await;
        if let Err(source) = made {
            // The block stays open behind an error.
            drop(self.stage.monitor.batch("ROLLBACK").await);
            return Err(PlayError::SetUp { case: self.case.name.clone(), source });
        }
        self.made = true;
        Ok(())
    }

    /// A step whose turn has come. Its session sends it when it is answered for those before; nobody goes on until every
    /// step that was sent is answered, or waits for another session.
    async fn offer(&mut self, step: &Step, attempt: u32) -> Result<(), PlayError> {
        match step.action {
            Action::Sql(_) => {}
            Action::HoldCommits => {
                self.stage.hold(&self.case.name, &mut self.held).await?;
                self.done(step, attempt);
                return Ok(());
            }
            Action::ReleaseCommits => {
                self.done(step, attempt);
                self.stage.release(&self.case.name, &mut self.held).await?;
                return self.settle().await;
            }
        }
        if let Some(actor) = self.cast.iter_mut().find(|actor| actor.name == step.session) {
            actor.queue.push_back((step.clone(), attempt));
        }
        self.pump().await?;
        match &step.until {
            Some(label) => self.answered(label).await,
            None => Ok(()),
        }
    }

    /// Until the step of that name is answered, whoever it was seen waiting for: a signal takes a moment to arrive.
    async fn answered(&mut self, label: &str) -> Result<(), PlayError> {
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

    /// Sends whatever can be sent, one after the other.
    async fn pump(&mut self) -> Result<(), PlayError> {
        loop {
            let ready = |actor: &Actor| actor.pending.is_none() && !actor.queue.is_empty();
            let Some(place) = self.cast.iter().position(ready) else { return Ok(()) };
            let Some((step, attempt)) = self.cast[place].queue.pop_front() else { return Ok(()) };
            self.send(place, &step, attempt).await?;
            self.settle().await?;
        }
    }

    /// Adds the step to the transcript; answers its place there.
    fn done(&mut self, step: &Step, attempt: u32) -> usize {
        let place = self.transcript.steps.len();
        self.transcript.steps.push(Played {
            label: step.label.clone(),
            session: step.session.clone(),
            sql: step.action.text().to_owned(),
            attempt,
            waited_for: Vec::new(),
            answered_after: place,
            answer: Answer::Done,
            warnings: Vec::new(),
        });
        place
    }

    async fn send(&mut self, actor: usize, step: &Step, attempt: u32) -> Result<(), PlayError> {
        let mut verb = Verb::of(step.action.text());
        let goes_on = step.only_if.as_ref().is_none_or(|sight| self.transcript.shows(sight));
        let pid = |name: &str| {
            let named = self.cast.iter().find(|actor| actor.name == name);
            named.map(|actor| actor.session.backend_pid())
        };
        let sql = filled(step.action.text(), &self.transcript, pid).filter(|_| goes_on);
        let place = self.done(step, attempt);
        let is_failed = self.cast[actor].failed;
        if is_failed && verb.ends() {
            verb = Verb::Rollback;
            self.cast[actor].send(place, verb, "ROLLBACK".to_owned());
            return Ok(());
        }
        let Some(sql) = sql.filter(|_| !is_failed) else {
            let answer = if is_failed { Answer::Skipped } else { Answer::NotSent };
            self.transcript.steps[place].answer = answer;
            return Ok(());
        };
        if self.cast[actor].on == Placement::Replica {
            self.stage.replayed(&self.case.name).await?;
        }
        self.transcript.steps[place].sql.clone_from(&sql);
        self.cast[actor].send(place, verb, sql);
        Ok(())
    }

    /// Until every step that was sent is answered, or is seen to wait for another session.
    async fn settle(&mut self) -> Result<(), PlayError> {
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

    /// Until every step is answered.
    async fn finish(&mut self) -> Result<(), PlayError> {
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

    /// The steps of the transactions that were refused and would succeed anew, session by session.
    fn refused(&self) -> Vec<Step> {
        let mut again = Vec::new();
        for seat in &self.transcript.sessions {
            let own: Vec<&Step> = self.case.steps.iter().filter(|step| step.session == seat.name).collect();
            let was_refused = |step: &&&Step| {
                self.transcript.step(&step.label).is_some_and(|played| match &played.answer {
                    Answer::Refused { sqlstate, .. } => AGAIN.contains(&sqlstate.as_str()),
                    _ => false,
                })
            };
            let Some(at) = own.iter().position(|step| was_refused(&step)) else { continue };
            let is = |step: &&Step, wanted: fn(Verb) -> bool| wanted(Verb::of(step.action.text()));
            let begin =
                own[..=at].iter().rposition(|step| is(step, |verb| verb == Verb::Begin)).unwrap_or(at);
            let end = own[at..].iter().position(|step| is(step, Verb::ends)).map_or(at, |end| at + end);
            again.extend(own[begin..=end].iter().map(|step| (*step).clone()));
        }
        again
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

    /// Puts settings back, ends the sessions, drops the tables: each although another failed.
    async fn clean_up(&mut self) -> Result<(), PlayError> {
        let released = self.stage.release(&self.case.name, &mut self.held).await;
        let mut pids = [Vec::new(), Vec::new()];
        for actor in self.cast.drain(..) {
            pids[usize::from(actor.on == Placement::Replica)].push(actor.session.backend_pid());
            if let Some(pending) = &actor.pending {
                pending.task.abort();
            }
        }
        let case = &self.case.name;
        let [on_primary, on_replica] = &pids;
        let mut ended = self.stage.gone(case, &self.stage.monitor, on_primary).await;
        if let Some(lookout) = self.stage.lookout.as_ref().filter(|_| !on_replica.is_empty()) {
            ended = ended.and(self.stage.gone(case, lookout, on_replica).await);
        }
        let schema = &self.stage.rules.schema;
        if !self.made {
            return released.and(ended);
        }
        let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        let dropped = timeout(PATIENCE, self.stage.monitor.batch(&drop)).await;
        let what = "drop its tables";
        let dropped = match dropped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(PlayError::Ask { case: case.clone(), what, source }),
            Err(_) => Err(PlayError::Never { case: case.clone(), what, deadline: PATIENCE }),
        };
        released.and(ended).and(dropped)
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
