//! Where a client goes: to one node, or to whichever is the primary.

use std::sync::Arc;

use tokio::sync::watch;

use crate::history::NodeName;
use crate::topology::{Access, ReaderEndpoint, Role, Site};

/// Where a client of the load last had a write acknowledged; copies share it, as the clients of one application would.
#[derive(Clone, Debug)]
pub(super) struct Whereabouts(Arc<watch::Sender<Option<usize>>>);

impl Default for Whereabouts {
    fn default() -> Whereabouts {
        Whereabouts(Arc::new(watch::Sender::new(None)))
    }
}

impl Whereabouts {
    fn known(&self) -> Option<usize> {
        *self.0.borrow()
    }

    /// Changes `from` to `to`, and nothing else.
    fn change(&self, from: Option<usize>, to: Option<usize>) {
        self.0.send_if_modified(|at| {
            let changes = *at == from && from != to;
            if changes {
                *at = to;
            }
            changes
        });
    }
}

/// The nodes that would do, and the one that the client is at.
#[derive(Clone, Debug)]
pub(super) struct Place {
    sites: Vec<Site>,
    at: usize,
    /// Where it looks while nobody knows. With no fewer clients than nodes each node has one that keeps asking it, so that
    /// none that hangs keeps the others from being asked.
    posts: Vec<usize>,
    /// How many posts in a row would not have it.
    refused: usize,
    /// How often it was turned away where others were not.
    spurned: usize,
    primary: Whereabouts,
}

impl Place {
    /// This node and no other, for what every node can do.
    pub(super) fn node(site: &Site) -> Place {
        let sites = vec![Site { role: Role::Replica, ..site.clone() }];
        Place { sites, at: 0, posts: vec![0], refused: 0, spurned: 0, primary: Whereabouts::default() }
    }

    /// Whichever node answers at an endpoint that leads to one of several; see [`Place::arrive`].
    pub(super) fn reader_endpoint(endpoint: &ReaderEndpoint) -> Place {
        let access = || Access::Postgres(endpoint.conninfo.clone());
        let site = |&node| Site { node, role: Role::Replica, access: access() };
        let sites = endpoint.instances.values().map(site).collect();
        Place { sites, at: 0, posts: vec![0], refused: 0, spurned: 0, primary: Whereabouts::default() }
    }

    /// It is at this node, if that is one of those that would do.
    pub(super) fn arrive(&mut self, node: NodeName) {
        self.at = self.sites.iter().position(|site| site.node == node).unwrap_or(self.at);
    }

    /// The primary, wherever it is, for client number `client` of `clients`; first where it is now.
    pub(super) fn writer<'a>(
        sites: impl Iterator<Item = &'a Site> + Clone,
        client: u32,
        clients: u32,
        primary: &Whereabouts,
    ) -> Place {
        let at = sites.clone().position(|site| site.role == Role::Primary).unwrap_or(0);
        let needed = |site: &Site| Site { role: Role::Primary, ..site.clone() };
        let sites: Vec<Site> = sites.map(needed).collect();
        let (client, clients) = (client as usize, clients as usize);
        let posts = (client % sites.len()..sites.len()).step_by(clients.min(sites.len())).collect();
        Place { sites, at, posts, refused: 0, spurned: 0, primary: primary.clone() }
    }

    /// Where the client is; its role is what the client needs.
    pub(super) fn site(&self) -> &Site {
        &self.sites[self.at]
    }

    /// The same by name.
    pub(super) fn node_name(&self) -> NodeName {
        self.site().node
    }

    /// It got what it needs.
    pub(super) fn stay(&mut self) {
        (self.refused, self.spurned) = (0, 0);
        self.primary.change(self.primary.known(), Some(self.at));
    }

    /// Waits until another client gets it elsewhere.
    pub(super) async fn is_elsewhere(&self) {
        let mut known = self.primary.0.subscribe();
        if known.wait_for(|at| at.is_some_and(|at| at != self.at)).await.is_err() {
            std::future::pending().await
        }
    }

    /// It did not: it goes where others got it, else to its next post. Whether it should wait before: it has now been at all
    /// of its posts in vain, or where others are once more.
    pub(super) fn leave(&mut self) -> bool {
        let hinted = self.primary.known() == Some(self.at);
        self.primary.change(Some(self.at), None);
        self.spurned += usize::from(hinted);
        let was_there = self.at == self.posts[self.refused % self.posts.len()];
        self.refused += usize::from(was_there);
        let hint = self.primary.known();
        self.at = hint.unwrap_or(self.posts[self.refused % self.posts.len()]);
        let everywhere = was_there && self.refused.is_multiple_of(self.posts.len());
        hint.is_none() && everywhere || hinted && self.spurned > 1
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

    fn writers(clients: u32) -> Vec<Place> {
        let (sites, primary) = (sites(), Whereabouts::default());
        (0..clients).map(|client| Place::writer(sites.iter(), client, clients, &primary)).collect()
    }

    #[test]
    fn every_node_is_somebodys_post() {
        let posts = |clients| writers(clients).into_iter().map(|place| place.posts).collect::<Vec<_>>();
        assert_eq!(posts(1), [vec![0, 1, 2]]);
        assert_eq!(posts(2), [vec![0, 2], vec![1]]);
        assert_eq!(posts(5), [vec![0], vec![1], vec![2], vec![0], vec![1]]);
    }

    #[test]
    fn a_lone_writer_looks_everywhere_before_it_waits() {
        let mut place = writers(1).remove(0);
        assert_eq!((place.node_name(), place.site().role), (NodeName::primary(), Role::Primary));
        assert_eq!([place.leave(), place.leave(), place.leave()], [false, false, true]);
        assert!(!place.leave());
        assert_eq!((place.node_name(), place.site().role), (NodeName::replica(1), Role::Primary));
        place.stay();
        assert!(!place.leave());
        assert_eq!(place.node_name(), NodeName::primary());
    }

    #[test]
    fn a_writer_waits_at_its_post_and_goes_where_another_writes() {
        let [mut first, mut second, mut third] = <[Place; 3]>::try_from(writers(3)).unwrap();
        first.stay();
        // Where all of them were is where they lost it.
        assert_eq!([first.leave(), second.leave(), third.leave()], [true, false, false]);
        assert_eq!(
            [first.node_name(), second.node_name(), third.node_name()],
            [NodeName::primary(), NodeName::replica(1), NodeName::replica(2)]
        );
        assert!(first.leave() && third.leave() && third.leave());
        second.stay();
        assert!(!first.leave() && !third.leave());
        assert_eq!([first.node_name(), third.node_name()], [NodeName::replica(1); 2]);
        first.stay();
        // It is turned away there, and the others are not.
        assert!(!third.leave());
        assert_eq!(third.node_name(), NodeName::replica(2));
        first.stay();
        assert!(!third.leave() && third.node_name() == NodeName::replica(1));
        assert!(third.leave(), "and so once more");
        // Gone again.
        assert!(!first.leave());
        assert_eq!(first.node_name(), NodeName::primary());
    }

    #[test]
    fn a_reader_waits_where_it_is() {
        let mut place = Place::node(&sites()[0]);
        assert!(place.leave() && place.leave());
        assert_eq!((place.node_name(), place.site().role), (NodeName::primary(), Role::Replica));
    }
}
