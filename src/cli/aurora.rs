//! `replab aurora`: an Aurora-shaped cluster on one machine.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use tokio::sync::watch;

use super::console::Console;
use super::run::forward_signals;
use super::{Exit, Failure, failures};
use crate::pg::Secret;
use crate::rds::{Chaos, Facts, Keys, Plant, ServeError, Served, Settings};

/// The variables that AWS's own programs take their keys from.
const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const KEY_SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// What to do with an Aurora-shaped cluster.
#[derive(Debug, Subcommand)]
pub(super) enum AuroraCommand {
    /// Serve one on this machine, until Ctrl-C: the RDS API in front of PostgreSQL, endpoints that follow failovers
    Serve(Box<Args>),
}

/// `replab aurora serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The cluster's identifier; the instances are NAME-instance-1, …
    #[arg(long, value_name = "NAME", default_value = "lab")]
    cluster: String,
    /// The region that it is said to be in; requests have to be signed for it
    #[arg(long, default_value = "us-east-1")]
    region: String,
    /// Readers beside the writer, 0 to 15
    #[arg(long, value_name = "N", default_value_t = 2)]
    readers: usize,
    /// The port of the API [default: a free one]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// The address that the API listens on; the endpoints of the database stay on loopback
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,
    /// The port of the database's endpoints [default: a free one]
    #[arg(long, value_name = "PORT")]
    db_port: Option<u16>,
    /// Let the API name the endpoints, NAME-instance-1.DOMAIN and so on, for clients that insist on names; a hosts file is
    /// written for libnss-wrapper
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Refuse connections to the database that are not encrypted
    #[arg(long)]
    force_ssl: bool,
    /// The part of all failovers that is accepted and not performed, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability, help_heading = "Chaos")]
    drop_failover: f64,
    /// The part of all requests that is answered with Throttling, 0 to 1
    #[arg(long, value_name = "P", default_value_t = 0.0, value_parser = probability, help_heading = "Chaos")]
    throttle: f64,
    /// How much longer states such as rebooting last than what is done in them, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, help_heading = "Chaos")]
    slow_states: u64,
    /// What decides which failover is dropped, and which request throttled
    #[arg(long, default_value_t = 1, help_heading = "Chaos")]
    seed: u64,
    /// Plant a bug in the cluster, to see that it is found
    #[arg(long, value_name = "BUG", help_heading = "Chaos")]
    plant: Option<PlantedBug>,
    /// The folder of PostgreSQL's programs [default: the newest that is found]
    #[arg(long, value_name = "DIR", help_heading = "Places")]
    pg_bin: Option<PathBuf>,
    /// The folder with the lab's own files (REPLAB_STATE_DIR)
    #[arg(long, value_name = "DIR", help_heading = "Places")]
    state_dir: Option<PathBuf>,
}

/// The bugs that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlantedBug {
    /// A failover loses what was acknowledged in the half second before it.
    LossyFailover,
    /// Local write forwarding is said to be enabled, and its modes of consistency make nobody wait.
    StaleForwarding,
}

fn probability(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "it is a number from 0 to 1".to_owned())
}

/// Runs the command.
pub(super) async fn run(command: AuroraCommand, console: &Console) -> Result<Exit, Failure> {
    let AuroraCommand::Serve(args) = command;
    let (keys, given) = keys()?;
    let settings = settings(*args, keys.clone());
    let (interrupted, mut interrupt) = watch::channel(false);
    let asked = tokio::spawn(forward_signals(interrupted));
    console.note("starting the servers; Ctrl-C ends them");
    let mut served = tokio::select! {
        served = Box::pin(Served::start(settings)) => served.map_err(failure)?,
        // Dropped half-made, the cluster is swept.
        _ = interrupt.changed() => return Ok(Exit::Interrupted),
    };
    ready(served.facts(), &keys, given, console);
    let failed = loop {
        tokio::select! {
            said = served.next() => match said {
                Some(said) => console.note(&said),
                None => break true,
            },
            _ = interrupt.changed() => break false,
        }
    };
    asked.abort();
    served.down().await.map_err(failures::topology)?;
    if failed {
        let error = anyhow::anyhow!("a part of the control plane has ended");
        return Err(Failure::new(Exit::Lab, error));
    }
    console.note("everything is stopped and removed; the servers' logs stay");
    Ok(Exit::Valid)
}

fn settings(args: Args, keys: Keys) -> Settings {
    Settings {
        name: args.cluster,
        region: args.region,
        readers: args.readers,
        bind: args.bind,
        port: args.port,
        database_port: args.db_port,
        domain: args.domain,
        keys,
        force_tls: args.force_ssl,
        chaos: Chaos {
            drop_failover: args.drop_failover,
            throttle: args.throttle,
            slow_states: Duration::from_millis(args.slow_states),
            seed: args.seed,
        },
        plant: args.plant.map(|bug| match bug {
            PlantedBug::LossyFailover => Plant::LossyFailover,
            PlantedBug::StaleForwarding => Plant::StaleForwarding,
        }),
        pg_bin: args.pg_bin,
        state_dir: args.state_dir,
    }
}

