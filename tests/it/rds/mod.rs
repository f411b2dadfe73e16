//! `replab aurora serve`: the API as its own clients speak it, the endpoints, and Aurora's functions.

mod api;
mod chaos;
mod clients;
mod endpoints;
mod failover;
mod functions;
mod iam;
mod lifecycle;
mod members;
mod paused;
#[cfg(feature = "aurora")]
mod run;
#[cfg(feature = "aurora")]
mod run_iam;
mod serving;
mod signed;
