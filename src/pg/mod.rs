//! PostgreSQL as a client sees it: sessions with deadlines, an honest commit, what an outcome is worth, probes.
//!
//! A [`Session`] is one connection; it is never repaired. When it is lost or given up, its owner makes another one
//! and, if the outcome of an operation is unknown, goes on under another process id.

pub mod aurora;
mod certainty;
mod conninfo;
mod dial;
mod error;
mod passfile;
mod password;
pub mod probe;
mod said;
mod secret;
mod session;
mod tls;
mod transaction;

pub use certainty::{Certainty, Stage, cause, certainty};
pub use conninfo::{Conninfo, ConninfoError, Host};
pub use error::{Lost, PgError};
pub use passfile::Passfile;
pub use password::{Mint, Password};
pub use said::Said;
pub use secret::Secret;
pub use session::{Deadlines, Notice, Session};
pub use tls::{Roots, Tls, Verify};
pub use tokio_postgres::types::ToSql;
pub use tokio_postgres::{Row, Statement};
pub use transaction::{Bound, Done, Failed};
