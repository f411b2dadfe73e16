//! One self-contained page: styles, script and charts inside, no request to anywhere, complete without the script.

pub(super) mod charts;
mod page;
pub(super) mod parts;
mod sections;
pub(super) mod shell;

pub use page::html;
