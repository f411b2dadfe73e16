//! A client: what it asks for, and what it sees.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::database::{Database, View, Writes};
use super::settings::Level;
use crate::history::Nanos;
use crate::history::txn::{Builder, Refused, Seen, Status, TxnId, Value};

/// An operation, and for a read how much it saw.
#[derive(Clone, Copy, Debug)]
enum Op {
    Append(u32, Value),
    Read(u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Idle,
    /// The next operation to be done.
    Doing(usize),
    /// Committed, or not.
    Over(bool),
}

/// One client.
#[derive(Debug)]
pub(super) struct Client {
    process: u32,
    stage: Stage,
    txn: TxnId,
    ops: Vec<Op>,
    on_replica: bool,
    /// How long each list that is written was when the snapshot was taken.
    seen: Vec<(u32, u32)>,
    /// How many commits there were when its transaction was invoked, and after its own.
    begun: u64,
    commit: u64,
}

/// What came of one step.
pub(super) struct Step {
    /// Whether somebody outside could see it.
    pub(super) is_event: bool,
    /// A transaction more or less.
    pub(super) running: i32,
}

impl Client {
    pub(super) fn new(process: u32) -> Client {
        Client {
            process,
            stage: Stage::Idle,
            txn: 0,
            ops: Vec::new(),
            on_replica: false,
            seen: Vec::new(),
            begun: 0,
            commit: 0,
        }
    }

    /// Goes on by one step. `nodes` are the primary and the replica, `event` is the next event's number and time.
    pub(super) fn step(
        &mut self,
        database: &mut Database,
        builder: &mut Builder,
        random: &mut ChaCha8Rng,
        nodes: [u16; 2],
        event: (u32, Nanos),
        may_begin: bool,
    ) -> Result<Step, Refused> {
        let quiet = Step { is_event: false, running: 0 };
        match self.stage {
            Stage::Idle if !may_begin => Ok(quiet),
            Stage::Idle => {
                self.plan(database, random);
                let node = nodes[usize::from(self.on_replica)];
                self.txn = builder.invoke(self.process, node, event.0, event.1)?;
                self.stage = Stage::Doing(0);
                Ok(Step { is_event: true, running: 1 })
            }
            Stage::Doing(next) => {
                self.go_on(next, database, random);
                self.commit = database.commits();
                Ok(quiet)
            }
            Stage::Over(committed) => {
                let status = if committed { Status::Ok } else { Status::Fail };
                builder.complete(self.txn, status, event.0, event.1);
                let name = |key: u32| Value(i64::from(key));
                let registers = database.settings.registers;
                builder.mops(
                    self.txn,
                    self.ops.iter().map(|op| match *op {
                        Op::Append(key, element) if registers => (name(key), Seen::Write(element)),
                        Op::Append(key, element) => (name(key), Seen::Append(element)),
                        Op::Read(key, _) if !committed => (name(key), Seen::Unread),
                        Op::Read(key, length) if registers => {
                            (name(key), Seen::Read(database.elements(key, length).last().copied()))
                        }
                        Op::Read(key, length) => (name(key), Seen::List(database.elements(key, length))),
                    }),
                )?;
                database.acknowledge(self.commit);
                self.stage = Stage::Idle;
                Ok(Step { is_event: true, running: -1 })
            }
        }
    }

    fn plan(&mut self, database: &mut Database, random: &mut ChaCha8Rng) {
        let has_replica = matches!(database.settings.level, Level::StaleSnapshot | Level::LongFork);
        self.on_replica = has_replica && self.process % 2 == 1;
        self.begun = database.commits();
        self.ops.clear();
        for _ in 0..random.random_range(1..=database.settings.operations.max(1)) {
            let key = database.key(random);
            let is_own = self.ops.iter().any(|op| matches!(op, Op::Append(of, _) if *of == key));
            if !self.on_replica && random.random_range(0..2) == 0 {
                let element = database.element(key);
                self.ops.push(Op::Append(key, element));
            } else if !is_own {
                self.ops.push(Op::Read(key, 0));
            }
        }
    }

    fn go_on(&mut self, next: usize, database: &mut Database, random: &mut ChaCha8Rng) {
        match database.settings.level {
            Level::StrictSerializable => {
                self.read(database, View::Whole, 0..self.ops.len());
                self.stage = Stage::Over(database.commit(self.writes(), random));
            }
            Level::Snapshot | Level::StaleSnapshot | Level::LongFork if next == 0 => {
                // Only readers may look at anything else than what they will append to.
                let writes = self.writes();
                let view = if writes.appends.is_empty() {
                    database.view(self.on_replica, random)
                } else {
                    database.see();
                    View::Whole
                };
                self.read(database, view, 0..self.ops.len());
                self.seen =
                    writes.appends.iter().map(|&(key, _)| (key, database.length(key, View::Whole))).collect();
                self.stage = Stage::Doing(1);
            }
            Level::Snapshot | Level::StaleSnapshot | Level::LongFork => {
                let is_first =
                    self.seen.iter().all(|&(key, length)| database.length(key, View::Whole) == length);
                self.stage = Stage::Over(is_first && database.commit(self.writes(), random));
            }
            Level::ReadCommitted | Level::Unisolated => self.one(next, database, random),
        }
    }

    /// One operation at a time.
    fn one(&mut self, next: usize, database: &mut Database, random: &mut ChaCha8Rng) {
        let shows_at_once = database.settings.level == Level::Unisolated;
        if next < self.ops.len() {
            self.read(database, View::Whole, next..next + 1);
            if let (Op::Append(key, element), true) = (self.ops[next], shows_at_once) {
                database.write(key, element);
            }
            self.stage = Stage::Doing(next + 1);
            return;
        }
        let committed = if shows_at_once {
            random.random_range(0..10) > 0
        } else {
            database.commit(self.writes(), random)
        };
        self.stage = Stage::Over(committed);
    }

    fn read(&mut self, database: &Database, view: View, which: std::ops::Range<usize>) {
        for op in &mut self.ops[which] {
            if let Op::Read(key, length) = op {
                *length = database.length(*key, view);
            }
        }
    }

    fn writes(&self) -> Writes {
        let mut writes = Writes { begun: self.begun, ..Writes::default() };
        for op in &self.ops {
            let (Op::Append(key, _) | Op::Read(key, _)) = *op;
            writes.touched.push(key);
            if let Op::Append(key, element) = *op {
                writes.appends.push((key, element));
            }
        }
        writes
    }
}
