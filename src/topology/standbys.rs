//! Which replicas a commit waits for: `synchronous_standby_names` (manual, "Replication" settings).

use std::fmt;
use std::str::FromStr;

use crate::history::NodeName;

/// How the replicas that count are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The first of the list that are there.
    First,
    /// Any of the list.
    Any,
}

/// The replicas whose answer a commit waits for, at the levels that wait for any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standbys {
    /// How they are chosen.
    pub method: Method,
    /// How many answers a commit needs.
    pub count: usize,
    /// Of whom; empty: of every node that is not the primary.
    pub names: Vec<NodeName>,
}

/// What is asked for: nobody has to answer, or these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// `none`: a commit waits for nobody, whatever its level says.
    Nobody,
    /// It waits for these.
    These(Standbys),
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Nobody => f.pad("none"),
            Wanted::These(standbys) => standbys.fmt(f),
        }
    }
}

impl FromStr for Wanted {
    type Err = String;

    /// Reads `none`, and what [`Standbys`] reads.
    fn from_str(text: &str) -> Result<Wanted, String> {
        if text.trim().eq_ignore_ascii_case("none") {
            return Ok(Wanted::Nobody);
        }
        text.parse().map(Wanted::These)
    }
}

impl Standbys {
    /// Every one of `replicas` replicas.
    pub fn all(replicas: usize) -> Standbys {
        Standbys { method: Method::First, count: replicas, names: Vec::new() }
    }

    /// Those of `nodes` whose answers count while `primary` is the primary.
    pub fn of(&self, nodes: &[NodeName], primary: NodeName) -> Vec<NodeName> {
        let named = |node: &NodeName| self.names.is_empty() || self.names.contains(node);
        nodes.iter().copied().filter(|node| *node != primary && named(node)).collect()
    }

    /// Whether a cluster of `nodes`, the primary first, can ever give that many answers.
    pub fn check(&self, nodes: &[NodeName]) -> Result<(), String> {
        if let Some(unknown) = self.names.iter().find(|name| !nodes.contains(name)) {
            return Err(format!("synchronous standbys `{self}`: there is no node `{unknown}`"));
        }
        let there = nodes.first().map_or(0, |&primary| self.of(nodes, primary).len());
        if self.count == 0 || self.count > there {
            let why = format!("a commit would wait for {} of {there}", self.count);
            return Err(format!("synchronous standbys `{self}`: {why}"));
        }
        Ok(())
    }

    /// The value of the setting, the same on every node of `nodes`: after a failover it goes on to hold, as nobody is a
    /// replica of itself.
    pub fn setting(&self, nodes: &[NodeName]) -> String {
        let names = if self.names.is_empty() { nodes } else { &self.names };
        Standbys { names: names.to_vec(), ..self.clone() }.to_string()
    }
}

impl fmt::Display for Standbys {
    /// As PostgreSQL writes it; without names as replab does, `ANY 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            Method::First => "FIRST",
            Method::Any => "ANY",
        };
        write!(f, "{method} {}", self.count)?;
        if self.names.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("\"{name}\"")).collect();
        write!(f, " ({})", names.join(", "))
    }
}

impl FromStr for Standbys {
    type Err = String;

    /// Reads `ANY 1`, `FIRST 2 (replica-1, replica-2, replica-3)`; names may be quoted.
    fn from_str(text: &str) -> Result<Standbys, String> {
        let wrong = || {
            format!(
                "`{text}` does not say which standbys a commit waits for; write `none`, `ANY 1`, `FIRST 2` or `ANY 1 (replica-1, replica-2)`"
            )
        };
        let (head, names) = match text.trim().split_once('(') {
            Some((head, names)) => (head, Some(names.strip_suffix(')').ok_or_else(wrong)?)),
            None => (text, None),
        };
        let mut words = head.split_whitespace();
        let method = match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("ANY") => Method::Any,
            Some("FIRST") => Method::First,
            _ => return Err(wrong()),
        };
        let count = words.next().and_then(|count| count.parse().ok()).ok_or_else(wrong)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = |name: &str| {
            let name = name.trim().trim_matches('"');
            let valid = !name.is_empty() && name.chars().all(is_name);
            if valid { Ok(NodeName::new(name)) } else { Err(wrong()) }
        };
        let names = names.map(|names| names.split(',').map(name).collect()).transpose()?;
        if words.next().is_some() {
            Err(wrong())
        } else {
            Ok(Standbys { method, count, names: names.unwrap_or_default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(replicas: usize) -> Vec<NodeName> {
        std::iter::once(NodeName::primary()).chain((1..=replicas).map(NodeName::replica)).collect()
    }

    #[test]
    fn names_are_filled_in_for_every_primary_there_may_be() {
        let read = |text: &str| text.parse::<Standbys>().unwrap();
        assert_eq!(read("any 1").setting(&nodes(2)), r#"ANY 1 ("primary", "replica-1", "replica-2")"#);
        assert_eq!(
            read("ANY 1").of(&nodes(2), NodeName::replica(1)),
            [NodeName::primary(), NodeName::replica(2)]
        );
        let named = read(r#"FIRST 1 ("replica-2", primary)"#);
        assert_eq!(named.setting(&nodes(2)), r#"FIRST 1 ("replica-2", "primary")"#);
        assert_eq!(named.to_string().parse(), Ok(named.clone()));
        assert_eq!(named.of(&nodes(2), NodeName::primary()), [NodeName::replica(2)]);
        assert_eq!(Standbys::all(2).setting(&nodes(2)), r#"FIRST 2 ("primary", "replica-1", "replica-2")"#);
    }

    #[test]
    fn nobody_is_a_choice() {
        for text in ["none", " NONE "] {
            assert_eq!(text.parse(), Ok(Wanted::Nobody));
        }
        assert_eq!(Wanted::Nobody.to_string(), "none");
        assert_eq!("ANY 1".parse::<Wanted>().map(|wanted| wanted.to_string()), Ok("ANY 1".to_owned()));
        assert!("nobody".parse::<Wanted>().unwrap_err().contains("write `none`, `ANY 1`"));
        assert!("none".parse::<Standbys>().is_err());
    }

    #[test]
    fn commits_that_would_wait_for_ever_are_refused() {
        let check = |text: &str, replicas| text.parse::<Standbys>().unwrap().check(&nodes(replicas));
        assert_eq!(check("ANY 2", 2), Ok(()));
        insta::assert_snapshot!(check("ANY 3", 2).unwrap_err(), @"synchronous standbys `ANY 3`: a commit would wait for 3 of 2");
        insta::assert_snapshot!(check("ANY 0", 2).unwrap_err(), @"synchronous standbys `ANY 0`: a commit would wait for 0 of 2");
        insta::assert_snapshot!(check("ANY 1 (primary)", 2).unwrap_err(), @r#"synchronous standbys `ANY 1 ("primary")`: a commit would wait for 1 of 0"#);
        insta::assert_snapshot!(check("ANY 1 (mars)", 2).unwrap_err(), @r#"synchronous standbys `ANY 1 ("mars")`: there is no node `mars`"#);
        for text in ["", "1", "ALL 1", "ANY", "ANY one", "ANY 1 (a", "ANY 1 (a b)", "ANY 1 2", "ANY 1 ()"] {
            assert!(text.parse::<Standbys>().is_err(), "{text}");
        }
    }
}
