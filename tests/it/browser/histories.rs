//! Pages and pictures of histories in a real browser.

use std::path::Path;

use serde_json::json;

use super::driver::Browser;
use super::run;
use crate::transactions::replab;

/// A transaction: from, to (in milliseconds), process, node, what it did, how it ended.
type Txn = (u64, u64, u32, &'static str, String, &'static str);

/// The events of transactions, as Jepsen writes them.
fn events(txns: &[Txn]) -> String {
    let mut events: Vec<(u64, usize, bool)> = Vec::new();
    for (number, (start, end, ..)) in txns.iter().enumerate() {
        events.extend([(*start, number, false), (*end, number, true)]);
    }
    events.sort_unstable();
    let line = |&(time, number, completes): &(u64, usize, bool)| {
        let (_, _, process, node, did, ending) = &txns[number];
        let kind = if completes { ending } else { "invoke" };
        format!(
            "{{:type :{kind}, :process {process}, :node \"{node}\", :time {time}000000, :f :txn, :value [{did}]}}\n"
        )
    };
    events.iter().map(line).collect()
}

/// Name, and events.
fn histories() -> Vec<(&'static str, String)> {
    let txn = |start, end, process, node, did: &str| (start, end, process, node, did.to_owned(), "ok");
    let fork = [
        txn(0, 5, 0, "primary", "[:append x 1]"),
        txn(1, 6, 1, "primary", "[:append y 1]"),
        txn(2, 9, 2, "replica-1", "[:r x [1]] [:r y []]"),
        txn(3, 8, 3, "replica-2", "[:r x []] [:r y [1]]"),
    ];
    let lost = [
        txn(0, 3, 1, "primary", "[:r x []] [:append x 1]"),
        txn(1, 4, 2, "primary", "[:r x []] [:append x 2]"),
        txn(60_000, 60_002, 3, "replica-1", "[:r x [1 2]]"),
    ];
    let aborted = [
        (0, 3, 1, "primary", "[:append x 1] [:append y 7]".to_owned(), "fail"),
        (1, 2, 4, "primary", "[:append z 1]".to_owned(), "info"),
        txn(90_000, 90_001, 2, "replica-1", "[:r x [1]]"),
    ];
    let hostile = [
        txn(
            0,
            9,
            1,
            "primary",
            r#"[:r "<script>document.title='x'</script>" []] [:append "a \" & b" "<b>\"&amp;"]"#,
        ),
        txn(
            1,
            8,
            2,
            "primary",
            r#"[:r "a \" & b" []] [:append "<script>document.title='x'</script>" "漢字の長い値です"]"#,
        ),
    ];
    let ring: Vec<Txn> = (0..8)
        .map(|place| {
            let more: String =
                (0..9 * (place % 2)).map(|n| format!(" [:append more-{place}-{n} {n}]")).collect();
            let did = format!("[:r key-{place} []] [:append key-{} 1]{more}", (place + 1) % 8);
            let node = ["primary", "replica-1", "replica-2"][place as usize % 3];
            (place % 3, 10 + place, place as u32, node, did, "ok")
        })
        .collect();
    vec![
        ("fork", events(&fork)),
        ("lost", events(&lost)),
        ("aborted", events(&aborted)),
        ("hostile", events(&hostile)),
        ("ring", events(&ring)),
        ("fine", events(&fork[..2])),
    ]
}

