//! An Aurora-shaped cluster on one machine: an HTTP endpoint that speaks the API of RDS, in front of real servers.
//!
//! [`Served::start`] makes a local cluster and puts three things in front of it:
//!
//! * the API (`http`, `signature`, `query`, `action`; `json` and `secret` for Secrets Manager): what is asked for is checked
//!   against the state of the cluster (`fleet`), done to the servers in the background (`control`), and can be followed by its
//!   states and events;
//! * the endpoints (`door`, `token`, `tls`, `address`): addresses that stay, while the servers behind them change their roles;
//! * in the databases, Aurora's functions (`functions.sql`), which read what the `sampler` writes beside the data of every
//!   server, and leave requests there, which `control::inject` heeds.
//!
//! What differs from Aurora is in `docs/aurora.md`.

mod action;
mod address;
mod answer;
mod chaos;
mod control;
mod cpu;
mod door;
mod events;
mod fleet;
mod hosts;
mod http;
mod identifier;
mod json;
mod lag;
mod page;
mod query;
mod refusal;
mod request;
mod sampler;
mod secret;
mod serve;
mod settings;
mod signature;
mod tls;
mod token;
mod xml;

pub use address::AddressError;
pub use chaos::{Chaos, Plant};
pub use serve::Served;
pub use settings::{Facts, ServeError, Settings};
pub use signature::Keys;
pub use tls::TlsError;
