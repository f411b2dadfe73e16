//! Transactional anomalies: who came before whom, by what was read and written, and whether that is an order.
//!
//! The rules are Elle's (Kingsbury and Alvaro, VLDB 2020) over Adya's dependencies; what refutes which model is data, in
//! `model`. A verdict is never that a history *is* something: it is refuted, it is not refuted by this history, or the history
//! does not tell.

mod analysis;
mod anomaly;
mod arrows;
mod budget;
mod census;
mod component;
mod dependencies;
mod explain;
mod graph;
mod keyed;
mod knot;
mod lesser;
mod list;
mod list_edges;
mod list_internal;
mod list_rules;
mod list_stale;
mod model;
mod names;
mod order;
mod reach;
mod register;
mod register_rules;
mod register_time;
mod sessions;
mod shrink;
mod sink;
mod spread;
mod walk;
mod witness;
mod words;

pub use analysis::{Analysis, Found, Standing, Trouble, Witness, analyze};
pub use anomaly::{Anomaly, Order, Shape};
pub use arrows::{Arrow, arrows};
pub use explain::{Why, show, show_list};
pub use keyed::Scope;
pub use list_stale::Stale;
pub use model::{MODELS, Model, find};
pub use names::ALIASES;
pub use shrink::{Smallest, budget, shrink};
pub use sink::Case;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
