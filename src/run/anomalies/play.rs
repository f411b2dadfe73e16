//! One playing of one case.

use super::actor::Actor;
use super::hold::Held;
use super::script::{Verb, filled};
use super::{PlayError, Stage};
use crate::anomaly::{Action, Answer, Case, Placement, Played, Seat, Step, Transcript};
use crate::isolation::Isolation;

/// What an application begins anew (manual, "Serialization Failure Handling").
const AGAIN: [&str; 2] = ["40001", "40P01"];

/// A case that is being played.
pub(super) struct Play<'a> {
    pub(super) stage: &'a Stage,
    pub(super) case: &'a Case,
    pub(super) cast: Vec<Actor>,
    pub(super) held: Option<Held>,
    /// Whether the schema is ours to drop.
    pub(super) made: bool,
    pub(super) transcript: Transcript,
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

    /// Sends whatever can be sent, one after the other.
    pub(super) async fn pump(&mut self) -> Result<(), PlayError> {
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
}
