//! What a reviewer should not have to remember: ranks, banned words, sizes, and that nothing lies around unused.
//!
//! A lint is a function from the tree to what is wrong with it, so that each can be shown to fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The texts of the tree by path, relative to the root, with `/`.
type Tree = BTreeMap<String, String>;

/// A module imports only modules of strictly lower rank.
const RANKS: [(&str, u8); 18] = [
    ("cli", 7),
    ("run", 6),
    ("config", 5),
    ("workload", 4),
    ("fault", 4),
    ("rds", 4),
    ("topology", 3),
    ("report", 3),
    ("anomaly", 2),
    ("check", 2),
    ("import", 2),
    ("measure", 2),
    ("pg", 2),
    ("history", 1),
    ("isolation", 1),
    ("lsn", 0),
    ("suggest", 0),
    ("engine", 0),
];

/// A word of code, and the paths that may use it.
struct Banned {
    word: &'static str,
    allowed: &'static [&'static str],
    instead: &'static str,
}

const AWS: &[&str] = &["src/topology/aurora/"];
const AWS_STAYS: &str = "types of AWS's SDK stay in topology::aurora";

const BANNED: [Banned; 17] = [
    Banned { word: "print!", allowed: &["src/cli/"], instead: "only cli prints" },
    Banned { word: "println!", allowed: &["src/cli/"], instead: "only cli prints" },
    Banned { word: "eprint!", allowed: &["src/cli/"], instead: "only cli prints" },
    Banned { word: "eprintln!", allowed: &["src/cli/"], instead: "only cli prints" },
    Banned {
        word: "tokio_postgres",
        allowed: &["src/pg/", "src/workload/"],
        instead: "the driver's types stay in pg and workload",
    },
    Banned {
        word: "tokio_rustls",
        allowed: &["src/pg/tls", "src/rds/"],
        instead: "how TLS is spoken is pg::Tls's own affair",
    },
    Banned {
        word: "process::Command",
        allowed: &["src/topology/process"],
        instead: "children belong to topology::process",
    },
    Banned {
        word: "Command::new",
        allowed: &["src/topology/process"],
        instead: "children belong to topology::process",
    },
    Banned { word: "aws_config", allowed: AWS, instead: AWS_STAYS },
    Banned { word: "aws_credential_types", allowed: AWS, instead: AWS_STAYS },
    Banned { word: "aws_sdk_rds", allowed: AWS, instead: AWS_STAYS },
    Banned { word: "aws_sdk_secretsmanager", allowed: AWS, instead: AWS_STAYS },
    Banned { word: "aws_smithy_http_client", allowed: AWS, instead: AWS_STAYS },
    Banned { word: "HashMap", allowed: &[], instead: "its order differs between runs: BTreeMap" },
    Banned { word: "HashSet", allowed: &[], instead: "its order differs between runs: BTreeSet" },
    Banned { word: "todo!", allowed: &[], instead: "no stubs" },
    Banned { word: "unimplemented!", allowed: &[], instead: "no stubs" },
];

const MAX_LINES: usize = 400;
const MAX_MAIN_LINES: usize = 20;

#[test]
fn modules_see_only_lower_ranks() {
    assert_tidy(&ranks(&sources()));
}

#[test]
fn banned_words_stay_where_they_belong() {
    assert_tidy(&banned(&sources()));
}

#[test]
fn source_files_are_short() {
    assert_tidy(&sizes(&sources()));
}

#[test]
fn the_program_only_calls_the_command_line() {
    assert_tidy(&entry(&sources()));
}

#[test]
fn every_schema_is_used() {
    let tree = tree();
    let schemas: Vec<&str> = tree.keys().filter_map(|path| path.strip_prefix("schemas/")).collect();
    assert_tidy(&unused(&schemas, &tree));
}

#[test]
fn every_test_of_a_server_runs_against_every_version() {
    assert_tidy(&skipped_servers(&tree()));
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    assert_tidy(&machine_paths(&tree()));
}

