//! Any text in a code span or as plain text, and any address of a link.

#![no_main]

use libfuzzer_sys::fuzz_target;
use webhook_app::gitlab::page_url::PageUrl;
use webhook_app::rocketchat::markup::{Inert, InlineCode, Link};

fuzz_target!(|text: &str| {
    if let Some(code) = InlineCode::new(text, 100) {
        let shown = code.to_string();
        assert!(shown.encode_utf16().count() <= 102);
        assert!(!shown.contains(['@', '\\', '\n']));
        assert!(!shown.contains(" #") && !shown.contains(">#"), "the start of a channel");
        let is_white = |char: char| char.is_whitespace() && char != ' ';
        assert!(!shown.contains(is_white) && !shown.contains('\u{feff}'));
        assert_eq!(shown.matches('`').count(), 2);
    }
    if let Some(plain) = Inert::new(text, 100) {
        let shown = plain.to_string();
        assert!(shown.encode_utf16().count() <= 100);
        let is_markup = |char: char| "@#`*_~[]<>|$\\=%+^{}\n".contains(char);
        assert!(!shown.is_empty() && !shown.contains(is_markup) && !shown.contains("//"));
    }
    let page = PageUrl::parse(text);
    if let Some(link) = page.and_then(|page| Link::below(&page, "-/commit/abc", "abc")) {
        let shown = link.to_string();
        assert!(shown.starts_with("[abc](http"));
        assert!(!shown[6..shown.len() - 1].contains(['(', ')', '[', ']', '<', '>', '|', ' ', '@', '#']));
    }
});
