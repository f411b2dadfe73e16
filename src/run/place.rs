//! Where a client goes: to one node, or to whichever is the primary.

use crate::history::NodeName;
use crate::topology::{Role, Site};

/// The nodes that would do, and the one that the client is at.
#[derive(Clone, Debug)]
pub(super) struct Place {
    sites: Vec<Site>,
    at: usize,
    /// How many in a row would not have it.
    refused: usize,
}

impl Place {
    /// This node and no other, for what every node can do.
    pub(super) fn node(site: &Site) -> Place {
        Place { sites: vec![Site { role: Role::Replica, ..site.clone() }], at: 0, refused: 0 }
    }

    /// The primary, wherever it is; first where it is now.
    pub(super) fn writer<'a>(sites: impl Iterator<Item = &'a Site> + Clone) -> Place {
        let at = sites.clone().position(|site| site.role == Role::Primary).unwrap_or(0);
        let needed = |site: &Site| Site { role: Role::Primary, ..site.clone() };
        Place { sites: sites.map(needed).collect(), at, refused: 0 }
    }

    /// Where the client is; its role is what the client needs.
    pub(super) fn site(&self) -> &Site {
        &self.sites[self.at]
    }

    /// The same by name.
    pub(super) fn node_name(&self) -> NodeName {
        self.site().node
    }

    /// It was let in.
    pub(super) fn stay(&mut self) {
        self.refused = 0;
    }

    /// It goes to the next node. Whether it has now been everywhere in vain, and should wait before it begins anew.
    pub(super) fn leave(&mut self) -> bool {
        self.at = (self.at + 1) % self.sites.len();
        self.refused += 1;
        self.refused.is_multiple_of(self.sites.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{Access, memory};

    fn sites() -> Vec<Site> {
        let cluster = memory::Cluster::up(2, None);
        let site = |node| Site {
            node,
            role: if node == NodeName::primary() { Role::Primary } else { Role::Replica },
            access: Access::Memory(cluster.handle(node)),
        };
        cluster.nodes().into_iter().map(site).collect()
    }

    #[test]
    fn a_writer_looks_everywhere_before_it_waits() {
        let mut place = Place::writer(sites().iter());
        assert_eq!((place.node_name(), place.site().role), (NodeName::primary(), Role::Primary));
        assert_eq!([place.leave(), place.leave(), place.leave()], [false, false, true]);
        assert!(!place.leave());
        assert_eq!((place.node_name(), place.site().role), (NodeName::replica(1), Role::Primary));
        place.stay();
        assert_eq!([place.leave(), place.leave(), place.leave()], [false, false, true]);
    }

    #[test]
    fn a_reader_waits_where_it_is() {
        let mut place = Place::node(&sites()[0]);
        assert!(place.leave() && place.leave());
        assert_eq!((place.node_name(), place.site().role), (NodeName::primary(), Role::Replica));
    }
}
