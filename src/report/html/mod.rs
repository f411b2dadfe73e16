//! One self-contained page: styles, script and charts inside, no request to anywhere, complete without the script.

mod charts;
pub(super) mod page;
pub(super) mod parts;
mod sections;

pub use page::html;
