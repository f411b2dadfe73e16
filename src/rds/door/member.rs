//! Members of `rds_iam`: their password is a token, which is looked at here, and then the server takes them by its private
//! socket.

use std::io;

use chrono::Utc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::client::Client;
use super::greeting::{CLEARTEXT_PASSWORD, Greeting};
use super::startup::Startup;
use super::{Door, PATIENCE};
use crate::history::NodeName;
use crate::pg::Secret;
use crate::rds::token;

/// The longest password: PostgreSQL's own `PG_MAX_AUTH_TOKEN_LENGTH`.
const LONGEST: usize = 65_535;

impl Door {
    /// Leads a member to `node`, if its token is good; else it is told what RDS tells.
    pub(super) async fn admit(
        &self,
        client: &mut Client,
        startup: &Startup,
        greeting: &Greeting,
        node: NodeName,
    ) -> io::Result<()> {
        let (user, database) = startup.names();
        if !client.is_encrypted() {
            let host = client.address()?;
            let who = format!("host \"{host}\", user \"{user}\", database \"{database}\"");
            return client.refuse(&format!("pg_hba.conf rejects connection for {who}, no encryption")).await;
        }
        client.send(&[greeting.negotiation(), &CLEARTEXT_PASSWORD].concat()).await?;
        let Ok(password) = timeout(PATIENCE, password(client)).await else { return Ok(()) };
        let Some(password) = password? else { return Ok(()) };
        if let Err(why) = self.verify(&password, startup) {
            let endpoint = self.control.fleet().names(self.target).into_iter().next_back();
            let endpoint = endpoint.unwrap_or_default();
            self.control.say(format!("{endpoint}: the token of user {user:?} is refused: {why}"));
            return client.refuse(&format!("PAM authentication failed for user \"{user}\"")).await;
        }
        let socket = self.control.cluster.read().await.socket(node).map_err(io::Error::other)?;
        let mut server = UnixStream::connect(socket).await?;
        server.write_all(&startup.bytes).await?;
        // Of the protocol's version the client knows already.
        let greeting = timeout(PATIENCE, Greeting::read(&mut server)).await??;
        client.send(greeting.rest()).await?;
        copy_bidirectional(client.stream(), &mut server).await.map(drop)
    }

    fn verify(&self, token: &Secret, startup: &Startup) -> Result<(), token::Refused> {
        let purpose = {
            let fleet = self.control.fleet();
            token::Purpose {
                user: startup.user(),
                hosts: fleet.names(self.target),
                port: fleet.port,
                region: fleet.region.clone(),
            }
        };
        token::verify(token, &purpose, &self.control.keys, Utc::now())
    }
}

/// What the client answers when it is asked for its password; `None` where it hangs up.
async fn password(client: &mut Client) -> io::Result<Option<Secret>> {
    let mut head = [0; 5];
    match client.stream().read_exact(&mut head).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let [kind, length @ ..] = head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if kind != b'p' || !(5..=LONGEST).contains(&length) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no password"));
    }
    let mut text = vec![0; length - 4];
    client.stream().read_exact(&mut text).await?;
    text.pop_if(|last| *last == 0);
    Ok(Some(Secret::new(String::from_utf8_lossy(&text))))
}
