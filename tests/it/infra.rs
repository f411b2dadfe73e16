//! The Aurora templates: what the policies allow is what the code calls, and the linter that `make lint` runs does refuse.
//!
//! As in `tidy`, a check is a function from texts to what is wrong with them, so that each can be shown to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::replab;

/// Without this tag on a cluster and its nodes nothing is broken there.
const TAG: &str = "replab:faults";

#[test]
fn policies_are_what_iam_reads_and_as_narrow_as_they_say() {
    assert_none(&loose("policy-run.json", &json("infra/policy-run.json")));
    assert_none(&loose("policy-deploy.json", &json("infra/policy-deploy.json")));
}

#[test]
fn the_policy_allows_what_the_code_calls_and_nothing_more() {
    let callers = callers();
    assert_none(&unequal(&allowed(&json("infra/policy-run.json")), &callers));
    assert!(callers.values().any(|text| text.contains(TAG)), "no code looks at the tag {TAG}");
}

#[test]
fn the_cluster_and_its_nodes_carry_the_tag_and_go_with_the_stack() {
    assert_none(&left(&text("infra/aurora.yaml")));
}

#[test]
fn the_command_that_the_template_tells_has_flags_that_exist() {
    let template = text("infra/aurora.yaml");
    let command = template.lines().find_map(|line| line.split_once("!Sub replab run ")).unwrap().1;
    let help = Command::new(replab()).args(["run", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let flags: Vec<&str> = command.split_whitespace().filter(|word| word.starts_with('-')).collect();
    assert!(flags.contains(&"--cluster"), "{command}");
    for flag in flags {
        assert!(
            help.split([' ', ',', '\n']).any(|word| word == flag),
            "{flag}: `replab run --help` has none"
        );
    }
}

#[test]
fn the_linter_refuses_what_aws_would() {
    let folder = tempfile::tempdir().unwrap();
    let plant = |of: &str, right: &str, wrong: &str, name: &str| -> PathBuf {
        let text = text(of);
        assert!(text.contains(right), "{of} has no {right}");
        let path = folder.path().join(name);
        fs::write(&path, text.replacen(right, wrong, 1)).unwrap();
        path
    };
    let open = "  AllowedCidr:\n    Default: 0.0.0.0/0\n";
    let files = [
        plant("infra/aurora.yaml", "PromotionTier: 3", "PromotionTier: 16", "tier.yaml"),
        plant("infra/aurora.yaml", "  AllowedCidr:\n", open, "open.yaml"),
        plant("infra/policy-run.json", "rds:RebootDBInstance", "rds:RebootDBInstanze", "unknown.json"),
    ];
    let done = lint(&files);
    let said = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    if done.status.success() && errors.contains("skipped: ") {
        println!("{errors}");
        return;
    }
    assert!(!done.status.success(), "{said}{errors}");
    for (file, rule) in [("tier.yaml", "E3034"), ("open.yaml", "E2015"), ("unknown.json", "W3037")] {
        let found = said.lines().any(|line| line.contains(file) && line.contains(&format!(":{rule}:")));
        assert!(found, "{rule} in {file}:\n{said}{errors}");
    }
}

fn lint(files: &[PathBuf]) -> Output {
    Command::new("sh").current_dir(root()).arg("infra/lint.sh").args(files).output().unwrap()
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn json(path: &str) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

/// The sources that call AWS, by path.
fn callers() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src/topology/aurora")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            // Tests make the clusters that they try the calls on.
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.display().to_string(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// A value, or each of an array.
fn each(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    }
}

/// Whether an action changes nothing. Signing in and reading a secret do not either, and name whose.
fn only_reads(action: &str) -> bool {
    let verb = action.split_once(':').map_or("", |(_, verb)| verb);
    ["Describe", "List", "Get", "connect"].iter().any(|start| verb.starts_with(start))
}

/// What IAM would refuse in a policy, and what is wider than it needs to be: an action that changes something asks for the
/// tag, or for CloudFormation as the caller, or names its resources.
/// Source: IAM User Guide, "IAM JSON policy elements reference".
fn loose(name: &str, policy: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let statements = policy["Statement"].as_array().map(Vec::as_slice).unwrap_or_default();
    if policy["Version"] != "2012-10-17" || statements.is_empty() {
        problems.push(format!("{name}: a policy has a version, and statements"));
    }
    for statement in statements {
        let sid = statement["Sid"].as_str().unwrap_or_default();
        let mut problem = |text: String| problems.push(format!("{name}: {sid}: {text}"));
        if sid.is_empty() || !sid.chars().all(|c| c.is_ascii_alphanumeric()) || !seen.insert(sid) {
            problem("a Sid is letters and digits, and there once".to_owned());
        }
        for key in statement.as_object().into_iter().flat_map(|statement| statement.keys()) {
            if !["Sid", "Effect", "Action", "Resource", "Condition"].contains(&key.as_str()) {
                problem(format!("{key} is no key of a statement here"));
            }
        }
        if statement["Effect"] != "Allow" {
            problem("allows nothing".to_owned());
        }
        let (actions, resources) = (each(&statement["Action"]), each(&statement["Resource"]));
        if actions.is_empty() || resources.is_empty() {
            problem("names no action, or no resource".to_owned());
        }
        let condition = &statement["Condition"];
        let tagged = condition["StringEquals"][format!("aws:ResourceTag/{TAG}")] == "allowed";
        let by_stack =
            condition["ForAnyValue:StringEquals"]["aws:CalledVia"] == "cloudformation.amazonaws.com";
        for action in actions {
            if !action.contains(':') || action.contains('*') {
                problem(format!("`{action}` is not one action"));
            }
            let faults = ["rds:FailoverDBCluster", "rds:RebootDBInstance"].contains(&action);
            if faults && !tagged && !by_stack {
                problem(format!("{action} without the tag {TAG}"));
            }
            if !only_reads(action) && !tagged && !by_stack && resources.contains(&"*") {
                problem(format!("{action} on everything, by anybody"));
            }
            if !seen.insert(action) {
                problem(format!("{action} is allowed twice"));
            }
        }
    }
    problems
}

/// The actions that a policy allows.
fn allowed(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().into_iter().flatten();
    statements.flat_map(|statement| each(&statement["Action"])).map(str::to_owned).collect()
}

/// What differs between a policy, the list `CALLS` of the code, and the calls that stand in it.
fn unequal(allowed: &BTreeSet<String>, callers: &BTreeMap<String, String>) -> Vec<String> {
    let declared: BTreeSet<String> = callers.values().flat_map(|text| declared(text)).collect();
    let called: BTreeMap<String, &str> = callers
        .iter()
        .flat_map(|(path, text)| called(text).into_iter().map(move |call| (call, path.as_str())))
        .collect();
    let mut problems = Vec::new();
    if declared.is_empty() {
        problems.push("no list `CALLS: &[&str] = &[…]` was found".to_owned());
    }
    if called.is_empty() {
        problems.push("no call of AWS was found".to_owned());
    }
    for call in declared.symmetric_difference(allowed) {
        problems.push(format!("{call} is in one of CALLS and the policy"));
    }
    // A method's name has lost its capitals.
    let known: BTreeSet<String> = declared.iter().map(|call| call.to_lowercase()).collect();
    for (call, path) in &called {
        if !known.contains(call) {
            problems.push(format!("{path}: {call} is not in CALLS"));
        }
    }
    for call in &known {
        if !called.contains_key(call) {
            problems.push(format!("{call} is in CALLS, and called nowhere"));
        }
    }
    problems
}

/// The texts in `CALLS: &[&str] = &[…]`.
fn declared(text: &str) -> Vec<String> {
    let list = text.split_once("CALLS: &[&str] = &[").map_or("", |(_, rest)| rest);
    let list = list.split_once(']').map_or("", |(list, _)| list);
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The calls of the SDK in `text`, in lower case: `.describe_db_clusters()` is `rds:describedbclusters`. An operation's
/// method takes nothing; a setting's takes a value.
fn called(text: &str) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    for line in text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code)) {
        for (at, _) in line.match_indices("()") {
            let start =
                line[..at].rfind(|c: char| !(c.is_ascii_lowercase() || c == '_')).map_or(0, |at| at + 1);
            let method = &line[start..at];
            if line[..start].ends_with('.') && is_operation(method) {
                let service = match method {
                    "get_secret_value" => "secretsmanager",
                    "get_caller_identity" => "sts",
                    _ => "rds",
                };
                calls.insert(format!("{service}:{}", method.replace('_', "")));
            }
        }
        // A token is signed here and not fetched; with it one connects.
        if line.contains("AuthTokenGenerator") {
            calls.insert("rds-db:connect".to_owned());
        }
    }
    calls
}

/// Whether a method without arguments is an operation, by its name. Verbs that other methods begin with as well need a
/// noun of RDS.
fn is_operation(method: &str) -> bool {
    let starts = |verbs: &[&str]| verbs.iter().any(|verb| method.starts_with(verb));
    ["get_secret_value", "get_caller_identity"].contains(&method)
        || starts(&["describe_", "failover_", "promote_", "reboot_", "switchover_"])
        || starts(&[
            "add_", "create_", "delete_", "list_", "modify_", "remove_", "restore_", "start_", "stop_",
        ]) && ["_db_", "_tags_", "_global_cluster"].iter().any(|noun| method.contains(noun))
}

/// What of the template's cluster and nodes lacks the tag, or would outlive the stack.
fn left(template: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let resources = template.split_once("\nResources:\n").map_or("", |(_, rest)| rest);
    let resources = resources.split_once("\nOutputs:\n").map_or("", |(resources, _)| resources);
    let mut nodes = 0;
    let starts =
        |line: &str| line.starts_with("  ") && line[2..].starts_with(|c: char| c.is_ascii_uppercase());
    let lines: Vec<&str> = resources.lines().collect();
    for resource in lines.chunk_by(|_, next| !starts(next)) {
        let has = |wanted: &str| resource.iter().any(|line| line.trim() == wanted);
        let name = resource[0].trim();
        let is_cluster = has("Type: AWS::RDS::DBCluster");
        if !is_cluster && !has("Type: AWS::RDS::DBInstance") {
            continue;
        }
        nodes += usize::from(!is_cluster);
        if !has(&format!(r#"Tags: [{{Key: "{TAG}", Value: allowed}}]"#)) {
            problems.push(format!("{name} has no tag {TAG}"));
        }
        if !has("DeletionPolicy: Delete") || !has("UpdateReplacePolicy: Delete") {
            problems.push(format!("{name} outlives the stack"));
        }
        if is_cluster && !(has("DeleteAutomatedBackups: true") && has("DeletionProtection: false")) {
            problems.push(format!("{name} leaves backups, or is protected"));
        }
    }
    if nodes != 4 {
        problems.push(format!("a writer and up to three readers, not {nodes} nodes"));
    }
    problems
}

mod can_fail {
    use super::*;

    #[test]
    fn policies_that_are_too_wide() {
        let policy: Value = serde_json::from_str(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Sid": "a b", "Effect": "Allow", "Action": "rds:*", "Resource": "arn:x"},
                {"Sid": "b", "Effect": "Deny", "Action": ["rds:RebootDBInstance"], "Resource": ["arn:x"]},
                {"Sid": "b", "Effect": "Allow", "Action": "rds:DeleteDBCluster", "Resource": "*", "NotAction": "x"},
                {"Sid": "c", "Effect": "Allow", "Action": "rds:DescribeEvents", "Resource": "*"},
                {"Sid": "d", "Effect": "Allow", "Action": "rds:DescribeEvents", "Resource": []}]}"#,
        )
        .unwrap();
        assert_eq!(
            loose("p", &policy),
            [
                "p: a b: a Sid is letters and digits, and there once",
                "p: a b: `rds:*` is not one action",
                "p: b: allows nothing",
                "p: b: rds:RebootDBInstance without the tag replab:faults",
                "p: b: a Sid is letters and digits, and there once",
                "p: b: NotAction is no key of a statement here",
                "p: b: rds:DeleteDBCluster on everything, by anybody",
                "p: d: names no action, or no resource",
                "p: d: rds:DescribeEvents is allowed twice",
            ]
        );
        assert_eq!(loose("p", &Value::Null), ["p: a policy has a version, and statements"]);
    }

    #[test]
    fn calls_that_differ_from_the_policy() {
        let code = "
            pub const CALLS: &[&str] = &[
                \"rds:DescribeDBClusters\",
                \"rds:FailoverDBCluster\",
                \"rds-db:connect\",
            ];
            client
                .describe_db_clusters()
                .db_cluster_identifier(name)
            let call = rds.reboot_db_instance().force_failover(false);
            // rds.delete_db_cluster()
            let began = event.start_time(); list.clear(); rds.start_db_cluster_identifier(x);
            let token = AuthTokenGenerator::new(config);
        ";
        let allowed: BTreeSet<String> =
            ["rds:DescribeDBClusters", "rds-db:connect", "rds:DescribeEvents", "rds:FailoverDBCluster"]
                .map(str::to_owned)
                .into();
        let callers = BTreeMap::from([("a.rs".to_owned(), code.to_owned())]);
        assert_eq!(
            unequal(&allowed, &callers),
            [
                "rds:DescribeEvents is in one of CALLS and the policy",
                "a.rs: rds:rebootdbinstance is not in CALLS",
                "rds:failoverdbcluster is in CALLS, and called nowhere",
            ]
        );
        let nothing = BTreeMap::from([("a.rs".to_owned(), String::new())]);
        assert_eq!(
            unequal(&BTreeSet::new(), &nothing),
            ["no list `CALLS: &[&str] = &[…]` was found", "no call of AWS was found"]
        );
    }

    #[test]
    fn templates_that_leave_something() {
        let template = text("infra/aurora.yaml");
        let without = |line: &str| left(&template.replacen(line, "", 1));
        assert_eq!(without("DeleteAutomatedBackups: true"), ["Cluster: leaves backups, or is protected"]);
        assert_eq!(without("DeletionPolicy: Delete"), ["Cluster: outlives the stack"]);
        assert_eq!(
            without(r#"Tags: [{Key: "replab:faults", Value: allowed}]"#),
            ["Cluster: has no tag replab:faults"]
        );
        assert_eq!(without("Type: AWS::RDS::DBInstance"), ["a writer and up to three readers, not 3 nodes"]);
        assert_eq!(left(""), ["a writer and up to three readers, not 0 nodes"]);
    }
}
