//! Servers that end although nobody asked for it are started again, as on Aurora.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Control;
use crate::history::{Action, NodeName};
use crate::rds::events::Happening;
use crate::rds::fleet::InstanceStatus;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// After an attempt that failed.
const REST: Duration = Duration::from_secs(5);

impl Control {
    /// Looks for such servers for ever.
    pub(in crate::rds) async fn watch(self: Arc<Self>) {
        loop {
            sleep(LOOK).await;
            if self.cluster.read().await.dead().is_empty() {
                continue;
            }
            // What a change has left is its own to put right, when it is done.
            let _turn = self.turn.lock().await;
            let dead = self.cluster.read().await.dead();
            for node in dead {
                self.revive(node).await;
            }
        }
    }

    async fn revive(&self, node: NodeName) {
        if let Some(how) = self.cluster.read().await.died_unasked() {
            self.say(how);
        }
        self.set(&[node], InstanceStatus::Rebooting);
        self.happened_to(node, Happening::RecoveryStarted);
        let mut revived = self.act(node, Action::Start).await;
        // What the old postmaster has left behind may take a moment to end.
        for _ in 0..20 {
            if revived.is_ok() {
                break;
            }
            sleep(LOOK).await;
            revived = self.act(node, Action::Start).await;
        }
        let settled = match revived {
            Ok(()) => self.settled(node).await,
            failed => failed,
        };
        self.linger().await;
        match settled {
            Ok(()) => self.happened_to(node, Happening::RecoveryDone),
            Err(_) => sleep(REST).await,
        }
        self.back(node, settled).await;
    }
}
