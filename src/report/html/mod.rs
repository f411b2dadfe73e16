//! One self-contained page: styles, script and charts inside, no request to anywhere, complete without the script.

pub(super) mod charts;
mod page;
pub(super) mod parts;
mod sections;
pub(super) mod shell;

pub use page::html;

/// The colours of pages and pictures: variables, light or dark as whoever looks prefers.
pub(super) fn theme() -> &'static str {
    shell::THEME
}
