//! Whose containers they are, as a label says it.

use crate::topology::TopologyError;
use crate::topology::process::Identity;

/// This process, as it can be told apart from others on this machine: the value of the label `replab.owner`.
pub(super) fn label() -> Result<String, TopologyError> {
    let own =
        Identity::of_self().ok_or_else(|| TopologyError::lab("this process is not in the system's table"))?;
    serde_json::to_string(&own).map_err(|error| TopologyError::lab(error.to_string()))
}

/// Where numbers of processes mean what they mean here: the value of the label `replab.host`. An engine may serve several
/// machines, and a replab in a container of its own counts processes for itself.
pub(super) fn host() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    format!("{}/{namespace}", name.to_string_lossy())
}

/// Whether the replab that `owner` names, on `host`, is known to be gone. Nobody owns what was started by hand.
pub(super) fn is_gone(owner: &str, on: &str) -> bool {
    let owner: Option<Identity> = serde_json::from_str(owner).ok();
    on == host() && owner.is_some_and(|owner| !owner.is_alive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_owner_of_this_machine_can_be_known_to_be_gone() {
        let dead = r#"{"pid": 999999999, "start": "1"}"#;
        assert!(is_gone(dead, &host()));
        assert!(!is_gone(dead, "elsewhere/1"));
        assert!(!is_gone(&label().unwrap(), &host()), "this process runs");
        assert!(!is_gone("", &host()), "what people start by hand has no owner");
    }
}
