//! The part in the language of PostgreSQL's own isolationtester.

use super::model::{Shrunk, Worth};
use super::psql::origin;
use crate::anomaly::{self, Inexpressible};
use crate::report::words::plain;

/// What isolationtester has no words for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOneServer {
    /// The anomaly rests on several nodes.
    #[error("isolationtester has one server, and this takes several: {0}")]
    Nodes(String),
    /// Something that a case cannot say there.
    #[error(transparent)]
    Case(#[from] Inexpressible),
}

/// A specification with one permutation: the order of the script.
///
/// # Errors
/// Where one server cannot show it.
pub fn isolationtester(found: &Shrunk) -> Result<String, NotOneServer> {
    if found.worth == Worth::SeveralNodes {
        let on = |player: &super::Player| format!("{} is on {}", player.name, plain(&player.node));
        let all: Vec<String> = found.sessions.iter().map(on).collect();
        return Err(NotOneServer::Nodes(all.join(", ")));
    }
    let spec = anomaly::isolationtester(&found.case, found.level)?;
    let (title, rest) = spec.split_once('\n').unwrap_or((&spec, ""));
    let mut text = format!("{title}\n");
    for line in origin(found) {
        text.push_str(&format!("# {line}\n"));
    }
    for line in &found.script {
        if let Some(saw) = &line.saw {
            let saw = if saw.is_empty() { "no row".to_owned() } else { saw.join(", ") };
            text.push_str(&format!("# {}: {} -> {saw}\n", line.transaction, line.sql));
        }
    }
    Ok(text + rest)
}
