//! Connections to Rocket.Chat that fail: each cause has its own reason and advice in the answer, in the log,
//! in the metrics and in `webhook-app check`.

use std::time::Duration;

use fakes::https::{Certificate, Handshake, Https, OpensslServer};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::harness::{Function, assert_delivered, assert_problem, program, push, settings};

/// The fake behind TLS with this certificate.
async fn https(chat: &FakeRocketChat, certificate: Certificate) -> Https {
    let https = Https::in_front_of(&chat.url(), certificate, Duration::ZERO).await;
    https.expect("openssl is installed")
}

/// The fake behind TLS, and the program, which trusts its authority.
async fn behind_tls(chat: &FakeRocketChat, certificate: Certificate) -> (Https, Function) {
    let https = https(chat, certificate).await;
    let url = https.url();
    let overrides = [
        ("ROCKETCHAT_URL", url.as_str()),
        ("ROCKETCHAT_CA", https.authority()),
    ];
    let function = Function::start(chat, &overrides);
    (https, function)
}

/// The output of `check` with these settings, which must fail.
async fn failed_check(chat: &FakeRocketChat, overrides: &[(&str, &str)]) -> String {
    let mut settings = settings(chat);
    let overrides = overrides.iter().copied();
    settings.extend(overrides.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let run = move || program(&settings).arg("check").output().expect("runs");
    let output = tokio::task::spawn_blocking(run).await.expect("ends");
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Posts one webhook while Rocket.Chat is at `url`, and looks for the cause in every output.
async fn assert_cause(chat: &FakeRocketChat, url: &str, ca: &str, reason: &str, advice: &str) {
    println!("{url} {reason}");
    let overrides = [
        ("ROCKETCHAT_URL", url),
        ("ROCKETCHAT_CA", ca),
        ("DELIVERY_TIMEOUT_SECONDS", "1"),
    ];
    let overrides: Vec<_> = overrides
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect();
    let check = failed_check(chat, &overrides).await;
    assert!(check.contains(advice), "{check}");
    let function = Function::start(chat, &overrides);

    let answer = function.post(&push()).await;

    assert_problem(&answer, 503, reason);
    assert!(answer.text().contains(advice), "{}", answer.text());
    let metrics = function.request("GET", "/metrics").await.text();
    let delivery = format!("webhook_deliveries_total{{outcome=\"failed\",reason=\"{reason}\"}} 1");
    assert!(metrics.contains(&delivery), "{metrics}");
    let call = format!("error_type=\"{reason}\"");
    let calls = |line: &&str| line.starts_with("http_client_request") && line.contains("_count");
    let calls = metrics.lines().filter(calls);
    assert!(calls.clone().any(|line| line.contains(&call)), "{metrics}");
    let output = function.finish(chat.auth_token());
    let logged = format!("\"reason\":\"{reason}\"");
    assert!(
        output.iter().any(|line| line.contains(&logged)),
        "{output:#?}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_names_what_is_wrong_with_it() {
    let chat = FakeRocketChat::start().await;
    let untrusted = ("certificate_untrusted", "in ROCKETCHAT_CA");
    let name = ("certificate_name", "for another host name");
    let expired = ("certificate_expired", "has expired or is not valid yet");
    for (certificate, (reason, advice)) in [
        (Certificate::OtherAuthority, untrusted),
        (Certificate::OtherHost, name),
        (Certificate::Expired, expired),
        (Certificate::SelfSignedOtherHost, name),
        (Certificate::SelfSignedExpired, expired),
    ] {
        let https = https(&chat, certificate).await;
        assert_cause(&chat, &https.url(), https.authority(), reason, advice).await;
    }
    for certificate in [Certificate::Valid, Certificate::SelfSigned] {
        let https = https(&chat, certificate).await;
        assert_cause(&chat, &https.url(), "", untrusted.0, untrusted.1).await;
    }
    let other = https(&chat, Certificate::SelfSigned).await;
    let https = https(&chat, Certificate::SelfSigned).await;
    assert_cause(
        &chat,
        &https.url(),
        other.authority(),
        untrusted.0,
        untrusted.1,
    )
    .await;
    chat.finish();
}

#[tokio::test]
async fn a_self_signed_certificate_in_rocketchat_ca_is_accepted() {
    let chat = FakeRocketChat::start().await;
    let (_https, function) = behind_tls(&chat, Certificate::SelfSigned).await;

    let answer = function.post(&push()).await;

    assert_delivered(&answer);
    chat.take_message();
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn a_certificate_that_no_setting_makes_usable_is_reported_as_such() {
    let chat = FakeRocketChat::start().await;
    for certificate in [
        Certificate::VersionOne,
        Certificate::ShortKey,
        Certificate::ShortAuthorityKey,
        Certificate::LargeAuthorityCurve,
        Certificate::Sha1,
        Certificate::ForClients,
    ] {
        println!("{certificate:?}");
        let server = OpensslServer::start(certificate, Handshake::Usual).expect("starts");
        let authority = server.authority().expect("can be read");
        let reason = "certificate_unusable";
        let advice = "issue a new one: X.509 version 3, RSA of at least 2048 bits";
        assert_cause(&chat, &server.url(), &authority, reason, advice).await;
        // To set ROCKETCHAT_CA would not help.
        if matches!(
            certificate,
            Certificate::VersionOne | Certificate::ShortKey | Certificate::ForClients
        ) {
            assert_cause(&chat, &server.url(), "", reason, advice).await;
        }
    }
    chat.finish();
}

#[tokio::test]
async fn a_server_that_refuses_the_handshake_is_reported_as_such() {
    let chat = FakeRocketChat::start().await;
    let refused = ("tls_refused", "accept TLS 1.2 or 1.3");
    let client = ("client_certificate", "asks for a client certificate");
    let valid = Certificate::Valid;
    for (certificate, handshake, (reason, advice)) in [
        (valid, Handshake::Tls11, refused),
        (Certificate::LargeCurve, Handshake::Usual, refused),
        (valid, Handshake::ClientCertificateTls12, refused),
        (valid, Handshake::ClientCertificateTls13, client),
    ] {
        let server = OpensslServer::start(certificate, handshake).expect("starts");
        let authority = server.authority().expect("can be read");
        assert_cause(&chat, &server.url(), &authority, reason, advice).await;
    }
    chat.finish();
}

#[tokio::test]
async fn only_a_port_that_expects_tls_is_reported_as_such() {
    let chat = FakeRocketChat::start().await;
    let not_tls = ("unreadable", "the response is not valid for Rocket.Chat");
    let tls = ("tls_expected", "the port expects TLS; use https://");
    for (answer, (reason, advice)) in [
        (&b"\x15\x03\x01\x00\x02\x02\x46"[..], tls),
        (&b"\x15\x03\x03\x00\x02\x02\x32"[..], tls),
        (b"{\"success\":true,\"room\":{\"_id\":\"r\"}}", not_tls),
        (b"-ERR unknown command\r\n", not_tls),
        (b"HTTP/1.1 200 OK\r\nno header\r\n\r\n", not_tls),
        (b"\x15", not_tls),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let url = format!("http://{}", listener.local_addr().expect("has one"));
        let serve = async {
            loop {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                let mut request = [0; 4096];
                let _length = stream.read(&mut request).await;
                let _sent = stream.write_all(answer).await;
            }
        };
        tokio::select! {
            () = assert_cause(&chat, &url, "", reason, advice) => {}
            () = serve => {}
        }
    }
    // OpenSSL closes the connection without an answer.
    let server = OpensslServer::start(Certificate::Valid, Handshake::Usual).expect("starts");
    let url = server.url().replace("https://", "http://");
    let advice = "if ROCKETCHAT_URL starts with http:// and the port expects TLS, use https://";
    assert_cause(&chat, &url, "", "reset", advice).await;
    chat.finish();
}

#[tokio::test]
async fn an_address_without_a_server_names_what_is_wrong_with_it() {
    let chat = FakeRocketChat::start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = closed.local_addr().expect("has one");
    drop(closed);
    let https = https(&chat, Certificate::Valid).await;
    let cases = [
        (
            format!("http://{address}"),
            "connection_refused",
            "no program listens",
        ),
        ("http://chat.invalid".to_owned(), "dns", "does not resolve"),
        (
            "http://255.255.255.255".to_owned(),
            "host_unreachable",
            "does not answer",
        ),
        (
            chat.url().replace("http://", "https://"),
            "not_tls",
            "the port answers without TLS",
        ),
        (
            https.url().replace("https://", "http://"),
            "tls_expected",
            "the port expects TLS; use https://",
        ),
    ];
    for (url, reason, advice) in cases {
        assert_cause(&chat, &url, "", reason, advice).await;
    }
    chat.finish();
}

#[tokio::test]
async fn a_permanent_cause_is_not_retried() {
    let chat = FakeRocketChat::start().await;
    let (_https, function) = behind_tls(&chat, Certificate::Expired).await;

    let answer = function.post(&push()).await;

    assert_problem(&answer, 503, "certificate_expired");
    let metrics = function.request("GET", "/metrics").await.text();
    let retries = "webhook_delivery_retries_total 0";
    assert!(metrics.contains(retries), "{metrics}");
    function.finish(chat.auth_token());
    chat.finish();
}

#[tokio::test]
async fn an_answer_of_a_proxy_and_a_second_factor_are_told_apart() {
    let chat = FakeRocketChat::start().await;
    let page = |status| Fault::Response {
        status,
        content_type: "text/html",
        body: format!("<html><body><h1>{status}</h1></body></html>"),
    };
    let totp = Fault::Response {
        status: 400,
        content_type: "application/json",
        body: r#"{"success":false,"error":"TOTP Required [totp-required]","errorType":"totp-required","details":{"method":"totp"}}"#.to_owned(),
    };
    let cases = [
        (page(400), "proxy_refused", "a proxy or firewall"),
        (page(401), "proxy_refused", "a proxy or firewall"),
        (page(403), "proxy_refused", "a proxy or firewall"),
        (page(429), "rate_limited", "or a proxy in front of it"),
        (page(407), "proxy_auth", "a proxy asks for credentials"),
        (totp, "totp_required", "Ignore Two Factor Authentication"),
    ];
    for (fault, reason, advice) in cases {
        for route in [Route::Me, Route::CreateDirectMessage] {
            chat.inject_fault_always(route, fault.clone());
        }
        assert_cause(&chat, &chat.url(), "", reason, advice).await;
    }
    chat.finish();
}
