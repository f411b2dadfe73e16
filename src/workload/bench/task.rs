//! What a client is asked to do, and the sequence of it.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::retry::{Effort, Policy};
use super::subject::Subject;
use crate::history::{Operation, Reply, TableDigest};
use crate::workload::counter::Mistake;

/// One task of one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// What, and how.
    pub subject: Subject,
    /// A mistake that is made with it.
    pub mistake: Option<Mistake>,
    /// What happens when somebody else was faster.
    pub policy: Policy,
    /// Rows that share a sharded counter.
    pub slots: u32,
    /// The client, from 0.
    pub client: u32,
    /// Which of the client's tasks, from 0.
    pub number: u32,
    /// Decides whatever is random about it.
    pub draw: u64,
}

impl Operation for Task {
    type Reply = Effort;

    fn is_read_only(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        self.subject.task()
    }

    fn is_load(&self) -> bool {
        true
    }
}

impl Reply for Effort {
    fn digest(&self) -> Option<&TableDigest> {
        None
    }
}

/// The tasks of one client, without end.
#[derive(Debug)]
pub struct Tasks {
    next: Task,
    rng: ChaCha8Rng,
}

impl Tasks {
    /// Those of client `client`, all like `task`; what is random about them follows from `seed`.
    pub fn new(task: Task, client: u32, seed: u64) -> Tasks {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(client));
        Tasks { next: Task { client, number: 0, ..task }, rng }
    }
}

impl Iterator for Tasks {
    type Item = Task;

    fn next(&mut self) -> Option<Task> {
        let task = Task { draw: self.rng.random(), ..self.next };
        self.next.number = self.next.number.wrapping_add(1);
        Some(task)
    }
}
