//! The one integration binary; a module a subject.

mod browser;
mod report;
mod sample_report;
