//! Check `authentication`: valid, forged and malformed credentials, in every verification mode. Owns the
//! matrix and its expected results, which are defined here and not taken from the code under test.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fakes::gitlab::{Delivery, SAMPLE_KEY, sign};
use fakes::rocketchat::{FakeRocketChat, Route};

use crate::check::{CheckReport, Size, run};
use crate::secret_scan::TOKEN;
use crate::sockets;
use crate::sut::{Settings, Sut};

const OTHER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD_TOKEN: &str = "the-token-before";

/// A delivery with certain credentials.
struct Credentials {
    name: String,
    delivery: Delivery,
    signature: SignatureState,
    /// Whether it has a valid token.
    token: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum SignatureState {
    None,
    Invalid,
    Valid,
}

/// The verification modes.
const MODES: [&str; 4] = ["signature", "token", "both", "rotation"];

const PATHS: [(&str, bool); 5] = [
    ("/webhook", true),
    ("/", true),
    ("/webhook/", true),
    ("/webhook//", false),
    ("/health/liveness", false),
];

fn settings(mode: &str, chat: &FakeRocketChat) -> Settings {
    let plain = Settings::with(chat);
    match mode {
        "signature" => plain,
        "token" => plain
            .set("GITLAB_SIGNING_KEYS", "")
            .set("GITLAB_WEBHOOK_TOKENS", TOKEN),
        "both" => plain
            .set("GITLAB_WEBHOOK_TOKENS", TOKEN)
            .set("ACCEPT_TOKEN_TOO", true),
        _ => plain
            .set("GITLAB_SIGNING_KEYS", "")
            .set("GITLAB_WEBHOOK_TOKENS", format!("{TOKEN},{OLD_TOKEN}")),
    }
}

fn is_valid(mode: &str, credentials: &Credentials) -> bool {
    match mode {
        "signature" => credentials.signature == SignatureState::Valid,
        "token" => credentials.token && credentials.name != "old token",
        "both" => match credentials.signature {
            SignatureState::Valid => true,
            SignatureState::Invalid => false,
            SignatureState::None => credentials.token && credentials.name != "old token",
        },
        _ => credentials.token,
    }
}

fn all_credentials() -> Vec<Credentials> {
    let push = || Delivery::push_sample().id("auth");
    let mut all = Vec::new();
    let mut add = |name: &str, signature, token, delivery| {
        all.push(Credentials {
            name: name.to_owned(),
            delivery,
            signature,
            token,
        });
    };
    add("no credentials", SignatureState::None, false, push());
    add(
        "valid token",
        SignatureState::None,
        true,
        push().token(TOKEN),
    );
    add(
        "old token",
        SignatureState::None,
        true,
        push().token(OLD_TOKEN),
    );
    add(
        "valid signature",
        SignatureState::Valid,
        false,
        push().signed_with(SAMPLE_KEY),
    );
    add(
        "valid signature, valid token",
        SignatureState::Valid,
        true,
        push().signed_with(SAMPLE_KEY).token(TOKEN),
    );
    add(
        "invalid signature, valid token",
        SignatureState::Invalid,
        true,
        push().signed_with(OTHER_KEY).token(TOKEN),
    );
    add(
        "two signatures, one valid",
        SignatureState::Valid,
        false,
        push().signed_with(OTHER_KEY).signed_with(SAMPLE_KEY),
    );
    add(
        "another key",
        SignatureState::Invalid,
        false,
        push().signed_with(OTHER_KEY),
    );
    let near = [
        &TOKEN[..TOKEN.len() - 1],
        &format!("{TOKEN}x"),
        &TOKEN.to_uppercase(),
        &format!("{TOKEN},{OLD_TOKEN}"),
        &format!("{TOKEN} {TOKEN}"),
        &TOKEN.repeat(40),
        "",
        "null",
        SAMPLE_KEY,
    ];
    for token in near {
        add(
            &format!("token {token:.40}"),
            SignatureState::None,
            false,
            push().token(token),
        );
    }
    for bytes in [&b"\xff\xfe"[..], b"\x80", "canary-tökén".as_bytes()] {
        add(
            "token that is not ASCII",
            SignatureState::None,
            false,
            push().token(bytes),
        );
    }
    add(
        "token twice",
        SignatureState::None,
        false,
        push().token(TOKEN).header("X-Gitlab-Token", TOKEN),
    );
    add(
        "token twice, one invalid",
        SignatureState::None,
        false,
        push().token(TOKEN).header("X-Gitlab-Token", "x"),
    );
    add(
        "token in another header",
        SignatureState::None,
        false,
        push().header("Authorization", format!("Bearer {TOKEN}")),
    );
    add(
        "token with a space before it",
        SignatureState::None,
        true,
        push().header("X-Gitlab-Token", format!(" {TOKEN}")),
    );
    all.extend(signatures());
    all
}

/// Signatures that are almost valid, or malformed.
fn signatures() -> Vec<Credentials> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or_default();
    let signed_at = |at: i64| {
        Delivery::push_sample()
            .id("auth")
            .at(at)
            .signed_with(SAMPLE_KEY)
    };
    let body = Delivery::push_sample().body().to_vec();
    let valid = sign(SAMPLE_KEY, "auth", &now.to_string(), &body);
    let unsigned = || Delivery::push_sample().id("auth").at(now);
    let mut all: Vec<(String, SignatureState, Delivery)> = vec![
        (
            "in time".into(),
            SignatureState::Valid,
            signed_at(now - 200),
        ),
        (
            "too old".into(),
            SignatureState::Invalid,
            signed_at(now - 400),
        ),
        (
            "from the future".into(),
            SignatureState::Invalid,
            signed_at(now + 400),
        ),
        ("before 1970".into(), SignatureState::Invalid, signed_at(-1)),
        (
            "at the maximum timestamp".into(),
            SignatureState::Invalid,
            signed_at(i64::MAX),
        ),
        (
            "at the minimum timestamp".into(),
            SignatureState::Invalid,
            signed_at(i64::MIN),
        ),
        (
            "of another body".into(),
            SignatureState::Invalid,
            unsigned()
                .with_body("{}")
                .header("webhook-signature", &valid),
        ),
        (
            "of another id".into(),
            SignatureState::Invalid,
            unsigned().id("other").header("webhook-signature", &valid),
        ),
        (
            "of another timestamp".into(),
            SignatureState::Invalid,
            unsigned().at(now - 1).header("webhook-signature", &valid),
        ),
        (
            "twice".into(),
            SignatureState::Invalid,
            signed_at(now).header("webhook-signature", &valid),
        ),
        (
            "two ids".into(),
            SignatureState::Invalid,
            signed_at(now).header("webhook-id", "auth"),
        ),
        (
            "two timestamps".into(),
            SignatureState::Invalid,
            signed_at(now).header("webhook-timestamp", now.to_string()),
        ),
        (
            "no id".into(),
            SignatureState::Invalid,
            signed_at(now).without("webhook-id"),
        ),
        (
            "no timestamp".into(),
            SignatureState::Invalid,
            signed_at(now).without("webhook-timestamp"),
        ),
        (
            "among 14 others".into(),
            SignatureState::Valid,
            unsigned().header(
                "webhook-signature",
                format!("{}{valid}", "v1,AAAA v2,x v1a,y ".repeat(5)),
            ),
        ),
    ];
    let tag = &valid[3..];
    let raw = [
        String::new(),
        "v1".into(),
        "v1,".into(),
        tag.to_owned(),
        format!("v2,{tag}"),
        format!("V1,{tag}"),
        format!("v1, {tag}"),
        format!("v1,{}", &tag[1..]),
        format!("v1,{}", tag.trim_end_matches('=')),
        format!("v1,{tag}AAAA"),
        format!("v1,{}", tag.to_lowercase()),
        "v1,".to_owned() + &"A".repeat(43) + "=",
        "v1,AAAA ".repeat(500),
        format!("v1,{tag},v1,{tag}"),
    ];
    all.extend(raw.into_iter().map(|value| {
        (
            format!("is {value:.20}"),
            SignatureState::Invalid,
            unsigned().header("webhook-signature", value),
        )
    }));
    let credentials =
        |(name, signature, delivery): (String, SignatureState, Delivery)| Credentials {
            name: format!("signature {name}"),
            delivery,
            signature,
            token: false,
        };
    all.into_iter().map(credentials).collect()
}

