//! What is done to instances: through the API, or by Aurora's own functions; each verified on the servers.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::seat::{self, Seat};
use super::{Asked, failover, reboot};
use crate::history::{Action, Nanos, NodeName};
use crate::pg::{self, PgError, Session};
use crate::topology::TopologyError;
use crate::topology::attached::{DEADLINES, LONGEST_PAUSE, Pauses, Seen};

impl Cluster {
    /// Does `action` to `node`, verifies on the servers that it took hold, and answers a line for the report.
    ///
    /// # Errors
    /// What AWS refuses, what it accepts and does not do, and what the servers do not show.
    pub async fn act(&self, node: NodeName, action: Action) -> Result<String, TopologyError> {
        let seat = self.seat(node)?;
        let _turn = self.turn.lock().await;
        match action {
            Action::Restart => self.restart(seat).await,
            Action::Promote | Action::Switchover => self.fail_over(seat).await,
            Action::Crash => self.crash(seat).await,
            Action::InjectReplicaFailure(failure) => {
                let writer = self.seat(*self.primary())?;
                let sql = pg::aurora::replica_failure(failure, &seat.instance);
                self.simulate(seat, action.lasts(), writer, &sql).await
            }
            Action::InjectDiskFailure(failure) => {
                self.simulate(seat, action.lasts(), seat, &pg::aurora::disk_failure(failure)).await
            }
            Action::InjectDiskCongestion(how) => {
                self.simulate(seat, action.lasts(), seat, &pg::aurora::disk_congestion(how)).await
            }
            _ => Err(TopologyError::lab(format!("a cluster of Aurora's has no {action}"))),
        }
    }

    /// The instance's server is another one than before, and the API calls it available.
    async fn restart(&self, seat: &Seat) -> Result<String, TopologyError> {
        let before = seat.look().await?;
        seat.node.forget();
        let begun = Instant::now();
        let restarted =
            async || seat.node.ask(DEADLINES).await.is_ok_and(|now| now.started != before.started);
        let asked =
            reboot::reboot(&self.api, &self.survey.cluster, &seat.instance, &self.patience, restarted)
                .await?;
        let seen = self.started_anew(seat, &before).await?;
        let up = begun.elapsed();
        failover::settle(&self.api, &self.survey.cluster, &self.patience).await?;
        let others = self.remember_all().await?;
        if seen.in_recovery != before.in_recovery {
            let why = format!("{} has another role since its reboot", seat.instance);
            return Err(TopologyError::lab(why));
        }
        Ok(format!(
            "RebootDBInstance {}: {}; its server started anew within {} ms; all are available{}",
            seat.instance,
            accepted(asked),
            up.as_millis(),
            with_it(&others, &seat.instance)
        ))
    }

    /// Another member is the writer, all of them are available, the servers say the same, and the cluster's endpoint leads
    /// to the new writer.
    async fn fail_over(&self, seat: &Seat) -> Result<String, TopologyError> {
        let (name, cluster) = (seat.node.name, &self.survey.cluster);
        let old = *self.primary();
        let now = super::discovery::glance(&self.api, cluster).await?;
        if name == old || now.writer().is_some_and(|writer| writer.instance == seat.instance) {
            return Err(TopologyError::IsPrimary { node: name });
        }
        if now.member(&seat.instance).is_none() {
            return Err(TopologyError::lab(format!(
                "{} is no member of the cluster any more",
                seat.instance
            )));
        }
        self.seats.iter().for_each(|seat| seat.node.forget());
        let begun = Instant::now();
        let promoted = failover::promote(&self.api, cluster, &seat.instance, &self.patience).await?;
        let role = begun.elapsed();
        seat.node.wait(self.patience.servers, "leave recovery", |seen| !seen.in_recovery).await?;
        let writes = begun.elapsed();
        *self.primary() = name;
        let led = self.endpoint_leads_to(seat, begun).await?;
        failover::settle(&self.api, cluster, &self.patience).await?;
        let old_seat = self.seat(old)?;
        let is_reader = |seen: &Seen| seen.in_recovery;
        old_seat.node.wait(self.patience.servers, "come back as a reader", is_reader).await?;
        self.remember_all().await?;
        let detours = match promoted.detours.as_slice() {
            [] => String::new(),
            others => format!("; on the way {} became the writer", others.join(", ")),
        };
        Ok(format!(
            "FailoverDBCluster to {}: {}; it is the writer after {} ms, and takes writes after {} ms{led}; all are \
             available after {} ms, and {} is a reader{detours}",
            seat.instance,
            accepted(promoted.asked),
            role.as_millis(),
            writes.as_millis(),
            begun.elapsed().as_millis(),
            old_seat.instance
        ))
    }