#[test]
fn no_test_is_switched_off() {
    assert_tidy(&switched_off(&tree()));
}

fn assert_tidy(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The module of a file of `src`, if it is in one: `src/check/walk.rs` is in `check`, `src/lsn.rs` in `lsn`.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let name = inside.split_once('/').map_or(inside, |(folder, _)| folder);
    let name = name.strip_suffix(".rs").unwrap_or(name);
    (!matches!(name, "lib" | "main")).then_some(name)
}

/// A line without its comment. A `//` inside a text is taken for one; no lint here looks into texts.
fn code(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

/// The modules that a file's code reaches through `crate::`.
fn reached(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let code: Vec<&str> = text.lines().map(code).collect();
    for (number, line) in (1..).zip(&code) {
        for (at, path) in line.match_indices("crate::") {
            let rest = &line[at + path.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                // The group may go on over the next lines.
                let whole = [&[group], &code[number..]].concat().join(" ");
                found.extend(group_heads(&whole).into_iter().map(|name| (number, name)));
            } else {
                found.push((number, identifier(rest)));
            }
        }
    }
    found
}

/// `a::b, c::{d, e}}…` gives `a` and `c`.
fn group_heads(group: &str) -> Vec<String> {
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut start = true;
    for (at, c) in group.char_indices() {
        match c {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && !c.is_whitespace() => {
                heads.push(identifier(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn ranks(tree: &Tree) -> Vec<String> {
    let rank = |name: &str| RANKS.iter().find(|(module, _)| *module == name).map(|(_, rank)| *rank);
    let mut problems = Vec::new();
    for (path, text) in tree {
        let Some(from) = module(path) else { continue };
        let Some(own) = rank(from) else {
            problems.push(format!("{path}: module `{from}` has no rank; give it one in tests/it/tidy.rs"));
            continue;
        };
        for (line, to) in reached(text) {
            match rank(&to) {
                _ if to == from => {}
                None => problems.push(format!("{path}:{line}: `crate::{to}` has no rank")),
                Some(other) if other < own => {}
                Some(other) => {
                    problems.push(format!("{path}:{line}: {from} (rank {own}) imports {to} (rank {other})"));
                }
            }
        }
        // From the root of a module, `super` is the root of the crate, and would get around the above.
        let is_root =
            path.ends_with("/mod.rs") && path.matches('/').count() == 2 || path.matches('/').count() == 1;
        for (line, text) in (1..).zip(text.lines()) {
            if is_root && text.contains("use super::") && !text.starts_with([' ', '/']) {
                problems.push(format!("{path}:{line}: write `crate::`, so that ranks can be checked"));
            }
        }
    }
    problems
}

fn banned(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree {
        for (number, line) in (1..).zip(text.lines()) {
            for Banned { word, allowed, instead } in &BANNED {
                if allowed.iter().all(|prefix| !path.starts_with(prefix)) && has_word(code(line), word) {
                    problems.push(format!("{path}:{number}: `{word}`: {instead}"));
                }
            }
        }
    }
    problems
}

/// Whether `word` stands in `line`, not as a part of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !before.ends_with(is_name) && !after.starts_with(is_name)
    })
}

fn sizes(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree {
        if path.ends_with("tests.rs") || path.contains("/tests/") {
            continue;
        }
        let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
        let lines = text[..tests].lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{path}: {lines} lines without tests; split it, {MAX_LINES} is the limit"));
        }
    }
    problems
}

fn entry(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(main) = tree.get("src/main.rs") {
        let lines = main.lines().count();
        if lines > MAX_MAIN_LINES || !main.contains("cli::main()") {
            problems.push(format!(
                "src/main.rs: calls cli::main() in at most {MAX_MAIN_LINES} lines, not {lines}"
            ));
        }
    }
    for line in tree.get("src/lib.rs").into_iter().flat_map(|lib| lib.lines()) {
        let is_picture = ["//", "#", "mod ", "pub mod "].iter().any(|start| line.starts_with(start));
        if !line.is_empty() && !is_picture {
            problems.push(format!("src/lib.rs: modules and their picture, no logic: `{line}`"));
        }
    }
    problems
}

fn unused(schemas: &[&str], tree: &Tree) -> Vec<String> {
    let is_code = |path: &str| path.ends_with(".rs") && path != "tests/it/tidy.rs";
    schemas
        .iter()
        .filter(|schema| !tree.iter().any(|(path, text)| is_code(path) && text.contains(**schema)))
        .map(|schema| format!("schemas/{schema}: no code and no test uses it"))
        .collect()
}

/// Modules of tests that `make test-versions` skips although they need a server.
fn skipped_servers(tree: &Tree) -> Vec<String> {
    const SCRIPT: &str = "infra/test-versions.sh";
    let script = tree.get(SCRIPT).map(String::as_str).unwrap_or_default();
    let everywhere = script.lines().filter(|line| line.starts_with("skipped="));
    let words = everywhere.flat_map(str::split_whitespace);
    let skipped: Vec<&str> = words.filter_map(|word| word.trim_matches('"').strip_suffix("::")).collect();
    let mut problems = Vec::new();
    if skipped.is_empty() {
        problems.push(format!("{SCRIPT}: no module `name::` is skipped, so this lint looks at nothing"));
    }
    for (path, text) in tree {
        let module = path.strip_prefix("tests/it/").and_then(|path| path.split(['/', '.']).next());
        let Some(module) = module.filter(|module| skipped.contains(module) && *module != "tidy") else {
            continue;
        };
        for needs in ["Lab::real(", "Lab::up(", "Lab::of(", "require_pg("] {
            if text.lines().any(|line| code(line).contains(needs)) {
                problems.push(format!("{path}: `{needs}`, but {SCRIPT} skips {module}"));
            }
        }
    }
    problems
}

fn machine_paths(tree: &Tree) -> Vec<String> {
    // In parts, so that this file does not find itself.
    let paths = [concat!("/wo", "rk/"), concat!("/tmp/", "wt")];
    let mut problems = Vec::new();
    for (path, text) in tree {
        for (number, line) in (1..).zip(text.lines()) {
            for machine in paths.iter().filter(|machine| line.contains(**machine)) {
                problems.push(format!("{path}:{number}: `{machine}` exists on one machine only"));
            }
        }
    }
    problems
}

fn switched_off(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.ends_with(".rs")) {
        for (number, line) in (1..).zip(text.lines()) {
            if code(line).contains(concat!("#[", "ignore")) {
                problems.push(format!("{path}:{number}: a test that does not run proves nothing"));
            }
        }
    }
    problems
}

fn sources() -> Tree {
    let mut tree = tree();
    tree.retain(|path, _| path.starts_with("src/") && path.ends_with(".rs"));
    assert!(tree.contains_key("src/lib.rs") && tree.len() > 10, "the tree was not found");
    tree
}

fn tree() -> Tree {
    let mut tree = Tree::new();
    walk(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut tree);
    tree
}

/// Collects every text below `folder`, but for what git does not keep.
fn walk(folder: &Path, prefix: &str, tree: &mut Tree) {
    for entry in fs::read_dir(folder).expect("a folder of the tree can be read") {
        let entry = entry.expect("an entry of the tree can be read");
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if matches!(path.as_str(), ".git" | "target" | "runs" | "replab.toml") {
            continue;
        }
        if entry.file_type().expect("an entry has a type").is_dir() {
            walk(&entry.path(), &format!("{path}/"), tree);
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            tree.insert(path, text);
        }
    }
}

mod can_fail {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn ranks_of_equals_and_of_betters() {
        let problems = ranks(&tree(&[
            ("src/fault/mod.rs", "use crate::history::Nanos;\nuse crate::workload::Op;\n"),
            ("src/lsn.rs", "fn f() -> crate::history::Nanos {}\n"),
            (
                "src/check/a.rs",
                "use crate::{\n    history::{Event, Nanos},\n    pg::Session,\n};\nuse other::Thing;\n",
            ),
            ("src/report/mod.rs", "// crate::cli is far away\nuse super::topology::Role;\n"),
            ("src/odd/mod.rs", ""),
            ("src/cli/a.rs", "use crate::strange::Thing;\nuse super::config::Args;\n"),
            ("src/cli/mod.rs", "mod tests {\n    use super::*;\n}\n"),
        ]));
        assert_eq!(
            problems,
            [
                "src/check/a.rs:1: check (rank 2) imports pg (rank 2)",
                "src/cli/a.rs:1: `crate::strange` has no rank",
                "src/fault/mod.rs:2: fault (rank 4) imports workload (rank 4)",
                "src/lsn.rs:1: lsn (rank 0) imports history (rank 1)",
                "src/odd/mod.rs: module `odd` has no rank; give it one in tests/it/tidy.rs",
                "src/report/mod.rs:2: write `crate::`, so that ranks can be checked",
            ]
        );
    }

    #[test]
    fn banned_words() {
        let text = "println!(\"x\");\nuse std::collections::HashMap;\nstd::process::Command::new(\"ls\");\ntodo!();\n// HashMap in words\nlet my_HashMap_like = 1;\ntokio_postgres::connect();\n";
        assert_eq!(banned(&tree(&[("src/run/mod.rs", text)])).len(), 6);
        assert_eq!(
            banned(&tree(&[("src/cli/mod.rs", "println!();\n"), ("src/pg/x.rs", "tokio_postgres::Row\n")])),
            [""; 0]
        );
        assert_eq!(
            banned(&tree(&[("src/topology/process/table.rs", "use std::process::Command;")])),
            [""; 0]
        );
    }

    #[test]
    fn long_files() {
        let long = "fn f() {}\n".repeat(MAX_LINES + 1);
        let tests = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let problems = sizes(&tree(&[("src/a.rs", &long), ("src/b.rs", &tests), ("src/c/tests.rs", &long)]));
        assert_eq!(problems, ["src/a.rs: 401 lines without tests; split it, 400 is the limit"]);
    }

    #[test]
    fn logic_at_the_entry() {
        let problems = entry(&tree(&[
            ("src/main.rs", &"fn main() {}\n".repeat(21)),
            ("src/lib.rs", "//! Picture.\n\n#[cfg(unix)]\npub mod lsn;\nmod suggest;\nfn logic() {}\n"),
        ]));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn unused_schemas() {
        let files = tree(&[
            ("schemas/a.sql", ""),
            ("schemas/b.sql", ""),
            ("src/x.rs", "include_str!(\"../schemas/a.sql\")"),
            ("README.md", "b.sql"),
        ]);
        assert_eq!(unused(&["a.sql", "b.sql"], &files), ["schemas/b.sql: no code and no test uses it"]);
    }

    #[test]
    fn servers_that_are_skipped() {
        let script = ("infra/test-versions.sh", "skipped=\"--skip a:: --skip b::\"\n");
        let files = [
            script,
            ("tests/it/a.rs", "// Lab::real(\n"),
            ("tests/it/b/deep.rs", "let Some(lab) = Lab::real() else { return };\n"),
            ("tests/it/c.rs", "Lab::up(1).await;\n"),
        ];
        assert_eq!(
            skipped_servers(&tree(&files)),
            ["tests/it/b/deep.rs: `Lab::real(`, but infra/test-versions.sh skips b"]
        );
        assert_eq!(skipped_servers(&tree(&[("infra/test-versions.sh", "")])).len(), 1);
    }

    #[test]
    fn paths_of_a_machine() {
        let text = concat!("fine\nsee /wo", "rk/here\n");
        assert_eq!(machine_paths(&tree(&[("Makefile", text)])).len(), 1);
    }

    #[test]
    fn tests_that_do_not_run() {
        let text = concat!("#[test]\n#[", "ignore = \"slow\"]\nfn f() {}\n// #[", "ignore]\n");
        assert_eq!(switched_off(&tree(&[("tests/it/x.rs", text)])).len(), 1);
    }
}
