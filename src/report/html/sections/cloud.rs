//! A cluster of AWS's: its instances, its endpoints, and what RDS reported.

use maud::html;

use crate::report::html::parts::Section;
use crate::report::{Report, cloud};

/// One section for each part that there is.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    let id = |title: &str| match title {
        "Instances" => "instances",
        "Endpoints" => "endpoints",
        _ => "events",
    };
    let section = |(title, lines): (&'static str, Vec<String>)| {
        let body = html! { ul.plain-list { @for line in &lines { li { (line) } } } };
        Section::new(id(title), title, body)
    };
    cloud::parts(report).into_iter().map(section).collect()
}
