//! Any body, as every kind of hook: an event or an error, and a message of bounded length in which no untrusted text
//! is markup.

#![no_main]

use libfuzzer_sys::fuzz_target;
use webhook_app::gitlab::event::Event;
use webhook_app::gitlab::verification::Verified;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::live_pipeline;
use webhook_app::notifier::message::{self, MessageStyle, Visibility};

const HOOKS: [&[u8]; 4] = [b"Push Hook", b"Tag Push Hook", b"System Hook", b"Resource Access Token Hook"];

const EVERYTHING: Visibility = Visibility { confidential: true, in_progress: true, minor_updates: true };

fuzz_target!(|body: &[u8]| {
    for hook in [None].into_iter().chain(HOOKS.map(Some)) {
        let Ok(event) = Event::parse(hook, Verified::by_operator(body)) else { continue };
        let Ok(message) = message::render(&event, EVERYTHING, MessageStyle::Signs) else { continue };
        let text = message.text();
        check_message(&text);
        if let Some(state) = &event.attributes.pipeline_state {
            if let Some(text) = live_pipeline::mark(&text, state) {
                assert!(!live_pipeline::is_behind(&text, state));
                assert_eq!(text.matches("#at-").count(), 1);
            }
        }
    }
});

fn check_message(text: &str) {
    assert!(!text.is_empty() && text.encode_utf16().count() <= LIMITS.texts.message);
    assert_eq!(text.matches('`').count() % 2, 0);
    // Addresses of links are not shown as text; they may have fragments.
    let (first, rest) = text.split_once("](").unwrap_or((text, ""));
    let labels = rest.split("](").map(|part| part.split_once(')').map_or("", |(_, after)| after));
    for shown in [first].into_iter().chain(labels) {
        assert!(!shown.contains('@'));
        for (before, _) in shown.match_indices('#') {
            let before = shown[..before].chars().next_back().unwrap_or(' ');
            assert!(!before.is_whitespace() && before != '>' && !before.is_ascii_digit());
        }
    }
}
