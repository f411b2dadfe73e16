//! From nothing to a cluster that is served, and back.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::answer::MASTER;
use super::chaos::{Dice, Plant};
use super::control::{Beginning, Control};
use super::door::Target;
use super::events::Happening;
use super::fleet::{ClusterStatus, Fleet, InstanceStatus, Member};
use super::http::Api;
use super::refusal::Refusal;
use super::secret::MasterSecret;
use super::settings::{Facts, ServeError, Settings};
use super::signature::Keys;
use super::tls::Tls;
use super::{address, hosts, http, identifier, sampler};
use crate::pg::{PgError, Secret, probe};
use crate::topology::local::{Cluster, Config, random_hex};
use crate::topology::{Role, TopologyError};

/// What Aurora's functions are made from.
const FUNCTIONS: &str = include_str!("functions.sql");

/// Between two looks at how far the readers are.
const POLL: Duration = Duration::from_millis(10);

/// How long a reader may take to replay what was made at the beginning.
const REPLAY_LIMIT: Duration = Duration::from_secs(60);

/// How often the control plane is asked whether it has ended.
const END_ATTEMPTS: usize = 1_000;

/// The class that the first instances are said to have.
const CLASS: &str = "db.r6g.large";

/// Whose members sign in with tokens of IAM's, and have no password.
const IAM: &str = "rds_iam";

/// A tag that lets `replab run -t aurora` break the cluster: that is what it is for.
const TAG: (&str, &str) = ("replab:faults", "allowed");

/// A cluster that is served, until [`Served::down`]. Dropped without that, its servers are ended by their guard when this
/// process ends.
pub struct Served {
    facts: Facts,
    control: Arc<Control>,
    tasks: JoinSet<()>,
    said: mpsc::UnboundedReceiver<String>,
    /// Whether a part of the control plane has panicked.
    failed: bool,
}

impl Served {
    /// Makes the cluster, and answers when it can be used.
    ///
    /// # Errors
    /// Whatever keeps it from that; nothing is left behind.
    pub async fn start(settings: Settings) -> Result<Served, ServeError> {
        let refused = |refusal: Refusal| ServeError::Settings(refusal.message);
        let name = settings.name.to_ascii_lowercase();
        identifier::check(&name).map_err(refused)?;
        settings.domain.as_deref().map_or(Ok(()), hosts::check_domain).map_err(refused)?;
        if settings.readers >= address::INSTANCES {
            let most = address::INSTANCES - 1;
            return Err(ServeError::Settings(format!("a cluster has at most {most} readers")));
        }
        // What can fail at once does so before the servers are made.
        let api_address = SocketAddr::new(settings.bind, settings.port.unwrap_or(0));
        let api_error = |source| ServeError::Api { address: api_address, source };
        let api_listener = TcpListener::bind(api_address).await.map_err(api_error)?;
        let api_address = api_listener.local_addr().map_err(api_error)?;
        let instances = (1..=settings.readers + 1).map(address::instance);
        let addresses: Vec<Ipv4Addr> =
            [address::WRITER, address::READER].into_iter().chain(instances).collect();
        let (port, listeners) = address::open(&addresses, settings.database_port).await?;
        let names = settings.domain.iter().flat_map(|domain| hosts::certified(&name, domain));
        let tls = Tls::make(&address::all(), &names.collect::<Vec<String>>())?;

        let config = Config {
            pg_bin: settings.pg_bin,
            replicas: settings.readers,
            room: address::INSTANCES - 1,
            hot_standby_feedback: true,
            clients: 200,
            socket_group: Some(IAM),
            state_dir: settings.state_dir,
            name: name.clone(),
            ..Config::default()
        };
        // Its state is much for a future that holds it.
        let cluster = Box::pin(Cluster::up_by_name(&config)).await?;
        let passfile = cluster.passfile();
        let authority = passfile.with_file_name("ca.pem");
        std::fs::write(&authority, &tls.authority).map_err(TopologyError::io("write", &authority))?;
        let mut fleet = fleet(&cluster, &name, &settings.region, port).map_err(refused)?;
        fleet.domain = settings.domain;
        if settings.plant == Some(Plant::StaleForwarding) {
            fleet.forwarding = "enabled";
        }
        let hosts = passfile.with_file_name("hosts");
        let facts = Facts {
            name,
            region: settings.region.clone(),
            version: fleet.version.clone(),
            api: api_address,
            port,
            writer: fleet.writer,
            reader: fleet.reader,
            instances: fleet.members.iter().map(|member| (member.name.clone(), member.address)).collect(),
            user: MASTER,
            password: fleet.secret.password.clone(),
            passfile,
            authority,
            hosts: fleet.domain.is_some().then(|| hosts.clone()),
        };

        let (say, said) = mpsc::unbounded_channel();
        let nodes: Vec<_> = fleet.members.iter().map(|member| Target::Instance(member.node)).collect();
        let control = Control::new(Beginning {
            cluster,
            fleet,
            dice: Dice::new(settings.chaos),
            plant: settings.plant,
            tls: tls.acceptor,
            force_tls: settings.force_tls,
            keys: settings.keys,
            hosts,
            said: say,
        });
        prepare(&control).await?;
        for (target, listener) in [Target::Writer, Target::Readers].into_iter().chain(nodes).zip(listeners) {
            control.open(target, listener);
        }
        let mut tasks = JoinSet::new();
        let api = Api { control: Arc::clone(&control), region: settings.region };
        tasks.spawn(http::serve(api_listener, Arc::new(api)));
        tasks.spawn(sampler::sample(Arc::clone(&control)));
        tasks.spawn(Arc::clone(&control).watch());
        tasks.spawn(Arc::clone(&control).listen());
        Ok(Served { facts, control, tasks, said, failed: false })
    }

