//! A replication lab for PostgreSQL primaries and replicas.
//!
//! It makes a cluster with a writer endpoint and replica endpoints, drives transactions against the writer, reads back
//! from every node, restarts nodes by force, and says, with evidence, what was lost, what readers could rely on, and
//! how far behind the replicas were.
//!
//! # Architecture
//!
//! Data flows one way, as plain values; no stage calls the next one, [`run`] does:
//!
//! ```text
//! config ──Plan──▶ topology ──Site──▶ workload ──Event──▶ history ──Evidence──▶ check ──Judgement──▶ report
//!                      ▲                                     ▲    └───────────▶ measure ──Figures──────▲
//!                      └──────── fault (Schedule) ───────────┘          only `run` sees all of them
//! ```
//!
//! | rank | modules | what they are |
//! |---|---|---|
//! | 0 | [`lsn`], `suggest` | log sequence numbers; "did you mean" |
//! | 1 | [`isolation`] | the transaction isolation levels |
//! | 1 | [`history`] | what happened: operations, events, samples, and the files they are kept in |
//! | 2 | [`anomaly`] | scripted interleavings: cases as files, what is expected of them, what a transcript amounts to; histories as cases |
//! | 2 | [`pg`] | PostgreSQL as a client sees it: sessions with deadlines, the honest commit, certainty, probes |
//! | 2 | [`import`] | histories in files: Jepsen's, dbcop's, those of PolySI and AWDIT, and replab's own |
//! | 2 | [`check`] | pure judgements over a history, one guarantee at a time |
//! | 2 | [`measure`] | pure figures over a history: rates, latencies, lag, time to recover, limits on them |
//! | 3 | [`topology`] | nodes and what can be done to them: processes of this machine, or memory with planted bugs |
//! | 3 | [`report`] | values in, bytes out: terminal, JSON, Markdown, JUnit, one HTML page, pictures |
//! | 4 | [`workload`] | what clients do, and how certain each outcome is |
//! | 4 | [`fault`] | when to do what to which node: schedules, seeded and pure |
//! | 4 | [`rds`] | an Aurora-shaped control plane: the API of RDS in front of local servers |
//! | 5 | [`config`] | built-in defaults, file, environment and flags become a plan that is valid |
//! | 6 | [`run`] | the experiment: recorder, workers, nemesis, samplers, last reads, run directory |
//! | 7 | [`cli`] | one file a command; the only place that prints |
//!
//! A module imports only modules of lower rank, and `tests/it/tidy.rs` fails otherwise. So `check`, `measure` and
//! `report` have no runtime, no clock and no files, and a stored run is judged by the code that judged it when it ended.
//!
//! # Invariants
//!
//! * A history is immutable once [`history::History::new`] has accepted it; a malformed one is an error, not a failed
//!   check.
//! * An operation fails only on evidence that it did not happen ([`pg::certainty`] is the one place that decides). Every
//!   other doubt is `Info`: it may have happened, and may still happen. It is never retried, and its process id is never
//!   used again.
//! * Faults are events of the history; a step counts as done when it was seen to have taken hold.
//! * A checker that is given an empty, cut or unsuitable history answers `Unknown`, and says why. So does one that panics.
//! * Durability settings are asserted on every node before every run, and stand in the report.
//! * Whatever is started is stopped: on success, on error, on Ctrl-C, on a panic. What a `kill -9` of replab leaves, its
//!   guard process ends; what a reboot leaves, `replab gc` finds.
//! * Secrets are a type that neither prints nor serialises.

pub mod lsn;
mod suggest;

pub mod history;
pub mod isolation;

pub mod anomaly;
pub mod check;
pub mod import;
pub mod measure;
pub mod pg;

pub mod report;
pub mod topology;

pub mod fault;
pub mod rds;
pub mod workload;

pub mod config;
pub mod run;

pub mod cli;
