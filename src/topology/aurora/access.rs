//! Which cluster, and how it is reached. Nothing here is a secret.

use std::path::PathBuf;

/// How a session proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// With a password of the user's (`PGPASSWORD`, or libpq's password file).
    Password,
    /// With the master user's password, which RDS keeps in Secrets Manager.
    Secret,
    /// With a token of IAM's, signed anew for each host and each connection.
    Iam,
}

/// What is asked of a connection before anything is sent over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// A certificate of the bundle's authorities, for the name that was connected to.
    VerifyFull,
    /// A certificate of the bundle's authorities, for whomever.
    VerifyCa,
    /// No TLS: on loopback addresses only.
    Disable,
}

/// How much a query on a reader waits for, where writes may be forwarded from readers: Aurora's parameter
/// `apg_write_forward.consistency_mode` (Aurora user guide, "Configuring read consistency for local write forwarding").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consistency {
    /// For nothing.
    Eventual,
    /// Until the reader shows what the session itself has written.
    Session,
    /// Until the reader shows whatever was committed when the query began.
    Global,
}

impl Consistency {
    /// As the parameter spells it.
    pub fn mode(self) -> &'static str {
        match self {
            Consistency::Eventual => "eventual",
            Consistency::Session => "session",
            Consistency::Global => "global",
        }
    }
}

/// A cluster of one account in one region, and the user and database to use in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// `DBClusterIdentifier`.
    pub cluster: String,
    /// `us-east-1`; `None`: what AWS's own settings say.
    pub region: Option<String>,
    /// Of AWS's configuration files; `None`: what AWS's own settings say.
    pub profile: Option<String>,
    /// Another address of the RDS API than the region's.
    pub endpoint_url: Option<String>,
    /// The database.
    pub database: String,
    /// The database's user; with [`Auth::Secret`] the secret names it.
    pub user: String,
    /// How it proves that.
    pub auth: Auth,
    /// How servers prove who they are.
    pub tls: Tls,
    /// The certificates of the authorities that may say so, as PEM; `None`: those of the system.
    pub ca_bundle: Option<PathBuf>,
    /// Of the clients' sessions; `None`: as the cluster's parameters say.
    pub consistency: Option<Consistency>,
}
