//! A headless Chromium of our own, driven over WebDriver; gone when the test is, however it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::PATIENCE;

/// A running chromedriver with a profile of its own.
pub(super) struct Browser {
    driver: Child,
    port: u16,
    profile: tempfile::TempDir,
}

impl Browser {
    /// `None` where there is no Chromium, which is said; a panic where `REPLAB_REQUIRE_BROWSER` demands one.
    pub(super) fn start() -> Option<Browser> {
        let spawned = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let mut driver = match spawned {
            Ok(driver) => driver,
            Err(error) => {
                let wanted = std::env::var_os("REPLAB_REQUIRE_BROWSER").is_some_and(|value| value == "1");
                assert!(!wanted, "chromedriver: {error}, and REPLAB_REQUIRE_BROWSER=1");
                println!("skipped: no chromedriver ({error}); apt-get install chromium chromium-driver");
                return None;
            }
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next().expect("chromedriver says its port").unwrap();
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        // Whatever else it says is read, so that it never waits for us.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Browser { driver, port, profile: tempfile::tempdir().unwrap() })
    }

    /// A session with `extra` switches; with `scripts` off, the page's own scripts do not run.
    pub(super) async fn session(&self, scripts: bool, extra: &[&str]) -> Client {
        let profile = tempfile::tempdir_in(self.profile.path()).unwrap().keep();
        let mut switches: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--force-prefers-reduced-motion",
            "--window-size=1300,1000",
        ]
        .map(str::to_owned)
        .into();
        switches.push(format!("--user-data-dir={}", profile.display()));
        switches.extend(extra.iter().map(|switch| (*switch).to_owned()));
        let javascript = if scripts { 1 } else { 2 };
        let capabilities = json!({
            "goog:chromeOptions": {
                "args": switches,
                "prefs": { "profile.managed_default_content_settings.javascript": javascript },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .unwrap()
    }

    /// What the page wrote to the console since the last call, errors and refusals of its policy among it. Messages arrive
    /// when they like, but in their order: all are there when the one that is written here has come.
    pub(super) async fn console(&self, client: &Client) -> Vec<String> {
        const LAST: &str = "the last message of the page";
        client.execute(&format!("console.error('{LAST}')"), Vec::new()).await.unwrap();
        let mut messages = Vec::new();
        let all = async {
            loop {
                messages.extend(self.arrived(client).await);
                if let Some(last) = messages.iter().position(|message| message.contains(LAST)) {
                    messages.truncate(last);
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, all).await.expect("the console shows what is written to it");
        messages
    }

    /// What has come from the console since the last call.
    async fn arrived(&self, client: &Client) -> Vec<String> {
        let session = client.session_id().await.unwrap().unwrap();
        let body = json!({ "type": "browser" }).to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "POST /session/{session}/se/log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        // chromedriver keeps the connection open, so the answer ends where its header says.
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some((_, value)) = line.to_ascii_lowercase().split_once("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let entries = answer["value"].as_array().expect("a log");
        entries.iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.driver.id().cast_signed());
        // Asked politely, chromedriver ends its browsers first.
        let _ = killpg(group, Signal::SIGTERM);
        let _ = self.driver.wait();
        let _ = killpg(group, Signal::SIGKILL);
    }
}