    /// A statement that ends the server it is sent to.
    async fn crash(&self, seat: &Seat) -> Result<String, TopologyError> {
        let before = seat.look().await?;
        seat.node.forget();
        let query = |error: PgError| TopologyError::Query {
            node: seat.node.name,
            what: pg::aurora::CRASH,
            why: error.to_string(),
        };
        let session = Session::connect(&seat.node.conninfo, "replab", DEADLINES).await.map_err(query)?;
        // Whoever is ended gives no answer.
        if let Err(error @ PgError::Sql { .. }) = session.simple_query_rows(pg::aurora::CRASH).await {
            return Err(query(error));
        }
        let begun = Instant::now();
        let seen = self.started_anew(seat, &before).await?;
        let up = begun.elapsed();
        failover::settle(&self.api, &self.survey.cluster, &self.patience).await?;
        if seen.in_recovery != before.in_recovery {
            let why = format!("{} has another role since its crash: the cluster failed over", seat.instance);
            return Err(TopologyError::lab(why));
        }
        let others = self.remember_all().await?;
        Ok(format!(
            "{} crashed by aurora_inject_crash, and was there again within {} ms{}",
            seat.instance,
            up.as_millis(),
            with_it(&others, &seat.instance)
        ))
    }

    /// A statement to `asked` that makes Aurora simulate something at `seat` for a while. That nobody can see from outside;
    /// that it was accepted is all that is known.
    async fn simulate(
        &self,
        seat: &Seat,
        length: Nanos,
        asked: &Seat,
        sql: &str,
    ) -> Result<String, TopologyError> {
        // Aurora takes whole seconds.
        let length = Nanos(length.0.next_multiple_of(1_000_000_000));
        let before = seat.simulates(length);
        let accepted = async {
            let session = asked.node.session().await?;
            session.simple_query_rows(sql).await?;
            session.close().await;
            Ok(())
        };
        accepted.await.map_err(|error: PgError| {
            // Of anything else it is not known whether it was accepted.
            if matches!(error, PgError::Sql { .. }) {
                seat.simulates_nothing(before);
            }
            TopologyError::Query {
                node: asked.node.name,
                what: "ask Aurora to simulate a fault",
                why: format!("{sql}: {error}"),
            }
        })?;
        // It began at some time until now.
        seat.simulates(length);
        Ok(format!("accepted by {}: {sql}", asked.instance))
    }

    async fn started_anew(&self, seat: &Seat, before: &Seen) -> Result<Seen, TopologyError> {
        let is_new = |seen: &Seen| seen.started != before.started;
        seat.node.wait(self.patience.servers, "show a new start of its server", is_new).await
    }

