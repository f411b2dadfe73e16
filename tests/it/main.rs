//! The one integration binary; a module a subject.

mod pg;
mod support;
