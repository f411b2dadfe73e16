//! The `replab` program.

fn main() {}
