//! The HTML report in a real browser.

mod driver;
mod histories;

use std::path::Path;
use std::time::Duration;

use fantoccini::{Client, Locator};
use serde_json::{Value, json};

use crate::sample_report;
use crate::support::PATIENCE;
use driver::Browser;
use replab::report;

fn page(folder: &Path, name: &str, html: &str) -> String {
    let path = folder.join(format!("{name}.html"));
    std::fs::write(&path, html).unwrap();
    format!("file://{}", path.display())
}

async fn run(client: &Client, script: &str) -> Value {
    client.execute(script, Vec::new()).await.unwrap()
}

const RESOURCES: &str = "return performance.getEntriesByType('resource').map(entry => entry.name)";

#[tokio::test]
async fn pages_load_nothing_and_say_nothing_to_the_console() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &[]).await;
    for (name, sample) in sample_report::all() {
        client.goto(&page(folder.path(), name, &report::html(&sample))).await.unwrap();
        assert_eq!(browser.console(&client).await, Vec::<String>::new(), "{name}");
        assert_eq!(run(&client, RESOURCES).await, json!([]), "{name}");
        assert!(client.title().await.unwrap().ends_with("replab"), "{name}: a script got into the title");
        assert_eq!(run(&client, "return document.scripts.length").await, json!(1), "{name}");
    }
    // The same eyes see a page that does both.
    let bad = "<!doctype html><script>missing()</script><img src='http://127.0.0.1:9/x.png'>";
    client.goto(&page(folder.path(), "bad", bad)).await.unwrap();
    assert!(browser.console(&client).await.iter().any(|line| line.contains("missing")));
    let noted = async {
        while run(&client, RESOURCES).await == json!([]) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noted).await.expect("what a page asks for is noted");
    client.close().await.unwrap();
}

#[tokio::test]
async fn charts_read_out_their_numbers_and_series_can_be_hidden() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &[]).await;
    client.goto(&page(folder.path(), "valid", &report::html(&sample_report::valid()))).await.unwrap();
    let charts = run(&client, "return [...document.querySelectorAll('figure.chart')].map(c => c.id)").await;
    assert_eq!(
        charts,
        json!([
            "chart-lag-bytes-1",
            "chart-lag-time-1",
            "chart-writes",
            "chart-reads",
            "chart-latency",
            "chart-recovery",
            "chart-availability"
        ])
    );
    let unnamed = "return [...document.querySelectorAll('.plot svg')].filter(svg => svg.getAttribute('role') !== 'img' \
                   || !(svg.getAttribute('aria-label') || svg.querySelector('title')) || !svg.querySelector('desc')).length";
    assert_eq!(run(&client, unnamed).await, json!(0), "every picture has a name and a description");

    let chart = client.find(Locator::Css("#chart-latency .plot svg")).await.unwrap();
    run(&client, "document.querySelector('#chart-latency .plot svg').focus()").await;
    chart.send_keys("\u{e014}").await.unwrap();
    let readout = client.find(Locator::Id("readout")).await.unwrap().text().await.unwrap();
    let rows =
        "return [...document.querySelectorAll('#chart-latency tbody tr')][1].innerText.split(/\\s*\\t\\s*/)";
    let textual = "return [...document.querySelectorAll('#chart-latency tbody tr')][1].textContent";
    assert!(run(&client, rows).await.is_array());
    let squeeze = |text: &str| text.split_whitespace().collect::<String>();
    let row = run(&client, textual).await.as_str().map(squeeze).unwrap();
    let read = squeeze(&readout.replace("max", "").replace("p99", "").replace("p95", "").replace("p50", ""));
    assert_eq!(read, row, "the readout shows the table's row");
    let cursors = "return document.querySelectorAll('.cursor[visibility=visible]').length";
    assert_eq!(run(&client, cursors).await, json!(6), "one cursor across all charts over time");

    let hidden = "return getComputedStyle(document.querySelector('#chart-latency .p1')).display === 'none'";
    assert_eq!(run(&client, hidden).await, json!(false));
    client.find(Locator::Css("#chart-latency input.k1")).await.unwrap().click().await.unwrap();
    assert_eq!(run(&client, hidden).await, json!(true));
    client.close().await.unwrap();
}

#[tokio::test]
async fn the_theme_follows_the_system_and_the_button() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &[]).await;
    client.goto(&page(folder.path(), "valid", &report::html(&sample_report::valid()))).await.unwrap();
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let before = run(&client, ground).await;
    client.find(Locator::Id("theme")).await.unwrap().click().await.unwrap();
    let after = run(&client, ground).await;
    assert_ne!(before, after);
    client.refresh().await.unwrap();
    assert_eq!(run(&client, ground).await, after, "the choice is remembered");
    client.close().await.unwrap();
}

/// Contrast of every text with its ground, in both themes, by the formula of WCAG 2: at least 4.5.
#[tokio::test]
async fn text_has_contrast_in_both_themes() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &[]).await;
    for (name, sample) in [("cut", sample_report::cut()), ("lost_commits", sample_report::lost_commits())] {
        client.goto(&page(folder.path(), name, &report::html(&sample))).await.unwrap();
        for theme in ["light", "dark"] {
            run(&client, &format!("document.documentElement.dataset.theme = '{theme}'")).await;
            let poor = run(&client, include_str!("contrast.js")).await;
            assert_eq!(poor, json!([]), "{name}, {theme}");
        }
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn the_page_is_complete_without_scripts() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(false, &[]).await;
    client.goto(&page(folder.path(), "lost", &report::html(&sample_report::lost_commits()))).await.unwrap();
    let theme = client.find(Locator::Id("theme")).await.unwrap();
    assert!(!theme.is_displayed().await.unwrap(), "scripts are off, so the button is not there");
    let text = client.find(Locator::Css("body")).await.unwrap().text().await.unwrap();
    for part in [
        "INVALID",
        "order 24117 was acknowledged",
        "orders#48231",
        "Replication lag",
        "Throughput by outcome",
        "crash primary",
        "57P03",
        "What was not checked",
        "--seed 42",
        "full_page_writes",
        "long fork",
    ] {
        assert!(text.contains(part), "`{part}` is not shown");
    }
    assert_eq!(client.find_all(Locator::Css(".plot svg path.line")).await.unwrap().len(), 12);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_narrow_screen_does_not_scroll_sideways() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &["--force-device-scale-factor=1"]).await;
    client.set_window_size(520, 900).await.unwrap();
    for (name, sample) in sample_report::all() {
        client.goto(&page(folder.path(), name, &report::html(&sample))).await.unwrap();
        let over = "const wide = document.documentElement.clientWidth; \
                    return document.documentElement.scrollWidth <= wide ? [] : \
                    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide \
                    && !e.closest('.scroll, .plot, nav, pre')).map(e => `${e.tagName}.${e.className}`)";
        assert_eq!(run(&client, over).await, json!([]), "{name} is wider than the window");
    }
    client.close().await.unwrap();
}
