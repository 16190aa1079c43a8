//! Untrusted text in a message has no effect: checked by the rules of this file for every message, and by
//! Rocket.Chat's parser where Node is installed.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::{Value, json};
use webhook_app::limits::LIMITS;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};
use webhook_app::rocketchat::markup::VisibleText;

use crate::messages::{assert_laid_out, compose, examples, fixtures, parse, pointers};
use crate::skipped::report_skipped;

/// Asserts that a message has nothing that the chat server could take for a mention, and outside of code spans
/// and links only text that Rocket.Chat makes nothing of.
#[track_caller]
pub(crate) fn assert_harmless(text: &str) {
    assert!(!text.contains('@'), "the start of a mention in: {text}");
    let outside: String = text.split('`').step_by(2).collect();
    assert_eq!(
        text.matches('`').count() % 2,
        0,
        "an open code span in: {text}"
    );
    let mut plain = outside.clone();
    while let (Some(start), Some(end)) = (plain.find('['), plain.find("](")) {
        let length = plain[end..].find(')').expect("an open link");
        let (label, link) = (&plain[start + 1..end], &plain[start..=end + length]);
        assert!(link.contains("](http"), "an unexpected link in: {text}");
        assert_harmless_fragment(link);
        plain = plain.replacen(link, label, 1);
    }
    let mut before = '\n';
    for char in text.chars() {
        let is_channel = char == '#' && (before.is_whitespace() || before == '>');
        assert!(!is_channel, "the start of a mention in: {text}");
        before = char;
    }
    assert_eq!(plain.matches("**").count() % 2, 0, "open bold in: {text}");
    for line in plain.replace("**", "").lines() {
        assert!(is_plain(line), "untrusted text is markup in: {text}");
    }
}

/// Whether a line, which may begin with a sign, has no character with a meaning to Rocket.Chat and no address.
fn is_plain(line: &str) -> bool {
    let is_sign = |char: char| ('\u{2300}'..='\u{2bff}').contains(&char) || char >= '\u{1f300}';
    let line = match line.split_once(' ') {
        Some((sign, rest)) if sign.chars().count() == 1 && sign.starts_with(is_sign) => rest,
        _ => line,
    };
    let is_left_to_right = |char: char| !('\u{590}'..='\u{8ff}').contains(&char);
    let is_letter = |char: char| {
        (char.is_alphanumeric() && is_left_to_right(char))
            || matches!(char, '\u{900}'..='\u{109f}' | '\u{1780}'..='\u{17d3}')
    };
    let is_allowed = |char: char| {
        is_letter(char)
            || " ,·'\"!?&()/:;.-¡¿«»‐‑‒–—‘’‚“”„…、。「」『』《》【】（）！，：；？～・"
                .contains(char)
    };
    let chars: Vec<char> = line.chars().collect();
    let has_address = chars
        .windows(3)
        .any(|it| it[1] == '.' && it[2].is_alphabetic() && it[0] != ' ');
    let has_emoji = chars.windows(2).any(|it| it[0] == ':' && it[1] != ' ');
    let is_list = line.starts_with("- ") || line.starts_with("1. ");
    line.chars().all(is_allowed) && !has_address && !has_emoji && !is_list
}

/// The server takes `#` as the start of a channel only after white space or `>`.
#[track_caller]
fn assert_harmless_fragment(link: &str) {
    let Some((before, fragment)) = link.trim_end_matches(')').split_once('#') else {
        return;
    };
    let word = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    assert!(
        before.ends_with(|char| word(char) || char == '/') && fragment.chars().all(word),
        "the start of a mention in: {link}"
    );
}

#[test]
fn assert_harmless_rejects_harmful_text() {
    for bad in [
        "`@all`",
        "`a @b`",
        "a *b*",
        "see `a",
        "[x](javascript:y)",
        "`a` <b>",
        "`x` https://a.b",
        ">@x",
        "`see #general`",
        "`>#general`",
        "see #general",
        "`x`#general",
        "[x](https://a.b/c#d @e)",
        "[x](https://a.b/ #d)",
        "by main.rs",
        "by a :smile:",
        "- item",
        "✅ - item",
        "by ✅",
        "a **b",
        "[main.rs](https://a.b)",
        "[a_b](https://a.b)",
    ] {
        assert!(
            std::panic::catch_unwind(|| assert_harmless(bad)).is_err(),
            "{bad}"
        );
    }
    assert_harmless("Comment on [issue 2](https://a.b/c#note_1) by `x`");
    assert_harmless("pushed to branch `#12-fix` of `x`, `fix-#12`");
    assert_harmless("[abc](https://a.b/c) pushed to `＠all` by `x.y`\n1 commit, `y`");
    assert_harmless("✅ [abc](https://a.b/c) in **acme/rocket** by Kim\n“It works.” · v1.2: done");
}

