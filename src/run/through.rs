//! A client that reads as an application does: through an endpoint that leads to one of several nodes, over connections that
//! do not last.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::endpoints::EndpointLog;
use crate::history::{Cause, EndpointSample, NodeName};
use crate::pg::{self, Deadlines};
use crate::topology::{ReaderEndpoint, Site};
use crate::workload::{Client, Live};

/// How long a connection is used: an application's pool gives each back after a while. Short, so that a short run sees many.
const LEASE: Duration = Duration::from_secs(1);

/// What leads a client to its nodes, and what it writes down of that.
pub(super) struct Through {
    endpoint: ReaderEndpoint,
    log: Arc<EndpointLog>,
    /// The connection that is in use.
    held: Option<Connection>,
}

struct Connection {
    sample: EndpointSample,
    opened: Instant,
}

impl Through {
    pub(super) fn new(endpoint: &ReaderEndpoint, log: &Arc<EndpointLog>) -> Through {
        Through { endpoint: endpoint.clone(), log: Arc::clone(log), held: None }
    }

    /// Whether the connection has been used for long enough.
    pub(super) fn is_over(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.opened.elapsed() >= LEASE)
    }

    /// A read was answered.
    pub(super) fn count(&mut self) {
        if let Some(reads) = self.held.as_mut().and_then(|held| held.sample.reads.as_mut()) {
            *reads += 1;
        }
    }

    /// A new connection, and the node that is at its other end; else how long to wait at least before another one.
    pub(super) async fn open<C: Client>(
        &mut self,
        site: &Site,
        terms: &C::Terms,
        deadlines: Deadlines,
    ) -> Result<(C, NodeName), Duration> {
        self.close();
        let opened = Instant::now();
        let mut sample = EndpointSample {
            asked: self.log.now(),
            time: self.log.now(),
            endpoint: "reader".to_owned(),
            address: None,
            instance: None,
            node: None,
            takes_writes: None,
            error: None,
            reads: Some(0),
        };
        let answered = self.ask::<C>(&mut sample, site, terms, deadlines).await;
        sample.time = self.log.now();
        match (answered, sample.node) {
            (Ok(client), Some(node)) => {
                self.held = Some(Connection { sample, opened });
                Ok((client, node))
            }
            // It is no node of the run, or does not say who it is: somebody pays for every login there.
            (Ok(_), None) => {
                self.log.add(&[sample]);
                Err(LEASE)
            }
            (Err(cause), _) => {
                self.log.add(&[EndpointSample { error: Some(cause.message), ..sample }]);
                Err(Duration::ZERO)
            }
        }
    }

    async fn ask<C: Client>(
        &self,
        sample: &mut EndpointSample,
        site: &Site,
        terms: &C::Terms,
        deadlines: Deadlines,
    ) -> Result<C, Cause> {
        let client = C::connect(site, terms, deadlines).await?;
        if let Live::Postgres(session) = client.live() {
            let who = pg::aurora::who(session).await.map_err(|error| pg::cause(&error))?;
            sample.address = session.peer().map(|peer| peer.to_string());
            sample.takes_writes = Some(!who.in_recovery);
            sample.node = who.instance.as_ref().and_then(|name| self.endpoint.instances.get(name)).copied();
            sample.instance = who.instance;
        }
        Ok(client)
    }

    /// The connection is no longer in use.
    fn close(&mut self) {
        if let Some(held) = self.held.take() {
            self.log.add(&[held.sample]);
        }
    }
}

impl Drop for Through {
    fn drop(&mut self) {
        self.close();
    }
}
