//! Charts as SVG, complete without a script. Those over time have fault bands, and their numbers below them.

mod axis;
mod curve;
mod frame;
mod lanes;
mod marks;
mod plot;
mod recovery;
mod rows;
mod table;

pub(in crate::report) use axis::{Unit, nice_step};
pub(in crate::report) use curve::{Curve, Line};
pub(super) use frame::Frame;
pub(in crate::report) use frame::at;
pub(super) use lanes::lanes;
pub(super) use plot::{Gap, Kind, Plot, Series};
pub(super) use recovery::recovery;
pub(in crate::report) use rows::{Row, Rows};

use maud::{Markup, html};

/// The hatchings that all charts share; goes into the page once. A series differs by more than its colour.
pub(super) fn patterns() -> Markup {
    let hatch = |id: &str, size: u32, path: &str| {
        html! {
            pattern id=(id) width=(size) height=(size) patternUnits="userSpaceOnUse" {
                rect class="ground" width=(size) height=(size) {}
                path d=(path) {}
            }
        }
    };
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                (hatch("hatch-band", 8, "M-2 10L10 -2M-2 2L2 -2M6 10L10 6"))
                (hatch("hatch-gap", 6, "M-1 -1L7 7M-1 5L1 7M5 -1L7 1"))
                (hatch("hatch-refused", 5, "M2.5 0V5"))
                (hatch("hatch-fail", 6, "M-1 7L7 -1M-1 1L1 -1M5 7L7 5"))
                (hatch("hatch-info", 6, "M0 0L6 6M6 0L0 6"))
            }
        }
    }
}