/// Texts with a meaning to Rocket.Chat, and common attacks.
pub(crate) const HAZARDS: &[&str] = &[
    "plain words",
    "@all",
    "@here",
    "@alice",
    "x @bob y",
    ">@carol",
    "#general",
    " #general",
    "#12-fix",
    "fix/#12",
    "x#general",
    ">#general",
    ">\u{200d}#general",
    "x \u{200d}#general",
    "x\u{feff}#general",
    "x\u{200b}#general",
    "https://evil.example",
    "http://evil.example/a?b=c",
    "evil.example",
    "www.evil.example",
    "mailto:a@b.example",
    "a@b.example",
    "<https://evil.example|click>",
    "[click](https://evil.example)",
    "![img](https://evil.example/x.png)",
    "**bold**",
    "*bold*",
    "_italic_",
    "__x__",
    "~~strike~~",
    "~strike~",
    "`code`",
    "``code``",
    "```block```",
    "`",
    "``",
    "```",
    "` `",
    "a`",
    "`b",
    "\\`",
    "\\",
    "a\\",
    "\\\\",
    "# heading",
    "## heading",
    "> quote",
    "- item",
    "* item",
    "1. item",
    "- [ ] task",
    ":smile:",
    ":)",
    ":D",
    "😀",
    "$$x^2$$",
    "\\(x\\)",
    "\\[x\\]",
    "||spoiler||",
    "<t:1700000000:R>",
    "color:#ff0000",
    "#ff0000",
    "rgb(1,2,3)",
    "line\nbreak",
    "line\r\nbreak",
    "tab\tstop",
    "\u{2028}",
    "\u{85}",
    "nul\u{0}",
    "\u{1b}[31m",
    "\u{202e}txt.exe",
    "\u{200b}@all",
    "@\u{200b}all",
    "＠all",
    "@@all",
    "a@all",
    "(@all",
    "`@all",
    "[@all](x)",
    "&lt;b&gt;",
    "<b>x</b>",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "tel:+15551234",
    "+15551234",
    "e\u{301}",
    "Ada Příkladová",
    "山田太郎",
    "{{x}}",
    "${x}",
    "%s%n",
    "'; DROP TABLE x; --",
    "",
    " ",
    "\u{a0}",
    "\u{3000}",
    "\u{fe0f}",
    "👩‍👩‍👧‍👦",
    "❤\u{fe0f}",
    "می\u{200c}خواهم",
    "#\u{fe0f}\u{20e3}",
    "🇩🇪",
    "a\u{308}\u{308}\u{308}",
    "x.y.z",
    "1.2.3.4",
    "file:///etc/passwd",
    "\\\\server\\share",
];

/// One message for every hazard in every field that a message of any kind shows, as records for
/// `check.mjs`.
static RECORDS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut records = Vec::new();
    for (kind, payload) in examples() {
        let known = addresses(&payload);
        for field in shown(&payload) {
            for hazard in HAZARDS {
                let name = format!("{kind} {field} {hazard:?}");
                records.extend(record(&name, &payload, &field, hazard, &known));
            }
        }
    }
    records
});

#[test]
fn the_longest_messages_of_all_fixtures_are_within_the_limit() {
    let long_name = "ä b".repeat(4000);
    let long_page = format!("https://gitlab.example.org/{}", "a".repeat(900));
    for (name, payload) in fixtures() {
        for address in [&long_page, "https://gitlab.example.org/acme/rocket"] {
            let mut longest = payload.clone();
            for field in shown(&payload) {
                let value = longest.pointer_mut(&field).expect("is there");
                let is_address = value.as_str().is_some_and(|text| text.starts_with("http"));
                let is_ref = value
                    .as_str()
                    .is_some_and(|text| text.starts_with("refs/heads/"));
                *value = match (is_address, is_ref) {
                    (true, _) => json!(address),
                    (_, true) => json!(format!("refs/heads/{long_name}")),
                    _ => json!(long_name),
                };
            }
            for list in ["labels", "assignees", "reviewers"] {
                if let Some(list) = longest.get_mut(list).and_then(Value::as_array_mut) {
                    let copies = list.first().cloned().into_iter().cycle().take(20);
                    *list = copies.collect();
                }
            }
            if let Ok((_, Ok(message))) = compose(&longest) {
                let units = message.text.encode_utf16().count();
                assert!(
                    units <= LIMITS.texts.message,
                    "{name}: {units} in {}",
                    message.text
                );
                assert_laid_out(&message);
            }
        }
    }
}

