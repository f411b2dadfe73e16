//! The one integration binary; a module a subject.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on fails, and one that is skipped says so"
)]

mod alike;
mod anomalies;
#[cfg(feature = "aurora")]
mod aurora;
mod bank_and_set;
mod bench;
mod browser;
mod clusters;
mod compose;
mod container_failover;
#[cfg(target_os = "linux")]
mod disk;
mod environment;
mod experiment;
mod failover;
mod faults;
mod forum;
mod fuzz;
mod histories;
mod infra;
mod isolation;
mod killed;
mod lab;
mod local;
mod long_fork;
mod matrix;
mod partition;
mod pg;
mod planted;
mod rds;
mod report;
mod rto;
mod sample_report;
mod shared_memory;
mod shrink;
mod stored;
mod support;
mod suspend;
mod tidy;
mod tls;
mod transactions;
mod urls;
mod usage;
