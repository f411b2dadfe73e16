//! `replab fault`: faults at once, on a cluster that `replab up` left running.

mod list;
mod told;

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use super::clusters::Which;
use super::console::Console;
use super::present::{nodes, present};
use super::run::forward_signals;
use super::{Exit, Failure, failures};
use crate::fault::Act;
use crate::history::{Action, Condition, NodeName};
use crate::run::Injector;
use crate::topology::local::{Cluster, ClusterState, Hold, StateDir};
use crate::topology::{Topology, TopologyError};
use told::Told;

/// What to do with faults.
#[derive(Debug, clap::Subcommand)]
pub(super) enum FaultCommand {
    /// Show every fault, and what the nodes of a cluster that is up are in
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Do faults to a cluster that is up, at once and in the order given
    Inject {
        /// Such as 'pause(replica-1)', or several: 'kill(writer),promote(best)'
        #[arg(required = true, value_name = "FAULT")]
        faults: Vec<String>,
        #[command(flatten)]
        which: Which,
    },
    /// End whatever faults have left nodes in, and see that every replica follows
    Heal {
        #[command(flatten)]
        which: Which,
    },
}

/// Runs the command.
pub(super) async fn run(command: FaultCommand, console: &Console) -> Result<Exit, Failure> {
    match command {
        FaultCommand::List { which } => list::list(&which, console),
        FaultCommand::Inject { faults, which } => inject(&faults.join(","), &which, console).await,
        FaultCommand::Heal { which } => heal(&which, console).await,
    }
}

/// The cluster that is meant, for this process alone.
struct Patient {
    _hold: Hold,
    state_dir: StateDir,
    state: ClusterState,
}

impl Patient {
    fn find(which: &Which) -> Result<Patient, Failure> {
        let (hold, state_dir, state) = which.take()?;
        if state.is_orphan() {
            let error =
                anyhow::anyhow!("the cluster `{}` was left behind by a replab that is gone", state.name);
            return Err(Failure::new(Exit::Environment, error).help("replab gc ends and removes it"));
        }
        Ok(Patient { _hold: hold, state_dir, state })
    }

    /// As it is written down by now.
    fn cluster(&self) -> Result<Cluster, Failure> {
        let state = self.state_dir.find(Some(&self.state.id)).map_err(failures::topology)?;
        Cluster::attach(&self.state_dir, state).map_err(failures::topology)
    }

    fn injector(&self, console: &Console) -> Result<Injector<Told>, Failure> {
        let topology = Topology::Local(Box::new(self.cluster()?));
        Ok(Injector::new(Arc::new(topology), Told::new(*console)))
    }
}

async fn inject(text: &str, which: &Which, console: &Console) -> Result<Exit, Failure> {
    let option = which.option();
    let usage = |error: anyhow::Error| {
        Failure::new(Exit::Usage, error)
            .help(format!("replab fault list{option} shows what can be done, and what the nodes are in"))
    };
    let acts = Act::several(text).map_err(|error| usage(error.into()))?;
    let patient = Patient::find(which)?;
    let cluster = patient.cluster()?;
    let present = present(&cluster)
        .ok_or_else(|| failures::topology(TopologyError::lab("the cluster has no primary")))?;
    present.allow(&acts, can).map_err(|error| usage(error.into()))?;

    let injector = patient.injector(console)?;
    // What has begun is completed: half of it would be written down nowhere.
    let (interrupted, interrupt) = watch::channel(false);
    let asked = tokio::spawn(forward_signals(interrupted));
    let mut exit = Exit::Valid;
    for act in acts {
        if *interrupt.borrow() {
            console.note(&format!("interrupted before {act}"));
            exit = Exit::Interrupted;
            break;
        }
        injector.inject(act).await.map_err(|error| failed(error, &format!("{act} failed"), &option))?;
    }
    asked.abort();
    let cluster = patient.cluster()?;
    if console.is_json() {
        let cluster = list::cluster_json(&cluster.state(), &nodes(&cluster));
        console.json(&json!({ "done": injector.witness().done(), "cluster": cluster }));
    } else {
        console.result(&how_to_heal(&cluster.conditions(), &option));
    }
    Ok(exit)
}

/// What ends each condition, and what ends all.
fn how_to_heal(conditions: &[(NodeName, Condition)], option: &str) -> String {
    if conditions.is_empty() {
        return "\nnothing lasts, so there is nothing to heal\n".to_owned();
    }
    let cure = |(node, condition): &(NodeName, Condition)| {
        let act = format!("{}({node})", condition.cure());
        (format!("replab fault inject{option} '{act}'"), format!("{node} is {condition}"))
    };
    let all = (format!("replab fault heal{option}"), "ends all of it".to_owned());
    let lines: Vec<(String, String)> = conditions.iter().map(cure).chain([all]).collect();
    let width = lines.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    let lines = lines.iter().map(|(command, what)| format!("  {command:width$}  {what}\n"));
    format!("\nto heal:\n{}", lines.collect::<String>())
}

async fn heal(which: &Which, console: &Console) -> Result<Exit, Failure> {
    let option = which.option();
    let patient = Patient::find(which)?;
    let cluster = patient.cluster()?;
    if let Some(node) = cluster.dead().first() {
        let why = cluster.died_unasked().unwrap_or_else(|| format!("{node} does not run"));
        return Err(Failure::new(Exit::Lab, anyhow::anyhow!("{why}")).help(format!(
            "no fault did that; replab fault inject{option} 'start({node})' starts it, then heal"
        )));
    }
    let was_whole = cluster.conditions().is_empty();
    let injector = patient.injector(console)?;
    let (interrupted, _interrupt) = watch::channel(false);
    // Ctrl-C does not leave it half done.
    let asked = tokio::spawn(forward_signals(interrupted));
    injector.heal().await.map_err(|error| failed(error, "healing failed", &option))?;
    asked.abort();
    let cluster = patient.cluster()?;
    if let Some((node, condition)) = cluster.conditions().first() {
        let error = TopologyError::lab(format!("{node} is still {condition}"));
        return Err(failed(error, "healing failed", &option));
    }
    let (writer, _) = cluster.writer().map_err(failures::topology)?;
    if console.is_json() {
        let cluster = list::cluster_json(&cluster.state(), &nodes(&cluster));
        console.json(&json!({ "done": injector.witness().done(), "cluster": cluster }));
    } else {
        let nothing = if was_whole { "nothing to heal; " } else { "" };
        console.result(&format!("{nothing}every replica follows the primary, {writer}\n"));
    }
    Ok(Exit::Valid)
}

/// What was under way, why it did not work, and what may.
fn failed(error: TopologyError, what: &str, option: &str) -> Failure {
    let anew = match &error {
        TopologyError::DidNotHold { node, .. } => {
            format!(
                "somebody else may have ended it; replab fault inject{option} 'crash({node})' starts {node} anew\n"
            )
        }
        _ => String::new(),
    };
    // Nothing was done, and nobody could know before that it would not be possible.
    let impossible = error.is_left_alone();
    let mut failure = failures::topology(error);
    if impossible {
        failure.exit = Exit::Usage;
    }
    let help =
        format!("{anew}replab fault list{option} shows what the nodes are in, replab logs{option} NODE why");
    let help = failure.help.clone().map_or(help.clone(), |first| format!("{first}\n{help}"));
    Failure { error: failure.error.context(what.to_owned()), ..failure }.help(help)
}

/// What can be done by hand: a cluster that stays up has no links, which networks are disturbed through, and its nodes
/// have no disks of their own.
fn can(action: Action) -> bool {
    Cluster::can(action) && !action.is_of_network() && !action.is_of_disk()
}
