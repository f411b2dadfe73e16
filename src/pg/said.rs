//! A statement as a script sends it, and everything that the server says to it.

use tokio_postgres::SimpleQueryMessage;

use super::{PgError, Session};

/// What a server answers to the last of the statements that were sent together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The rows as text, `None` for NULL, where the statement has columns.
    pub rows: Option<Vec<Vec<Option<String>>>>,
    /// The number in the tag: of rows that were written, or read.
    pub count: u64,
}

impl Session {
    /// Runs `sql` (simple query protocol) and answers rows and count of its last statement.
    ///
    /// Not for `COMMIT`: see [`Session::commit`].
    pub async fn say(&self, sql: &str) -> Result<Said, PgError> {
        let messages = self.bounded(self.client.simple_query(sql)).await?;
        let mut said = Said { rows: None, count: 0 };
        let mut is_open = false;
        for message in &messages {
            match message {
                SimpleQueryMessage::RowDescription(_) => (said.rows, is_open) = (Some(Vec::new()), true),
                SimpleQueryMessage::Row(row) => {
                    let values = (0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect();
                    said.rows.get_or_insert_default().push(values);
                }
                SimpleQueryMessage::CommandComplete(count) => {
                    if !is_open {
                        said.rows = None;
                    }
                    (said.count, is_open) = (*count, false);
                }
                _ => {}
            }
        }
        Ok(said)
    }
}
