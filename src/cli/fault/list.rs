//! `replab fault list`: what can be done, and what has been.

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::super::clusters::Which;
use super::super::console::Console;
use super::super::present::{NodeNow, nodes};
use super::super::{Exit, Failure, failures};
use crate::fault::catalogue;
use crate::history::Action;
use crate::topology::TopologyError;
use crate::topology::local::{Cluster, ClusterState, StateDir};

/// Prints every fault, and the nodes of the cluster that is meant, if there is one.
pub(super) fn list(which: &Which, console: &Console) -> Result<Exit, Failure> {
    let state_dir = StateDir::open(which.state_dir.as_deref()).map_err(failures::topology)?;
    let cluster = match state_dir.find(which.name.as_deref()) {
        Ok(state) => Some(Cluster::attach(&state_dir, state).map_err(failures::topology)?),
        // Nobody asked for a certain one.
        Err(TopologyError::NoCluster { name: None }) => None,
        Err(error) => return Err(failures::topology(error)),
    };
    let cluster = cluster.map(|cluster| (cluster.state(), nodes(&cluster)));
    if console.is_json() {
        let faults: Vec<Value> = Action::ALL.into_iter().map(fault_json).collect();
        let cluster = cluster.map(|(state, nodes)| cluster_json(&state, &nodes));
        console.json(&json!({ "faults": faults, "cluster": cluster }));
    } else {
        console.result(&faults_text());
        let none = || "\nno cluster is up; replab up starts one\n".to_owned();
        console.result(&cluster.map_or_else(none, |(state, nodes)| cluster_text(&state, &nodes)));
    }
    Ok(Exit::Valid)
}

fn fault_json(action: Action) -> Value {
    json!({
        "fault": catalogue::syntax(action),
        "explanation": catalogue::explanation(action),
        "supported": super::can(action),
    })
}

fn faults_text() -> String {
    let width = Action::ALL.iter().map(|action| catalogue::syntax(*action).len()).max().unwrap_or_default();
    let line = |action: Action| {
        let not = if super::can(action) { "" } else { "; in a run only" };
        format!("  {:width$}  {}{not}\n", catalogue::syntax(action), catalogue::explanation(action))
    };
    let faults: String = Action::ALL.into_iter().map(line).collect();
    format!(
        "Faults, for replab fault inject 'FAULT' at once and for replab run --fault 'FAULT@TIME':\n{faults}\
         NODE is a node's name, or writer: the primary of that moment.\n"
    )
}

/// What nodes are in, as a document.
pub(super) fn cluster_json(state: &ClusterState, nodes: &[NodeNow]) -> Value {
    json!({
        "name": state.name,
        "id": state.id,
        "kind": "local",
        "nodes": nodes.iter().map(NodeNow::json).collect::<Vec<_>>(),
    })
}

fn cluster_text(state: &ClusterState, nodes: &[NodeNow]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header(["node", "role", "follows", "state"]);
    for node in nodes {
        let follows = node.follows.map_or_else(|| "-".to_owned(), |node| node.to_string());
        table.add_row([node.node.to_string(), node.role_word().to_owned(), follows, node.words("up")]);
    }
    format!("\ncluster `{}`:\n{table}\n", state.name)
}