/// The JSON pointers of the texts that appear in the message of a payload.
fn shown(payload: &Value) -> Vec<String> {
    let text = |payload: &Value| compose(payload).ok().and_then(|(_, message)| message.ok());
    let original = text(payload);
    let mut fields = pointers(payload, "");
    fields.retain(|field| {
        let mut payload = payload.clone();
        let value = payload.pointer_mut(field).expect("is there");
        let is_text = value.is_string();
        *value = json!("refs/heads/something else");
        let changed = text(&payload);
        is_text
            && changed.is_some()
            && changed.map(|it| it.text) != original.as_ref().map(|it| it.text.clone())
    });
    fields
}

fn record(
    name: &str,
    payload: &Value,
    field: &str,
    hazard: &str,
    known: &[String],
) -> Option<Value> {
    let mut payload = payload.clone();
    *payload.pointer_mut(field).expect("is there") = json!(hazard);
    let message = compose(&payload).ok()?.1.ok()?;
    assert_harmless(&message.text);
    let record = described(name, &message.text, &payload);
    for link in record["links"].as_array().expect("is a list") {
        let link = link.as_str().expect("is a text");
        let is_known = known
            .iter()
            .any(|page| page == link || link.starts_with(&format!("{page}/-/")));
        assert!(is_known || links_to(hazard, link), "{name}: {link}");
    }
    Some(record)
}

/// A record for `check.mjs`.
fn described(name: &str, text: &str, payload: &Value) -> Value {
    let outside: Vec<_> = text.split('`').skip(1).step_by(2).collect();
    let (labels, links): (Vec<_>, Vec<_>) = links(text).into_iter().unzip();
    let bold = bold(text);
    let names = names(payload);
    for name in &bold {
        assert!(names.contains(name), "not a project or group: {text}");
    }
    json!({ "name": name, "text": text, "outside": outside, "links": links, "labels": labels, "bold": bold,
        "seen": seen(text) })
}

/// The bold texts outside of code spans.
fn bold(text: &str) -> Vec<String> {
    let outside_code: String = text.split('`').step_by(2).collect();
    let bold = outside_code.split("**").skip(1).step_by(2);
    bold.map(str::to_owned).collect()
}

/// The names of projects and groups in a payload, and the last segments of their paths.
fn names(payload: &Value) -> Vec<String> {
    let is_name = |field: &String| {
        let (_, key) = field.rsplit_once('/').expect("is a pointer");
        key == "name" || key.ends_with("path") || NAMES.contains(&key)
    };
    let fields = pointers(payload, "").into_iter().filter(is_name);
    let texts = fields.filter_map(|field| {
        // A message shows the first line of a name.
        let line = payload.pointer(&field)?.as_str()?.trim().lines().next()?;
        VisibleText::new(line, usize::MAX)
    });
    let whole = texts.map(|text| text.as_str().to_owned());
    whole
        .flat_map(|name| [name.rsplit('/').next().unwrap_or_default().to_owned(), name])
        .collect()
}

const NAMES: [&str; 4] = [
    "path_with_namespace",
    "project_path_with_namespace",
    "project_name",
    "group_name",
];

/// The links outside of code spans: labels and addresses.
fn links(text: &str) -> Vec<(String, String)> {
    let outside_code: String = text.split('`').step_by(2).collect();
    let starts = outside_code.split('[').skip(1);
    let pair = |link: &str| {
        let (label, rest) = link.split_once("](").expect("is a link");
        let (address, _) = rest.split_once(')').expect("is a link");
        (label.to_owned(), address.to_owned())
    };
    starts.map(pair).collect()
}

/// The addresses in a payload, all of which may be linked to.
fn addresses(payload: &Value) -> Vec<String> {
    let texts = pointers(payload, "").into_iter();
    let texts = texts.filter_map(|field| Some(payload.pointer(&field)?.as_str()?.to_owned()));
    texts.filter(|text| text.starts_with("http")).collect()
}

/// Whether the link leads to the hazard itself, which is in a field for an address.
fn links_to(hazard: &str, link: &str) -> bool {
    hazard.starts_with("http") && link.starts_with(hazard)
}

/// The message of a push to `branch` whose commit has this title.
fn push_of(branch: &str, title: &str) -> String {
    let mut body = examples()["push"].clone();
    body["ref"] = json!(format!("refs/heads/{branch}"));
    let commits = body["commits"].as_array_mut().expect("has commits");
    for commit in commits {
        commit["title"] = json!(title);
        commit["message"] = json!(title);
    }
    let (_, message) = compose(&body).expect("is an event");
    message.expect("has a message").text
}

