//! The `replab` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    replab::cli::main()
}
