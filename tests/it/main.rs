//! The one integration binary; a module a subject.

mod browser;
mod planted;
mod report;
mod sample_report;
mod tidy;
mod usage;
