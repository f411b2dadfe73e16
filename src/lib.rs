//! A replication lab for PostgreSQL primaries and replicas.

pub mod check;
pub mod cli;
pub mod config;
pub mod fault;
pub mod history;
pub mod lsn;
pub mod measure;
pub mod pg;
pub mod report;
pub mod run;
mod suggest;
pub mod topology;
pub mod workload;
