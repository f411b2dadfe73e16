//! What a case finds when it begins, and what it leaves: nothing.

use tokio::time::timeout;

use super::PlayError;
use super::play::Play;
use super::stage::PATIENCE;
use crate::anomaly::Placement;

impl Play<'_> {
    pub(super) async fn set_up(&mut self) -> Result<(), PlayError> {
        let schema = &self.stage.rules.schema;
        let extension = self.case.needs.extension.as_ref();
        let extension = extension.map(|name| format!("CREATE EXTENSION IF NOT EXISTS {name}"));
        let first = [format!("CREATE SCHEMA {schema}"), format!("SET LOCAL search_path = {schema}, public")];
        let statements: Vec<String> =
            first.into_iter().chain(extension).chain(self.case.setup.iter().cloned()).collect();
        let sql = format!("BEGIN; {}; COMMIT", statements.join(";\n"));
        let made = self.stage.monitor.batch(&sql).await;
        if let Err(source) = made {
            // The block stays open behind an error.
            drop(self.stage.monitor.batch("ROLLBACK").await);
            return Err(PlayError::SetUp { case: self.case.name.clone(), source });
        }
        self.made = true;
        Ok(())
    }

    /// Puts settings back, ends the sessions, drops the tables: each although another failed.
    pub(super) async fn clean_up(&mut self) -> Result<(), PlayError> {
        let released = self.stage.release(&self.case.name, &mut self.held).await;
        let mut pids = [Vec::new(), Vec::new()];
        for actor in self.cast.drain(..) {
            pids[usize::from(actor.on == Placement::Replica)].push(actor.session.backend_pid());
            if let Some(pending) = &actor.pending {
                pending.task.abort();
            }
        }
        let case = &self.case.name;
        let [on_primary, on_replica] = &pids;
        let mut ended = self.stage.gone(case, &self.stage.monitor, on_primary).await;
        if let Some(lookout) = self.stage.lookout.as_ref().filter(|_| !on_replica.is_empty()) {
            ended = ended.and(self.stage.gone(case, lookout, on_replica).await);
        }
        let schema = &self.stage.rules.schema;
        if !self.made {
            return released.and(ended);
        }
        let drop = format!("DROP SCHEMA IF EXISTS {schema} CASCADE");
        let dropped = timeout(PATIENCE, self.stage.monitor.batch(&drop)).await;
        let what = "drop its tables";
        let dropped = match dropped {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(PlayError::Ask { case: case.clone(), what, source }),
            Err(_) => Err(PlayError::Never { case: case.clone(), what, deadline: PATIENCE }),
        };
        released.and(ended).and(dropped)
    }
}
