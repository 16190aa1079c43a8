//! Check `authentication`: every way to prove, forge or confuse an origin, under every way to ask for one. Owns the
//! matrix; the expectation is written anew here, not asked of the code.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fakes::gitlab::{Delivery, SAMPLE_KEY, sign};
use fakes::rocketchat::{FakeRocketChat, Route};

use crate::check::{Finding, Size, run};
use crate::secret_scan::TOKEN;
use crate::sockets;
use crate::sut::{Settings, Sut};

const OTHER_KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OLD_TOKEN: &str = "the-token-before";

/// What a delivery shows.
struct Shown {
    name: String,
    delivery: Delivery,
    /// Whether a right signature and a right token are there, or a signature at all.
    signature: Sign,
    token: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sign {
    None,
    Wrong,
    Right,
}

/// What is asked for.
const GUARDS: [&str; 4] = ["signature", "token", "both", "rotation"];

const PATHS: [(&str, bool); 4] = [
    ("/webhook", true),
    ("/", true),
    ("/webhook/", false),
    ("/health/liveness", false),
];

fn settings(guard: &str, chat: &FakeRocketChat) -> Settings {
    let plain = Settings::with(chat);
    match guard {
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

fn may_pass(guard: &str, shown: &Shown) -> bool {
    match guard {
        "signature" => shown.signature == Sign::Right,
        "token" => shown.token && shown.name != "old token",
        "both" => match shown.signature {
            Sign::Right => true,
            Sign::Wrong => false,
            Sign::None => shown.token && shown.name != "old token",
        },
        _ => shown.token,
    }
}

fn all_shown() -> Vec<Shown> {
    let push = || Delivery::push_sample().id("auth");
    let mut all = Vec::new();
    let mut add = |name: &str, signature, token, delivery| {
        all.push(Shown {
            name: name.to_owned(),
            delivery,
            signature,
            token,
        });
    };
    add("nothing", Sign::None, false, push());
    add("right token", Sign::None, true, push().token(TOKEN));
    add("old token", Sign::None, true, push().token(OLD_TOKEN));
    add(
        "right signature",
        Sign::Right,
        false,
        push().signed_with(SAMPLE_KEY),
    );
    add(
        "both right",
        Sign::Right,
        true,
        push().signed_with(SAMPLE_KEY).token(TOKEN),
    );
    add(
        "wrong signature, right token",
        Sign::Wrong,
        true,
        push().signed_with(OTHER_KEY).token(TOKEN),
    );
    add(
        "two signatures, one right",
        Sign::Right,
        false,
        push().signed_with(OTHER_KEY).signed_with(SAMPLE_KEY),
    );
    add(
        "another key",
        Sign::Wrong,
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
            Sign::None,
            false,
            push().token(token),
        );
    }
    for bytes in [&b"\xff\xfe"[..], b"\x80", "canary-tökén".as_bytes()] {
        add("token of odd bytes", Sign::None, false, push().token(bytes));
    }
    add(
        "token twice",
        Sign::None,
        false,
        push().token(TOKEN).header("X-Gitlab-Token", TOKEN),
    );
    add(
        "token twice, one wrong",
        Sign::None,
        false,
        push().token(TOKEN).header("X-Gitlab-Token", "x"),
    );
    add(
        "token in another header",
        Sign::None,
        false,
        push().header("Authorization", format!("Bearer {TOKEN}")),
    );
    add(
        "token with a space before it",
        Sign::None,
        true,
        push().header("X-Gitlab-Token", format!(" {TOKEN}")),
    );
    all.extend(signatures());
    all
}

/// Signatures that are nearly right.
fn signatures() -> Vec<Shown> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or_default();
    let right = |at: i64| {
        Delivery::push_sample()
            .id("auth")
            .at(at)
            .signed_with(SAMPLE_KEY)
    };
    let body = Delivery::push_sample().body().to_vec();
    let made = sign(SAMPLE_KEY, "auth", &now.to_string(), &body);
    let bare = || Delivery::push_sample().id("auth").at(now);
    let mut all: Vec<(String, Sign, Delivery)> = vec![
        ("in time".into(), Sign::Right, right(now - 200)),
        ("too old".into(), Sign::Wrong, right(now - 400)),
        ("from the future".into(), Sign::Wrong, right(now + 400)),
        ("before 1970".into(), Sign::Wrong, right(-1)),
        ("at the end of time".into(), Sign::Wrong, right(i64::MAX)),
        (
            "at the beginning of time".into(),
            Sign::Wrong,
            right(i64::MIN),
        ),
        (
            "of another body".into(),
            Sign::Wrong,
            bare().with_body("{}").header("webhook-signature", &made),
        ),
        (
            "of another id".into(),
            Sign::Wrong,
            bare().id("other").header("webhook-signature", &made),
        ),
        (
            "of another time".into(),
            Sign::Wrong,
            bare().at(now - 1).header("webhook-signature", &made),
        ),
        (
            "twice".into(),
            Sign::Wrong,
            right(now).header("webhook-signature", &made),
        ),
        (
            "two ids".into(),
            Sign::Wrong,
            right(now).header("webhook-id", "auth"),
        ),
        (
            "two times".into(),
            Sign::Wrong,
            right(now).header("webhook-timestamp", now.to_string()),
        ),
        (
            "no id".into(),
            Sign::Wrong,
            right(now).without("webhook-id"),
        ),
        (
            "no time".into(),
            Sign::Wrong,
            right(now).without("webhook-timestamp"),
        ),
        (
            "among 14 others".into(),
            Sign::Right,
            bare().header(
                "webhook-signature",
                format!("{}{made}", "v1,AAAA v2,x v1a,y ".repeat(5)),
            ),
        ),
    ];
    let tag = &made[3..];
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
            Sign::Wrong,
            bare().header("webhook-signature", value),
        )
    }));
    let shown = |(name, signature, delivery): (String, Sign, Delivery)| Shown {
        name: format!("signature {name}"),
        delivery,
        signature,
        token: false,
    };
    all.into_iter().map(shown).collect()
}