    /// Waits until a new connection through the cluster's endpoint finds the new writer; a name may lead to the old one
    /// for a while. Nothing where the cluster has no such endpoint.
    async fn endpoint_leads_to(&self, seat: &Seat, begun: Instant) -> Result<String, TopologyError> {
        let Some(conninfo) = self.writer_endpoint() else { return Ok(String::new()) };
        let end = Instant::now() + self.patience.servers;
        let mut pauses = Pauses::up_to(LONGEST_PAUSE);
        loop {
            let found = match seat::ask(conninfo, DEADLINES).await {
                Ok((who, _)) => {
                    let is_it = who.instance.as_ref().is_none_or(|instance| *instance == seat.instance);
                    if is_it && !who.in_recovery {
                        let after = begun.elapsed().as_millis();
                        return Ok(format!("; the cluster's endpoint leads to it after {after} ms"));
                    }
                    who.instance.unwrap_or_else(|| "a reader".to_owned())
                }
                Err(error) => error.to_string(),
            };
            if Instant::now() >= end {
                let why = format!("the cluster's endpoint does not lead to {}: {found}", seat.instance);
                return Err(TopologyError::lab(why));
            }
            pauses.pause().await;
        }
    }

    /// Takes note of every server as it is now; answers those that started anew since they were last seen.
    async fn remember_all(&self) -> Result<Vec<String>, TopologyError> {
        let wait =
            async |seat: &Seat| seat.node.wait(self.patience.servers, "answer a query", |_| true).await;
        let seen = join_all(self.seats.iter().map(wait)).await;
        let mut anew = Vec::new();
        for (seat, seen) in self.seats.iter().zip(seen) {
            let seen = seen?;
            if seat.node.started().is_some_and(|started| started != seen.started) {
                anew.push(seat.instance.clone());
            }
            seat.remember(seen);
        }
        Ok(anew)
    }

    /// Whether the cluster is what the run made of it: the same writer by the API and by the servers, everybody available,
    /// and no server that started anew unasked. Faults that are still simulated are waited out first.
    pub async fn all_follow(&self) -> Result<(), TopologyError> {
        seat::outlast(&self.seats).await;
        let found = failover::settle(&self.api, &self.survey.cluster, &self.patience).await?;
        let primary = self.seat(*self.primary())?;
        if let Some(writer) = found.writer().filter(|writer| writer.instance != primary.instance) {
            let why = format!("{} is the writer now, and {}", writer.instance, self.nobody_asked());
            return Err(TopologyError::lab(why));
        }
        for seat in &self.seats {
            let seen = seat.node.wait(self.patience.servers, "answer a query", |_| true).await?;
            let name = seat.node.name;
            if seen.in_recovery == (name == primary.node.name) {
                let role = if seen.in_recovery { "a reader" } else { "a writer" };
                let why = format!("{} is {role} now, and {}", seat.instance, self.nobody_asked());
                return Err(TopologyError::lab(why));
            }
            if seat.node.started().is_some_and(|started| started != seen.started) {
                let why = format!("{name} started anew, and no fault of this run made it");
                return Err(TopologyError::lab(why));
            }
        }
        Ok(())
    }

    /// Why another role is an error; what Aurora does of itself while it simulates something is not for replab to say.
    fn nobody_asked(&self) -> &'static str {
        if self.seats.iter().any(|seat| seat.simulated().is_some()) {
            "no fault of this run made it so, unless Aurora did for one that it simulates"
        } else {
            "no fault of this run made it so"
        }
    }
}

/// How many of `others` started anew beside `instance`, for which it was meant: on versions before readers stay up while
/// the writer restarts they do.
fn with_it(others: &[String], instance: &str) -> String {
    match others.iter().filter(|other| *other != instance).count() {
        0 => String::new(),
        1 => "; 1 other started anew with it".to_owned(),
        count => format!("; {count} others started anew with it"),
    }
}

/// `accepted`, or at which call it was carried out, and what became of those before.
fn accepted(asked: Asked) -> String {
    match asked {
        Asked { calls: 0, .. } => "it was done before a call was taken".to_owned(),
        Asked { calls: 1, lost: 0 } => "accepted".to_owned(),
        Asked { calls: 1, .. } => "carried out, and the call got no answer".to_owned(),
        Asked { calls, lost: 0 } => {
            format!("carried out at call {calls}, after {} that were accepted and not carried out", calls - 1)
        }
        Asked { calls, lost } => {
            format!("carried out at call {calls}; {lost} of the calls got no answer")
        }
    }
}