/// Runs the check.
pub(crate) fn check(_: Size) -> CheckReport {
    run(matrix())
}

async fn matrix() -> CheckReport {
    let mut report = CheckReport::default();
    let (mut requests, mut accepted) = (0, 0);
    for mode in MODES {
        let chat = FakeRocketChat::start().await;
        let sut = Sut::start(&settings(mode, &chat));
        for credentials in all_credentials() {
            for (path, takes) in PATHS {
                let url = sut.url().replace("/webhook", path);
                // All cases have the same id, so that at most one message is stored.
                let response = crate::sut::post(&credentials.delivery, &url).await;
                let status = response.map_or(0, |response| response.status);
                let allowed = is_valid(mode, &credentials);
                let expected = match (takes, allowed) {
                    (true, true) => status == 200,
                    (true, false) => status == 401,
                    // Not a webhook path: never a success for a POST.
                    (false, _) => status == 404 || status == 405,
                };
                requests += 1;
                accepted += usize::from(status == 200);
                report.expect(expected, || {
                    format!("{mode}, {path}, {}: status {status}", credentials.name)
                });
            }
        }
        let stored = chat.messages().len();
        report.expect(stored <= 1, || {
            format!("{mode}: one delivery, {stored} messages")
        });
        check_early_rejection(&mut report, mode, &sut, &chat).await;
        chat.mark_all_read();
    }
    report.expect(requests >= 200, || {
        format!("only {requests} cases, expected at least 200")
    });
    report.workload(format!(
        "{} kinds of credentials × {} verification modes × {} paths, and rejection before the body",
        all_credentials().len(),
        MODES.len(),
        PATHS.len()
    ));
    report.measurement(format!(
        "{} of {requests} requests as expected; {accepted} accepted",
        requests - report.failures().min(requests)
    ));
    report
}

/// Checks that invalid credentials are rejected before the body is sent.
async fn check_early_rejection(
    report: &mut CheckReport,
    mode: &str,
    sut: &Sut,
    chat: &FakeRocketChat,
) {
    let calls = chat.calls(Route::SendMessage);
    let head = sockets::request_head(&Delivery::push_sample().token("guess"), 20 << 20);
    let response = sockets::send_raw(&sut.address(), head.as_bytes(), Duration::from_secs(2)).await;
    report.expect(
        response.statuses() == [401] && response.took < Duration::from_secs(1),
        || {
            format!(
                "{mode}: unauthenticated headers without a body got {:?} after {:?}, expected 401 within 1 s",
                response.statuses(),
                response.took
            )
        },
    );
    report.expect(chat.calls(Route::SendMessage) == calls, || {
        format!("{mode}: an unauthenticated request reached the chat server")
    });
}
