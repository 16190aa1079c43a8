//! Check `text-corpus`: posts texts that are known to break programs, in every field that untrusted users can set.
//! Owns a small built-in corpus, and adds the large external ones if they are present beside the checkout.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Message};
use serde_json::{Value, json};

use crate::check::{CheckReport, Size, run};
use crate::sut::Sut;

/// The built-in corpus.
const BUILT_IN: &[&str] = &[
    "",
    " ",
    "null",
    "undefined",
    "NaN",
    "-1",
    "1e309",
    "0x0",
    "true",
    "\\",
    "\\u0000",
    "\"",
    "'",
    "`",
    "``` x",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE users; --",
    "../../../etc/passwd",
    "%00",
    "%s%n%d",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "$(id)",
    "@all",
    "@here",
    "x @alice",
    ">@bob",
    "#general",
    "https://evil.example",
    "evil.example",
    "[a](https://evil.example)",
    "![a](https://evil.example)",
    "<https://evil.example|a>",
    "javascript:alert(1)",
    "**b**",
    "_i_",
    "~s~",
    "# h",
    "> q",
    "- l",
    ":smile:",
    "$$x$$",
    "line\nbreak",
    "cr\r\nlf",
    "tab\there",
    "nul\u{0}byte",
    "\u{1b}[31mred",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{202e}rtl",
    "\u{2066}iso",
    "\u{200b}zero",
    "\u{feff}bom",
    "\u{e0041}tag",
    "\u{fff9}a\u{fffb}",
    "e\u{301}\u{301}\u{301}",
    "Z\u{351}\u{36b}\u{343}a",
    "👩\u{200d}👩\u{200d}👧",
    "🇩🇪",
    "ﷺ",
    "社會科學院",
    "表ポあA鷗",
    "田中さん",
    "مرحبا",
    "Ω≈ç√∫",
    "\u{10ffff}",
    "Ｆｕｌｌ",
    "ａ＠ａｌｌ",
];

/// Fields with untrusted text: a JSON pointer into the body, or a header.
const FIELDS: [&str; 12] = [
    "/ref",
    "/after",
    "/checkout_sha",
    "/user_name",
    "/user_username",
    "/project/path_with_namespace",
    "/project/web_url",
    "/commits/0/title",
    "/commits/0/author/name",
    "/object_kind",
    "x-gitlab-event",
    "user-agent",
];

/// Whether a message has a forbidden character. Joiners may stand between two visible characters, because emoji
/// and some scripts need them.
fn has_forbidden(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let is_visible = |char: Option<&char>| {
        char.is_some_and(|&char| !is_forbidden(char) && char != ' ' && char != '`')
    };
    chars.iter().enumerate().any(|(index, &char)| match char {
        '\n' => false,
        '\u{200c}' | '\u{200d}' => {
            !(index > 0 && is_visible(chars.get(index - 1)) && is_visible(chars.get(index + 1)))
        }
        char => is_forbidden(char),
    })
}

/// Whether `#` is where Rocket.Chat looks for a channel.
fn has_channel(text: &str) -> bool {
    let mut before = '\n';
    text.chars().any(|char| {
        let starts = char == '#' && (before.is_whitespace() || matches!(before, '>' | '\u{feff}'));
        before = char;
        starts
    })
}

/// Characters that are invisible, reorder the text around them, or end a line. Defined here from the
/// Unicode blocks and not taken from the code under test.
fn is_forbidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Corpora beside the checkout, such as the Big List of Naughty Strings; empty if they are absent.
fn external_texts() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data");
    let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default();
    let list: Vec<String> = serde_json::from_str(&file("naughty-strings.json")).unwrap_or_default();
    let hazards: Value = serde_json::from_str(&file("unicode-hazards.json")).unwrap_or_default();
    let classes = hazards["classes"].as_object().into_iter().flatten();
    let hazards = classes.flat_map(|(_, class)| class.as_array().cloned().unwrap_or_default());
    list.into_iter()
        .chain(hazards.filter_map(|text| text.as_str().map(str::to_owned)))
        .collect()
}

/// What the program logs two seconds after its start, whatever it receives.
const SIGNED_IN: &str = "signed in to Rocket.Chat";

/// Runs the check.
pub(crate) fn check(size: Size) -> CheckReport {
    run(all_fields(size))
}

