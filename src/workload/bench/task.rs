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
    /// Rows that the tasks are spread over: of a sharded counter, or accounts of the forum.
    pub slots: u32,
    /// On whose behalf, from 0.
    pub user: u32,
    /// Whether the client dies while it is at it, between two statements.
    pub dies: bool,
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

/// The users that the clients act for, and how many of them die while they are at their first task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Crowd {
    /// Clients, among whom the users take turns.
    pub clients: u32,
    /// Users.
    pub users: u32,
    /// How many of them die.
    pub deaths: u32,
}

impl Crowd {
    /// `task`, which is its client's `place`-th, from 0, on behalf of whoever's turn it is. Those who die are spread evenly.
    pub fn assign(self, task: Task, place: u64) -> Task {
        let (users, deaths) = (u64::from(self.users.max(1)), u64::from(self.deaths));
        let user = place.saturating_mul(self.clients.into()).saturating_add(task.client.into());
        let dies = user < users && (user + 1) * deaths / users > user * deaths / users;
        Task { user: u32::try_from(user % users).unwrap_or(0), dies, ..task }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::counter::Method;

    /// The users of each client, and who of them dies, when each does `each` tasks.
    fn crowd(clients: u32, each: u64, deaths: u32) -> Vec<Task> {
        let task = Task {
            subject: Subject::Counter(Method::InPlace),
            mistake: None,
            policy: Policy::default(),
            slots: 1,
            user: 0,
            dies: false,
            client: 0,
            number: 0,
            draw: 0,
        };
        let crowd = Crowd { clients, users: clients * each as u32, deaths };
        let of = |client| (0..each + 3).map(move |place| crowd.assign(Task { client, ..task }, place));
        (0..clients).flat_map(of).collect()
    }

    #[test]
    fn every_user_has_a_turn_and_as_many_die_as_were_asked_for() {
        for (clients, each, deaths) in [(100, 1, 7), (10, 10, 7), (1, 100, 7), (7, 3, 21), (5, 2, 0)] {
            let tasks = crowd(clients, each, deaths);
            assert_eq!(tasks.iter().filter(|task| task.dies).count(), deaths as usize);
            let users: std::collections::BTreeSet<u32> = tasks.iter().map(|task| task.user).collect();
            assert_eq!(users.len() as u64, u64::from(clients) * each);
            let dead: std::collections::BTreeSet<u32> =
                tasks.iter().filter(|task| task.dies).map(|task| task.user).collect();
            assert_eq!(dead.len(), deaths as usize, "nobody dies twice");
        }
    }
}
