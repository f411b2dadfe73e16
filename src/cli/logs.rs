//! `replab logs`: what a node's server wrote.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use super::clusters::{Which, endpoint, failure, print};
use super::{Exit, Failure};

/// Show a node's log
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) which: Which,
    /// The node
    #[arg(default_value = "primary")]
    pub node: String,
    /// Go on as the log grows, until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Exit, Failure> {
    let cluster = args.which.attach()?;
    let node = endpoint(&cluster, Some(&args.node))?.node;
    let path = cluster.log(node).map_err(failure)?.to_path_buf();
    let mut shown = 0;
    loop {
        show_from(&path, &mut shown)?;
        if !args.follow {
            return Ok(Exit::Valid);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Prints what lies behind `shown` bytes.
fn show_from(path: &PathBuf, shown: &mut u64) -> Result<(), Failure> {
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
    print(&String::from_utf8_lossy(&bytes));
    Ok(())
}
