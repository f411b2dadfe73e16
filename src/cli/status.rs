//! `replab status`: the clusters that are up, and how their nodes are.

use std::time::Duration;

use comfy_table::{Table, presets};
use serde_json::{Value, json};

use super::clusters::{Which, endpoint};
use super::console::Console;
use super::present::{self, NodeNow};
use super::{Exit, Failure, failures};
use crate::history::{Clock, Condition, LagSample, LinkState, NodeName};
use crate::lsn::Lsn;
use crate::pg::probe::{self, LagProbe};
use crate::pg::{Deadlines, PgError, Session};
use crate::topology::local::{Cluster, ClusterState, StateDir};
use crate::topology::{Endpoint, Role};

/// How long a node may take to answer before it is shown as silent.
const DEADLINES: Deadlines = Deadlines { connect: Duration::from_secs(2), statement: Duration::from_secs(2) };

/// Show the clusters that are up, and how their nodes are
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) which: Which,
    /// Print what a shell needs to connect to a node, password included, for eval
    #[arg(long)]
    pub(super) env: bool,
    /// With --env: the node [default: writer, the primary of this moment]
    #[arg(requires = "env")]
    pub(super) node: Option<String>,
}

/// A node as it is now.
struct Health {
    endpoint: Endpoint,
    now: NodeNow,
    pid: Option<i32>,
    /// What it says, or why it says nothing.
    answer: Result<Position, String>,
}

struct Position {
    recovering: bool,
    lsn: Option<Lsn>,
    lag: Vec<LagSample>,
}

/// Runs the command.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    if args.env {
        console.refuse_json("status --env")?;
        let cluster = args.which.attach()?;
        console.result(&environment(&endpoint(&cluster, args.node.as_deref())?));
        return Ok(Exit::Valid);
    }
    let state_dir = StateDir::open(args.which.state_dir.as_deref()).map_err(failures::topology)?;
    let mut shown = Vec::new();
    for state in state_dir.clusters().map_err(failures::topology)? {
        if args.which.name.as_ref().is_none_or(|name| state.is_called(name)) {
            let cluster = Cluster::attach(&state_dir, state).map_err(failures::topology)?;
            let health = health(&cluster).await;
            shown.push((cluster.state(), health));
        }
    }
    if console.is_json() {
        let clusters: Vec<Value> = shown.iter().map(|(state, nodes)| cluster_json(state, nodes)).collect();
        console.json(&json!({ "clusters": clusters }));
    } else if shown.is_empty() {
        console.result("no cluster is up; replab up starts one\n");
    } else {
        console.result(&shown.iter().map(|(state, nodes)| cluster_text(state, nodes)).collect::<String>());
    }
    Ok(Exit::Valid)
}

async fn health(cluster: &Cluster) -> Vec<Health> {
    let endpoints = cluster.endpoints();
    let replicas: Vec<NodeName> =
        endpoints.iter().filter(|e| e.role == Role::Replica).map(|e| e.node).collect();
    let nodes = cluster.state().nodes;
    let mut health = Vec::new();
    for (endpoint, now) in endpoints.into_iter().zip(present::nodes(cluster)) {
        let process = nodes.iter().find(|node| node.name == endpoint.node).and_then(|n| n.process.as_ref());
        let pid = process.filter(|_| now.running).map(|process| process.pid);
        let answer = match now.is(Condition::Paused) {
            // It would only be waited for in vain.
            true => Err("it is paused, and answers nobody".to_owned()),
            false => ask(&endpoint, &replicas).await.map_err(|error| error.to_string()),
        };
        health.push(Health { endpoint, now, pid, answer });
    }
    health
}

async fn ask(endpoint: &Endpoint, replicas: &[NodeName]) -> Result<Position, PgError> {
    let session = Session::connect(&endpoint.conninfo, "replab status", DEADLINES).await?;
    let recovering = probe::is_in_recovery(&session).await?;
    let position = if recovering {
        Position { recovering, lsn: probe::replay_lsn(&session).await?, lag: Vec::new() }
    } else {
        let lag = LagProbe::prepare(&session).await?.sample(&session, &Clock::start(), replicas).await?;
        Position { recovering, lsn: probe::insert_lsn(&session).await?, lag }
    };
    session.close().await;
    Ok(position)
}