    /// What clients need to know.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The next thing that whoever serves may want to know: an event, or what went wrong. `None` if a part of the control
    /// plane has ended, which none should.
    pub async fn next(&mut self) -> Option<String> {
        if self.failed {
            return None;
        }
        tokio::select! {
            said = self.said.recv() => said,
            _ = self.tasks.join_next() => None,
            // What it was about to put right would stay as it is.
            failure = self.control.failure() => {
                self.failed = true;
                Some(format!("a part of the control plane has failed: {failure}"))
            }
        }
    }

    /// Ends every connection and every server, and removes the data. The logs stay.
    pub async fn down(mut self) -> Result<(), TopologyError> {
        self.tasks.shutdown().await;
        self.control.end().await;
        // What is told to end is gone a moment later.
        let mut control = self.control;
        for _ in 0..END_ATTEMPTS {
            match Arc::try_unwrap(control) {
                Ok(last) => return last.cluster.into_inner().down().await,
                Err(shared) => control = shared,
            }
            sleep(POLL).await;
        }
        // Whoever has it last ends the servers.
        Err(TopologyError::lab("a part of the control plane does not end"))
    }
}

/// The cluster as it is at first.
fn fleet(cluster: &Cluster, name: &str, region: &str, port: u16) -> Result<Fleet, Refusal> {
    let version = cluster.state().version;
    let now = Utc::now();
    let endpoints = cluster.endpoints();
    let password = endpoints.first().and_then(|endpoint| endpoint.conninfo.password().cloned());
    let mut fleet = Fleet {
        name: name.to_owned(),
        region: region.to_owned(),
        status: ClusterStatus::Available,
        version: version.split(' ').next().unwrap_or_default().to_owned(),
        port,
        domain: None,
        forwarding: "disabled",
        writer: address::WRITER,
        reader: address::READER,
        created: now,
        members: Vec::new(),
        tags: BTreeMap::from([(TAG.0.to_owned(), TAG.1.to_owned())]),
        secret: MasterSecret::new(password.unwrap_or_else(|| Secret::new(String::new())))?,
    };
    for (number, endpoint) in (1..).zip(endpoints) {
        fleet.members.push(Member {
            name: format!("{name}-instance-{number}"),
            node: endpoint.node,
            status: InstanceStatus::Available,
            tier: 1,
            class: CLASS.to_owned(),
            zone: fleet.zone(number - 1),
            address: address::instance(number),
            created: now,
            session: identifier::unique()?,
            tags: BTreeMap::new(),
        });
    }
    Ok(fleet)
}

/// Makes the functions and the role of IAM's users, and waits until every reader has them.
async fn prepare(control: &Arc<Control>) -> Result<(), ServeError> {
    let endpoints = control.cluster.read().await.direct_endpoints();
    let writer = control.cluster.read().await.writer()?.0;
    let mut made = None;
    let session = control.session(writer, MASTER).await.map_err(ServeError::Prepare)?;
    session.batch(&format!("CREATE ROLE {IAM} NOLOGIN")).await?;
    session.close().await;
    for database in [MASTER, "template1"] {
        let session = control.session(writer, database).await.map_err(ServeError::Prepare)?;
        session.batch(FUNCTIONS).await?;
        made = probe::insert_lsn(&session).await?;
        session.close().await;
    }
    for reader in endpoints.iter().filter(|endpoint| endpoint.role == Role::Replica) {
        let session = control.session(reader.node, MASTER).await.map_err(ServeError::Prepare)?;
        let replayed = async {
            while probe::replay_lsn(&session).await? < made {
                sleep(POLL).await;
            }
            Ok::<_, PgError>(())
        };
        let late = |_| {
            let (node, limit) = (reader.node, REPLAY_LIMIT.as_secs());
            ServeError::Prepare(anyhow::anyhow!(
                "{node} has not replayed Aurora's functions within {limit} s"
            ))
        };
        timeout(REPLAY_LIMIT, replayed).await.map_err(late)??;
        session.close().await;
    }
    control.name_hosts()?;
    control.wait_for_standbys().await.map_err(ServeError::Prepare)?;
    sampler::tell(control).await.map_err(ServeError::Prepare)?;
    control.happened(Happening::ClusterCreated);
    for endpoint in endpoints {
        control.happened_to(endpoint.node, Happening::Created);
    }
    Ok(())
}

impl Keys {
    /// Keys that nobody else has.
    pub fn random() -> Result<Keys, TopologyError> {
        let id = format!("AKIA{}", random_hex::<8>()?.to_uppercase());
        Ok(Keys { id, secret: Secret::new(random_hex::<20>()?) })
    }
}
