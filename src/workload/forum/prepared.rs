//! A method on one session: its statements are prepared once, its tasks done one by one.

use super::account::Update;
use super::call::Call;
use super::comment::Comment;
use super::reaction::{CompareAndSet, Transactional};
use super::{Method, Reaction};
use crate::isolation::Isolation;
use crate::pg::{Failed, PgError, Session};
use crate::workload::bench::{Task, Tried};
use crate::workload::counter::Mistake;

/// What is done, with its statements prepared.
#[derive(Debug)]
pub(in crate::workload) enum Prepared {
    /// To an account.
    Account(Update),
    /// With a comment.
    Comment(Comment),
    /// With a reaction, in one transaction.
    Transactional(Transactional),
    /// With a reaction, without one.
    CompareAndSet(CompareAndSet),
}

impl Prepared {
    /// Has the statements of `method` parsed.
    pub(in crate::workload) async fn prepare(
        session: &Session,
        method: Method,
        mistake: Option<Mistake>,
    ) -> Result<Prepared, PgError> {
        let is_unguarded = mistake == Some(Mistake::Unguarded);
        let really = |level| if is_unguarded { Isolation::ReadCommitted } else { level };
        Ok(match method {
            Method::Account(level) => Prepared::Account(Update::prepare(session, really(level)).await?),
            Method::Comment(level) => Prepared::Comment(Comment::prepare(session, really(level)).await?),
            Method::Reaction(Reaction::CompareAndSet) => {
                Prepared::CompareAndSet(CompareAndSet::prepare(session, is_unguarded).await?)
            }
            Method::Reaction(reaction) => {
                Prepared::Transactional(Transactional::prepare(session, reaction, is_unguarded).await?)
            }
        })
    }

    /// `task` as this method does it: an account that anybody may change is drawn, anything else is a user's own.
    pub(in crate::workload) fn call(&self, task: &Task, drawn: u32) -> Call {
        match self {
            Prepared::Account(_) => Call::new(task, drawn),
            _ => Call::new(task, task.user % task.slots.max(1) + 1),
        }
    }

    /// Once, or the news that somebody was faster.
    pub(in crate::workload) async fn attempt(
        &self,
        session: &Session,
        call: &mut Call,
    ) -> Result<Tried, Failed> {
        match self {
            Prepared::Account(update) => update.attempt(session, call).await,
            Prepared::Comment(comment) => comment.attempt(session, call).await,
            Prepared::Transactional(reaction) => reaction.attempt(session, call).await,
            Prepared::CompareAndSet(reaction) => reaction.attempt(session, call).await,
        }
    }
}
