//! The flags that say which cluster.

use std::path::PathBuf;

use clap::Args;

use crate::config::Overrides;

/// Which cluster, and what may be done to it.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct ClusterArgs {
    /// local (PostgreSQL on this machine), compose (in containers), urls (servers that somebody else runs), aurora (a
    /// cluster of AWS's) or memory (a stand-in without PostgreSQL) [default: local]
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
    /// Leave the run's schema in the database of a cluster that replab did not make
    #[arg(long, help_heading = "Cluster")]
    keep: bool,

    /// An Aurora PostgreSQL cluster, by its identifier; means --topology aurora
    #[arg(long, value_name = "IDENTIFIER", help_heading = "Aurora")]
    cluster: Option<String>,
    /// Its region [default: as AWS's own settings say]
    #[arg(long, value_name = "REGION", help_heading = "Aurora")]
    region: Option<String>,
    /// The profile of AWS's configuration files [default: as AWS's own settings say]
    #[arg(long, value_name = "NAME", help_heading = "Aurora")]
    profile: Option<String>,
    /// Another address of the RDS API, such as that of replab aurora serve
    #[arg(long, value_name = "URL", help_heading = "Aurora")]
    endpoint_url: Option<String>,
    /// The database in which the run makes its schema [default: postgres]
    #[arg(long, value_name = "NAME", help_heading = "Aurora")]
    database: Option<String>,
    /// The database's user [default: postgres]
    #[arg(long, value_name = "NAME", help_heading = "Aurora")]
    db_user: Option<String>,
    /// password (PGPASSWORD, ~/.pgpass), secret (the one that RDS keeps) or iam (a token for each connection) [default: password]
    #[arg(long, value_name = "HOW", help_heading = "Aurora")]
    auth: Option<String>,
    /// verify-full, verify-ca, or disable on loopback addresses [default: verify-full]
    #[arg(long, value_name = "MODE", help_heading = "Aurora")]
    sslmode: Option<String>,
    /// RDS's authorities as PEM (global-bundle.pem) [default: this machine's]
    #[arg(long, value_name = "FILE", help_heading = "Aurora")]
    ca_bundle: Option<PathBuf>,
    /// What a query on a reader waits for, with local write forwarding: eventual, session or global [default: as the cluster's
    /// parameters say]
    #[arg(long, value_name = "MODE", help_heading = "Aurora")]
    consistency_mode: Option<String>,

    /// Let faults be injected into a cluster that replab did not make
    #[arg(long, help_heading = "Faults")]
    allow_faults: bool,
    /// Reboot and fail over a cluster of AWS's without asking
    #[arg(short, long, help_heading = "Faults")]
    yes: bool,
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
            cluster: flags.cluster,
            region: flags.region,
            profile: flags.profile,
            endpoint_url: flags.endpoint_url,
            database: flags.database,
            db_user: flags.db_user,
            auth: flags.auth,
            sslmode: flags.sslmode,
            ca_bundle: flags.ca_bundle,
            consistency_mode: flags.consistency_mode,
            allow_faults: flags.allow_faults,
            ..Overrides::default()
        }
    }

    /// Whether servers that somebody else runs may be broken.
    pub(super) fn allows_faults(&self) -> bool {
        self.allow_faults
    }

    /// Whether nobody is to be asked before a cluster of AWS's is broken.
    pub(super) fn says_yes(&self) -> bool {
        self.yes
    }

    /// The flags again, for a command that repeats this one; without URLs, which may hold passwords.
    pub(super) fn words(&self) -> Vec<String> {
        let number = |flag: &str, value: &Option<i64>| value.map(|value| format!("--{flag} {value}"));
        let text =
            |flag: &str, value: &Option<String>| value.as_ref().map(|value| format!("--{flag} '{value}'"));
        let set = |flag: &str, is_set: bool| is_set.then(|| format!("--{flag}"));
        let path = self.pg_bin.as_ref().map(|path| path.display().to_string());
        let bundle = self.ca_bundle.as_ref().map(|path| path.display().to_string());
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
            text("cluster", &self.cluster),
            text("region", &self.region),
            text("profile", &self.profile),
            text("endpoint-url", &self.endpoint_url),
            text("database", &self.database),
            text("db-user", &self.db_user),
            text("auth", &self.auth),
            text("sslmode", &self.sslmode),
            text("ca-bundle", &bundle),
            set("allow-faults", self.allow_faults),
            set("yes", self.yes),
        ];
        words.extend(self.cascade.iter().map(|cascade| Some(format!("--cascade '{cascade}'"))));
        words.extend(self.reader.iter().map(|_| Some("--reader URL".to_owned())));
        words.into_iter().flatten().collect()
    }
}
