//! Lists, commits, and what a snapshot of them shows.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::settings::{Fault, Level, Settings};
use crate::history::txn::Value;

/// A key's list.
#[derive(Debug, Default)]
struct List {
    elements: Vec<Value>,
    /// How many elements were appended by clients, to whatever end.
    asked: i64,
}

/// A commit that appended something.
#[derive(Debug)]
struct Commit {
    /// Key, and how many elements.
    appended: Vec<(u32, u32)>,
    /// The keys that its transaction read or wrote.
    touched: Vec<u32>,
    /// How many commits there were when its transaction was invoked.
    begun: u64,
}

/// What a transaction does when it commits.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pub(super) appends: Vec<(u32, Value)>,
    pub(super) touched: Vec<u32>,
    /// How many commits there were when it was invoked.
    pub(super) begun: u64,
}

/// The whole database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) settings: Settings,
    lists: Vec<List>,
    /// The keys in use.
    active: Vec<u32>,
    /// The last commits.
    recent: Vec<Commit>,
    /// How many commits appended something.
    commits: u64,
    /// Whether the newest of them was acknowledged.
    is_acknowledged: bool,
    /// Whether somebody on the primary, and on the replica, has seen all of them.
    is_seen: [bool; 2],
}

/// How many commits a stale snapshot may miss.
const RECENT: usize = 8;

/// Which of the last commits a reader does not see, counted from the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// It sees all of them.
    Whole,
    /// Not the newest so many.
    Behind(usize),
    /// Not this one, but those after it.
    Without(usize),
}

impl Database {
    pub(super) fn new(settings: &Settings) -> Database {
        let lists = (0..settings.keys.max(1)).map(|_| List::default()).collect();
        let active = (0..settings.keys.max(1)).collect();
        Database {
            settings: *settings,
            lists,
            active,
            recent: Vec::new(),
            commits: 0,
            is_acknowledged: true,
            is_seen: [false; 2],
        }
    }

    /// A key in use.
    pub(super) fn key(&self, random: &mut ChaCha8Rng) -> u32 {
        self.active[random.random_range(0..self.active.len())]
    }

    /// The next element for `key`; after the last one it is replaced by a new key.
    pub(super) fn element(&mut self, key: u32) -> Value {
        let list = &mut self.lists[key as usize];
        list.asked += 1;
        let element = Value(list.asked);
        if list.asked >= i64::from(self.settings.appends) {
            let new = self.lists.len() as u32;
            if let Some(place) = self.active.iter().position(|&active| active == key) {
                self.active[place] = new;
                self.lists.push(List::default());
            }
        }
        element
    }

    /// How many elements of `key` a reader sees.
    pub(super) fn length(&self, key: u32, view: View) -> u32 {
        let all = self.lists[key as usize].elements.len() as u32;
        let of = |commit: &Commit| {
            commit.appended.iter().filter(|(of, _)| *of == key).map(|(_, count)| count).sum::<u32>()
        };
        let newest = self.recent.iter().rev();
        all - match view {
            View::Whole => 0,
            View::Behind(commits) => newest.take(commits).map(of).sum(),
            View::Without(commit) => newest.skip(commit).take(1).map(of).sum(),
        }
    }

    /// The first elements of `key`.
    pub(super) fn elements(&self, key: u32, length: u32) -> &[Value] {
        let elements = &self.lists[key as usize].elements;
        &elements[..(length as usize).min(elements.len())]
    }

    /// What a new reader on the primary, or on the replica, sees.
    pub(super) fn view(&mut self, on_replica: bool, random: &mut ChaCha8Rng) -> View {
        let view = match self.settings.level {
            Level::StaleSnapshot if on_replica => View::Behind(random.random_range(0..=self.recent.len())),
            Level::LongFork if !self.is_seen[usize::from(on_replica)] => self.half(on_replica, random),
            _ => View::Whole,
        };
        self.is_seen[usize::from(on_replica)] |= view == View::Whole;
        view
    }

    /// Commits come in pairs, and each node has an order of its own for the two. The replica shows none of a pair before both
    /// are there; the primary may show the second one late, but not when it was acknowledged.
    fn half(&self, on_replica: bool, random: &mut ChaCha8Rng) -> View {
        match (on_replica, self.commits.is_multiple_of(2)) {
            (true, false) => View::Behind(1),
            (true, true) if self.are_apart() && random.random_range(0..2) == 0 => View::Without(1),
            (false, true) if !self.is_acknowledged && random.random_range(0..2) == 0 => View::Behind(1),
            _ => View::Whole,
        }
    }

    /// A writer on the primary takes its snapshot: it sees everything.
    pub(super) fn see(&mut self) {
        self.is_seen[0] = true;
    }

    /// Whether the newest commit cannot have had anything to do with the one before: it neither saw it nor began after it.
    fn are_apart(&self) -> bool {
        let [.., before, newest] = self.recent.as_slice() else { return false };
        newest.begun + 2 <= self.commits
            && !before.appended.iter().any(|(key, _)| newest.touched.contains(key))
    }

    /// Appends what a transaction wrote. False: it is told that it failed.
    pub(super) fn commit(&mut self, writes: Writes, random: &mut ChaCha8Rng) -> bool {
        let Writes { appends, touched, begun } = writes;
        let fault = self.settings.fault.filter(|(_, once)| random.random_range(0..(*once).max(1)) == 0);
        let fault = fault.map(|(fault, _)| fault);
        if fault == Some(Fault::LostWrite) {
            return true;
        }
        let mut counts: Vec<(u32, u32)> = Vec::new();
        let times = if fault == Some(Fault::DuplicateApply) { 2 } else { 1 };
        for &(key, element) in appends.iter().cycle().take(appends.len() * times) {
            self.append(key, element, &mut counts);
        }
        if let (Some(Fault::Garbage), Some(&(key, _))) = (fault, appends.first()) {
            self.append(key, Value(-1 - self.commits as i64), &mut counts);
        }
        if !counts.is_empty() {
            if self.recent.len() == RECENT {
                self.recent.remove(0);
            }
            self.recent.push(Commit { appended: counts, touched, begun });
            self.commits += 1;
            self.is_acknowledged = false;
            self.is_seen = [false; 2];
        }
        fault != Some(Fault::AbortedWrite)
    }

    /// The client of commit `commit` has its answer.
    pub(super) fn acknowledge(&mut self, commit: u64) {
        self.is_acknowledged |= commit == self.commits;
    }

    /// How many commits there were.
    pub(super) fn commits(&self) -> u64 {
        self.commits
    }

    /// Appends at once, as a transaction that is not isolated does.
    pub(super) fn write(&mut self, key: u32, element: Value) {
        self.lists[key as usize].elements.push(element);
    }

    fn append(&mut self, key: u32, element: Value, counts: &mut Vec<(u32, u32)>) {
        self.lists[key as usize].elements.push(element);
        match counts.iter_mut().find(|(of, _)| *of == key) {
            Some((_, count)) => *count += 1,
            None => counts.push((key, 1)),
        }
    }
}
