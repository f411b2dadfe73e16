//! A replication lab for PostgreSQL primaries and replicas.
#![doc = ""]

pub mod check;
pub mod cli;
pub mod history;
pub mod lsn;
pub mod measure;
pub mod pg;
pub mod report;
pub mod topology;
