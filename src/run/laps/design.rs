//! What a bench measures.

use crate::check::{Promise, Rows};
use crate::config::Plan;
use crate::history::Nanos;
use crate::report::bench::Original;
use crate::topology::local::Pgbench;
use crate::workload::bench::{Policy, Subject};
use crate::workload::counter::Mistake;

/// A bench, before it begins.
#[derive(Clone, Debug)]
pub struct Design {
    /// `counter` or `forum`.
    pub name: &'static str,
    /// The cluster, what is broken in every lap, deadlines, the seed, where the results go.
    pub plan: Plan,
    /// What is compared with each other.
    pub contests: Vec<Contest>,
    /// How often everything is measured.
    pub repeat: u32,
    /// A mistake that is made with every method.
    pub mistake: Option<Mistake>,
    /// The flags that repeat it, besides what `plan.toml` holds; each begins with a space.
    pub flags: String,
    /// What the figures mean beside those of the document that the bench grew out of.
    pub remarks: Vec<String>,
}

/// Methods that do the same, with as many clients.
#[derive(Clone, Debug)]
pub struct Contest {
    /// What they do.
    pub title: String,
    /// What the tasks are counted in at the end.
    pub value: &'static str,
    /// Clients.
    pub clients: u32,
    /// How much each of them does in a lap.
    pub amount: Amount,
    /// What happens when somebody else was faster.
    pub policy: Policy,
    /// Rows that the tasks are spread over: of a sharded counter, or accounts of the forum.
    pub slots: u32,
    /// Users whose client dies between two statements.
    pub deaths: u32,
    /// The methods; the others are compared with the first that is the base.
    pub entries: Vec<Entry>,
    /// The method that the others are compared with.
    pub base: &'static str,
}

/// One method.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is done, and how.
    pub subject: Subject,
    /// Who does it instead of replab.
    pub peer: Option<Pgbench>,
    /// What the document that the bench grew out of says of it.
    pub original: Option<Original>,
}

/// How much each client does in a lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many tasks.
    Each(u32),
    /// What there is time for.
    For(Nanos),
}

impl Entry {
    /// replab's own clients with this method.
    pub fn of(subject: Subject) -> Entry {
        Entry { subject, peer: None, original: None }
    }

    /// Its name in the tables.
    pub fn name(&self) -> String {
        match self.peer {
            Some(_) => format!("pgbench {}", self.subject.name()),
            None => self.subject.name().to_owned(),
        }
    }
}

impl Design {
    /// What is promised of the acknowledged tasks of `entry`.
    pub fn promise(&self, entry: &Entry) -> Promise {
        match () {
            () if entry.subject.loses() => Promise::Loses,
            () if self.plan.durability().claimed => Promise::Kept,
            () => Promise::NotDurable,
        }
    }

    /// What is promised of the rows that the tasks of `entry` leave, if they leave any.
    pub fn rows(&self, entry: &Entry) -> Rows {
        match () {
            () if !entry.subject.orphans() => Rows::Counted,
            () if self.plan.durability().claimed => Rows::Apart(Promise::Kept),
            () => Rows::Apart(Promise::NotDurable),
        }
    }

    /// How many laps there are.
    pub fn laps(&self) -> usize {
        self.contests.iter().map(|contest| contest.entries.len()).sum::<usize>() * self.repeat as usize
    }
}
