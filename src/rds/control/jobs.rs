//! What the control plane does in the background.

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use tokio::task::{AbortHandle, JoinError, JoinSet};

use super::lock;

/// Jobs that run until they end, or everything does.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<JoinSet<()>>);

impl Jobs {
    /// Begins one.
    pub(super) fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        lock(&self.0).spawn(job)
    }

    /// Ends all of them.
    pub(super) async fn end(&self) {
        let mut jobs = std::mem::take(&mut *lock(&self.0));
        jobs.shutdown().await;
    }

    /// Comes to its end when a job has panicked, with what it said: whatever that job was about to put right stays as it is.
    pub(super) async fn failure(&self) -> JoinError {
        poll_fn(|context| self.poll_failure(context)).await
    }

    fn poll_failure(&self, context: &mut Context<'_>) -> Poll<JoinError> {
        let mut jobs = lock(&self.0);
        loop {
            match ready!(jobs.poll_join_next(context)) {
                Some(Err(error)) if error.is_panic() => return Poll::Ready(error),
                // It has done its work, or was told to end.
                Some(_) => {}
                // There are none any more: everything ends.
                None => return Poll::Pending,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_seen_whenever_its_job_began() {
        let jobs = Arc::new(Jobs::default());
        jobs.spawn(std::future::pending());
        jobs.spawn(async {});
        jobs.spawn(std::future::pending()).abort();
        let watched = Arc::clone(&jobs);
        let watch = tokio::spawn(async move { watched.failure().await });
        // It looks before there is anything to see.
        tokio::task::yield_now().await;
        jobs.spawn(async { panic!("no more") });
        let said = watch.await.unwrap().to_string();
        assert!(said.contains("no more"), "{said}");
        jobs.end().await;
    }
}
