//! `replab run -t aurora` with tokens, and with the secret that RDS keeps.

use std::fs;
use std::net::{TcpListener, TcpStream};

use super::run::Runner;
use super::serving::{KEY_ID, SECRET, Serving};
use super::signed;
use crate::aurora::stub;
use crate::lab::judgement;

const USER: &str = "CREATE USER replab; GRANT rds_iam TO replab; GRANT CREATE ON DATABASE postgres TO replab";
const TOKENS: [&str; 4] = ["--auth", "iam", "--db-user", "replab"];

#[test]
fn tokens_and_the_secret_are_all_that_a_run_needs() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    let (url, ca) = (runner.text("endpoint_url"), runner.text("ca"));
    let always = ["--ca-bundle", ca, "--duration", "6s", "--yes", "--fault", "promote(best)@2s"];

    let mut command = runner.command(url, &[&always[..], &["--auth", "secret"]].concat());
    runner.finish(command.env("AWS_ENDPOINT_URL_SECRETS_MANAGER", url)).exits(0);
    runner.assert_clean();
    assert_failed_over(&runner, "secret");

    serving.ask("writer", USER).unwrap();
    runner.finish(&mut runner.command(url, &[&always[..], &TOKENS].concat())).exits(0);
    runner.assert_clean();
    assert_failed_over(&runner, "iam");
    // It had no other way in.
    let sql = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'replab'";
    assert_eq!(serving.value("writer", sql), "t");
    assert!(!serving.said().contains("refused"), "{}", serving.said());
    serving.end();
}

/// The run logged in so, failed over once, and nothing was lost.
fn assert_failed_over(runner: &Runner<'_>, login: &str) {
    let report = runner.lab.results();
    let durability = judgement(&report, "orders", "durability", None);
    assert_eq!((&durability["verdict"], &durability["claimed"]), (&"pass".into(), &true.into()));
    let recoveries = report["figures"]["recoveries"].as_array().unwrap();
    assert_eq!(recoveries.len(), 1, "{recoveries:?}");
    let plan = format!("\nauth = \"{login}\"\n");
    assert!(report["run"]["plan"].as_str().unwrap().contains(&plan), "{}", report["run"]);
}

#[test]
fn a_run_whose_tokens_are_refused_is_not_begun() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let runner = Runner::new(&serving);
    serving.ask("writer", USER).unwrap();
    // The API takes the keys, the servers do not: so it is without leave to rds-db:connect.
    let url = resigning(serving.api().to_owned());
    let mut command = runner.command(&url, &[&["--ca-bundle", runner.text("ca")][..], &TOKENS].concat());
    command.env("AWS_ACCESS_KEY_ID", "AKIDOTHER").env("AWS_SECRET_ACCESS_KEY", "another");
    let done = runner.finish(&mut command).exits(11);
    done.explains(&[
        "the instance `part-4-instance-1` cannot be reached",
        "PAM authentication failed for user \"replab\"",
        "rds-db:connect",
    ]);
    let said = serving.said();
    assert!(said.contains("it is signed with other keys than the API's"), "{said}");
    assert!(!said.contains("X-Amz-"), "{said}");
    assert!(!runner.lab.runs().exists() || fs::read_dir(runner.lab.runs()).unwrap().next().is_none());
    runner.assert_no_schema();
    serving.end();
}

/// The API with other keys: it takes whatever is asked, and asks it with the right ones. For as long as the test's process
/// runs.
fn resigning(api: String) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is its own affair.
            drop(resign(&stream, &api));
        }
    });
    url
}

fn resign(stream: &TcpStream, api: &str) -> std::io::Result<()> {
    let answer = signed::post(api, &stub::body(stream)?, KEY_ID, SECRET, chrono::Utc::now());
    stub::respond(stream, answer.status, &answer.xml)
}