/// What `replab check` prints of events.
fn check(folder: &Path, name: &str, content: &str, format: &str) -> String {
    let file = folder.join(format!("{name}.edn"));
    std::fs::write(&file, content).unwrap();
    let output = replab(folder).arg("check").arg(&file).args(["--format", format]).output().unwrap();
    let expected = if name == "fine" { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(expected), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn kept(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    format!("file://{}", path.display())
}

/// Texts of pictures that lie over each other, or out of their picture, as the browser has set them.
const COLLISIONS: &str = r#"
    const found = [];
    for (const svg of document.querySelectorAll("svg.picture")) {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
      texts.forEach(([text, box], place) => {
        if (box.width === 0) found.push(`${text} is not there`);
        if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1) found.push(`${text} is cut off`);
        for (const [other, under] of texts.slice(0, place)) {
          const over = Math.min(box.right, under.right) - Math.max(box.left, under.left);
          const high = Math.min(box.bottom, under.bottom) - Math.max(box.top, under.top);
          if (over > 1 && high > 3) found.push(`${text} over ${other}`);
        }
      });
    }
    return found;"#;

#[tokio::test]
async fn a_page_of_a_history_is_quiet_and_legible_in_both_themes() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &["--force-device-scale-factor=1"]).await;
    for (name, content) in histories() {
        let page = check(folder.path(), name, &content, "html");
        client.goto(&kept(folder.path(), &format!("{name}.html"), &page)).await.unwrap();
        assert_eq!(browser.console(&client).await, Vec::<String>::new(), "{name}");
        assert!(client.title().await.unwrap().ends_with("replab"), "{name}: a script got into the title");
        assert_eq!(run(&client, "return document.scripts.length").await, json!(1), "{name}");
        for theme in ["light", "dark"] {
            run(&client, &format!("document.documentElement.dataset.theme = '{theme}'")).await;
            assert_eq!(run(&client, include_str!("contrast.js")).await, json!([]), "{name}, {theme}");
            assert_eq!(run(&client, COLLISIONS).await, json!([]), "{name}, {theme}");
        }
    }
    // The same eyes see texts that lie over each other.
    run(
        &client,
        "document.body.innerHTML = '<svg class=picture><text y=20>one</text><text y=20>two</text></svg>'",
    )
    .await;
    assert_eq!(run(&client, COLLISIONS).await, json!(["two over one"]));
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_page_of_a_history_fits_wide_and_narrow_windows() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = browser.session(true, &["--force-device-scale-factor=1"]).await;
    client.goto(&kept(folder.path(), "frame.html", "<!doctype html><body></body>")).await.unwrap();
    // A window cannot be as narrow as a telephone, a frame can.
    let load = "const [page, width, done] = arguments; const frame = document.createElement('iframe'); \
                frame.width = width; frame.height = 900; frame.onload = () => done(frame.contentWindow.innerWidth); \
                frame.srcdoc = page; document.body.replaceChildren(frame);";
    let over = "const inside = document.querySelector('iframe').contentDocument; \
                const wide = inside.documentElement.clientWidth; \
                return inside.documentElement.scrollWidth <= wide ? [] : \
                [...inside.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > wide \
                && !e.closest('.scroll, .plot, nav, pre')).map(e => `${e.tagName}.${e.className}`)";
    let mut pages: Vec<(&str, String)> = (histories().into_iter())
        .map(|(name, content)| (name, check(folder.path(), name, &content, "html")))
        .collect();
    pages.push(("wide", format!("<!doctype html><body>{}</body>", "<div style='width:2000px'>wide</div>")));
    for (name, page) in pages {
        for width in [1280, 400] {
            let inner = client.execute_async(load, vec![json!(page), json!(width)]).await.unwrap();
            assert_eq!(inner, json!(width), "{name}");
            let wide = run(&client, over).await;
            assert_eq!(wide == json!([]), name != "wide", "{name} is wider than {width}: {wide}");
        }
    }
    assert_eq!(browser.console(&client).await, Vec::<String>::new());
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_picture_stands_alone_in_the_theme_of_who_looks_at_it() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut grounds = Vec::new();
    for preference in [0, 1] {
        let switch = format!("--blink-settings=preferredColorScheme={preference}");
        let client = browser.session(true, &[&switch, "--force-device-scale-factor=1"]).await;
        for (name, content) in histories() {
            let picture = check(folder.path(), name, &content, "svg");
            client.goto(&kept(folder.path(), &format!("{name}.svg"), &picture)).await.unwrap();
            let root =
                "return document.documentElement.tagName + document.querySelectorAll('parsererror').length";
            assert_eq!(run(&client, root).await, json!("svg0"), "{name} is no XML");
            assert_eq!(browser.console(&client).await, Vec::<String>::new(), "{name}");
            assert_eq!(run(&client, COLLISIONS).await, json!([]), "{name}");
        }
        let ground = "return getComputedStyle(document.querySelector('.paper')).fill";
        grounds.push(run(&client, ground).await);
        client.close().await.unwrap();
    }
    assert_ne!(grounds[0], grounds[1], "light and dark");
}
