//! The flags that say which cluster.

use std::path::PathBuf;

use clap::Args;

use crate::config::Overrides;

/// Which cluster, and what may be done to it.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ClusterArgs {
    /// local (PostgreSQL on this machine), compose (in containers), urls (servers that somebody else runs) or memory (a
    /// stand-in without PostgreSQL) [default: local]
    #[arg(short, long, value_name = "KIND", help_heading = "Cluster")]
    topology: Option<String>,
    /// Streaming replicas, 0 to 16 [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = "Cluster")]
    replicas: Option<i64>,
    /// off, local, remote_write, on or remote_apply [default: on]
    #[arg(long, value_name = "MODE", help_heading = "Cluster")]
    synchronous_commit: Option<String>,
    /// Which replicas a commit waits for, none, 'ANY 1' or 'FIRST 2 (replica-1, replica-2)' [default: all for the remote modes, none for the others]
    #[arg(long, value_name = "STANDBYS", help_heading = "Cluster")]
    sync_standbys: Option<String>,
    /// A replica behind a replica, 'replica-2<-replica-1'; repeat for more
    #[arg(long, value_name = "CASCADE", help_heading = "Cluster")]
    cascade: Vec<String>,
    /// on or off [default: off]
    #[arg(long, value_name = "SWITCH", help_heading = "Cluster")]
    hot_standby_feedback: Option<String>,
    /// How long replicas wait before they replay a commit [default: 0s]
    #[arg(long, value_name = "TIME", help_heading = "Cluster")]
    apply_delay: Option<String>,
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR", help_heading = "Cluster")]
    pg_bin: Option<PathBuf>,
    /// The containers' image [default: postgres:17]
    #[arg(long, value_name = "IMAGE", help_heading = "Cluster")]
    image: Option<String>,
    /// The primary's port; the replicas use those after it [default: free ones]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true, help_heading = "Cluster")]
    port: Option<i64>,

    /// The primary of a cluster that somebody else runs, as postgres://user@host/db; means --topology urls
    #[arg(long, value_name = "URL", help_heading = "Cluster")]
    writer: Option<String>,
    /// A replica of it; repeat for more
    #[arg(long, value_name = "URL", help_heading = "Cluster")]
    reader: Vec<String>,
    /// Leave the run's schema in the database of the URLs
    #[arg(long, help_heading = "Cluster")]
    keep: bool,

    /// Let faults be injected into a cluster that replab did not make
    #[arg(long, help_heading = "Faults")]
    allow_faults: bool,
}

impl ClusterArgs {
    /// As a part of the highest layer of the configuration.
    pub(super) fn overrides(&self) -> Overrides {
        let flags = self.clone();
        Overrides {
            topology: flags.topology,
            replicas: flags.replicas,
            pg_bin: flags.pg_bin,
            image: flags.image,
            port: flags.port,
            synchronous_commit: flags.synchronous_commit,
            synchronous_standbys: flags.sync_standbys,
            cascade: flags.cascade,
            hot_standby_feedback: flags.hot_standby_feedback,
            recovery_min_apply_delay: flags.apply_delay,
            writer: flags.writer,
            readers: flags.reader,
            keep: flags.keep,
            allow_faults: flags.allow_faults,
            ..Overrides::default()
        }
    }

    /// Whether servers that somebody else runs may be broken.
    pub(super) fn allows_faults(&self) -> bool {
        self.allow_faults
    }

    /// The flags again, for a command that repeats this one; without URLs, which may hold passwords.
    pub(super) fn words(&self) -> Vec<String> {
        let number = |flag: &str, value: &Option<i64>| value.map(|value| format!("--{flag} {value}"));
        let text =
            |flag: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{flag} '{value}'"));
        let set = |flag: &str, is_set: bool| is_set.then(|| format!("--{flag}"));
        let path = self.pg_bin.as_ref().map(|path| path.display().to_string());
        let mut words: Vec<Option<String>> = vec![
            text("topology", &self.topology),
            number("replicas", &self.replicas),
            text("synchronous-commit", &self.synchronous_commit),
            text("sync-standbys", &self.sync_standbys),
            text("hot-standby-feedback", &self.hot_standby_feedback),
            text("apply-delay", &self.apply_delay),
            text("pg-bin", &path),
            text("image", &self.image),
            number("port", &self.port),
            self.writer.as_ref().map(|_| "--writer URL".to_owned()),
            set("keep", self.keep),
            set("allow-faults", self.allow_faults),
        ];
        words.extend(self.cascade.iter().map(|cascade| Some(format!("--cascade '{cascade}'"))));
        words.extend(self.reader.iter().map(|_| Some("--reader URL".to_owned())));
        words.into_iter().flatten().collect()
    }
}
