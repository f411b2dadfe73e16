//! One instance: a node of the lab under its own identifier.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::history::{Nanos, NodeName};
use crate::pg::{self, Conninfo, Deadlines, PgError, Session};
use crate::topology::TopologyError;
use crate::topology::attached::{DEADLINES, Node, Seen};

use super::{Member, Problem};

/// An instance of the cluster.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) node: Node,
    pub(super) instance: String,
    /// Until when Aurora simulates a fault here, as far as it was asked to.
    simulated: Mutex<Option<Instant>>,
}

/// What was known of an instance before it was asked to simulate a fault.
#[derive(Debug)]
pub(super) struct Before {
    simulated: Option<Instant>,
    started: Option<String>,
}

impl Seat {
    /// The member, which has the address that `conninfo` names.
    pub(super) fn new(
        name: NodeName,
        member: &Member,
        conninfo: &Conninfo,
        (schema, synchronous_commit): (&str, &str),
    ) -> Seat {
        let node = Node::new(name, conninfo, schema, synchronous_commit);
        Seat { node, instance: member.instance.clone(), simulated: Mutex::default() }
    }

    /// Aurora is asked to simulate a fault of `length` here from now on. It may start the server anew for that, or replace it.
    /// Answers what was known before, for the case that it is refused.
    pub(super) fn simulates(&self, length: Nanos) -> Before {
        let mut simulated = self.simulated.lock().unwrap_or_else(PoisonError::into_inner);
        let before = Before { simulated: *simulated, started: self.node.started() };
        *simulated = (*simulated).max(Some(Instant::now() + std::time::Duration::from(length)));
        self.node.forget();
        before
    }

    /// It was refused: everything is as it was before.
    pub(super) fn simulates_nothing(&self, before: Before) {
        *self.simulated.lock().unwrap_or_else(PoisonError::into_inner) = before.simulated;
        self.node.expect(before.started);
    }

    /// Until when it has been asked to; `None`: never.
    pub(super) fn simulated(&self) -> Option<Instant> {
        *self.simulated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the server that is there now, unless a simulated fault may yet have it started anew.
    pub(super) fn remember(&self, seen: Seen) {
        if self.simulated().is_none_or(|until| until <= Instant::now()) {
            self.node.remember(seen);
        }
    }

    /// Asks the server what it is, and whether it calls itself what the API does.
    pub(super) async fn look(&self) -> Result<Seen, TopologyError> {
        let unreachable = |error: PgError| Problem::Server {
            instance: self.instance.clone(),
            url: self.node.conninfo.to_string(),
            why: error.to_string(),
        };
        let seen = self.node.ask(DEADLINES).await.map_err(unreachable)?;
        let who = self.who(DEADLINES).await.map_err(unreachable)?;
        match who.0.instance {
            Some(other) if other != self.instance => {
                let why = format!("at the address of `{}` answers the instance `{other}`", self.instance);
                Err(self.node.unfit(why))
            }
            _ => Ok(seen),
        }
    }

    /// Asks it who it is; and where the name has led to.
    pub(super) async fn who(
        &self,
        deadlines: Deadlines,
    ) -> Result<(pg::aurora::Who, Option<String>), PgError> {
        ask(&self.node.conninfo, deadlines).await
    }
}

/// Waits until the last fault that is simulated in any of `seats` has lasted as long as it was asked to: nobody can end it.
pub(super) async fn outlast(seats: &[Seat]) {
    if let Some(until) = seats.iter().filter_map(Seat::simulated).max() {
        tokio::time::sleep_until(until).await;
    }
}

/// Who answers a new connection, and at which address.
pub(super) async fn ask(
    conninfo: &Conninfo,
    deadlines: Deadlines,
) -> Result<(pg::aurora::Who, Option<String>), PgError> {
    let session = Session::connect(conninfo, "replab", deadlines).await?;
    let who = pg::aurora::who(&session).await?;
    let address = session.peer().map(|peer| peer.to_string());
    session.close().await;
    Ok((who, address))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pg::Host;

    fn seats() -> [Seat; 2] {
        [1, 2].map(|number| {
            let conninfo = Conninfo::new(Host::Tcp("127.0.0.1".to_owned()), 1, "nobody", "none");
            let member = Member {
                instance: format!("lab-{number}"),
                is_writer: false,
                tier: 1,
                class: None,
                zone: None,
                status: "available".to_owned(),
                address: None,
            };
            Seat::new(NodeName::replica(number), &member, &conninfo, ("replab_1", "on"))
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_simulated_fault_may_start_the_server_anew_until_it_is_over() {
        let seats = seats();
        seats.iter().for_each(|seat| seat.remember(Seen::since("today")));
        let started = || seats.each_ref().map(|seat| seat.node.started().is_some());
        seats[0].simulates(Nanos::from_millis(10_000));
        // A shorter one beside it ends before it.
        seats[0].simulates(Nanos::from_millis(2_000));
        assert_eq!(started(), [false, true], "nobody else is concerned");
        tokio::time::advance(Duration::from_secs(5)).await;
        seats[0].remember(Seen::since("noon"));
        assert_eq!(started(), [false, true], "it lasts");
        let begun = Instant::now();
        outlast(&seats).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5));
        seats[0].remember(Seen::since("noon"));
        assert_eq!(started(), [true, true]);
        outlast(&seats).await;
        outlast(&seats[1..]).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(5), "what is over is not waited for");

        // What is refused leaves everything as it was.
        let before = seats[0].simulates(Nanos::from_millis(60_000));
        seats[0].simulates_nothing(before);
        assert_eq!(seats[0].node.started().as_deref(), Some("noon"));
        seats[1].simulates(Nanos::from_millis(1_000));
        let before = seats[1].simulates(Nanos::from_millis(60_000));
        seats[1].simulates_nothing(before);
        assert_eq!(started(), [true, false]);
        outlast(&seats).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(6), "the other one lasts");
    }
}
