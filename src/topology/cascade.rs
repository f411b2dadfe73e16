//! Which replicas receive from another replica, and not from the primary (manual, "Cascading Replication").

use std::fmt;
use std::str::FromStr;

use crate::history::NodeName;

/// One replica's place behind another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Who receives.
    pub replica: NodeName,
    /// From whom.
    pub upstream: NodeName,
}

impl Cascade {
    /// Whether `cascades` can be made of `nodes`, the primary first: everybody receives, through whomever, from the
    /// primary.
    pub fn check(cascades: &[Cascade], nodes: &[NodeName]) -> Result<(), String> {
        let primary = nodes.first();
        for cascade in cascades {
            let Cascade { replica, upstream } = cascade;
            if let Some(unknown) = [replica, upstream].into_iter().find(|node| !nodes.contains(node)) {
                return Err(format!("`{cascade}`: there is no node `{unknown}`"));
            }
            if Some(replica) == primary {
                return Err(format!("`{cascade}`: the primary receives from nobody"));
            }
            if cascades.iter().filter(|other| other.replica == *replica).count() > 1 {
                return Err(format!("`{cascade}`: {replica} receives from one node only"));
            }
            if !Cascade::reaches(cascades, *replica, nodes.len()) {
                return Err(format!(
                    "`{cascade}` is part of a circle, which nothing would ever flow through"
                ));
            }
        }
        Ok(())
    }

    /// From whom `replica` receives; `None`: from the primary.
    pub fn upstream(cascades: &[Cascade], replica: NodeName) -> Option<NodeName> {
        cascades.iter().find(|cascade| cascade.replica == replica).map(|cascade| cascade.upstream)
    }

    /// Whether the way up from `replica` ends within `steps`.
    fn reaches(cascades: &[Cascade], replica: NodeName, steps: usize) -> bool {
        let mut node = Some(replica);
        for _ in 0..=steps {
            match node {
                None => return true,
                Some(name) => node = Cascade::upstream(cascades, name),
            }
        }
        false
    }
}

impl fmt::Display for Cascade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}<-{}", self.replica, self.upstream)
    }
}

impl FromStr for Cascade {
    type Err = String;

    /// Reads `replica-2<-replica-1`.
    fn from_str(text: &str) -> Result<Cascade, String> {
        let is_name = |name: &&str| {
            !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        };
        let sides = text.split_once("<-").map(|(replica, upstream)| [replica.trim(), upstream.trim()]);
        match sides.filter(|sides| sides.iter().all(is_name)) {
            Some([replica, upstream]) => {
                Ok(Cascade { replica: NodeName::new(replica), upstream: NodeName::new(upstream) })
            }
            None => Err(format!("`{text}` is not a cascade; write `replica-2<-replica-1`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str]) -> Result<(), String> {
        let nodes: Vec<NodeName> =
            std::iter::once(NodeName::primary()).chain((1..=3).map(NodeName::replica)).collect();
        let cascades: Result<Vec<Cascade>, String> = texts.iter().map(|text| text.parse()).collect();
        Cascade::check(&cascades?, &nodes)
    }

    #[test]
    fn everything_flows_from_the_primary() {
        assert_eq!(check(&["replica-2<-replica-1", "replica-3 <- replica-2"]), Ok(()));
        assert_eq!(check(&["replica-1<-primary"]), Ok(()));
        let say = |texts: &[&str]| check(texts).unwrap_err();
        insta::assert_snapshot!(say(&["replica-1<-replica-1"]), @"`replica-1<-replica-1` is part of a circle, which nothing would ever flow through");
        insta::assert_snapshot!(say(&["replica-1<-replica-2", "replica-2<-replica-3", "replica-3<-replica-1"]), @"`replica-1<-replica-2` is part of a circle, which nothing would ever flow through");
        insta::assert_snapshot!(say(&["primary<-replica-1"]), @"`primary<-replica-1`: the primary receives from nobody");
        insta::assert_snapshot!(say(&["replica-1<-replica-9"]), @"`replica-1<-replica-9`: there is no node `replica-9`");
        insta::assert_snapshot!(say(&["replica-2<-replica-1", "replica-2<-replica-3"]), @"`replica-2<-replica-1`: replica-2 receives from one node only");
        insta::assert_snapshot!(say(&["replica-1"]), @"`replica-1` is not a cascade; write `replica-2<-replica-1`");
    }
}
