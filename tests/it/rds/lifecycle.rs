//! How serving begins and ends.

use std::net::TcpListener;

use super::serving::Serving;
use crate::lab::{Lab, until};

#[test]
fn a_control_plane_that_is_killed_leaves_nothing() {
    let Some(serving) = Serving::start(&["--readers", "1"]) else { return };
    let secrets = ["PGPASSWORD", "AWS_SECRET_ACCESS_KEY"].map(|name| serving.facts["env"][name].clone());
    assert!(serving.lab.run(&["status"]).exits(0).stdout.contains("part-4"));
    serving.lab.run(&["down", "--name", "part-4"]).explains(&["part-4"]);
    let lab = serving.killed();
    until("its guard has ended the servers", || lab.processes().is_empty());
    lab.run(&["gc"]).exits(0);
    lab.assert_nothing_left();
    let said = std::fs::read_to_string(lab.path().join("stderr")).unwrap();
    assert!(said.contains("DB cluster created"), "{said}");
    for secret in secrets {
        assert!(!said.contains(secret.as_str().unwrap()), "{said}");
    }
}

#[test]
fn what_cannot_be_served_is_refused_before_a_server_starts() {
    let lab = Lab::new();
    for (wrong, words) in [
        (["--readers", "16"], "at most 15 readers"),
        (["--cluster", "a_b"], "a_b is not a valid identifier"),
        (["--domain", "a..b"], "a..b is not a domain"),
        (["--throttle", "2"], "a number from 0 to 1"),
    ] {
        let done = lab.run(&["aurora", "serve", wrong[0], wrong[1]]).exits(2);
        assert!(done.stderr.contains(words), "{}", done.stderr);
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    lab.run(&["aurora", "serve", "--port", &port]).exits(11).explains(&["listen on 127.0.0.1", "--port"]);
    let taken = TcpListener::bind("127.0.0.3:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let done = lab.run(&["aurora", "serve", "--db-port", &port]).exits(11);
    done.explains(&["listen on 127.0.0.3", "--db-port"]);
    let mut half = lab.replab(&["aurora", "serve"]);
    half.env("AWS_ACCESS_KEY_ID", "AKID").env_remove("AWS_SECRET_ACCESS_KEY");
    let done = crate::lab::Done::from(half.output().unwrap()).exits(11);
    done.explains(&["only one is set"]);
    lab.assert_nothing_left();
}
