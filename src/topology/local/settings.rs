//! What the servers are told: one file for every node, and what differs on the command line.

use super::Config;
use crate::history::NodeName;
use crate::topology::TopologyError;

/// The superuser and the database of every cluster that replab makes.
pub(in crate::topology) const SUPERUSER: &str = "postgres";

/// `synchronous_commit` (manual, "Write Ahead Log" settings).
const LEVELS: [&str; 5] = ["off", "local", "remote_write", "on", "remote_apply"];

/// Refuses what PostgreSQL would refuse later, or what would silently mean something else.
pub(in crate::topology) fn check_level(level: &str, replicas: usize) -> Result<(), TopologyError> {
    if !LEVELS.contains(&level) {
        let known = LEVELS.join(", ");
        return Err(TopologyError::Config(format!("synchronous_commit `{level}` is none of {known}")));
    }
    if level.starts_with("remote_") && replicas == 0 {
        let why = format!("synchronous_commit = {level} needs a replica to wait for, and there is none");
        return Err(TopologyError::Config(why));
    }
    Ok(())
}

/// How many connections a server has to take.
pub(in crate::topology) struct Room {
    /// `max_wal_senders`, and as many slots.
    pub(in crate::topology) senders: usize,
    /// `max_connections`.
    pub(in crate::topology) connections: u32,
}

impl Room {
    /// For `replicas` beside the primary, and `clients` at one node at the same time.
    pub(in crate::topology) fn new(replicas: usize, clients: u32) -> Room {
        // A base backup takes two walsenders, a replica one. A client that gives a statement up connects anew while the
        // server still works on the old one.
        Room { senders: 10 + 3 * replicas, connections: 100 + 2 * clients }
    }
}

/// The log of a server on a small disk: what it keeps beyond what replicas still need fits there, beside the data. Of
/// settings that are named twice, the last one counts.
const SMALL_LOG: &str = "
# replab: a small disk, which the log must not fill by itself
min_wal_size = 32MB
max_wal_size = 128MB
wal_keep_size = 32MB
";

/// What is appended to `postgresql.conf` and so copied to every replica: nothing in it names a node of its own.
pub(in crate::topology) fn configuration(config: &Config, nodes: &[NodeName]) -> String {
    let Config { replicas, clients, synchronous_commit: level, .. } = config;
    let standby_names = config.standbys.as_ref().map(|standbys| standbys.setting(nodes)).unwrap_or_default();
    let feedback = if config.hot_standby_feedback { "on" } else { "off" };
    let apply_delay = config.recovery_min_apply_delay.0 / 1_000_000;
    let Room { senders, connections } = Room::new((*replicas).max(config.room), *clients);
    let log = if config.small_disks { SMALL_LOG } else { "" };
    format!(
        "
# replab: durability, spelt out
fsync = on
full_page_writes = on
synchronous_commit = {level}
synchronous_standby_names = '{standby_names}'

# replab: replication
wal_level = replica
hot_standby = on
hot_standby_feedback = {feedback}
recovery_min_apply_delay = {apply_delay}ms
max_wal_senders = {senders}
max_replication_slots = {senders}
# The checkpoint with which one base backup begins may remove what another, whose slot is only just made, still needs.
wal_keep_size = 256MB
# The default, 10 s, leaves the positions of an idle replica out of date for as long.
wal_receiver_status_interval = 1s
# The default, 5 s, would be most of what a short experiment sees of a primary's restart.
wal_retrieve_retry_interval = 500ms

# replab: room for the clients; and a backend that crashes takes its server with it, so that nobody overlooks it
max_connections = {connections}
restart_after_crash = off
# A shop that is out of stock says so thousands of times; the statement adds nothing.
log_min_error_statement = fatal
log_line_prefix = '%m [%p] %q%a '
lc_messages = 'C'
{log}"
    )
}

/// `pg_hba.conf`: the private socket knows the operating system's users, everybody else needs the password.
///
/// The members of `group` need none on that socket. Its directory, of mode 0700 wherever it is, can be entered by root and by
/// the users that [`identity_map`] makes the superuser anyway. Over TCP members are asked for a password in clear, by which
/// whoever stands between can tell that they are members; one that has no password does not come in there.
pub(super) fn host_based_authentication(group: Option<&str>) -> String {
    let members = group.map_or(String::new(), |group| {
        format!(
            "local all         +{group} trust
host  all         +{group} 127.0.0.1/32 password
"
        )
    });
    format!(
        "local all         {SUPERUSER} peer map=replab
{members}host  all         all      127.0.0.1/32 scram-sha-256
host  replication {SUPERUSER} 127.0.0.1/32 scram-sha-256
"
    )
}

/// `pg_ident.conf`: who may come through the private socket.
pub(super) fn identity_map(users: &[String]) -> String {
    users.iter().map(|user| format!("replab \"{user}\" {SUPERUSER}\n")).collect()
}

/// The name of a replica's slot on the primary; slots have fewer letters than nodes.
pub(in crate::topology) fn slot_name(node: &str) -> String {
    node.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_levels_need_a_replica() {
        assert!(check_level("remote_apply", 0).is_err());
        assert!(check_level("always", 1).is_err());
        assert!(LEVELS.iter().all(|level| check_level(level, 1).is_ok()));
    }

    #[test]
    fn members_of_a_group_come_before_everybody_else() {
        assert_eq!(
            host_based_authentication(Some("rds_iam")),
            "local all         postgres peer map=replab
local all         +rds_iam trust
host  all         +rds_iam 127.0.0.1/32 password
host  all         all      127.0.0.1/32 scram-sha-256
host  replication postgres 127.0.0.1/32 scram-sha-256
"
        );
        assert!(!host_based_authentication(None).contains("trust"));
    }

    #[test]
    fn slots_are_spelt_as_postgresql_wants_them() {
        assert_eq!(slot_name("replica-1"), "replica_1");
    }
}