/// Runs the check.
pub(crate) fn check(_: Size) -> Finding {
    run(matrix())
}

async fn matrix() -> Finding {
    let mut finding = Finding::default();
    let (mut asked, mut passed) = (0, 0);
    for guard in GUARDS {
        let chat = FakeRocketChat::start().await;
        let product = Sut::start(&settings(guard, &chat));
        for shown in all_shown() {
            for (path, takes) in PATHS {
                let url = product.url().replace("/webhook", path);
                // One id a case, so that every message is its own.
                let answer = crate::sut::post(&shown.delivery, &url).await;
                let status = answer.map_or(0, |answer| answer.status);
                let allowed = may_pass(guard, &shown);
                let right = match (takes, allowed) {
                    (true, true) => status == 200,
                    (true, false) => status == 401,
                    // Not a webhook's path: an answer, and never a success for a POST.
                    (false, _) => status == 404 || status == 405,
                };
                asked += 1;
                passed += usize::from(status == 200);
                finding.expect(right, || {
                    format!("{guard}, {path}, {}: {status}", shown.name)
                });
            }
        }
        let stored = chat.messages().len();
        finding.expect(stored <= 1, || {
            format!("{guard}: one delivery, {stored} messages")
        });
        before_the_body(&mut finding, guard, &product, &chat).await;
        chat.mark_all_read();
    }
    finding.expect(asked >= 200, || format!("{asked} cases are too few"));
    finding.done(format!(
        "{} proofs × {} ways to ask × {} paths, and refusals before the body",
        all_shown().len(),
        GUARDS.len(),
        PATHS.len()
    ));
    finding.figure(format!(
        "{} of {asked} as they should be; {passed} let in",
        asked - finding.broken().min(asked)
    ));
    finding
}

/// Who cannot be let in is told so before a body has been sent.
async fn before_the_body(finding: &mut Finding, guard: &str, product: &Sut, chat: &FakeRocketChat) {
    let calls = chat.calls(Route::SendMessage);
    let head = sockets::head(&Delivery::push_sample().token("guess"), 20 << 20);
    let echo = sockets::say(&product.address(), head.as_bytes(), Duration::from_secs(2)).await;
    finding.expect(
        echo.statuses() == [401] && echo.took < Duration::from_secs(1),
        || {
            format!(
                "{guard}: a stranger's headers alone were answered {:?} after {:?}",
                echo.statuses(),
                echo.took
            )
        },
    );
    finding.expect(chat.calls(Route::SendMessage) == calls, || {
        format!("{guard}: a stranger reached the chat server")
    });
}
