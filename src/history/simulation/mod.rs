//! Histories of databases that are only imagined, of known isolation and with planted faults: for tests of the checkers, and
//! for measuring them.

mod client;
mod database;
mod settings;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::history::Nanos;
use crate::history::NodeName;
use crate::history::txn::{Builder, Refused, Txns};
use client::Client;
use database::Database;

pub use settings::{Fault, Level, Settings};

/// What the clients of such a database saw. Each event is a microsecond after the one before.
pub fn simulate(settings: &Settings) -> Result<Txns, Refused> {
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut database = Database::new(settings);
    let mut builder = Builder::default();
    let nodes = [builder.node(NodeName::primary()), builder.node(NodeName::replica(1))];
    let mut clients: Vec<Client> = (0..settings.clients.max(1)).map(Client::new).collect();
    let mut event = 0u32;
    let mut running = 0u32;
    while builder.len() < settings.transactions as usize || running > 0 {
        let chosen = rand::RngExt::random_range(&mut random, 0..clients.len());
        let client = &mut clients[chosen];
        let may_begin = builder.len() < settings.transactions as usize;
        let now = Nanos(u64::from(event) * 1_000);
        let step = client.step(&mut database, &mut builder, &mut random, nodes, (event, now), may_begin)?;
        event += u32::from(step.is_event);
        running = running.saturating_add_signed(step.running);
    }
    Ok(builder.finish())
}
