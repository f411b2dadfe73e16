//! The cluster that a run is attached to.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;

use super::account::Account;
use super::api::Api;
use super::seat::{self, Seat};
use super::{
    Access, Auth, Consistency, InstanceFacts, Patience, Problem, Survey, Tls, discovery, secret, token,
};
use crate::history::{Action, Clock, EndpointSample, NodeName};
use crate::pg::{self, Conninfo, Deadlines, Host, Passfile, PgError, Roots, Secret, Session, Verify};
use crate::topology::attached::{DEADLINES, Node, Schema, for_clients};
use crate::topology::{Endpoint, ReaderEndpoint, Role, TopologyError};

/// What to attach to, and how.
#[derive(Debug)]
pub struct Config {
    /// The cluster.
    pub access: Access,
    /// How many readers the run counts on.
    pub readers: usize,
    /// The user's password, with [`Auth::Password`].
    pub password: Option<Secret>,
    /// Where it is looked for otherwise.
    pub passfile: Passfile,
    /// The run's own schema: lower-case letters, digits and `_`.
    pub schema: String,
    /// `synchronous_commit` of every session.
    pub synchronous_commit: String,
    /// Whether the schema stays.
    pub keep: bool,
    /// How long AWS and the servers may take.
    pub patience: Patience,
}

/// A cluster of AWS's.
#[derive(Debug)]
pub struct Cluster {
    pub(super) api: Api,
    pub(super) survey: Survey,
    pub(super) seats: Vec<Seat>,
    pub(super) patience: Patience,
    /// Leads to the writer, and to any reader; without the run's settings.
    writer_endpoint: Option<Conninfo>,
    reader_endpoint: Option<Conninfo>,
    /// The latter with the run's settings.
    clients_reader_endpoint: Option<Conninfo>,
    /// Which of the nodes is the writer, as it was when it was last asked.
    primary: Mutex<NodeName>,
    schema: Schema,
    /// One action at a time: each is verified by what is there after it.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// When the lab came, by AWS's kind of clock.
    pub(super) since: DateTime<Utc>,
}

impl Cluster {
    /// Looks at the cluster again, and at every server: the writer has to take writes, the readers must not.
    ///
    /// # Errors
    /// Whatever is missing, or is not as it should be; nothing has been changed.
    pub async fn attach(config: Config) -> Result<Cluster, TopologyError> {
        let account = Account::find(&config.access).await?;
        let api = Api::new(&account);
        let survey = discovery::look(&api, &config.access.cluster).await?;
        survey.check(config.access.consistency)?;
        let found = survey.readers().len();
        if found != config.readers {
            let (cluster, wanted) = (survey.cluster.clone(), config.readers);
            return Err(Problem::OtherReaders { cluster, found, wanted }.into());
        }
        let login = Login::new(&account, &survey, &config).await?;
        let mut seats = Vec::new();
        for (name, member) in survey.named() {
            let (host, port) =
                member.address.as_ref().ok_or_else(|| Problem::NoAddress(member.instance.clone()))?;
            let conninfo = login.at(host, *port)?;
            let settings = (&*config.schema, &*config.synchronous_commit);
            let mut seat = Seat::new(name, member, &conninfo, settings);
            seat.node.clients = with_consistency(seat.node.clients, config.access.consistency);
            seats.push(seat);
        }
        let endpoint =
            |at: &Option<(String, u16)>| at.as_ref().map(|(host, port)| login.at(host, *port)).transpose();
        let (writer_endpoint, reader_endpoint) =
            (endpoint(&survey.writer_endpoint)?, endpoint(&survey.reader_endpoint)?);
        // All at once; of several errors the first node's.
        let seen = join_all(seats.iter().map(Seat::look)).await;
        for (seat, seen) in seats.iter().zip(seen) {
            let seen = seen?;
            seat.node.check(&seen)?;
            seat.node.remember(seen);
        }
        let of_clients = |conninfo: &Conninfo| {
            let conninfo = for_clients(conninfo, &config.schema, &config.synchronous_commit);
            with_consistency(conninfo, config.access.consistency)
        };
        Ok(Cluster {
            api,
            seats,
            clients_reader_endpoint: reader_endpoint.as_ref().map(of_clients),
            patience: config.patience,
            writer_endpoint,
            reader_endpoint,
            primary: Mutex::new(NodeName::primary()),
            // While the lab goes, the cluster may be failing over.
            schema: Schema::new(&config.schema, config.keep, config.patience.servers),
            turn: tokio::sync::Mutex::default(),
            since: Utc::now(),
            survey,
        })
    }

