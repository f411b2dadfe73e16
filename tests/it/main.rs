//! The one integration binary; a module a subject.

mod browser;
mod clusters;
mod environment;
mod experiment;
mod killed;
mod lab;
mod local;
mod pg;
mod planted;
mod report;
mod sample_report;
mod stored;
mod support;
mod tidy;
mod usage;
