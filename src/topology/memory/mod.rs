//! A primary and replicas in this process's memory: the whole pipeline without PostgreSQL, and a place to plant bugs.
//!
//! Without a [`Bug`] it is a correct cluster with synchronous replication: every commit shows on every node at once,
//! and a crash loses nothing but the answers that were under way. Each bug breaks that in exactly one way, so that the
//! checks can be seen to catch it. Nothing here is a model of PostgreSQL.

mod bug;
mod store;

pub use bug::Bug;
pub use store::{Row, Snapshot, Store, Write};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::history::{Action, NodeName, Table};
use bug::Defect;

/// A cluster in memory; copies are handles to the same one.
#[derive(Clone, Debug)]
pub struct Cluster {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    store: Store,
    defect: Defect,
    /// By node: how often it was started; `None` while it is down.
    boots: BTreeMap<NodeName, Option<u32>>,
    starts: u32,
    primary: NodeName,
}

/// A node to connect to.
#[derive(Clone, Debug)]
pub struct Handle {
    cluster: Cluster,
    node: NodeName,
}

/// A session on one node; it ends when the node does.
#[derive(Debug)]
pub struct Session {
    handle: Handle,
    boot: u32,
}

impl Cluster {
    /// A primary and `replicas` replicas, all up, with `bug` planted.
    pub fn up(replicas: usize, bug: Option<Bug>) -> Cluster {
        let primary = NodeName::primary();
        let nodes = std::iter::once(primary).chain((1..=replicas).map(NodeName::replica));
        let boots = nodes.map(|node| (node, Some(0))).collect();
        let state = State { store: Store::default(), defect: Defect::new(bug), boots, starts: 0, primary };
        Cluster { state: Arc::new(Mutex::new(state)) }
    }

    /// The nodes, the primary first.
    pub fn nodes(&self) -> Vec<NodeName> {
        self.lock().boots.keys().copied().collect()
    }

    /// The node that takes writes.
    pub fn primary(&self) -> NodeName {
        self.lock().primary
    }

    /// A node to connect to.
    pub fn handle(&self, node: NodeName) -> Handle {
        Handle { cluster: self.clone(), node }
    }

    /// Whether [`Cluster::act`] can do it.
    pub fn can(action: Action) -> bool {
        action.ends_processes() || action == Action::Start
    }

    /// Does `action` to `node`; an unknown node, or one that is not in the state the action needs, is an error.
    pub fn act(&self, node: NodeName, action: Action) -> Result<String, String> {
        if !Cluster::can(action) {
            return Err(format!("a cluster in memory cannot {action} a node"));
        }
        let mut state = self.lock();
        let state = &mut *state;
        let boot = state.boots.get_mut(&node).ok_or_else(|| format!("there is no node {node}"))?;
        match (action, boot.is_some()) {
            (Action::Start, true) => return Err(format!("{node} is already up")),
            (Action::Start, false) => {}
            (_, false) => return Err(format!("{node} is already down")),
            (_, true) => *boot = None,
        }
        if action.begins().is_none() {
            state.starts += 1;
            *boot = Some(state.starts);
        }
        if node == state.primary && action.is_abrupt() {
            state.defect.crash(&mut state.store);
        }
        Ok(if action.begins().is_some() { "down".to_owned() } else { "up".to_owned() })
    }

    /// Whether the node can be connected to.
    pub fn answers(&self, node: NodeName) -> bool {
        self.lock().boots.get(&node).is_some_and(Option::is_some)
    }

    /// The nodes that an action has left down.
    pub fn down_nodes(&self) -> Vec<NodeName> {
        self.lock().boots.iter().filter(|(_, boot)| boot.is_none()).map(|(node, _)| *node).collect()
    }

    /// Ends what a bug does only while the load runs.
    pub fn catch_up(&self) {
        self.lock().defect.catch_up();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handle {
    /// Opens a session; `None` while the node is down.
    pub fn connect(&self) -> Option<Session> {
        let boot = self.cluster.lock().boots.get(&self.node).copied().flatten()?;
        Some(Session { handle: self.clone(), boot })
    }
}

impl Session {
    /// Whether the node takes writes.
    pub fn is_primary(&self) -> bool {
        self.handle.node == self.handle.cluster.primary()
    }

    /// Whether the node still is the one that the session was opened on.
    pub fn is_open(&self) -> bool {
        self.state().is_some()
    }

    /// Runs one transaction: `body` looks at the store and says what to write and what to answer, or refuses.
    /// `None`: the session is over, and nothing was done.
    pub fn commit<R>(
        &self,
        mut body: impl FnMut(&Store) -> Result<(Vec<Write>, R), String>,
    ) -> Option<Result<R, String>> {
        let mut state = self.state()?;
        let State { store, defect, .. } = &mut *state;
        Some(body(store).map(|(mut writes, reply)| {
            defect.alter(&mut writes);
            let undo = store.apply(writes);
            if defect.applies_twice()
                && let Ok((again, _)) = body(store)
            {
                store.apply(again);
            }
            defect.committed(store, undo);
            reply
        }))
    }

    /// Runs one transaction whose reads are told from what it writes upon: `body` gets the state that it sees, and the one
    /// that is there. `None`: the session is over, and nothing was done.
    pub fn transact<R>(
        &self,
        mut body: impl FnMut(&Store, &Store) -> Result<(Vec<Write>, R), String>,
    ) -> Option<Result<R, String>> {
        let seen = self.state()?.defect.seen();
        self.commit(|store| body(seen.as_ref().unwrap_or(store), store))
    }

    /// One row as this node shows it. Outer `None`: the session is over.
    pub fn row(&self, table: Table, key: i64) -> Option<Option<Row>> {
        let state = self.state()?;
        let frozen = state.defect.frozen(self.handle.node == state.primary);
        Some(frozen.unwrap_or(&state.store).get(table, key).cloned())
    }

    /// Whole tables as this node shows them, in one snapshot. `None`: the session is over.
    pub fn scan(&self, tables: &[Table]) -> Option<Snapshot> {
        let mut state = self.state()?;
        let State { store, defect, primary, .. } = &mut *state;
        let on_primary = self.handle.node == *primary;
        let shown = defect.frozen(on_primary).unwrap_or(store).snapshot(tables);
        Some(if on_primary { shown } else { defect.distort(store, shown, tables) })
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.handle.cluster.lock();
        let open = state.boots.get(&self.handle.node).copied().flatten() == Some(self.boot);
        open.then_some(state)
    }
}
