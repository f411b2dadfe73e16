//! One instance: a node of the lab under its own identifier.

use crate::history::NodeName;
use crate::pg::{self, Conninfo, Deadlines, PgError, Session};
use crate::topology::TopologyError;
use crate::topology::attached::{DEADLINES, Node, Seen};

use super::{Member, Problem};

/// An instance of the cluster.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) node: Node,
    pub(super) instance: String,
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
        Seat { node, instance: member.instance.clone() }
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
