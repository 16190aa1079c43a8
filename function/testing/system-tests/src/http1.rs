//! Check `http1`: requests that two readers may take for different ones, straight to the function and through
//! haproxy, nginx and squid. Owns the pairs; larger collections beside the checkout are taken in.
//!
//! Each of our pairs hides an authentic delivery where one reader sees a body and another a second
//! request. The chat server must never hear of it.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::Delivery;
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::check::{Finding, Size, run};
use crate::restarts::{Front, free_port};
use crate::secret_scan::TOKEN;
use crate::sockets::{Echo, say, whole};
use crate::sut::{Settings, Sut};

/// Longer than a header deadline.
const PATIENCE: Duration = Duration::from_secs(5);

/// The same where a front keeps connections open for longer than we wait.
const FRONT_PATIENCE: Duration = Duration::from_millis(800);

/// A request that hides another one.
struct Pair {
    name: &'static str,
    bytes: Vec<u8>,
}

fn hidden() -> Vec<u8> {
    whole(&Delivery::push_sample().id("smuggled").token(TOKEN))
}

fn pairs() -> Vec<Pair> {
    let hidden = hidden();
    let length = hidden.len();
    let mut pairs = Vec::new();
    let mut add = |name, head: &str, body: &[u8]| {
        let bytes = [
            b"POST /elsewhere HTTP/1.1\r\nHost: test\r\n",
            head.as_bytes(),
            b"\r\n",
            body,
        ]
        .concat();
        pairs.push(Pair { name, bytes });
    };
    let after_end = [b"0\r\n\r\n", &hidden[..]].concat();
    let both = format!("Content-Length: {}\r\n", length + 5);
    let te = |value: &str| format!("{both}Transfer-Encoding: {value}\r\n");
    add("length and chunks", &te("chunked"), &after_end);
    add(
        "chunks and length",
        &format!("Transfer-Encoding: chunked\r\n{both}"),
        &after_end,
    );
    add("identity", &te("identity"), &after_end);
    add("chunked twice", &te("chunked, chunked"), &after_end);
    add("chunked, identity", &te("chunked, identity"), &after_end);
    add("xchunked", &te("xchunked"), &after_end);
    add("chunked in capitals", &te("CHUNKED"), &after_end);
    add("chunked with a tab", &te("\tchunked"), &after_end);
    add(
        "chunked with a vertical tab",
        &te("\u{b}chunked"),
        &after_end,
    );
    add("chunked in quotes", &te("\"chunked\""), &after_end);
    add("chunked with a semicolon", &te("chunked;x=y"), &after_end);
    add(
        "two codings",
        &format!("{both}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n"),
        &after_end,
    );
    add(
        "space before the colon",
        &format!("{both}Transfer-Encoding : chunked\r\n"),
        &after_end,
    );
    add(
        "folded",
        &format!("{both}Transfer-Encoding:\r\n chunked\r\n"),
        &after_end,
    );
    add(
        "bare line feed",
        &format!("{both}X: y\nTransfer-Encoding: chunked\r\n"),
        &after_end,
    );
    add(
        "bare carriage return",
        &format!("{both}X: y\rTransfer-Encoding: chunked\r\n"),
        &after_end,
    );
    add(
        "nul in the name",
        &format!("{both}Transfer\0-Encoding: chunked\r\n"),
        &after_end,
    );
    add(
        "underscore in the name",
        &format!("{both}Transfer_Encoding: chunked\r\n"),
        &after_end,
    );
    add(
        "two lengths",
        &format!("Content-Length: {length}\r\nContent-Length: 0\r\n"),
        &hidden,
    );
    add(
        "two lengths in one",
        &format!("Content-Length: {length}, 0\r\n"),
        &hidden,
    );
    add(
        "length with a plus",
        &format!("Content-Length: +{length}\r\n"),
        &hidden,
    );
    add("negative length", "Content-Length: -1\r\n", &hidden);
    add(
        "length in hex",
        &format!("Content-Length: 0x{length:x}\r\n"),
        &hidden,
    );
    add(
        "length with a space inside",
        "Content-Length: 1 0\r\n",
        &hidden,
    );
    add(
        "length that overflows",
        "Content-Length: 18446744073709551616\r\n",
        &hidden,
    );
    add(
        "space before the colon of the length",
        &format!("Content-Length : {length}\r\n"),
        &hidden,
    );
    add(
        "chunk size with a sign",
        "Transfer-Encoding: chunked\r\n",
        &[b"+0\r\n\r\n", &hidden[..]].concat(),
    );
    add(
        "chunk size that overflows",
        "Transfer-Encoding: chunked\r\n",
        &[b"10000000000000000\r\n", &hidden[..]].concat(),
    );
    add(
        "chunk size in hex with 0x",
        "Transfer-Encoding: chunked\r\n",
        &[b"0x0\r\n\r\n", &hidden[..]].concat(),
    );
    add(
        "chunk ends in a bare line feed",
        "Transfer-Encoding: chunked\r\n",
        &[b"0\n\n", &hidden[..]].concat(),
    );
    add(
        "chunk extension with a line feed",
        "Transfer-Encoding: chunked\r\n",
        &[b"0;a\nb\r\n\r\n", &hidden[..]].concat(),
    );
    add(
        "upgrade",
        "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 0\r\n",
        &hidden,
    );
    add("a body without a length", "", &hidden);
    pairs.extend(old_and_odd(&hidden));
    pairs
}