/// The primary's view of one replica.
fn sample_of<'a>(nodes: &'a [Health], replica: &Endpoint) -> Option<&'a LagSample> {
    let samples =
        nodes.iter().filter_map(|node| node.answer.as_ref().ok()).flat_map(|position| &position.lag);
    samples.into_iter().find(|sample| sample.node == replica.node)
}

fn behind(sample: &LagSample) -> Option<i128> {
    Some(sample.insert?.distance_from(sample.replayed?).max(0))
}

fn link(state: LinkState) -> &'static str {
    match state {
        LinkState::Streaming => "streaming",
        LinkState::Catchup => "catching up",
        LinkState::Disconnected => "disconnected",
        LinkState::Unknown => "unknown",
    }
}

fn cluster_text(state: &ClusterState, nodes: &[Health]) -> String {
    let kept = match &state.owner {
        None => "left running by replab up".to_owned(),
        Some(_) if state.is_orphan() => "left behind by a replab that is gone: replab gc".to_owned(),
        Some(owner) => format!("kept by replab process {}", owner.pid),
    };
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED.with_rounded_corners());
    table.set_header(["node", "role", "follows", "port", "pid", "state", "position", "link", "behind"]);
    for node in nodes {
        let (answer, position) = match &node.answer {
            Ok(position) if position.recovering => ("replays", position.lsn),
            Ok(position) => ("takes writes", position.lsn),
            Err(_) => ("does not answer", None),
        };
        let sample = sample_of(nodes, &node.endpoint);
        let dash = || "-".to_owned();
        table.add_row([
            node.endpoint.node.to_string(),
            node.now.role_word().to_owned(),
            node.now.follows.map_or_else(dash, |upstream| upstream.to_string()),
            node.endpoint.conninfo.port().to_string(),
            node.pid.map_or_else(dash, |pid| pid.to_string()),
            node.now.words(answer),
            position.map_or_else(dash, |lsn| lsn.to_string()),
            sample.map_or_else(dash, |sample| link(sample.state).to_owned()),
            sample.and_then(behind).map_or_else(dash, |bytes| format!("{bytes} B")),
        ]);
    }
    format!("{} · PostgreSQL {} · {kept}\n{table}\n", state.name, state.version)
}

fn cluster_json(state: &ClusterState, nodes: &[Health]) -> Value {
    let node = |node: &Health| {
        let sample = sample_of(nodes, &node.endpoint);
        let mut value = endpoint_json(&node.endpoint);
        value["pid"] = json!(node.pid);
        value["follows"] = json!(node.now.follows);
        value["conditions"] = json!(node.now.conditions);
        value["answers"] = json!(node.answer.is_ok());
        value["error"] = json!(node.answer.as_ref().err());
        value["lsn"] = json!(node.answer.as_ref().ok().and_then(|position| position.lsn));
        value["link"] = json!(sample.map(|sample| sample.state));
        let behind = sample.and_then(behind).and_then(|bytes| u64::try_from(bytes).ok());
        value["behind_bytes"] = json!(behind);
        value
    };
    json!({
        "name": state.name,
        "id": state.id,
        "version": state.version,
        "synchronous_commit": state.synchronous_commit,
        "owner": state.owner.as_ref().map(|owner| owner.pid),
        "logs": state.logs,
        "nodes": nodes.iter().map(node).collect::<Vec<_>>(),
    })
}

/// An endpoint without its password.
pub(super) fn endpoint_json(endpoint: &Endpoint) -> Value {
    json!({
        "node": endpoint.node,
        "role": endpoint.role,
        "host": endpoint.conninfo.host().to_string(),
        "port": endpoint.conninfo.port(),
        "url": endpoint.conninfo.to_string(),
    })
}

/// `export` lines; the one output that holds the password.
fn environment(endpoint: &Endpoint) -> String {
    let line = |(name, value): (&str, String)| format!("export {name}='{}'\n", value.replace('\'', r"'\''"));
    endpoint.conninfo.env().into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg::{Conninfo, Host, Secret};

    #[test]
    fn only_the_environment_holds_the_password() {
        let conninfo = Conninfo::new(Host::Tcp("127.0.0.1".to_owned()), 5432, "postgres", "postgres")
            .with_password(Secret::new("it's secret"));
        let endpoint = Endpoint { node: NodeName::primary(), role: Role::Primary, conninfo };
        assert!(environment(&endpoint).contains(r"export PGPASSWORD='it'\''s secret'"));
        assert!(!endpoint_json(&endpoint).to_string().contains("secret"));
    }
}
