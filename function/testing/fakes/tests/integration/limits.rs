//! The rate limit, which does not apply to the role `bot`.

use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::client::call;

fn epoch_milliseconds() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_millis()
}

#[tokio::test]
async fn a_user_without_the_role_bot_may_call_each_route_ten_times_per_minute() {
    let chat = FakeRocketChat::builder().roles(&["user"]).start().await;
    let chat = chat.expect("a free port");

    for remaining in (0..10).rev() {
        let response = call(&chat, Route::Me, &json!({})).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("X-RateLimit-Limit"), Some("10"));
        let header = response.header("X-RateLimit-Remaining");
        assert_eq!(header, Some(remaining.to_string().as_str()));
    }
    let eleventh = call(&chat, Route::Me, &json!({})).await;
    let other_route = call(&chat, Route::UserInfo, &json!({ "username": "bob" })).await;

    assert_eq!(eleventh.status, 429);
    let text = eleventh.json()["error"].to_string();
    assert!(text.contains("[error-too-many-requests]"), "{text}");
    assert_eq!(eleventh.header("Retry-After"), None);
    let reset = eleventh.header("X-RateLimit-Reset").expect("a reset");
    let reset: u128 = reset.parse().expect("a number");
    let ahead = reset.saturating_sub(epoch_milliseconds());
    assert!((50_000..=60_000).contains(&ahead), "{ahead} ms ahead");
    assert_eq!(other_route.status, 200);
    chat.finish();
}

#[tokio::test]
async fn the_limit_is_checked_after_authentication_and_before_the_parameters() {
    let chat = FakeRocketChat::builder().roles(&["user"]).start().await;
    let chat = chat.expect("a free port");
    chat.expect_violation();
    for _ in 0..10 {
        let bad = call(&chat, Route::GetMessage, &json!({})).await;
        assert_eq!(bad.status, 400);
        assert!(bad.header("X-RateLimit-Limit").is_some());
    }

    let limited = call(&chat, Route::GetMessage, &json!({})).await;
    let url = format!("{}{}", chat.url(), Route::GetMessage.path());
    let unauthenticated = fakes::exchange::exchange("GET", &url, &[], b"").await;

    assert_eq!(limited.status, 429);
    assert_eq!(unauthenticated.expect("a response").status, 401);
    chat.finish();
}

#[tokio::test]
async fn a_bot_is_not_limited_and_gets_no_limit_headers() {
    let chat = FakeRocketChat::start().await;

    for _ in 0..15 {
        let response = call(&chat, Route::Me, &json!({})).await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("X-RateLimit-Limit"), None);
    }
    chat.finish();
}

#[tokio::test]
async fn the_rejection_of_the_limiter_can_be_injected() {
    let chat = FakeRocketChat::start().await;
    let reset_in = Duration::from_secs(2);
    chat.inject_fault(Route::Me, Fault::RateLimited { reset_in });

    let limited = call(&chat, Route::Me, &json!({})).await;
    let next = call(&chat, Route::Me, &json!({})).await;

    assert_eq!((limited.status, next.status), (429, 200));
    assert!(limited.text().contains("You must wait 2 seconds"));
    chat.finish();
}
