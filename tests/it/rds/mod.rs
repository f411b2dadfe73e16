//! `replab aurora serve`: the API as its own clients speak it, the endpoints, and Aurora's functions.

mod api;
mod chaos;
mod clients;
mod endpoints;
mod failover;
mod functions;
mod lifecycle;
mod members;
#[cfg(feature = "aurora")]
mod run;
mod serving;
mod signed;
