//! A graph of many million edges in two arrays.

/// A vertex: a transaction, or an auxiliary one that only passes on.
pub(super) type Node = u32;

/// Why one comes before the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Wrote the version that the other one replaced.
    Ww,
    /// Wrote the version that the other one read.
    Wr,
    /// Read the version that the other one replaced: an anti-dependency.
    Rw,
    /// Same process, earlier.
    Session,
    /// Completed before the other one was invoked.
    Time,
    /// From an auxiliary vertex: the edge that led there goes on.
    Onward,
    /// As `Ww`, where only real time says which version came first.
    TimedWw,
    /// As `Rw`, where only real time says which version came first.
    TimedRw,
}

impl Kind {
    const ALL: [Kind; 8] =
        [Kind::Ww, Kind::Wr, Kind::Rw, Kind::Session, Kind::Time, Kind::Onward, Kind::TimedWw, Kind::TimedRw];

    /// Whether it is an anti-dependency.
    pub(super) fn is_rw(self) -> bool {
        matches!(self, Kind::Rw | Kind::TimedRw)
    }
}

/// A set of kinds of edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const fn of(kinds: &[Kind]) -> Kinds {
        let (mut set, mut next) = (1 << Kind::Onward as u8, 0);
        while next < kinds.len() {
            set |= 1 << kinds[next] as u8;
            next += 1;
        }
        Kinds(set)
    }

    pub(super) const fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(super) const fn without(self, kind: Kind) -> Kinds {
        Kinds(self.0 & !(1 << kind as u8))
    }

    pub(super) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

/// Where an edge leads and what it is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Arrow(u32);

/// The most vertices.
pub(super) const NODES: u32 = 1 << 29;

impl Arrow {
    pub(super) fn new(to: Node, kind: Kind) -> Arrow {
        debug_assert!(to < NODES);
        Arrow(to << 3 | kind as u32)
    }

    pub(super) fn to(self) -> Node {
        self.0 >> 3
    }

    pub(super) fn kind(self) -> Kind {
        Kind::ALL[(self.0 & 7) as usize]
    }
}

/// Vertices `0..nodes()`, each with its edges side by side.
#[derive(Debug, Default)]
pub(super) struct Graph {
    first: Vec<u32>,
    arrows: Vec<Arrow>,
}

impl Graph {
    /// A graph of `nodes` vertices. `edges` is called twice, and gives each edge each time.
    pub(super) fn new(nodes: usize, edges: impl Fn(&mut dyn FnMut(Node, Arrow))) -> Graph {
        let mut first = vec![0u32; nodes + 1];
        edges(&mut |from, _| first[from as usize] += 1);
        let mut sum = 0;
        for place in &mut first {
            sum += *place;
            *place = sum;
        }
        let mut arrows = vec![Arrow(0); sum as usize];
        // Filled from behind, so that each vertex's place is in the end where its edges begin.
        edges(&mut |from, arrow| {
            let place = &mut first[from as usize];
            *place -= 1;
            arrows[*place as usize] = arrow;
        });
        Graph { first, arrows }
    }

    /// How many vertices.
    pub(super) fn nodes(&self) -> usize {
        self.first.len().saturating_sub(1)
    }

    /// How many edges.
    pub(super) fn edges(&self) -> usize {
        self.arrows.len()
    }

    /// The edges that leave `node`.
    pub(super) fn from(&self, node: Node) -> &[Arrow] {
        &self.arrows[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }

    /// The place of the first edge that leaves `node`; that of the next vertex is where they end.
    pub(super) fn place(&self, node: Node) -> u32 {
        self.first[node as usize]
    }

    /// The edge at a place.
    pub(super) fn arrow(&self, place: u32) -> Arrow {
        self.arrows[place as usize]
    }

    /// The same edges, backwards.
    pub(super) fn reversed(&self) -> Graph {
        Graph::new(self.nodes(), |add| {
            for node in 0..self.nodes() as Node {
                for arrow in self.from(node) {
                    add(arrow.to(), Arrow::new(node, arrow.kind()));
                }
            }
        })
    }
}
