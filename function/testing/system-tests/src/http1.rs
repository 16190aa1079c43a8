//! Check `http1`: request smuggling, directly and through haproxy, nginx and squid. Owns the cases, and adds
//! a larger external collection if it is present beside the checkout.
//!
//! Each case hides a valid delivery in bytes that one parser may read as a body and another as a second
//! request. It must never become a message.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fakes::gitlab::Delivery;
use fakes::rocketchat::FakeRocketChat;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::check::{CheckReport, Size, run};
use crate::restarts::{ReverseProxy, free_port};
use crate::secret_scan::TOKEN;
use crate::sockets::{RawResponse, request_bytes, send_raw};
use crate::sut::{Settings, Sut};

/// Longer than the header timeout.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The same through a reverse proxy, which keeps connections open for longer than this.
const REVERSE_PROXY_TIMEOUT: Duration = Duration::from_millis(800);

/// A request that hides another one in its body.
struct SmugglingCase {
    name: &'static str,
    bytes: Vec<u8>,
}

fn hidden() -> Vec<u8> {
    request_bytes(&Delivery::push_sample().id("smuggled").token(TOKEN))
}

fn cases() -> Vec<SmugglingCase> {
    let hidden = hidden();
    let length = hidden.len();
    let mut cases = Vec::new();
    let mut add = |name, head: &str, body: &[u8]| {
        let bytes = [
            b"POST /elsewhere HTTP/1.1\r\nHost: test\r\n",
            head.as_bytes(),
            b"\r\n",
            body,
        ]
        .concat();
        cases.push(SmugglingCase { name, bytes });
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
    add("chunked in upper case", &te("CHUNKED"), &after_end);
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
    cases.extend(unusual_request_lines(&hidden));
    cases
}

/// The same with unusual request lines and headers.
fn unusual_request_lines(hidden: &[u8]) -> Vec<SmugglingCase> {
    let case = |name, head: &str| SmugglingCase {
        name,
        bytes: [head.as_bytes(), hidden].concat(),
    };
    vec![
        case(
            "chunks in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        case("HTTP/0.9", "GET /\r\n\r\n"),
        case(
            "a request after GET",
            "GET / HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        case(
            "CONNECT",
            "CONNECT chat.example.org:443 HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        case(
            "an absolute URL of another host",
            "GET http://chat.example.org/ HTTP/1.1\r\nHost: test\r\n\r\n",
        ),
        case("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        case("no host", "GET / HTTP/1.1\r\n\r\n"),
        case(
            "a space before the first header",
            "GET / HTTP/1.1\r\n Host: test\r\n\r\n",
        ),
        case(
            "expect",
            "POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        ),
        case(
            "trailers",
            "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
        ),
    ]
}

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    run(all())
}

async fn all() -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let settings = Settings::with(&chat)
        .set("GITLAB_SIGNING_KEYS", "")
        .set("GITLAB_WEBHOOK_TOKENS", TOKEN);
    let sut = Sut::start(&settings);
    let mut open = 0;
    for case in cases() {
        let response = send_raw(&sut.address(), &case.bytes, TIMEOUT).await;
        open += usize::from(!response.closed);
        report.expect(response.closed, || format!("{}: still open", case.name));
        report.expect(
            response.statuses().iter().all(|&status| status < 500),
            || format!("{}: {:?}", case.name, response.statuses()),
        );
        report.expect(chat.messages().is_empty(), || {
            format!("{}: the hidden delivery was delivered", case.name)
        });
        chat.messages()
            .iter()
            .for_each(|message| chat.delete_message(&message.id));
    }
    let mut routes = vec!["direct"];
    for (name, reverse_proxy) in [
        ("haproxy", haproxy(&sut).await),
        ("nginx", nginx(&sut).await),
        ("squid", squid(&sut).await),
    ] {
        match reverse_proxy {
            Some((reverse_proxy, port)) => {
                through(&mut report, name, port, &chat).await;
                routes.push(name);
                drop(reverse_proxy);
            }
            None => report.missing_tool(name),
        }
    }
    let (rejected, invalid, all) = recorded(&mut report, &sut).await;
    let alive = sut
        .post(&Delivery::push_sample().token(TOKEN))
        .await
        .map_or(0, |response| response.status);
    report.expect(alive == 200, || {
        format!("a valid webhook afterwards got {alive}")
    });
    chat.mark_all_read();
    report.workload(format!(
        "{} smuggling requests each ({}); {all} recorded malformed requests",
        cases().len(),
        routes.join(", ")
    ));
    report.measurement(format!("0 hidden deliveries delivered, {open} connections left open; {rejected} of {invalid} invalid requests rejected by the parser"));
    report
}

/// A reverse proxy may forward the hidden request as a second one. Then its response must arrive on the
/// same connection; a response without a request would reach the next client.
async fn through(report: &mut CheckReport, name: &str, port: u16, chat: &FakeRocketChat) {
    let address = format!("127.0.0.1:{port}");
    for case in cases() {
        let response = send_raw(&address, &case.bytes, REVERSE_PROXY_TIMEOUT).await;
        let delivered = chat.messages().len();
        let confirmed = response.text.matches("\"delivered\"").count();
        report.expect(delivered == confirmed, || {
            format!(
                "{name}, {}: {delivered} delivered, {confirmed} confirmed",
                case.name
            )
        });
        chat.messages()
            .iter()
            .for_each(|message| chat.delete_message(&message.id));
        let next = send_raw(
            &address,
            b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n",
            TIMEOUT,
        )
        .await;
        report.expect(
            next.statuses() == [200] && next.text.contains("webhook-app "),
            || format!("{name}, {}: the next client got {:?}", case.name, next.text),
        );
    }
}

async fn haproxy(sut: &Sut) -> Option<(ReverseProxy, u16)> {
    let port = free_port();
    let reverse_proxy = ReverseProxy::haproxy(port, &[(sut.port, sut.admin_port)]).await?;
    // Wait until its health check has succeeded.
    tokio::time::sleep(Duration::from_millis(600)).await;
    Some((reverse_proxy, port))
}

async fn nginx(sut: &Sut) -> Option<(ReverseProxy, u16)> {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("system-tests-nginx-{port}"));
    std::fs::create_dir_all(&folder).ok()?;
    let path = folder.display();
    let text = format!(
        "daemon off; master_process off; pid {path}/pid; error_log /dev/null;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\nupstream function {{ server {}; keepalive 8; }}\nserver {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://function; proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}",
        sut.address()
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file);
    Some((ReverseProxy::start(&mut command, file, port).await?, port))
}

async fn squid(sut: &Sut) -> Option<(ReverseProxy, u16)> {
    let port = free_port();
    let folder = std::env::temp_dir().join(format!("system-tests-squid-{port}"));
    std::fs::create_dir_all(&folder).ok()?;
    let path = folder.display();
    let text = format!(
        "http_port 127.0.0.1:{port} accel defaultsite=test no-vhost\ncache_peer 127.0.0.1 parent {} 0 no-query originserver no-digest\nhttp_access allow all\nnever_direct allow all\ncache deny all\ncache_mem 8 MB\nerror_directory /usr/share/squid/errors/en\npid_filename {path}/pid\naccess_log none\ncache_log /dev/null\nlogfile_rotate 0\npinger_enable off\nshutdown_lifetime 0 seconds\ncoredump_dir {path}\n",
        sut.port
    );
    let file = folder.join("squid.conf");
    std::fs::write(&file, text).ok()?;
    let mut command = Command::new("squid");
    // In the foreground as one process, so that killing the child stops it.
    command
        .args(["-N", "-n", &format!("systemtests{port}"), "-f"])
        .arg(&file);
    Some((ReverseProxy::start(&mut command, file, port).await?, port))
}

/// Sends the external collection: returns how many invalid requests the parser rejected, how many there
/// are, and how many requests there are in total.
async fn recorded(report: &mut CheckReport, sut: &Sut) -> (usize, usize, usize) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../../shared/data/http1-requests.json");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let cases = json["cases"].as_array().cloned().unwrap_or_default();
    let mut requests = JoinSet::new();
    for case in &cases {
        let bytes = BASE64_STANDARD
            .decode(case["request_b64"].as_str().unwrap_or_default())
            .unwrap_or_default();
        let address = sut.address();
        let invalid = case["llhttp_type"] == "request" && case["llhttp_expect"] == "error";
        let name = case["name"].as_str().unwrap_or_default().to_owned();
        requests.spawn(async move {
            (
                name,
                invalid,
                send_raw(&address, &addressed(&bytes), TIMEOUT).await,
            )
        });
    }
    let (mut rejected, mut all_invalid) = (0, 0);
    while let Some(Ok((name, invalid, response))) = requests.join_next().await {
        report.expect(
            response.statuses().iter().all(|&status| status < 500),
            || format!("{name}: {:?}", response.statuses()),
        );
        report.expect(response.closed, || format!("{name}: still open"));
        all_invalid += usize::from(invalid);
        rejected += usize::from(invalid && is_rejected(&response));
    }
    // hyper alone rejects 54 of 65.
    report.expect(cases.is_empty() || rejected * 65 >= all_invalid * 54, || {
        format!("only {rejected} of {all_invalid} invalid requests were rejected, expected at least 54 of 65")
    });
    (rejected, all_invalid, cases.len())
}

/// The same request to the webhook path and with a token, so that its body is read.
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

/// Rejected by the parser, or for an invalid HTTP body; not for its path, method or content.
fn is_rejected(response: &RawResponse) -> bool {
    let routed = [
        "not_json",
        "unexpected_body",
        "unknown_path",
        "\"method\"",
        "missing_key",
    ];
    let statuses = response.statuses();
    !routed.iter().any(|reason| response.text.contains(reason))
        && statuses.iter().all(|&status| status >= 400)
}