/// The keys of the environment, or new ones; and whether they were given.
fn keys() -> Result<(Keys, bool), Failure> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (variable(KEY_ID), variable(KEY_SECRET)) {
        (Some(id), Some(secret)) => Ok((Keys { id, secret: Secret::new(secret) }, true)),
        (None, None) => Ok((Keys::random().map_err(failures::topology)?, false)),
        _ => {
            let error = anyhow::anyhow!("of {KEY_ID} and {KEY_SECRET} only one is set");
            Err(Failure::new(Exit::Environment, error).help("set both, or none: then new ones are made"))
        }
    }
}

fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Topology(error) => failures::topology(error),
        ServeError::Settings(_) => Failure::new(Exit::Usage, error),
        ServeError::Address(ref address) => {
            let help = address.help().unwrap_or_else(|| "choose another port with --db-port".to_owned());
            Failure::new(Exit::Environment, error).help(help)
        }
        ServeError::Api { .. } => {
            Failure::new(Exit::Environment, error).help("choose another port with --port")
        }
        ServeError::Tls(_) | ServeError::Prepare(_) => Failure::new(Exit::Lab, error),
    }
}

/// What to type next. The one output that holds the password, and keys that were made here.
fn ready(facts: &Facts, keys: &Keys, given: bool, console: &Console) {
    let environment = environment(facts, keys);
    if console.is_json() {
        let instances: Vec<_> = facts
            .instances
            .iter()
            .map(|(name, address)| json!({ "name": name, "address": address }))
            .collect();
        console.json(&json!({
            "cluster": facts.name,
            "region": facts.region,
            "version": facts.version,
            "endpoint_url": url(facts),
            "port": facts.port,
            "writer": facts.writer,
            "reader": facts.reader,
            "instances": instances,
            "user": facts.user,
            "passfile": facts.passfile,
            "ca": facts.authority,
            "hosts": facts.hosts,
            "env": environment.iter().map(|(name, value)| (*name, value.expose())).collect::<std::collections::BTreeMap<_, _>>(),
        }));
        return;
    }
    let (name, url) = (&facts.name, url(facts));
    let mut text = format!(
        "cluster `{name}` is served: PostgreSQL {}, {} instances\n\n  cluster endpoint {}:{port}\n  reader endpoint  {}:{port}\n",
        facts.version,
        facts.instances.len(),
        facts.writer,
        facts.reader,
        port = facts.port,
    );
    for (instance, address) in &facts.instances {
        text += &format!("  {instance} {address}:{}\n", facts.port);
    }
    text += "\n";
    for (name, value) in &environment {
        // Keys that came from the environment are there already.
        if !(given && name.starts_with("AWS_") && name.contains("ACCESS_KEY")) {
            text += &format!("export {name}='{}'\n", value.expose().replace('\'', r"'\''"));
        }
    }
    text += &format!(
        "unset AWS_SESSION_TOKEN

aws rds describe-db-clusters --endpoint-url {url} --region {region}
aws rds failover-db-cluster --endpoint-url {url} --region {region} --db-cluster-identifier {name}
psql 'sslmode=verify-full'
replab run -t aurora --cluster {name} --region {region} --endpoint-url {url} --ca-bundle {ca}
",
        region = facts.region,
        ca = facts.authority.display(),
    );
    if let Some(hosts) = &facts.hosts {
        text += &format!(
            "
LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_HOSTS={} PROGRAM
",
            hosts.display()
        );
    }
    console.result(&text);
}

fn url(facts: &Facts) -> String {
    format!("http://{}", facts.api)
}

/// What clients take from their environment.
fn environment(facts: &Facts, keys: &Keys) -> Vec<(&'static str, Secret)> {
    let plain = |text: String| Secret::new(text);
    vec![
        ("AWS_ENDPOINT_URL_RDS", plain(url(facts))),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", plain(url(facts))),
        ("AWS_REGION", plain(facts.region.clone())),
        ("AWS_DEFAULT_REGION", plain(facts.region.clone())),
        (KEY_ID, plain(keys.id.clone())),
        (KEY_SECRET, keys.secret.clone()),
        ("PGHOST", plain(facts.writer.to_string())),
        ("PGPORT", plain(facts.port.to_string())),
        ("PGUSER", plain(facts.user.to_owned())),
        ("PGDATABASE", plain(facts.user.to_owned())),
        ("PGPASSWORD", facts.password.clone()),
        ("PGSSLROOTCERT", plain(facts.authority.display().to_string())),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_from_none_to_all() {
        assert_eq!(probability("0.3"), Ok(0.3));
        for wrong in ["-0.1", "1.1", "NaN", "some"] {
            assert!(probability(wrong).is_err(), "{wrong}");
        }
    }
}
