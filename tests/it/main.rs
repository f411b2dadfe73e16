//! The one integration binary; a module a subject.

mod clusters;
mod environment;
mod experiment;
mod killed;
mod lab;
mod planted;
mod report;
mod sample_report;
mod stored;
mod tidy;
mod usage;
