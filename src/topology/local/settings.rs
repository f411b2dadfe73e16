//! What the servers are told: one file for every node, and what differs on the command line.

use super::Config;
use crate::topology::TopologyError;

/// The superuser and the database of every cluster that replab makes.
pub(super) const SUPERUSER: &str = "postgres";

/// `synchronous_commit` (manual, "Write Ahead Log" settings).
const LEVELS: [&str; 5] = ["off", "local", "remote_write", "on", "remote_apply"];

/// Refuses what PostgreSQL would refuse later, or what would silently mean something else.
pub(super) fn check_level(level: &str, replicas: usize) -> Result<(), TopologyError> {
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

/// `synchronous_standby_names`: every replica for the levels that name what a replica does, nobody otherwise.
///
/// Without a name here PostgreSQL takes `remote_write` and `remote_apply` to mean `local`, in silence. All replicas,
/// and not any one of them, because `remote_apply` is there to make reads at *every* replica see the commit; the
/// price is that commits wait while one is down.
pub(super) fn synchronous_standby_names(level: &str, replicas: &[String]) -> String {
    if !level.starts_with("remote_") || replicas.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = replicas.iter().map(|name| format!("\"{name}\"")).collect();
    format!("FIRST {} ({})", quoted.len(), quoted.join(", "))
}

/// What is appended to `postgresql.conf` and so copied to every replica: nothing in it names a node of its own.
pub(super) fn configuration(config: &Config, standby_names: &str) -> String {
    let Config { replicas, clients, synchronous_commit: level, .. } = config;
    // A base backup takes two walsenders, a replica one.
    let senders = 10 + 3 * replicas;
    // A client that gives a statement up connects anew while the server still works on the old one.
    let connections = 100 + 2 * clients;
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
"
    )
}

/// `pg_hba.conf`: the private socket knows the operating system's users, everybody else needs the password.
pub(super) fn host_based_authentication() -> String {
    format!(
        "local all         {SUPERUSER} peer map=replab
host  all         all      127.0.0.1/32 scram-sha-256
host  replication {SUPERUSER} 127.0.0.1/32 scram-sha-256
"
    )
}

/// `pg_ident.conf`: who may come through the private socket.
pub(super) fn identity_map(users: &[String]) -> String {
    users.iter().map(|user| format!("replab \"{user}\" {SUPERUSER}\n")).collect()
}

/// The name of a replica's slot on the primary; slots have fewer letters than nodes.
pub(super) fn slot_name(node: &str) -> String {
    node.replace(|c: char| !c.is_ascii_alphanumeric(), "_").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_levels_name_the_replicas_they_wait_for() {
        let replicas = ["replica-1".to_owned(), "replica-2".to_owned()];
        assert_eq!(
            synchronous_standby_names("remote_apply", &replicas),
            r#"FIRST 2 ("replica-1", "replica-2")"#
        );
        assert_eq!(synchronous_standby_names("on", &replicas), "");
        assert!(check_level("remote_apply", 0).is_err());
        assert!(check_level("always", 1).is_err());
        assert!(LEVELS.iter().all(|level| check_level(level, 1).is_ok()));
    }

    #[test]
    fn slots_are_spelt_as_postgresql_wants_them() {
        assert_eq!(slot_name("replica-1"), "replica_1");
    }
}
