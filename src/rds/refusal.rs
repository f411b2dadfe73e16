//! Why a request was not done: the API's error codes (API reference, "Common Error Types", and each action's errors).

use super::xml::{Element, group, text};

/// An error answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The status of HTTP.
    pub(super) status: u16,
    /// The code that clients tell errors apart by.
    pub(super) code: &'static str,
    /// For people.
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Refusal {
        Refusal { status, code, message: message.into() }
    }

    pub(super) fn cluster_not_found(id: &str) -> Refusal {
        Refusal::new(404, "DBClusterNotFoundFault", format!("DBCluster {id} not found."))
    }

    pub(super) fn instance_not_found(id: &str) -> Refusal {
        Refusal::new(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
    }

    pub(super) fn cluster_state(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidDBClusterStateFault", message)
    }

    pub(super) fn instance_state(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidDBInstanceState", message)
    }

    pub(super) fn value(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidParameterValue", message)
    }

    pub(super) fn combination(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidParameterCombination", message)
    }

    pub(super) fn action(message: impl Into<String>) -> Refusal {
        Refusal::new(400, "InvalidAction", message)
    }

    /// Something of the lab's own failed.
    pub(super) fn internal(message: impl Into<String>) -> Refusal {
        Refusal::new(500, "InternalFailure", message)
    }

    /// The document.
    pub(super) fn document(&self, request_id: &str) -> Element {
        let side = if self.status < 500 { "Sender" } else { "Receiver" };
        let error = vec![text("Type", side), text("Code", self.code), text("Message", self.message.as_str())];
        group("ErrorResponse", vec![group("Error", error), text("RequestId", request_id)])
    }
}