    /// The nodes as clients reach them, through the instances' own endpoints: with the run's schema and
    /// `synchronous_commit`.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let primary = *self.primary();
        let role = |node: &Node| if node.name == primary { Role::Primary } else { Role::Replica };
        let endpoint = |seat: &Seat| {
            let (node, role) = (seat.node.name, role(&seat.node));
            Endpoint { node, role, conninfo: seat.node.clients.clone() }
        };
        self.seats.iter().map(endpoint).collect()
    }

    /// The cluster's reader endpoint as clients reach it.
    pub fn reader_endpoint(&self) -> Option<ReaderEndpoint> {
        let conninfo = self.clients_reader_endpoint.clone()?;
        let instances = self.seats.iter().map(|seat| (seat.instance.clone(), seat.node.name)).collect();
        Some(ReaderEndpoint { conninfo, instances })
    }

    /// What the API said when the lab came.
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Whether [`Cluster::act`] can do it.
    pub fn can(action: Action) -> bool {
        super::can(action)
    }

    /// The writer, and whether it runs.
    pub fn writer(&self) -> (NodeName, bool) {
        (*self.primary(), true)
    }

    /// The reader that Aurora promotes first: of the lowest tier, and of those the first by name.
    pub async fn candidate(&self) -> Result<NodeName, TopologyError> {
        let now = discovery::glance(&self.api, &self.survey.cluster).await?;
        let readers = now.readers();
        let first = readers.iter().find(|reader| reader.status == super::survey::AVAILABLE);
        let first = first.ok_or_else(|| Problem::NoReader(self.survey.cluster.clone()))?;
        self.node_of(&first.instance).ok_or_else(|| {
            TopologyError::lab(format!("the instance {} was not there before", first.instance))
        })
    }

    /// Makes the run's schema.
    pub async fn make_schema(&self) -> Result<(), TopologyError> {
        let writer = *self.primary();
        self.schema.make(&self.seat(writer)?.node).await
    }

    /// Drops the schema, unless it is to stay.
    pub async fn down(self) -> Result<(), TopologyError> {
        let writer = async |again: bool| {
            if again {
                // After a failover that replab saw only half of, another node than the one it knows takes writes.
                let asked = join_all(self.seats.iter().map(|seat| seat.who(DEADLINES))).await;
                let writes = |who: &Result<(pg::aurora::Who, Option<String>), PgError>| {
                    who.as_ref().is_ok_and(|(who, _)| !who.in_recovery)
                };
                if let Some(place) = asked.iter().position(writes) {
                    *self.primary() = self.seats[place].node.name;
                }
            }
            self.seat(*self.primary()).ok().map(|seat| &seat.node)
        };
        self.schema.drop(writer).await
    }

    /// Waits until a query is answered through a fresh connection.
    pub async fn answer(&self, node: NodeName, deadline: Duration) -> Result<(), TopologyError> {
        let deadline = deadline.max(self.patience.servers);
        self.seat(node)?.node.wait(deadline, "answer a query", |_| true).await.map(drop)
    }

    /// What is known of each instance beside its settings.
    pub async fn facts(&self) -> Vec<InstanceFacts> {
        let facts = async |seat: &Seat| {
            let (node, instance) = (seat.node.name, seat.instance.clone());
            let nobody = pg::aurora::Answers::nobody();
            let mut facts = InstanceFacts { node, instance, address: None, version: None, answers: nobody };
            // What nobody says is missing, and fails nothing.
            if let Ok(session) = Session::connect(&seat.node.conninfo, "replab", DEADLINES).await {
                facts.address = session.peer().map(|peer| peer.to_string());
                facts.version = pg::aurora::version(&session).await.unwrap_or_default();
                facts.answers = pg::aurora::answers(&session).await;
                session.close().await;
            }
            facts
        };
        join_all(self.seats.iter().map(facts)).await
    }

    /// One fresh connection through each of the cluster's own endpoints.
    pub async fn sample_endpoints(&self, clock: &Clock, deadlines: Deadlines) -> Vec<EndpointSample> {
        let endpoints = [("cluster", &self.writer_endpoint), ("reader", &self.reader_endpoint)];
        let sample = async |name: &str, conninfo: &Conninfo| {
            let asked = clock.now();
            let answer = seat::ask(conninfo, deadlines).await;
            let (who, error) = match answer {
                Ok(who) => (Some(who), None),
                Err(error) => (None, Some(error.to_string())),
            };
            let (who, address) = who.map_or((None, None), |(who, address)| (Some(who), address));
            let instance = who.as_ref().and_then(|who| who.instance.clone());
            EndpointSample {
                asked,
                time: clock.now(),
                endpoint: name.to_owned(),
                address,
                node: instance.as_ref().and_then(|instance| self.node_of(instance)),
                instance,
                takes_writes: who.map(|who| !who.in_recovery),
                error,
                reads: None,
            }
        };
        let there = endpoints.iter().filter_map(|(name, conninfo)| Some((*name, conninfo.as_ref()?)));
        join_all(there.map(|(name, conninfo)| sample(name, conninfo))).await
    }

    /// Leads to whoever is the writer.
    pub(super) fn writer_endpoint(&self) -> Option<&Conninfo> {
        self.writer_endpoint.as_ref()
    }

    pub(super) fn primary(&self) -> MutexGuard<'_, NodeName> {
        self.primary.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seat(&self, name: NodeName) -> Result<&Seat, TopologyError> {
        let seat = self.seats.iter().find(|seat| seat.node.name == name);
        seat.ok_or_else(|| TopologyError::UnknownNode {
            node: name,
            known: self.seats.iter().map(|seat| seat.node.name.to_string()).collect(),
        })
    }

    pub(super) fn node_of(&self, instance: &str) -> Option<NodeName> {
        self.seats.iter().find(|seat| seat.instance == instance).map(|seat| seat.node.name)
    }
}

