//! What was asked: the parameters of the query protocol, by name.
//!
//! A list is `Filters.Filter.1.Name=…`, one parameter an element, counted from 1 (Smithy, "AWS query protocol").

use std::collections::BTreeMap;
use std::str::FromStr;

use super::refusal::Refusal;

/// The parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(BTreeMap<String, String>);

impl Params {
    /// Those of a query string, and of a form that is the body.
    pub(super) fn parse(query: &str, body: &[u8]) -> Params {
        let pairs = form_urlencoded::parse(query.as_bytes()).chain(form_urlencoded::parse(body));
        Params(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// A parameter that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter that has to be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        let missing = || {
            let message = format!("The request must contain the parameter {name}.");
            Refusal::new(400, "MissingParameter", message)
        };
        self.get(name).ok_or_else(missing)
    }

    /// `true` or `false`; absent is `false`.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => Err(Refusal::value(format!("{name} must be true or false, not {other}"))),
        }
    }

    /// A number, if one is there.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let parse = |value: &str| {
            value.parse().map_err(|_| Refusal::value(format!("{name} is no number that fits: {value}")))
        };
        self.get(name).map(parse).transpose()
    }

    /// The texts of a list.
    pub(super) fn list(&self, name: &str, item: &str) -> Vec<&str> {
        self.elements(name, item).iter().filter_map(|prefix| self.0.get(prefix).map(String::as_str)).collect()
    }

    /// The structures of a list, each with its own parameters.
    pub(super) fn groups(&self, name: &str, item: &str) -> Vec<Params> {
        let of = |prefix: &String| {
            let mine = self.0.iter().filter_map(|(key, value)| {
                let rest = key.strip_prefix(prefix.as_str())?.strip_prefix('.')?;
                Some((rest.to_owned(), value.clone()))
            });
            Params(mine.collect())
        };
        self.elements(name, item).iter().map(of).filter(|group| !group.0.is_empty()).collect()
    }

    /// The tags that are given.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        let tag =
            |tag: Params| Some((tag.get("Key")?.to_owned(), tag.get("Value").unwrap_or_default().to_owned()));
        self.groups("Tags", "Tag").into_iter().filter_map(tag).collect()
    }

    /// `Name.item.1`, … as far as there is something. Clients name an element as the service's description does, and
    /// `member` where it has no name.
    fn elements(&self, name: &str, item: &str) -> Vec<String> {
        let has = |prefix: &String| {
            let deeper = format!("{prefix}.");
            self.0.contains_key(prefix) || self.0.keys().any(|key| key.starts_with(&deeper))
        };
        let of = |item: &str| {
            let numbered = (1..).map(|number: usize| format!("{name}.{item}.{number}"));
            numbered.take_while(has).collect::<Vec<String>>()
        };
        let named = of(item);
        if named.is_empty() { of("member") } else { named }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_structures() {
        let body = b"Action=X&Filters.Filter.1.Name=db-cluster-id&Filters.Filter.1.Values.Value.1=a\
            &Filters.Filter.1.Values.Value.2=b%20c&TagKeys.member.1=k&Empty=&Flag=TRUE&N=7";
        let params = Params::parse("Version=2014-10-31", body);
        let filters = params.groups("Filters", "Filter");
        assert_eq!(filters.len(), 1);
        assert_eq!(filters[0].get("Name"), Some("db-cluster-id"));
        assert_eq!(filters[0].list("Values", "Value"), ["a", "b c"]);
        assert_eq!(params.list("TagKeys", "Key"), ["k"]);
        assert_eq!((params.get("Empty"), params.get("Version")), (None, Some("2014-10-31")));
        assert_eq!((params.flag("Flag"), params.flag("None")), (Ok(true), Ok(false)));
        assert_eq!(params.number::<u8>("N"), Ok(Some(7)));
        assert_eq!(params.number::<u8>("Action").unwrap_err().code, "InvalidParameterValue");
        assert_eq!(params.required("None").unwrap_err().code, "MissingParameter");
    }
}
