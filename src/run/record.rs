//! The recorder: one total order of events, written behind the load's back.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::history::file::Writer;
use crate::history::{Clock, Event, Header, Nanos, NodeName, Operation, Phase, Process};
use crate::workload::Answer;

/// What a kill of replab can cost: events younger than this.
const FLUSH_EVERY: Duration = Duration::from_millis(250);

/// Where it is written down what a client does.
pub(super) trait Journal<O: Operation> {
    /// `process` sets out to do `op` on `node`.
    fn invokes(&self, process: Process, node: NodeName, op: O);
    /// How it went.
    fn completes(&self, process: Process, node: NodeName, answer: Answer<O::Reply>);
}

impl<O: Operation> Journal<O> for Recorder<O> {
    fn invokes(&self, process: Process, node: NodeName, op: O) {
        self.invoke(process, node, op);
    }

    fn completes(&self, process: Process, node: NodeName, answer: Answer<O::Reply>) {
        self.complete(process, node, answer);
    }
}

/// Takes the events of one workload; copies share the same history.
#[derive(Debug)]
pub(super) struct Recorder<O: Operation> {
    shared: Arc<Shared<O>>,
}

#[derive(Debug)]
struct Shared<O: Operation> {
    pending: Mutex<Pending<O>>,
    finish: AtomicBool,
    broken: AtomicBool,
}

#[derive(Debug)]
struct Pending<O: Operation> {
    /// `None` before the load begins: whatever happens then has time zero.
    clock: Option<Clock>,
    next: u64,
    events: Vec<Event<O>>,
}

/// The thread that writes a history; [`Scribe::finish`] ends it.
pub(super) struct Scribe {
    thread: JoinHandle<io::Result<()>>,
    finish: Box<dyn Fn() + Send>,
}

impl<O: Operation> Clone for Recorder<O> {
    fn clone(&self) -> Recorder<O> {
        Recorder { shared: Arc::clone(&self.shared) }
    }
}

impl<O: Operation> Recorder<O> {
    /// Starts a history in `path`, which must not exist. Its time stands at zero until [`Recorder::begin`].
    pub(super) fn start(path: &Path, header: &Header) -> io::Result<(Recorder<O>, Scribe)> {
        let writer = Writer::create(path, header)?;
        let shared = Arc::new(Shared {
            pending: Mutex::new(Pending { clock: None, next: 0, events: Vec::new() }),
            finish: AtomicBool::new(false),
            broken: AtomicBool::new(false),
        });
        let thread = std::thread::Builder::new().name("scribe".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || {
                let written = write(&shared, writer);
                shared.broken.store(written.is_err(), Ordering::Relaxed);
                written
            }
        })?;
        let finish = Box::new({
            let shared = Arc::clone(&shared);
            move || shared.finish.store(true, Ordering::Release)
        });
        Ok((Recorder { shared }, Scribe { thread, finish }))
    }

    /// Lets the history's time go on, as that of `clock`: the load begins.
    pub(super) fn begin(&self, clock: Clock) {
        self.shared.lock().clock = Some(clock);
    }

    /// Records that `process` sets out to do `op` on `node`; answers when.
    pub(super) fn invoke(&self, process: Process, node: NodeName, op: O) -> Nanos {
        self.record(process, node, Phase::Invoke { op })
    }

    /// Records how it went; answers when.
    pub(super) fn complete(&self, process: Process, node: NodeName, answer: Answer<O::Reply>) -> Nanos {
        let phase = match answer {
            Answer::Ok { reply, warning } => Phase::Ok { reply, warning },
            Answer::Fail(cause) => Phase::Fail { cause: Box::new(cause) },
            Answer::Info(cause) => Phase::Info { cause: Box::new(cause) },
        };
        self.record(process, node, phase)
    }

    /// Whether the file can no longer be written; [`Scribe::finish`] says why.
    pub(super) fn is_broken(&self) -> bool {
        self.shared.broken.load(Ordering::Relaxed)
    }

    /// The time is read under the lock, so that the order of the events is the order of their times.
    fn record(&self, process: Process, node: NodeName, phase: Phase<O, O::Reply>) -> Nanos {
        let mut pending = self.shared.lock();
        let (index, time) = (pending.next, pending.clock.map_or(Nanos(0), |clock| clock.now()));
        pending.next += 1;
        pending.events.push(Event { index, time, process, node, phase });
        time
    }
}

impl<O: Operation> Shared<O> {
    fn lock(&self) -> MutexGuard<'_, Pending<O>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write<O: Operation>(shared: &Shared<O>, mut writer: Writer) -> io::Result<()> {
    loop {
        // Read before the events are taken: whoever finishes has recorded everything by then.
        let finish = shared.finish.load(Ordering::Acquire);
        let events = std::mem::take(&mut shared.lock().events);
        for event in events {
            writer.append(event)?;
        }
        if finish {
            return writer.finish();
        }
        writer.flush()?;
        std::thread::park_timeout(FLUSH_EVERY);
    }
}

impl Scribe {
    /// Writes what is left and the trailer that says the history is whole.
    pub(super) fn finish(self) -> io::Result<()> {
        (self.finish)();
        self.thread.thread().unpark();
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{CounterOp, CounterReply, file};

    #[test]
    fn what_is_recorded_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("counter.jsonl.zst");
        let header = Header { workload: "counter".to_owned(), concurrency: 1 };
        let (recorder, scribe) = Recorder::<CounterOp>::start(&path, &header).unwrap();
        let (process, node) = (Process::Client(0), NodeName::primary());
        recorder.invoke(process, node, CounterOp::ReadAll);
        recorder.complete(process, node, Answer::ok(CounterReply::All(vec![0])));
        let clock = Clock::start();
        recorder.begin(clock);
        for value in 1..=1000 {
            recorder.invoke(process, node, CounterOp::Increment { key: 1 });
            recorder.complete(process, node, Answer::ok(CounterReply::Incremented { value }));
        }
        scribe.finish().unwrap();
        let stored = file::read::<CounterOp>(&path).unwrap();
        assert!(stored.complete);
        assert_eq!(stored.history.completed_ok().count(), 1001);
        let times: Vec<Nanos> = stored.history.events().iter().map(|event| event.time).collect();
        assert!(times[..2] == [Nanos(0); 2] && times[2] > Nanos(0) && stored.history.end() <= clock.now());
    }
}
