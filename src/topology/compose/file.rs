//! compose.yaml for any number of replicas, and what its variables hold.

use super::Config;
use crate::history::NodeName;
use crate::topology::local::settings;

/// The file for a primary and two replicas, which people use by hand, too.
const COMPOSE_FILE: &str = include_str!("../../../compose/compose.yaml");

/// What every container runs.
pub(super) const NODE_SCRIPT: &str = include_str!("../../../compose/node.sh");

/// Where it is in a container.
pub(super) const NODE_SCRIPT_PATH: &str = "/replab/node.sh";

/// The port of the primary that the file chooses where nobody else does; those of the replicas follow.
const FIRST_PORT: usize = 54_320;

/// The file for `replicas` replicas: the parts of `replica-1` once for each, those of other replicas left out.
pub(super) fn render(replicas: usize) -> String {
    let mut text = String::new();
    let mut lines = COMPOSE_FILE.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(number) = line.strip_prefix("  replica-").and_then(|rest| rest.strip_suffix(':')) else {
            text += &format!("{line}\n");
            continue;
        };
        let mut part = format!("{line}\n");
        // A blank line within it belongs to it; the next key, or the next section, does not.
        while let Some(line) = lines.next_if(|line| line.is_empty() || line.starts_with("    ")) {
            part += &format!("{line}\n");
        }
        if number == "1" {
            (1..=replicas).for_each(|number| text += &numbered(&part, number));
        }
    }
    text
}

fn numbered(part: &str, number: usize) -> String {
    part.replace("replica-1", &format!("replica-{number}"))
        .replace("REPLICA_1", &format!("REPLICA_{number}"))
        .replace(&(FIRST_PORT + 1).to_string(), &(FIRST_PORT + number).to_string())
}

/// The variables of the file that decide how the servers are set.
pub(super) fn server_variables(config: &Config) -> Vec<(String, String)> {
    let room = settings::Room::new(config.replicas, config.clients);
    let standbys = config.standbys.as_ref().map(|standbys| standbys.setting(&nodes(config.replicas)));
    let feedback = if config.hot_standby_feedback { "on" } else { "off" };
    let delay = config.recovery_min_apply_delay.0 / 1_000_000;
    [
        ("SYNCHRONOUS_COMMIT", config.synchronous_commit.clone()),
        ("STANDBY_NAMES", standbys.unwrap_or_default()),
        ("FEEDBACK", feedback.to_owned()),
        ("APPLY_DELAY", format!("{delay}ms")),
        ("SENDERS", room.senders.to_string()),
        ("CONNECTIONS", room.connections.to_string()),
    ]
    .map(|(name, value)| (format!("REPLAB_{name}"), value))
    .into()
}

/// The nodes of a cluster, the primary first.
fn nodes(replicas: usize) -> Vec<NodeName> {
    std::iter::once(NodeName::primary()).chain((1..=replicas).map(NodeName::replica)).collect()
}

/// The variables that tell where clients find the nodes, `ports` in their order.
pub(super) fn port_variables(ports: &[u16]) -> Vec<(String, String)> {
    let variable = |(number, port): (usize, &u16)| match number {
        0 => ("REPLAB_PORT_PRIMARY".to_owned(), port.to_string()),
        number => (format!("REPLAB_PORT_REPLICA_{number}"), port.to_string()),
    };
    ports.iter().enumerate().map(variable).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::history::Nanos;
    use crate::topology::process::Program;
    use crate::topology::{Standbys, local};

    #[test]
    fn for_two_replicas_it_is_the_file_of_the_repository() {
        assert_eq!(render(2), COMPOSE_FILE);
    }

    #[test]
    fn every_replica_has_a_service_a_port_and_a_volume() {
        for replicas in [0, 1, 3, 16] {
            let text = render(replicas);
            for number in 1..=replicas {
                let service = format!("REPLAB_PORT_REPLICA_{number}:-{}}}:5432", FIRST_PORT + number);
                assert_eq!(text.matches(&service).count(), 1, "{text}");
                assert_eq!(text.matches(&format!("\n  replica-{number}:\n")).count(), 2, "{text}");
                assert!(text.contains(&format!("\"replica-{number}:/var/lib/replab\"")), "{text}");
            }
            assert!(!text.contains(&format!("\n  replica-{}:", replicas + 1)), "{text}");
            assert!(text.contains("\nnetworks:\n") && text.contains("\nvolumes:\n  primary:\n"), "{text}");
        }
    }

    #[test]
    fn ports_are_published_on_the_loopback_address_only() {
        let text = render(3);
        let published: Vec<&str> = text.lines().filter(|line| line.contains(":5432\"")).collect();
        assert_eq!(published.len(), 4);
        assert!(
            published.iter().all(|line| line.trim().starts_with("ports: [\"127.0.0.1:$")),
            "{published:?}"
        );
    }

    #[test]
    fn a_container_is_set_like_a_local_server() {
        for (level, replicas, clients, standbys) in
            [("on", 1, 50, None), ("remote_apply", 3, 7, Some(Standbys::all(3))), ("off", 0, 1, None)]
        {
            let delay = Nanos::from_millis(u64::from(clients));
            let config = Config {
                replicas,
                clients,
                synchronous_commit: level.to_owned(),
                standbys: standbys.clone(),
                hot_standby_feedback: clients == 7,
                recovery_min_apply_delay: delay,
                ..Config::default()
            };
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("compose/node.sh");
            let said = Program::new("sh", Path::new("/"), None)
                .args([script.as_path(), Path::new("configuration")])
                .envs(server_variables(&config))
                .run_blocking(Duration::from_secs(10))
                .unwrap();
            let local = local::Config {
                replicas,
                clients,
                synchronous_commit: level.to_owned(),
                standbys,
                hot_standby_feedback: clients == 7,
                recovery_min_apply_delay: delay,
                ..local::Config::default()
            };
            assert_eq!(said, settings::configuration(&local, &nodes(replicas)));
        }
    }
}
