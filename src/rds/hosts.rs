//! Names for the endpoints, for clients that insist on names: a file in the format of `/etc/hosts` says where they are.

use super::door::Target;
use super::fleet::{Fleet, Member};
use super::refusal::Refusal;

impl Fleet {
    /// The cluster endpoint, as the API calls it.
    pub(super) fn writer_host(&self) -> String {
        self.host(|domain| format!("{}.cluster.{domain}", self.name), self.writer)
    }

    /// The reader endpoint.
    pub(super) fn reader_host(&self) -> String {
        self.host(|domain| format!("{}.cluster-ro.{domain}", self.name), self.reader)
    }

    /// The endpoint of an instance.
    pub(super) fn member_host(&self, member: &Member) -> String {
        self.host(|domain| format!("{}.{domain}", member.name), member.address)
    }

    fn host(&self, name: impl Fn(&str) -> String, address: std::net::Ipv4Addr) -> String {
        self.domain.as_deref().map_or_else(|| address.to_string(), name)
    }

    /// What an endpoint is called: its address, and its name where it has one; nothing where there is no such instance.
    pub(super) fn names(&self, target: Target) -> Vec<String> {
        let (address, host) = match target {
            Target::Writer => (self.writer, self.writer_host()),
            Target::Readers => (self.reader, self.reader_host()),
            Target::Instance(node) => match self.of_node(node) {
                Some(member) => (member.address, self.member_host(member)),
                None => return Vec::new(),
            },
        };
        let mut names = vec![address.to_string(), host];
        names.dedup();
        names
    }

    /// The file: an address and a name a line; nothing but `localhost` where there are no names.
    pub(super) fn hosts(&self) -> String {
        let mut lines = vec![("127.0.0.1".to_owned(), "localhost".to_owned())];
        if self.domain.is_some() {
            lines.push((self.writer.to_string(), self.writer_host()));
            lines.push((self.reader.to_string(), self.reader_host()));
            let members = self.members.iter();
            lines.extend(members.map(|member| (member.address.to_string(), self.member_host(member))));
        }
        lines.iter().map(|(address, name)| format!("{address} {name}\n")).collect()
    }
}

/// What the names in a domain's certificate are: those of the cluster `name`, and those of whatever instances there will be.
pub(super) fn certified(name: &str, domain: &str) -> [String; 3] {
    [format!("{name}.cluster.{domain}"), format!("{name}.cluster-ro.{domain}"), format!("*.{domain}")]
}

/// Refuses what is no domain: labels of letters, digits and hyphens, with dots between them.
pub(super) fn check_domain(domain: &str) -> Result<(), Refusal> {
    let is_label = |label: &str| {
        let ends = label.starts_with('-') || label.ends_with('-');
        !label.is_empty() && !ends && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    if domain.len() < 128 && domain.split('.').all(is_label) {
        return Ok(());
    }
    Err(Refusal::value(format!("{domain} is not a domain")))
}

#[cfg(test)]
mod tests {
    use super::super::fleet::tests::fleet;
    use super::*;

    #[test]
    fn names_only_where_they_are_wanted() {
        let mut fleet = fleet(&[1]);
        assert_eq!((fleet.writer_host().as_str(), fleet.hosts().lines().count()), ("127.0.0.2", 1));
        fleet.domain = Some("lab.test".to_owned());
        assert_eq!(
            fleet.hosts(),
            "127.0.0.1 localhost\n127.0.0.2 part-4.cluster.lab.test\n127.0.0.3 part-4.cluster-ro.lab.test\n\
             127.0.0.11 part-4-instance-1.lab.test\n127.0.0.12 part-4-instance-2.lab.test\n"
        );
    }

    #[test]
    fn each_endpoint_by_its_own_names() {
        let mut fleet = fleet(&[1]);
        let reader = Target::Instance(fleet.members[1].node);
        assert_eq!(fleet.names(Target::Writer), ["127.0.0.2"]);
        fleet.domain = Some("lab.test".to_owned());
        assert_eq!(fleet.names(Target::Writer), ["127.0.0.2", "part-4.cluster.lab.test"]);
        assert_eq!(fleet.names(Target::Readers), ["127.0.0.3", "part-4.cluster-ro.lab.test"]);
        assert_eq!(fleet.names(reader), ["127.0.0.12", "part-4-instance-2.lab.test"]);
        fleet.members.pop();
        assert!(fleet.names(reader).is_empty());
    }

    #[test]
    fn domains_by_the_rule() {
        assert!(["lab.test", "a", "x-1.y"].into_iter().all(|domain| check_domain(domain).is_ok()));
        assert!(
            ["", ".", "a..b", "-a", "a_b", "a b"].into_iter().all(|domain| check_domain(domain).is_err())
        );
    }
}
