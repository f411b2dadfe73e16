//! Clients that run, on a thread and an event loop of their own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use tokio::task::JoinSet;

use super::lab::LoopDelay;
use super::worker::Shared;

/// Clients that run.
pub(super) struct Running {
    thread: JoinHandle<()>,
    shared: Arc<Shared>,
}

impl Running {
    /// Starts those that `workers` spawns; `delay` watches their event loop.
    pub(super) fn start(
        shared: Arc<Shared>,
        delay: Arc<LoopDelay>,
        workers: impl FnOnce() -> JoinSet<()> + Send + 'static,
    ) -> std::io::Result<Running> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let run = async move {
            let delay = tokio::spawn(delay.watch());
            join(workers()).await;
            delay.abort();
        };
        let thread =
            std::thread::Builder::new().name("load".to_owned()).spawn(move || runtime.block_on(run))?;
        Ok(Running { thread, shared })
    }

    /// Whether every client has done what there was to do.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Lets every client finish its operation, and waits for them.
    pub(super) async fn stop(self) -> Result<(), String> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let joined = tokio::task::spawn_blocking(|| self.thread.join()).await;
        match joined {
            Ok(Ok(())) => Ok(()),
            _ => Err("the load's thread panicked".to_owned()),
        }
    }
}

async fn join(mut workers: JoinSet<()>) {
    while let Some(ended) = workers.join_next().await {
        // A client that panicked is not one that had nothing more to do: the whole load fails with it.
        if let Err(error) = ended
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}