/// With the mode, and with sessions that may write: write forwarding, and with it the wait, is for those only.
fn with_consistency(conninfo: Conninfo, consistency: Option<Consistency>) -> Conninfo {
    match consistency {
        Some(mode) => conninfo
            .with_setting("apg_write_forward.consistency_mode", mode.mode())
            .with_setting("default_transaction_read_only", "off"),
        None => conninfo,
    }
}

/// Everything that a connection needs but for where it goes.
struct Login {
    plain: Conninfo,
    tls: Tls,
    /// Where passwords are that are not known yet.
    passfile: Passfile,
}

impl Login {
    async fn new(account: &Account, survey: &Survey, config: &Config) -> Result<Login, TopologyError> {
        let access = &config.access;
        let nowhere = |user: &str| Conninfo::new(Host::Tcp(String::new()), 5432, user, &access.database);
        let plain = match access.auth {
            Auth::Password => match &config.password {
                Some(password) => nowhere(&access.user).with_password(password.clone()),
                None => nowhere(&access.user),
            },
            Auth::Secret => {
                let arn = survey.secret.as_deref();
                let none =
                    || Problem::Secret("the cluster has none: RDS does not manage its password".to_owned());
                let (user, password) = secret::fetch(account, arn.ok_or_else(none)?).await?;
                nowhere(&user).with_password(password)
            }
            Auth::Iam if !survey.takes_iam => return Err(Problem::NoIam(survey.cluster.clone()).into()),
            Auth::Iam => {
                let tokens = std::sync::Arc::new(token::Tokens::new(account));
                nowhere(&access.user).with_minted_password(tokens)
            }
        };
        let roots = access.ca_bundle.clone().map_or(Roots::System, Roots::File);
        let plain = match access.tls {
            Tls::VerifyFull => plain.with_tls(pg::Tls::new(Verify::ChainAndName, roots)),
            Tls::VerifyCa => plain.with_tls(pg::Tls::new(Verify::Chain, roots)),
            Tls::Disable => plain,
        };
        let looks = access.auth == Auth::Password;
        let passfile = if looks { config.passfile.clone() } else { Passfile::default() };
        Ok(Login { plain, tls: access.tls, passfile })
    }

    fn at(&self, host: &str, port: u16) -> Result<Conninfo, TopologyError> {
        if self.tls == Tls::Disable && !is_loopback(host) {
            return Err(Problem::PlainText(host.to_owned()).into());
        }
        let conninfo = self.plain.clone().with_host(Host::Tcp(host.to_owned())).with_port(port);
        Ok(self.passfile.complete(conninfo))
    }
}

/// Whether nothing that is sent there leaves the machine. A name may lead anywhere.
fn is_loopback(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl From<Problem> for TopologyError {
    fn from(problem: Problem) -> TopologyError {
        TopologyError::Aurora(Box::new(problem))
    }
}
