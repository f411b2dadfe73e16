//! What is asked of every node before the load: version and settings, and whether durability is really on.

use std::collections::BTreeMap;

use crate::config::TopologyKind;
use crate::history::NodeName;
use crate::pg::{Deadlines, PgError, Session, probe};
use crate::report::{NodeFacts, Setting};
use crate::topology::{Access, Role, Site, TopologyError};

/// Settings that reports show, in their order. Those that a server does not know are left out.
const SHOWN: [&str; 17] = [
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "data_checksums",
    "synchronous_standby_names",
    "wal_level",
    "wal_sync_method",
    "wal_log_hints",
    "wal_writer_delay",
    "commit_delay",
    "hot_standby",
    "hot_standby_feedback",
    "max_standby_streaming_delay",
    "recovery_min_apply_delay",
    "default_transaction_isolation",
    "shared_buffers",
    "max_connections",
];

/// A node that is not set as the plan says.
#[derive(Debug, thiserror::Error)]
#[error(
    "{node} has {name} = {found}, but the run needs {required}: a verdict on durability would mean nothing"
)]
pub(super) struct WrongSetting {
    node: NodeName,
    name: &'static str,
    found: String,
    required: String,
}

impl WrongSetting {
    /// The same of a node that somebody else has set up.
    pub(super) fn unfit(self) -> TopologyError {
        let WrongSetting { node, name, found, required } = self;
        let why = format!(
            "it has {name} = {found}, but the run needs {required}: a verdict on durability would mean nothing"
        );
        TopologyError::Unfit { node, why }
    }
}

/// What can go wrong while asking.
#[derive(Debug, thiserror::Error)]
pub(super) enum FactsError {
    #[error("ask {node} for its settings")]
    Ask { node: NodeName, source: PgError },
    #[error(transparent)]
    Wrong(#[from] WrongSetting),
}

/// Whose disks keep what is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disks {
    /// Of servers that the lab has set up.
    Ours,
    /// Of servers that somebody else has set up. Checksums are their owner's choice, and no verdict rests on them.
    Theirs,
    /// A volume of Aurora's, to which neither `fsync` nor full pages mean anything.
    Volume,
}

impl Disks {
    /// Those of a cluster of that kind.
    pub(super) fn of(kind: TopologyKind) -> Disks {
        match kind {
            TopologyKind::Local | TopologyKind::Compose | TopologyKind::Memory => Disks::Ours,
            TopologyKind::Urls => Disks::Theirs,
            TopologyKind::Aurora => Disks::Volume,
        }
    }
}

/// Asks every node, and refuses to go on where durability is not what the plan says. `synchronous_commit` is that of the
/// sessions that clients have.
pub(super) async fn assert(
    sites: &[Site],
    synchronous_commit: &str,
    disks: Disks,
    deadlines: Deadlines,
) -> Result<Vec<NodeFacts>, FactsError> {
    let mut facts = Vec::new();
    for site in sites {
        let role = match site.role {
            Role::Primary => "primary",
            Role::Replica => "replica",
        };
        let (version, found) = match &site.access {
            Access::Memory(_) => ("in memory".to_owned(), BTreeMap::new()),
            Access::Postgres(conninfo) => {
                let ask = async {
                    let session = Session::connect(conninfo, "replab", deadlines).await?;
                    let version = probe::settings(&session, &["server_version"]).await?;
                    Ok((version, probe::settings(&session, &SHOWN).await?))
                };
                let asked: Result<_, PgError> = ask.await;
                let (mut version, found) =
                    asked.map_err(|source| FactsError::Ask { node: site.node, source })?;
                (version.remove("server_version").unwrap_or_default(), found)
            }
        };
        let settings = settings(site.node, &found, synchronous_commit, disks)?;
        let (node, role) = (site.node, role.to_owned());
        facts.push(NodeFacts { node, role, version, instance: None, settings });
    }
    Ok(facts)
}

fn settings(
    node: NodeName,
    found: &BTreeMap<String, String>,
    synchronous_commit: &str,
    disks: Disks,
) -> Result<Vec<Setting>, WrongSetting> {
    let mut settings = Vec::new();
    for name in SHOWN {
        let Some(value) = found.get(name).cloned() else { continue };
        let required = match name {
            "data_checksums" if disks != Disks::Ours => None,
            "fsync" | "full_page_writes" | "data_checksums" if disks != Disks::Volume => {
                Some("on".to_owned())
            }
            "synchronous_commit" => Some(synchronous_commit.to_owned()),
            _ => None,
        };
        if let Some(required) = required.clone().filter(|required| *required != value) {
            return Err(WrongSetting { node, name, found: value, required });
        }
        settings.push(Setting { name: name.to_owned(), value, required });
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_without_fsync_is_refused() {
        let found = |fsync: &str| {
            let pairs = [("fsync", fsync), ("synchronous_commit", "on"), ("wal_level", "replica")];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
        };
        assert_eq!(settings(NodeName::primary(), &found("on"), "on", Disks::Ours).unwrap().len(), 3);
        let refused = settings(NodeName::primary(), &found("off"), "on", Disks::Theirs).unwrap_err();
        assert!(
            refused.to_string().starts_with("primary has fsync = off, but the run needs on"),
            "{refused}"
        );
        assert!(settings(NodeName::primary(), &found("on"), "off", Disks::Ours).is_err());
        assert!(settings(NodeName::primary(), &found("off"), "on", Disks::Volume).is_ok());
        assert!(settings(NodeName::primary(), &found("off"), "off", Disks::Volume).is_err());
    }
}
