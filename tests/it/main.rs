//! The one integration binary; a module a subject.

mod local;
mod pg;
mod support;