/// The same with other request lines.
fn old_and_odd(hidden: &[u8]) -> Vec<Pair> {
    let pair = |name, head: &str| Pair {
        name,
        bytes: [head.as_bytes(), hidden].concat(),
    };
    vec![
        pair(
            "chunks in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        pair("HTTP/0.9", "GET /\r\n\r\n"),
        pair(
            "a body that GET has not",
            "GET / HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        pair(
            "a tunnel",
            "CONNECT chat.example.org:443 HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        pair(
            "an address of elsewhere",
            "GET http://chat.example.org/ HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        pair("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        pair("no host", "GET / HTTP/1.1\r\n\r\n"),
        pair(
            "a space before the first header",
            "GET / HTTP/1.1\r\n Host: test\r\n\r\n",
        ),
        pair(
            "expect",
            "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        ),
        pair(
            "trailers",
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
        ),
    ]
}

/// Runs the check.
pub(crate) fn check(_: Size) -> Finding {
    run(all())
}

async fn all() -> Finding {
    let mut finding = Finding::default();
    let chat = FakeRocketChat::start().await;
    let settings = Settings::with(&chat)
        .set("GITLAB_SIGNING_KEYS", "")
        .set("GITLAB_WEBHOOK_TOKENS", TOKEN);
    let product = Sut::start(&settings);
    let mut open = 0;
    for pair in pairs() {
        let echo = say(&product.address(), &pair.bytes, PATIENCE).await;
        open += usize::from(!echo.closed);
        finding.expect(echo.closed, || format!("{}: still open", pair.name));
        finding.expect(echo.statuses().iter().all(|&status| status < 500), || {
            format!("{}: {:?}", pair.name, echo.statuses())
        });
        finding.expect(chat.messages().is_empty(), || {
            format!("{}: what was hidden was delivered", pair.name)
        });
        chat.messages()
            .iter()
            .for_each(|message| chat.delete_message(&message.id));
    }
    let mut fronts = Vec::new();
    for (name, front) in [
        ("haproxy", haproxy(&product).await),
        ("nginx", nginx(&product).await),
        ("squid", squid(&product).await),
    ] {
        match front {
            Some((front, port)) => {
                through(&mut finding, name, port, &chat).await;
                fronts.push(name);
                drop(front);
            }
            None => finding.lacks(name),
        }
    }
    let (refused, wrong, all) = recorded(&mut finding, &product).await;
    let alive = product
        .post(&Delivery::push_sample().token(TOKEN))
        .await
        .map_or(0, |answer| answer.status);
    finding.expect(alive == 200, || {
        format!("an honest webhook was answered {alive}")
    });
    chat.mark_all_read();
    finding.done(format!(
        "{} requests that hide another one, straight and through {}; {all} recorded oddities",
        pairs().len(),
        fronts.join(", ")
    ));
    finding.figure(format!("0 hidden ones delivered unasked, {open} connections left open; {refused} of {wrong} wrong ones refused by the parser"));
    finding
}

/// A front may take the hidden request for a second one and pass it on, which is its right; then
/// there is an answer for it on the same connection. An answer to nobody would reach the next client.
async fn through(finding: &mut Finding, name: &str, port: u16, chat: &FakeRocketChat) {
    let address = format!("127.0.0.1:{port}");
    for pair in pairs() {
        let echo = say(&address, &pair.bytes, FRONT_PATIENCE).await;
        let delivered = chat.messages().len();
        let told = echo.text.matches("\"delivered\"").count();
        finding.expect(delivered == told, || {
            format!(
                "{name}, {}: {delivered} delivered, {told} answered",
                pair.name
            )
        });
        chat.messages()
            .iter()
            .for_each(|message| chat.delete_message(&message.id));
        let next = say(
            &address,
            b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
            PATIENCE,
        )
        .await;
        finding.expect(
            next.statuses() == [200] && next.text.contains("webhook-app "),
            || format!("{name}, {}: the next client got {:?}", pair.name, next.text),
        );
    }
}

async fn haproxy(product: &Sut) -> Option<(Front, u16)> {
    let port = free_port();
    let front = Front::haproxy(port, &[(product.port, product.ops_port)]).await?;
    // Until it has found the function well.
    tokio::time::sleep(Duration::from_millis(600)).await;
    Some((front, port))
}

async fn nginx(product: &Sut) -> Option<(Front, u16)> {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("prove-nginx-{port}"));
    std::fs::create_dir_all(&folder).ok()?;
    let place = folder.display();
    let text = format!(
        "daemon off; master_process off; pid {place}/pid; error_log /dev/null;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\nupstream function {{ server {}; keepalive 8; }}\nserver {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://function; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}",
        product.address()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file);
    Some((Front::start(&mut command, file, port).await?, port))
}

async fn squid(product: &Sut) -> Option<(Front, u16)> {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("prove-squid-{port}"));
    std::fs::create_dir_all(&folder).ok()?;
    let place = folder.display();
    let text = format!(
        "http_port 127.0.0.1:{port} accel defaultsite=test no-vhost\ncache_peer 127.0.0.1 parent {} 0 no-query originserver no-digest\nhttp_access allow all\nnever_direct allow all\ncache deny all\ncache_mem 8 MB\nerror_directory /usr/share/squid/errors/en\npid_filename {place}/pid\naccess_log none\ncache_log /dev/null\nlogfile_rotate 0\npinger_enable off\nshutdown_lifetime 0 seconds\ncoredump_dir {place}\n",
        product.port
    );
    let file = folder.join("squid.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = Command::new("squid");
    // In the foreground, as one process, so that it ends with its handle.
    command
        .args(["-N", "-n", &format!("prove{port}"), "-f"])
        .arg(&file);
    Some((Front::start(&mut command, file, port).await?, port))
}

/// Cases of a collection beside the checkout: how many wrong ones the parser refused, of how many,
/// and how many there are in all.
async fn recorded(finding: &mut Finding, product: &Sut) -> (usize, usize, usize) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/data/http1-requests.json");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let cases = json["cases"].as_array().cloned().unwrap_or_default();
    let mut asking = JoinSet::new();
    for case in &cases {
        let bytes = BASE64_STANDARD
            .decode(case["request_b64"].as_str().unwrap_or_default())
            .unwrap_or_default();
        let address = product.address();
        let wrong = case["llhttp_type"] == "request" && case["llhttp_expect"] == "error";
        let name = case["name"].as_str().unwrap_or_default().to_owned();
        asking.spawn(async move {
            (
                name,
                wrong,
                say(&address, &addressed(&bytes), PATIENCE).await,
            )
        });
    }
    let (mut refused, mut wrongs) = (0, 0);
    while let Some(Ok((name, wrong, echo))) = asking.join_next().await {
        finding.expect(echo.statuses().iter().all(|&status| status < 500), || {
            format!("{name}: {:?}", echo.statuses())
        });
        finding.expect(echo.closed, || format!("{name}: still open"));
        wrongs += usize::from(wrong);
        refused += usize::from(wrong && is_refused(&echo));
    }
    // 54 of 65 is what hyper alone refuses.
    finding.expect(cases.is_empty() || refused * 65 >= wrongs * 54, || {
        format!("only {refused} of {wrongs} wrong requests were refused")
    });
    (refused, wrongs, cases.len())
}

/// The same request, addressed to our path and with a proof, so that its body is read.
fn addressed(bytes: &[u8]) -> Vec<u8> {
    let end = bytes
        .iter()
        .position(|&byte| byte == b'\n')
        .unwrap_or_default();
    let line = String::from_utf8_lossy(&bytes[..end]);
    let words: Vec<_> = line.trim_end().split(' ').collect();
    match words[..] {
        [method, path, "HTTP/1.1"]
            if method.bytes().all(|byte| byte.is_ascii_uppercase()) && path.starts_with('/') =>
        {
            let head = format!(
                "POST /webhook HTTP/1.1\r\nX-Gitlab-Token: {TOKEN}\r\nContent-Type: application/json\r\n"
            );
            [head.as_bytes(), &bytes[end + 1..]].concat()
        }
        _ => bytes.to_vec(),
    }
}

/// By the parser, or because of a body that is no valid HTTP: not for what it says.
fn is_refused(echo: &Echo) -> bool {
    let routed = [
        "not_json",
        "unexpected_body",
        "unknown_path",
        "\"method\"",
        "missing_key",
    ];
    let statuses = echo.statuses();
    !routed.iter().any(|reason| echo.text.contains(reason))
        && statuses.iter().all(|&status| status >= 400)
}
