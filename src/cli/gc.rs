//! `replab gc`: what a killed replab left behind.

use std::path::PathBuf;

use serde_json::json;

use super::console::Console;
use super::{Exit, Failure, failures};
use crate::topology::compose;
use crate::topology::local::{StateDir, Swept, gc};

/// End and remove what killed runs left behind
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only say what would be ended and removed
    #[arg(long)]
    pub(super) dry_run: bool,
    /// The folder with the lab's own files (REPLAB_STATE_DIR)
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
}

/// Runs the command. Something that could not be ended is a failure of the lab.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    let state_dir = StateDir::open(args.state_dir.as_deref()).map_err(failures::topology)?;
    let mut found = gc(&state_dir, args.dry_run).map_err(failures::topology)?;
    found.extend(compose::gc(&state_dir, args.dry_run).map_err(failures::topology)?);
    if console.is_json() {
        let swept = |swept: &Swept| json!({ "name": swept.name, "killed": swept.killed, "discarded": swept.discarded, "removed": swept.removed, "failed": swept.failed });
        let swept: Vec<_> = found.iter().map(swept).collect();
        console.json(&json!({ "dry_run": args.dry_run, "found": swept }));
    } else if found.is_empty() {
        console.result("nothing was left behind\n");
    } else {
        let would = if args.dry_run { "would be " } else { "" };
        console.result(&found.iter().map(|swept| describe(swept, would)).collect::<String>());
    }
    let failed = found.iter().any(|swept| !swept.failed.is_empty());
    Ok(if failed { Exit::Lab } else { Exit::Valid })
}

fn describe(swept: &Swept, would: &str) -> String {
    let mut text = String::new();
    if !swept.killed.is_empty() {
        let name = swept.name.as_deref().unwrap_or("?");
        text += &format!("{} processes of `{name}` {would}killed: {:?}\n", swept.killed.len(), swept.killed);
    }
    for thing in &swept.discarded {
        text += &format!("{thing} {would}removed\n");
    }
    for path in &swept.removed {
        text += &format!("{} {would}removed\n", path.display());
    }
    for failed in &swept.failed {
        text += &format!("not done: {failed}\n");
    }
    text
}
