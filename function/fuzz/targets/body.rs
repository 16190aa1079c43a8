//! Any body, as every kind of hook: an event or an error, and a message of bounded length.

#![no_main]

use libfuzzer_sys::fuzz_target;
use webhook_app::gitlab::event::Event;
use webhook_app::notice;

fuzz_target!(|body: &[u8]| {
    for hook in [None, Some(&b"Push Hook"[..]), Some(b"Tag Push Hook")] {
        if let Ok(Ok(notice)) = Event::parse(hook, body).map(|event| notice::compose(&event)) {
            assert!(notice.text.encode_utf16().count() <= 5000);
            assert!(!notice.text.contains(['@', '#']));
            assert_eq!(notice.text.matches('`').count() % 2, 0);
        }
    }
});
