//! The servers that cases are played on, and what they lack.

use std::collections::BTreeSet;
use std::time::Duration;

use super::PlayError;
use crate::anomaly::{Case, Placement};
use crate::isolation::Isolation;
use crate::pg::{Conninfo, Deadlines, PgError, Session, probe};
use crate::topology::{Access, Role, Site};

/// For everything but the steps.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How cases are played.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The schema that is made for every playing and dropped behind it: lower-case letters, digits and `_`.
    pub schema: String,
    /// How long a step may go unanswered.
    pub deadline: Duration,
    /// Whether settings of the servers may be changed for a moment.
    pub may_change_settings: bool,
    /// A mistake on purpose.
    pub slip: Option<Slip>,
}

/// A mistake of the player's, planted to see that it is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// Serializable sessions run at read committed.
    WeakSerializable,
    /// Sessions that belong on a replica are on the primary.
    ReplicaIsPrimary,
}

/// A primary and perhaps a replica, with a session on each that only looks.
#[derive(Debug)]
pub struct Stage {
    pub(super) rules: Rules,
    pub(super) primary: Conninfo,
    pub(super) replica: Option<Conninfo>,
    /// On the primary; it also makes and drops tables.
    pub(super) monitor: Session,
    /// On the replica.
    pub(super) lookout: Option<Session>,
    version: String,
    is_superuser: bool,
    extensions: BTreeSet<String>,
}

impl Stage {
    /// Connects to the primary and the first replica of `sites`.
    ///
    /// # Errors
    /// [`PlayError::Memory`] for nodes in memory, and [`PlayError::Open`].
    pub async fn open(sites: &[Site], rules: Rules) -> Result<Stage, PlayError> {
        let of = |role| {
            let site = sites.iter().find(|site| site.role == role)?;
            match &site.access {
                Access::Postgres(conninfo) => Some(conninfo.clone()),
                Access::Memory(_) => None,
            }
        };
        let primary = of(Role::Primary).ok_or(PlayError::Memory)?;
        let replica = of(Role::Replica);
        let deadlines = Deadlines { connect: PATIENCE, statement: PATIENCE };
        let open = async || {
            let monitor = Session::connect(&primary, "replab anomalies", deadlines).await?;
            // Nothing that the lab itself commits waits for a standby.
            monitor.batch("SET synchronous_commit = local").await?;
            let asked = probe::settings(&monitor, &["server_version", "is_superuser"]).await?;
            // Nothing is installed for others, who might begin to use what is removed again.
            let extensions = if rules.may_change_settings {
                "SELECT name FROM pg_available_extensions"
            } else {
                "SELECT extname FROM pg_extension"
            };
            let extensions = monitor.simple_query_rows(extensions).await?;
            Ok((monitor, asked, extensions))
        };
        let opened: Result<_, PgError> = open().await;
        let (monitor, asked, extensions) =
            opened.map_err(|source| PlayError::Open { node: "primary", source })?;
        let lookout = match &replica {
            Some(replica) => Some(
                Session::connect(replica, "replab anomalies", deadlines)
                    .await
                    .map_err(|source| PlayError::Open { node: "replica", source })?,
            ),
            None => None,
        };
        Ok(Stage {
            rules,
            primary,
            replica,
            monitor,
            lookout,
            version: asked.get("server_version").cloned().unwrap_or_default(),
            is_superuser: asked.get("is_superuser").is_some_and(|value| value == "on"),
            extensions: extensions.into_iter().flatten().flatten().collect(),
        })
    }

    /// As the server says it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Why `case` cannot be played here; `None` where it can.
    pub fn lacks(&self, case: &Case, on: Placement) -> Option<String> {
        if case.uses_replica(on) && self.replica.is_none() {
            return Some("there is no replica".to_owned());
        }
        if case.needs.superuser && !self.rules.may_change_settings {
            let why = "it changes synchronous_standby_names of servers that somebody else runs; --allow-faults lets it";
            return Some(why.to_owned());
        }
        if case.needs.superuser && !self.is_superuser {
            return Some("it changes a setting, and the user is no superuser".to_owned());
        }
        let extension = case.needs.extension.as_ref()?;
        let missing = !self.extensions.contains(extension);
        missing.then(|| format!("the server has no extension {extension}"))
    }

    /// What a session that belongs to a level really runs at.
    pub(super) fn level(&self, level: Isolation) -> Isolation {
        match (self.rules.slip, level) {
            (Some(Slip::WeakSerializable), Isolation::Serializable) => Isolation::ReadCommitted,
            (_, level) => level,
        }
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.monitor.close().await;
        if let Some(lookout) = self.lookout {
            lookout.close().await;
        }
    }
}
