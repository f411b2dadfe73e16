//! A whole table of one node as digests.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::history::{BUCKET_ROWS, Bucket, Table, TableDigest};
use crate::lsn::Lsn;
use crate::pg::{PgError, Session};
use crate::topology::Role;
use crate::topology::memory::Snapshot;

/// `feature_not_supported`: what Aurora answers where its storage has no such position.
const UNSUPPORTED: &str = "0A000";

/// Reads one table in one statement; the position is read before the rows, so that the rows are at least that new.
/// The primary's is the flushed one: the insert position may already stand behind the header of a page that no record
/// has reached, where no replica ever arrives while the cluster is idle.
pub(super) async fn table(session: &Session, role: Role, table: Table) -> Result<TableDigest, PgError> {
    let position = match role {
        Role::Primary => "pg_current_wal_flush_lsn()",
        Role::Replica => "pg_last_wal_replay_lsn()",
    };
    let lsn = session.prepare(&format!("SELECT {position}::text")).await?;
    let lsn: Option<String> = match session.query_one(&lsn, &[]).await {
        Err(error) if error.sqlstate() == Some(UNSUPPORTED) => None,
        row => row?.get(0),
    };
    let (name, key) = (table.name(), table.key());
    let rows = session
        .prepare(&format!(
            "SELECT ({key} / {BUCKET_ROWS})::bigint, count(*), md5(string_agg({name}::text, E'\\n' ORDER BY {key})) \
               FROM {name} GROUP BY 1 ORDER BY 1"
        ))
        .await?;
    let rows = session.query(&rows, &[]).await?;
    let bucket = |row: &tokio_postgres::Row| Bucket {
        bucket: row.get(0),
        rows: u64::try_from(row.get::<_, i64>(1)).unwrap_or(0),
        hash: row.get(2),
    };
    let buckets: Vec<Bucket> = rows.iter().map(bucket).collect();
    let lsn = lsn.and_then(|text| Lsn::parse_optional(&text).ok().flatten());
    Ok(TableDigest { table, lsn, rows: buckets.iter().map(|bucket| bucket.rows).sum(), buckets })
}

/// The same of a table in memory.
pub(super) fn memory(shown: &Snapshot, table: Table) -> TableDigest {
    let mut buckets: BTreeMap<i64, (u64, DefaultHasher)> = BTreeMap::new();
    let rows = &shown[&table];
    for row in rows {
        let (count, hasher) = buckets.entry(row.0 / BUCKET_ROWS).or_default();
        *count += 1;
        row.hash(hasher);
    }
    let bucket = |(bucket, (rows, hasher)): (i64, (u64, DefaultHasher))| Bucket {
        bucket,
        rows,
        hash: format!("{:016x}", hasher.finish()),
    };
    TableDigest {
        table,
        lsn: None,
        rows: rows.len() as u64,
        buckets: buckets.into_iter().map(bucket).collect(),
    }
}