#[test]
fn joiners_stay_between_visible_characters_and_other_invisible_ones_are_removed() {
    let title = "👩\u{200d}🔧 ශ\u{dca}\u{200d}ර\u{dd3} می\u{200c}خواهم ⬆\u{fe0f} ❤\u{fe0f} क\u{94d}\u{200d}ष";
    assert!(push_of("main", title).contains(&format!("`{title}`")));
    let hiding = "\u{202e}a\u{200b}b\u{2066}c\u{e0041}d\u{feff}e\u{200d}f\u{200c}";
    let message = push_of("ma\u{202e}in", hiding);
    assert!(message.contains("`main`"), "{message}");
    assert!(message.contains("`abcde\u{200d}f`"), "{message}");
}

#[test]
fn the_name_of_a_branch_with_a_number_sign_can_be_pasted() {
    for branch in ["#12-fix", "fix/#12", "fix-#12-x", "c#"] {
        let message = push_of(branch, "title");
        assert!(message.contains(&format!("`{branch}`")), "{message}");
        assert_harmless(&message);
    }
}

#[test]
fn every_hazard_in_every_field_is_plain_or_stays_in_its_code_span() {
    assert!(RECORDS.len() > 9000, "{}", RECORDS.len());
}

/// What a reader sees of a message: the text of code spans, the labels of links and bold text.
pub(crate) fn seen(message: &str) -> String {
    let mut seen = String::new();
    let mut rest = message;
    while let Some(at) = rest.find(['`', '[', '*']) {
        seen.push_str(&rest[..at]);
        let mark = rest.as_bytes()[at];
        rest = &rest[at + 1..];
        let end = match mark {
            b'`' => "`",
            b'[' => "](",
            _ => continue,
        };
        let (text, after) = rest.split_once(end).expect("is closed");
        seen.push_str(text);
        rest = after;
        if mark == b'[' {
            rest = rest.split_once(')').expect("is closed").1;
        }
    }
    seen + rest
}

#[test]
fn a_reader_sees_a_message_without_its_marks() {
    let message =
        "✅ [Pipeline 31](https://a.b/c) passed on `m*[x](y)` in **acme/rocket** by Kim\n`a`";
    let expected = "✅ Pipeline 31 passed on m*[x](y) in acme/rocket by Kim\na";
    assert_eq!(seen(message), expected);
}

/// Gives lines to one of the programs in `tests/markup`, which use Rocket.Chat's parser. `make test` installs it;
/// without it the test is skipped.
pub(crate) fn check_with_parser(program: &[&str], lines: impl IntoIterator<Item = Value>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/markup");
    if !folder.join("node_modules").is_dir() {
        report_skipped(&format!(
            "Rocket.Chat's parser is not installed; run `npm ci` in {}",
            folder.display()
        ));
        return;
    }
    let mut input = String::new();
    for line in lines {
        let _ = writeln!(input, "{line}");
    }
    let mut check = Command::new("node")
        .args(program)
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .spawn()
        .expect("node is installed");
    check
        .stdin
        .take()
        .expect("is piped")
        .write_all(input.as_bytes())
        .expect("is written");
    assert!(
        check.wait().expect("ends").success(),
        "the parser found more than text; see above"
    );
}

/// The message of each fixture, also of those that are sent only if a rule asks for them.
pub(crate) fn messages_of_fixtures(style: MessageStyle) -> Vec<(String, String, Value)> {
    let visible = Visibility {
        confidential: true,
        in_progress: true,
        minor_updates: true,
    };
    let fixtures = fixtures().into_iter();
    let fixtures = fixtures.filter(|(name, _)| !name.starts_with("example_of_"));
    let message = |(name, payload): (String, Value)| {
        let event = parse(None, payload.to_string().as_bytes()).expect("is an event");
        let message = message::render(&event, visible, style).ok()?;
        Some((name, message.text(), payload))
    };
    fixtures.filter_map(message).collect()
}

#[test]
fn every_build_of_rocket_chats_parser_reads_every_message_as_it_is_meant() {
    let records = |style| {
        let messages = messages_of_fixtures(style).into_iter();
        messages.map(|(name, text, payload)| described(&name, &text, &payload))
    };
    let in_all_builds = records(MessageStyle::Signs).map(|mut record| {
        record["builds"] = json!("all");
        record
    });
    let records: Vec<_> = in_all_builds.chain(records(MessageStyle::Plain)).collect();
    assert!(records.len() > 250, "{}", records.len());
    check_with_parser(&["check.mjs"], records);
}

#[test]
fn rocket_chats_parser_finds_only_text_and_the_expected_links() {
    // Every seventh record, because all of them take longer than the other tests together. Seven and the number of
    // hazards have no common factor, so each field is checked with different hazards.
    check_with_parser(&["check.mjs"], RECORDS.iter().step_by(7).cloned());
}