async fn all_fields(size: Size) -> CheckReport {
    let mut report = CheckReport::default();
    let chat = FakeRocketChat::start().await;
    let sut = Sut::for_chat(&chat);
    let external = external_texts();
    // The short size uses every fifth external text.
    let step = size.of(5, 1, 1);
    let texts: Vec<String> = BUILT_IN
        .iter()
        .map(|&text| text.to_owned())
        .chain(external.iter().step_by(step).cloned())
        .collect();
    let mut kinds = BTreeSet::new();
    let (mut posts, mut sent) = (0, 0);
    for text in &texts {
        for field in FIELDS {
            let before = sut.lines();
            let response = sut.post(&delivery(field, text)).await;
            posts += 1;
            let status = response.map_or(0, |response| response.status);
            report.expect([200, 204, 400].contains(&status), || {
                format!("{field} {text:?}: {status}")
            });
            // Deleted one by one, so that the fake Rocket.Chat never stores many.
            for message in chat.messages() {
                sent += 1;
                check_message(&mut report, field, text, &message);
                chat.delete_message(&message.id);
            }
            let mut lines = sut.output_since(before).await;
            lines.retain(|line| !line.contains(SIGNED_IN));
            report.expect(lines.len() == 1, || {
                format!("{field} {text:?}: {} log lines", lines.len())
            });
            for line in lines {
                check_log_line(&mut report, field, text, &line, &mut kinds);
            }
        }
    }
    report.expect(kinds.len() <= 12, || {
        format!(
            "{} kinds of event in the log, expected at most 12: {kinds:?}",
            kinds.len()
        )
    });
    report.expect(sent > 0, || "no text became a message".to_owned());
    chat.mark_all_read();
    report.workload(format!(
        "{} texts ({} of them external) in {} fields",
        texts.len(),
        texts.len() - BUILT_IN.len(),
        FIELDS.len()
    ));
    report.measurement(format!("{posts} posts, {sent} messages: {} with a mention, an unexpected link or an invisible character; {} kinds of event in the log", report.failures(), kinds.len()));
    report
}

fn delivery(field: &str, text: &str) -> Delivery {
    let sample = Delivery::push_sample();
    if !field.starts_with('/') {
        let value: Vec<u8> = text
            .bytes()
            .filter(|&byte| byte >= 32 && byte != 127)
            .collect();
        return sample
            .without(field)
            .header(field, value)
            .signed_with(SAMPLE_KEY);
    }
    let mut body: Value = serde_json::from_slice(sample.body()).expect("the sample is JSON");
    match body.pointer_mut(field) {
        Some(place) => *place = json!(text),
        None => body[&field[1..]] = json!(text),
    }
    sample.with_body(body.to_string()).signed_with(SAMPLE_KEY)
}

fn check_message(report: &mut CheckReport, field: &str, text: &str, message: &Message) {
    let message_text = &message.text;
    let failure = |what: &str| format!("{field} {text:?}: {what} in {message_text:?}");
    report.expect(
        message.mentions.is_empty() && !message_text.contains('@') && !has_channel(message_text),
        || failure("a mention"),
    );
    report.expect(!has_forbidden(message_text), || {
        failure("an invisible character")
    });
    report.expect(message_text.matches('`').count().is_multiple_of(2), || {
        failure("an open code span")
    });
    report.expect(has_only_own_markup(message_text), || {
        failure("markup that does not come from webhook-app")
    });
    report.expect(
        message.preview_urls.as_ref().is_some_and(Vec::is_empty),
        || failure("a link preview"),
    );
    report.expect(message_text.encode_utf16().count() <= 5000, || {
        failure("more than 5000 UTF-16 code units")
    });
}

/// Whether there are only links and bold text outside of code spans, and otherwise no character with which markup
/// begins. Defined here and not taken from the code under test.
fn has_only_own_markup(message: &str) -> bool {
    let outside: String = message.split('`').step_by(2).collect();
    let is_bold_closed = outside.matches("**").count().is_multiple_of(2);
    let mut rest = outside.replace("**", "");
    while let Some(start) = rest.find('[') {
        let link = rest[start + 1..].split_once("](http");
        let Some((label, after)) = link else {
            return false;
        };
        let Some((_, after)) = after.split_once(')') else {
            return false;
        };
        rest = format!("{}{label}{after}", &rest[..start]);
    }
    is_bold_closed
        && !rest.contains("//")
        && !rest.chars().any(|char| "*_~[]<>|#$\\=%+^{}".contains(char))
}

fn check_log_line(
    report: &mut CheckReport,
    field: &str,
    text: &str,
    line: &str,
    kinds: &mut BTreeSet<String>,
) {
    let json: Result<Value, _> = serde_json::from_str(line);
    report.expect(!line.chars().any(is_forbidden), || {
        format!("{field} {text:?}: an invisible character in {line:?}")
    });
    match json {
        Ok(json) => {
            kinds.extend(json["kind"].as_str().map(str::to_owned));
        }
        Err(error) => report.expect(false, || format!("{field} {text:?}: {error} in {line:?}")),
    }
}
