//! A node's own disk: filled until nothing more fits, and given back, whatever has become of the server meanwhile.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::{Duration, Instant, sleep};

use super::ballast::{self, Ballast};
use super::node::{Node, PATIENCE};
use super::{Cluster, POLL, mount, started};
use crate::history::Condition;
use crate::topology::TopologyError;
use crate::topology::process::Account;
use crate::topology::servers::{self, Server, Servers, query_error};

/// What a disk holds. A server that has just been made takes 40 MB, the log at most a quarter of it in quiet times
/// (`max_wal_size`); and the memory of the machine has to hold all of it, for each node.
const SIZE: u64 = 512 << 20;

/// A replica that starts again has a stream within seconds; then it receives what was written meanwhile.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(60);

/// A file system of the node's own, which lies in the machine's memory.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    fill: Mutex<Fill>,
}

/// What was done to it.
#[derive(Clone, Debug)]
enum Fill {
    Empty,
    /// It may be full by now.
    Begun,
    Full(Ballast),
}

impl Disk {
    /// One that is mounted on the directory `root`, or will be.
    pub(super) fn new(root: PathBuf) -> Disk {
        Disk { root, fill: Mutex::new(Fill::Empty) }
    }

    /// Makes the directory, and the file system on it.
    pub(super) fn mount(&self, account: Option<&Account>) -> Result<(), TopologyError> {
        let made = fs::DirBuilder::new().mode(0o700).create(&self.root);
        made.map_err(TopologyError::io("create", &self.root))?;
        mount::mount(&self.root, SIZE, account)
    }

    /// Where the server's files are.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Gives back what another replab, which is gone, has taken.
    pub(super) fn free_of_others(&self) -> io::Result<()> {
        ballast::discard(&self.root)
    }

    fn fill(&self) -> MutexGuard<'_, Fill> {
        self.fill.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing may fit on it any more.
    pub(super) fn is_full(&self) -> bool {
        !matches!(*self.fill(), Fill::Empty)
    }

    /// `work` on the directory, in a thread that may wait for the system. That it fails is no fault of the machine's.
    async fn blocking<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, TopologyError> {
        let root = self.root.clone();
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        let done = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
        done.map_err(|error| TopologyError::lab(format!("{what} {}: {error}", self.root.display())))
    }
}

impl Node {
    fn disk(&self) -> Result<&Disk, TopologyError> {
        let without = "this cluster was made without small disks, so none can be filled";
        self.disk.as_ref().ok_or_else(|| TopologyError::lab(without))
    }
}

impl Cluster {
    /// Takes all that is left of a node's disk, and shows that one block more does not fit.
    pub(super) async fn fill_disk(&self, node: &Node) -> Result<String, TopologyError> {
        let disk = node.disk()?;
        node.running("fill the disk of")?;
        // Before it is full: from then on the server may end at any moment.
        *disk.fill() = Fill::Begun;
        let ballast = disk.blocking("fill", Ballast::put).await?;
        let bytes = ballast.bytes();
        *disk.fill() = Fill::Full(ballast);
        Ok(format!("a file takes the {bytes} bytes that were left; a block more does not fit (ENOSPC)"))
    }

    /// Gives it back; an error if it had been given back before that. Answers when the server writes again, after a start
    /// if it had ended, and when a replica has received what the primary has written.
    pub(super) async fn free_disk(&self, node: &Node) -> Result<String, TopologyError> {
        let condition = Condition::DiskFull;
        let disk = node.disk()?;
        let fill = disk.fill().clone();
        let Fill::Full(ballast) = fill else {
            return Err(TopologyError::NothingToCure { node: node.name, condition });
        };
        let look = move |root: &Path| {
            let lost = ballast.lost(root);
            let given_back = ballast::free(root)?;
            if lost.is_none() {
                ballast.lift()?;
            }
            Ok((lost, given_back, ballast.bytes(), ballast::has_room(root)?))
        };
        let (lost, given_back, bytes, has_room) = disk.blocking("free", look).await?;
        if let Some(why) = lost {
            return Err(node.did_not_hold(condition, why));
        }
        if !has_room {
            return Err(TopologyError::lab(format!(
                "nothing fits on the disk of {} that was freed",
                node.name
            )));
        }
        let server = self.writes_again(node).await?;
        *disk.fill() = Fill::Empty;
        let late =
            |_| TopologyError::NotTaken { node: node.name, condition, lifted: true, waited: CATCH_UP_LIMIT };
        let standing = *node.standing();
        let upstream = standing.upstream.filter(|_| self.is_fed(node));
        let stream = upstream.map(|name| self.node(name)).transpose()?.map(|upstream| (node, upstream));
        let follow = servers::catch_up(self, stream.as_slice(), CATCH_UP_LIMIT, late).await?;
        let given_back = match given_back {
            0 => String::new(),
            some => format!(", and the server had {some} bytes that it had removed itself"),
        };
        Ok(format!("the {bytes} bytes were still taken{given_back}; {server}{follow}"))
    }

    /// Waits until the server writes a checkpoint, after a start if it has ended of its full disk. One that was ended on
    /// purpose, or that has diverged, stays down.
    async fn writes_again(&self, node: &Node) -> Result<String, TopologyError> {
        let (diverged, asked) = (node.standing().diverged, node.life().asked);
        if diverged || asked {
            // It ended of its full disk, which is over; that it stays down is what is wanted now.
            if !node.is_running() {
                node.life().asked = true;
            }
            return Ok("the server stays down".to_owned());
        }
        let end = Instant::now() + 2 * PATIENCE;
        let mut restarted = None;
        loop {
            if !node.is_running() {
                if restarted.is_some() {
                    return Err(node.no_answer("it has ended again, with room on its disk".to_owned()));
                }
                let how = node.life().process.as_ref().and_then(|process| process.ended());
                let new = started(self.start(node).await?);
                restarted = Some(format!("the server had ended ({}); {new}", how.unwrap_or_default()));
            }
            // Who found no room just before ends in a moment; who can do this has nobody who did.
            match self.checkpoint(node).await {
                Ok(()) => {
                    return Ok(restarted.unwrap_or_else(|| "the server had gone on".to_owned())
                        + "; it has made a checkpoint");
                }
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(POLL).await,
            }
        }
    }

    async fn checkpoint(&self, node: &Node) -> Result<(), TopologyError> {
        let session = self.session(node, PATIENCE).await?;
        let made = session.batch("CHECKPOINT").await.map_err(query_error(node, "make a checkpoint"));
        session.close().await;
        made
    }
}
