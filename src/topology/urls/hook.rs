//! A command of the user's.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;

use crate::history::NodeName;
use crate::pg::Conninfo;
use crate::topology::TopologyError;
use crate::topology::process::{Program, last_lines};

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A command, and for whom.
pub(super) struct Hook<'a> {
    /// The key of the configuration.
    pub(super) name: &'static str,
    /// For `sh -c`.
    pub(super) command: &'a str,
    /// Becomes `REPLAB_NODE`.
    pub(super) node: NodeName,
    /// Becomes `REPLAB_PRIMARY`: who is the primary before it.
    pub(super) primary: NodeName,
    /// Its host and port become `REPLAB_HOST` and `REPLAB_PORT`.
    pub(super) conninfo: &'a Conninfo,
    /// Where its output goes.
    pub(super) logs_dir: &'a Path,
}

impl Hook<'_> {
    /// Runs it to its end, with replab's own environment and folder. One that is still there after [`LIMIT`] is killed
    /// with all of its process group; when nobody waits any more, it is asked to end.
    pub(super) async fn run(self) -> Result<String, TopologyError> {
        let path = self.logs_dir.join(format!("{}.log", self.name));
        let begins = fs::metadata(&path).map_or(0, |data| data.len());
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(TopologyError::io("write", &path))?;
        let envs = vec![
            ("REPLAB_NODE", self.node.to_string()),
            ("REPLAB_PRIMARY", self.primary.to_string()),
            ("REPLAB_HOST", self.conninfo.host().to_string()),
            ("REPLAB_PORT", self.conninfo.port().to_string()),
        ];
        let shell = Program::new("/bin/sh", Path::new("."), None).args(["-c", self.command]).envs(envs);
        let group = shell.keeping_environment().supervise(log)?.into_group();
        let ended = timeout(LIMIT, group.wait()).await;
        let why = match ended {
            Ok(status) if status.success() => return Ok(format!("{} ended well", self.name)),
            Ok(status) => status.to_string(),
            Err(_) => {
                group.kill();
                format!("still running after {} s", LIMIT.as_secs())
            }
        };
        let text = fs::read(&path).unwrap_or_default();
        let begins = usize::try_from(begins).unwrap_or(0).min(text.len());
        let output = last_lines(&String::from_utf8_lossy(&text[begins..]), 12);
        Err(TopologyError::Hook { name: self.name, node: self.node, why, output })
    }
}
