//! Where a client's operations come from.

use std::future::Future;

use crate::history::Operation;
use crate::workload::Answer;

/// What a client does, one operation after the other.
pub(super) trait Source: Send {
    /// Of what kind.
    type Op: Operation;

    /// The next operation, when it is time for it; `None`: there is nothing more to do. Whatever it waits for has to come,
    /// or to be given up, when other clients end.
    fn next_op(&mut self) -> impl Future<Output = Option<Self::Op>> + Send;

    /// How the last one ended.
    fn ended(&mut self, answer: &Answer<<Self::Op as Operation>::Reply>);
}

/// A generator waits for nobody, and goes on whatever happens.
impl<G> Source for G
where
    G: Iterator + Send,
    G::Item: Operation,
{
    type Op = G::Item;

    async fn next_op(&mut self) -> Option<G::Item> {
        self.next()
    }

    fn ended(&mut self, _: &Answer<<G::Item as Operation>::Reply>) {}
}
