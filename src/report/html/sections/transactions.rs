//! Transactions on lists and registers: what their dependencies amount to.

use crate::report::Report;
use crate::report::html::parts::Section;
use crate::report::transactions::section;

/// A section for each workload that has them.
pub(super) fn sections(report: &Report) -> Vec<Section> {
    let known = [
        ("append", "transactions-append", "Transactions on lists"),
        ("register", "transactions-register", "Transactions on registers"),
        ("longfork", "transactions-longfork", "Long forks"),
    ];
    let found = known.into_iter().filter_map(|(workload, id, title)| {
        let found = report.transactions.get(workload)?;
        Some(Section::new(id, title, section(found, &format!("{workload}-"))))
    });
    found.collect()
}
