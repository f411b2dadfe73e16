//! The one integration binary; a module a subject.

mod browser;
mod local;
mod pg;
mod planted;
mod report;
mod sample_report;
mod support;
mod tidy;
mod usage;
