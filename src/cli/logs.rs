//! `replab logs`: what a node's server wrote.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use super::clusters::{Which, endpoint};
use super::console::Console;
use super::{Exit, Failure, failures};

/// Show a node's log
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) which: Which,
    /// The node [default: writer, the primary of this moment]
    pub(super) node: Option<String>,
    /// Go on as the log grows, until Ctrl-C
    #[arg(short, long)]
    pub(super) follow: bool,
}

/// Runs the command.
pub(super) async fn run(args: Args, console: &Console) -> Result<Exit, Failure> {
    console.refuse_json("logs")?;
    let cluster = args.which.attach()?;
    let node = endpoint(&cluster, args.node.as_deref())?.node;
    let path = cluster.log(node).map_err(failures::topology)?.to_path_buf();
    let mut shown = 0;
    loop {
        show_from(&path, &mut shown, console)?;
        if !args.follow {
            return Ok(Exit::Valid);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Prints what lies behind `shown` bytes.
fn show_from(path: &PathBuf, shown: &mut u64, console: &Console) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(*shown))?;
        file.read_to_end(&mut bytes)
    });
    let read = read.map_err(|error| {
        let error = anyhow::Error::new(error).context(format!("read {}", path.display()));
        Failure::new(Exit::Environment, error)
    })?;
    *shown += u64::try_from(read).unwrap_or(0);
    console.result(&String::from_utf8_lossy(&bytes));
    Ok(())
}
