//! One value of a text, flat: nothing is allocated for a number, a name or a collection of its own.

use super::input::Stop;

/// How deep collections may be nested.
pub(super) const DEEPEST: u32 = 64;

/// What a text was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// In quotes, which are not part of it.
    String,
    /// A name, of a keyword with its colon; a character; `true` and `false`.
    Name,
    /// A number that is not an integer.
    Number,
    /// An integer of more than 64 bits.
    Huge,
}

/// What a collection was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sequence,
    Set,
    /// Keys and values in turns.
    Map,
}

/// One entry of the tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Nil,
    Integer(i64),
    Text(Kind, u32, u32),
    /// A collection: its members follow, up to this entry.
    Open(Shape, u32),
}

/// A value and what it contains, in the order of the text.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
    texts: String,
}

impl Tape {
    /// Nothing but nil.
    pub(super) fn nil() -> Tape {
        Tape { nodes: vec![Node::Nil], texts: String::new() }
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.texts.clear();
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets what came after the first entries.
    pub(super) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    pub(super) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Adds a text that stands at byte `at` of the input.
    pub(super) fn text(&mut self, kind: Kind, text: &[u8], at: usize) -> Result<(), Stop> {
        self.piece(text, at)?;
        let start = self.texts.len() - text.len();
        self.nodes.push(Node::Text(kind, start as u32, text.len() as u32));
        Ok(())
    }

    /// Adds a piece of a text, of which [`Tape::whole`] says that it is whole.
    pub(super) fn piece(&mut self, text: &[u8], at: usize) -> Result<(), Stop> {
        match std::str::from_utf8(text) {
            Ok(text) => {
                self.texts.push_str(text);
                Ok(())
            }
            Err(error) => Err(Stop::At(at + error.valid_up_to(), "this is not UTF-8".to_owned())),
        }
    }

    /// How long all texts are.
    pub(super) fn texts(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn whole(&mut self, kind: Kind, start: usize) {
        self.nodes.push(Node::Text(kind, start as u32, (self.texts.len() - start) as u32));
    }

    /// Begins a collection.
    pub(super) fn open(&mut self, shape: Shape) -> usize {
        self.nodes.push(Node::Open(shape, 0));
        self.nodes.len() - 1
    }

    /// Ends the collection that began with this entry.
    pub(super) fn close(&mut self, opened: usize) {
        let end = self.nodes.len() as u32;
        if let Node::Open(_, to) = &mut self.nodes[opened] {
            *to = end;
        }
    }

    /// Adds a copy of a value of another tape; gives its entry. `None`: it does not fit any more.
    pub(super) fn keep(&mut self, item: Item<'_>) -> Option<u32> {
        let copied = item.tape.nodes.get(item.at as usize..item.end() as usize)?;
        let kept = u32::try_from(self.nodes.len()).ok()?;
        u32::try_from(self.nodes.len() + copied.len()).ok()?;
        for &node in copied {
            let node = match node {
                Node::Text(kind, start, length) => {
                    let from = u32::try_from(self.texts.len()).ok()?;
                    let text = &item.tape.texts[start as usize..][..length as usize];
                    self.texts.push_str(text);
                    Node::Text(kind, from, length)
                }
                Node::Open(shape, end) => Node::Open(shape, end - item.at + kept),
                other => other,
            };
            self.nodes.push(node);
        }
        Some(kept)
    }

    /// The value at an entry.
    pub(super) fn at(&self, at: u32) -> Item<'_> {
        Item { tape: self, at }
    }

    /// The whole value.
    pub(super) fn item(&self) -> Item<'_> {
        Item { tape: self, at: 0 }
    }
}

/// A value on a tape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'t> {
    tape: &'t Tape,
    at: u32,
}

impl<'t> Item<'t> {
    pub(super) fn node(self) -> Node {
        self.tape.nodes.get(self.at as usize).copied().unwrap_or(Node::Nil)
    }

    pub(super) fn is_nil(self) -> bool {
        self.node() == Node::Nil
    }

    pub(super) fn integer(self) -> Option<i64> {
        if let Node::Integer(integer) = self.node() { Some(integer) } else { None }
    }

    /// The entry after it.
    fn end(self) -> u32 {
        if let Node::Open(_, end) = self.node() { end } else { self.at + 1 }
    }

    pub(super) fn shape(self) -> Option<Shape> {
        if let Node::Open(shape, _) = self.node() { Some(shape) } else { None }
    }

    /// As it was written, but for quotes and escapes.
    pub(super) fn text(self) -> Option<&'t str> {
        let Node::Text(_, start, length) = self.node() else { return None };
        self.tape.texts.get(start as usize..start as usize + length as usize)
    }

    /// A keyword or a string without the colon: JSON has no keywords, and who writes it keeps the colon or not.
    pub(super) fn name(self) -> Option<&'t str> {
        let text = self.text()?;
        Some(text.strip_prefix(':').unwrap_or(text))
    }

    /// The members of a collection; of a map, keys and values in turns.
    pub(super) fn members(self) -> Members<'t> {
        let end = self.end();
        Members { tape: self.tape, at: (self.at + 1).min(end), end }
    }

    /// The members of a sequence of exactly so many.
    pub(super) fn sequence<const N: usize>(self) -> Option<[Item<'t>; N]> {
        if self.shape() != Some(Shape::Sequence) {
            return None;
        }
        let mut members = self.members();
        let mut found = [self; N];
        for place in &mut found {
            *place = members.next()?;
        }
        members.next().is_none().then_some(found)
    }

    /// Keys and values of a map.
    pub(super) fn entries(self) -> impl Iterator<Item = (Item<'t>, Item<'t>)> {
        let mut members = self.members();
        std::iter::from_fn(move || Some((members.next()?, members.next()?)))
    }

    /// What a map has for the key of this name.
    pub(super) fn get(self, name: &str) -> Option<Item<'t>> {
        if self.shape() != Some(Shape::Map) {
            return None;
        }
        self.entries().find(|(key, _)| key.name() == Some(name)).map(|(_, value)| value)
    }
}

/// See [`Item::members`].
#[derive(Clone, Debug)]
pub(super) struct Members<'t> {
    tape: &'t Tape,
    at: u32,
    end: u32,
}

impl<'t> Iterator for Members<'t> {
    type Item = Item<'t>;

    fn next(&mut self) -> Option<Item<'t>> {
        if self.at >= self.end {
            return None;
        }
        let item = Item { tape: self.tape, at: self.at };
        self.at = item.end();
        Some(item)
    }
}
