//! One self-contained page: styles, script and charts inside, no request to anywhere, complete without the script.

mod charts;
mod page;
mod parts;
mod sections;

pub use page::html;
