//! Check `text-corpus`: texts that break programs, in every field that outsiders can fill. Owns a small list of its
//! own and takes in the large ones that lie beside the checkout, where they do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fakes::gitlab::{Delivery, SAMPLE_KEY};
use fakes::rocketchat::{FakeRocketChat, Message};
use serde_json::{Value, json};

use crate::check::{Finding, Size, run};
use crate::sut::Sut;

/// Alive without any list beside the checkout.
const OWN: &[&str] = &[
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

/// Where outsiders' text stands: in the body, by its place there, or in a header.
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

/// Characters that show nothing, reorder what stands beside them, or end a line: written anew here,
/// from Unicode's blocks, and not asked of the code.
fn is_forbidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Lists beside the checkout, such as the Big List of Naughty Strings.
fn beside() -> Vec<String> {
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

/// Runs the check.
pub(crate) fn check(size: Size) -> Finding {
    run(all_fields(size))
}

async fn all_fields(size: Size) -> Finding {
    let mut finding = Finding::default();
    let chat = FakeRocketChat::start().await;
    let product = Sut::beside(&chat);
    let beside = beside();
    // The short form takes every fifth of the long list.
    let step = size.of(5, 1, 1);
    let texts: Vec<String> = OWN
        .iter()
        .map(|&text| text.to_owned())
        .chain(beside.iter().step_by(step).cloned())
        .collect();
    let mut kinds = BTreeSet::new();
    let (mut posts, mut sent) = (0, 0);
    for text in &texts {
        for field in FIELDS {
            let before = product.lines();
            let answer = product.post(&delivery(field, text)).await;
            posts += 1;
            let status = answer.map_or(0, |answer| answer.status);
            finding.expect([200, 204, 400].contains(&status), || {
                format!("{field} {text:?}: {status}")
            });
            // One at a time, so that the stand-in never holds many.
            for message in chat.messages() {
                sent += 1;
                judge_message(&mut finding, field, text, &message);
                chat.delete_message(&message.id);
            }
            let lines = product.output_since(before).await;
            finding.expect(lines.len() == 1, || {
                format!("{field} {text:?}: {} log lines", lines.len())
            });
            for line in lines {
                judge_line(&mut finding, field, text, &line, &mut kinds);
            }
        }
    }
    finding.expect(kinds.len() <= 12, || {
        format!("{} kinds in the log: {kinds:?}", kinds.len())
    });
    finding.expect(sent > 0, || "no text became a message".to_owned());
    chat.mark_all_read();
    finding.done(format!(
        "{} texts ({} of them beside the checkout) in {} fields",
        texts.len(),
        texts.len() - OWN.len(),
        FIELDS.len()
    ));
    finding.figure(format!("{posts} posts, {sent} messages: {} with a mention, a stray link or an invisible character; {} kinds in the log", finding.broken(), kinds.len()));
    finding
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

fn judge_message(finding: &mut Finding, field: &str, text: &str, message: &Message) {
    let shown = &message.text;
    let fault = |what: &str| format!("{field} {text:?}: {what} in {shown:?}");
    finding.expect(
        message.mentions.is_empty() && !shown.contains(['@', '#']),
        || fault("a mention"),
    );
    finding.expect(
        !shown.chars().any(|char| char != '\n' && is_forbidden(char)),
        || fault("an invisible character"),
    );
    finding.expect(shown.matches('`').count().is_multiple_of(2), || {
        fault("an open code span")
    });
    // What stands outside of code spans and of the link to the commit is ours: letters and commas.
    let outside: String = shown.split('`').step_by(2).collect();
    let links = outside.matches("](http").count();
    let rest = match (outside.find('['), outside.find(')')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &outside[..start], &outside[end + 1..])
        }
        _ => outside.clone(),
    };
    let ours = |char: char| char.is_ascii_alphanumeric() || ", \n".contains(char);
    finding.expect(links <= 1 && rest.chars().all(ours), || {
        fault("markup that is not ours")
    });
    finding.expect(
        message.preview_urls.as_ref().is_some_and(Vec::is_empty),
        || fault("a preview"),
    );
    finding.expect(shown.encode_utf16().count() <= 5000, || fault("too much"));
}

fn judge_line(
    finding: &mut Finding,
    field: &str,
    text: &str,
    line: &str,
    kinds: &mut BTreeSet<String>,
) {
    let json: Result<Value, _> = serde_json::from_str(line);
    finding.expect(!line.chars().any(is_forbidden), || {
        format!("{field} {text:?}: an invisible character in {line:?}")
    });
    match json {
        Ok(json) => {
            kinds.extend(json["kind"].as_str().map(str::to_owned));
        }
        Err(error) => finding.expect(false, || format!("{field} {text:?}: {error} in {line:?}")),
    }
}
