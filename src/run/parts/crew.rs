//! The clients of one workload, and where it is written down what they do.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::history::{Header, Operation, Process};
use crate::pg::Deadlines;
use crate::run::load::Load;
use crate::run::place::{Place, Whereabouts};
use crate::run::record::{Recorder, Scribe};
use crate::run::through::Through;
use crate::run::worker::{Pause, Worker};
use crate::topology::Site;
use crate::workload::{Answer, Client};

/// A whole table may be long.
const READ_DEADLINES: Deadlines =
    Deadlines { connect: Duration::from_secs(10), statement: Duration::from_secs(120) };

/// How many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) writers: u32,
    pub(super) readers_per_place: u32,
    /// Where readers are: the nodes, and an endpoint that leads to any of them.
    pub(super) places: usize,
}

impl Size {
    /// Client threads: the writers, the readers of every place, and one for what is read before and after.
    fn threads(self) -> u32 {
        self.writers + self.readers_per_place * self.places as u32 + 1
    }
}

/// Writers first, then each place's readers, then the one that reads before and after the load.
#[derive(Debug)]
pub(super) struct Crew<O: Operation> {
    pub(super) recorder: Recorder<O>,
    size: Size,
}

impl<O: Operation> Crew<O> {
    /// Starts the history of `workload` in `path`, which must not exist.
    pub(super) fn start(workload: &str, size: Size, path: &Path) -> io::Result<(Crew<O>, Scribe)> {
        let header = Header { workload: workload.to_owned(), concurrency: size.threads() };
        let (recorder, scribe) = Recorder::start(path, &header)?;
        Ok((Crew { recorder, size }, scribe))
    }

    /// Starts the writers, each with what `generator` makes of its number.
    pub(super) fn writers<C, G>(
        &self,
        load: &Load,
        workers: &mut JoinSet<()>,
        terms: &C::Terms,
        generator: impl Fn(u32) -> G,
    ) where
        C: Client<Op = O> + 'static,
        G: Iterator<Item = O> + Send + Sync + 'static,
    {
        let primary = Whereabouts::default();
        let nodes = load.writers().count();
        for thread in 0..self.size.writers {
            let place = Place::writer(load.writers(), thread, self.size.writers, &primary);
            let is_scout = (thread as usize) < nodes;
            let worker = self.worker(load, (place, None), is_scout, thread, generator(thread), Pause::None);
            workers.spawn(worker.run::<C>(terms.clone()));
        }
    }

    /// Starts the readers, each with what `generator` makes of its number within its place, and its number.
    pub(super) fn readers<C, G>(
        &self,
        load: &Load,
        workers: &mut JoinSet<()>,
        terms: &C::Terms,
        pause: Pause,
        generator: impl Fn(u32, u32) -> G,
    ) where
        C: Client<Op = O> + 'static,
        G: Iterator<Item = O> + Send + Sync + 'static,
    {
        let readers = load.readers(self.size.readers_per_place);
        for (thread, (place, through, reader)) in (self.size.writers..).zip(readers) {
            let generator = generator(reader, thread);
            // How finely a time without service is seen is a question of each node.
            let is_scout = reader == 0 && through.is_none();
            let worker = self.worker(load, (place, through), is_scout, thread, generator, pause);
            workers.spawn(worker.run::<C>(terms.clone()));
        }
    }

    /// The client that is called `thread`.
    pub(super) fn worker<G>(
        &self,
        load: &Load,
        (place, through): (Place, Option<Through>),
        is_scout: bool,
        thread: u32,
        source: G,
        pause: Pause,
    ) -> Worker<G, Recorder<O>> {
        Worker {
            place,
            through,
            is_scout,
            thread,
            concurrency: self.size.threads(),
            source,
            pause,
            journal: self.recorder.clone(),
            shared: Arc::clone(&load.shared),
            gate: Arc::new(Barrier::new(1)),
        }
    }

    /// One operation of the thread that reads before and after, recorded whatever becomes of it.
    pub(super) async fn read<C: Client<Op = O>>(
        &self,
        site: &Site,
        terms: &C::Terms,
        op: O,
    ) -> Option<O::Reply> {
        let (process, node) = (self.size.threads() - 1, site.node);
        self.recorder.invoke(Process::Client(process), node, op.clone());
        let session = async {
            let mut client = C::connect(site, terms, READ_DEADLINES).await?;
            client.admits(site.role).await.map(|()| client)
        };
        let answer = match session.await {
            Ok(mut client) => client.invoke(process, &op).await,
            Err(cause) => Answer::Fail(cause),
        };
        let reply = match &answer {
            Answer::Ok { reply, .. } => Some(reply.clone()),
            Answer::Fail(_) | Answer::Info(_) => None,
        };
        self.recorder.complete(Process::Client(process), node, answer);
        reply
    }
}
