//! What administrators and new accounts call: sign-in, second factor, accounts, personal access tokens.

use fakes::exchange::{Response, exchange};
use fakes::rocketchat::{FakeRocketChat, Route};
use serde_json::{Value, json};

const ADMIN: &str = "root";
const ADMIN_TOKEN: &str = "token-of-the-administrator";
const PASSWORD: &str = "Correct-horse-7";
/// What sha256sum prints for it.
const DIGEST: &str = "5574cdcbd11d484b72b0069827a93d7932d623ef1219598c104948018f43d3f0";

type Header<'a> = (&'a str, &'a str);

/// A server with an administrator, whose token asks for a second factor.
async fn server() -> (FakeRocketChat, String) {
    let chat = FakeRocketChat::start().await;
    chat.add_administrator(ADMIN, PASSWORD);
    let id = chat.add_access_token(ADMIN, ADMIN_TOKEN, false);
    (chat, id)
}

async fn call(
    chat: &FakeRocketChat,
    route: Route,
    account: Option<(&str, &str)>,
    more: &[Header<'_>],
    body: &Value,
) -> Response {
    let mut headers = vec![("Content-Type", "application/json")];
    if let Some((id, token)) = account {
        headers.extend([("X-User-Id", id), ("X-Auth-Token", token)]);
    }
    headers.extend(more);
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
    let headers: Vec<_> = headers.into_iter().map(owned).collect();
    let url = format!("{}{}", chat.url(), route.path());
    let body = match route.method() {
        "GET" => String::new(),
        _ => body.to_string(),
    };
    let response = exchange(route.method(), &url, &headers, body.as_bytes());
    response.await.expect("a response")
}

fn new_user(username: &str, email: &str) -> Value {
    json!({
        "username": username,
        "email": email,
        "name": "Bot",
        "password": PASSWORD,
        "roles": ["user", "bot"],
        "verified": false,
    })
}

async fn log_in(chat: &FakeRocketChat, body: &Value) -> Response {
    call(chat, Route::LogIn, None, &[], body).await
}

fn session(response: &Response) -> (String, String) {
    let data = &response.json()["data"];
    let text = |name: &str| data[name].as_str().expect("a text").to_owned();
    (text("userId"), text("authToken"))
}

#[tokio::test]
async fn the_version_needs_no_account() {
    let chat = FakeRocketChat::start().await;

    let response = call(&chat, Route::Info, None, &[], &json!({})).await;

    let expected = json!({ "version": "8.8", "success": true });
    assert_eq!((response.status, response.json()), (200, expected));
    chat.finish();
}

#[tokio::test]
async fn a_sign_in_needs_the_password_and_the_code_of_the_app() {
    let (chat, _) = server().await;
    let right = json!({ "username": ADMIN, "password": PASSWORD });

    let accepted = log_in(&chat, &right).await;
    let wrong = log_in(&chat, &json!({ "username": ADMIN, "password": "x" })).await;
    let unknown = log_in(&chat, &json!({ "username": "nobody", "password": "x" })).await;
    chat.set_totp(ADMIN, "123456");
    let without = log_in(&chat, &right).await;
    let with_wrong = json!({ "username": ADMIN, "password": PASSWORD, "code": "1" });
    let with_wrong = log_in(&chat, &with_wrong).await;
    let with = json!({ "username": ADMIN, "password": PASSWORD, "code": "123456" });
    let with = log_in(&chat, &with).await;

    assert_eq!(accepted.json()["status"], "success");
    for refused in [wrong, unknown] {
        let expected =
            json!({ "status": "error", "error": "Unauthorized", "message": "Unauthorized" });
        assert_eq!((refused.status, refused.json()), (401, expected));
    }
    assert_eq!(
        (without.status, without.json()["error"].clone()),
        (401, json!("totp-required"))
    );
    assert_eq!(without.json()["details"]["method"], "totp");
    assert_eq!(with_wrong.json()["error"], "totp-invalid");
    assert_eq!(with.status, 200);
    chat.finish();
}

#[tokio::test]
async fn a_session_ends_with_its_log_out() {
    let (chat, _) = server().await;
    let body = json!({ "username": ADMIN, "password": PASSWORD });
    let (id, token) = session(&log_in(&chat, &body).await);
    let account = Some((id.as_str(), token.as_str()));

    let before = call(&chat, Route::Me, account, &[], &json!({})).await;
    let ended = call(&chat, Route::LogOut, account, &[], &json!({})).await;
    let after = call(&chat, Route::Me, account, &[], &json!({})).await;

    assert_eq!((before.status, ended.status, after.status), (200, 200, 401));
    chat.finish();
}

#[tokio::test]
async fn only_administrators_create_accounts_and_names_and_addresses_are_unique() {
    let (chat, id) = server().await;
    let admin = Some((id.as_str(), ADMIN_TOKEN));
    let bot = (chat.user_id().to_owned(), chat.auth_token().to_owned());
    let bot = Some((bot.0.as_str(), bot.1.as_str()));
    let create =
        async |account, body: Value| call(&chat, Route::CreateUser, account, &[], &body).await;

    let refused = create(bot, new_user("new", "new@example.org")).await;
    let created = create(admin, new_user("new", "new@example.org")).await;
    let same_name = create(admin, new_user("NEW", "other@example.org")).await;
    let same_address = create(admin, new_user("other", "new@example.org")).await;
    let mut no_role = new_user("third", "third@example.org");
    no_role["roles"] = json!(["nobody"]);
    let no_role = create(admin, no_role).await;
    let no_name = create(admin, new_user("a b", "third@example.org")).await;

    let error = |response: &Response| response.json()["error"].clone();
    assert_eq!(
        error(&refused),
        "Adding user is not allowed [error-action-not-allowed]"
    );
    assert_eq!(created.json()["user"]["roles"], json!(["user", "bot"]));
    assert_eq!(
        error(&same_name),
        "NEW is already in use :( [error-field-unavailable]"
    );
    let expected = "new@example.org is already in use :( [error-field-unavailable]";
    assert_eq!(error(&same_address), expected);
    let expected = "The field Roles consist invalid role id [error-action-not-allowed]";
    assert_eq!(error(&no_role), expected);
    let expected = "a b is not a valid username [error-input-is-not-a-valid-field]";
    assert_eq!(error(&no_name), expected);
    for refused in [refused, same_name, same_address, no_role, no_name] {
        assert_eq!(refused.status, 400);
    }
    chat.finish();
}

#[tokio::test]
async fn unknown_fields_are_violations() {
    let (chat, id) = server().await;
    chat.expect_violation();
    let admin = Some((id.as_str(), ADMIN_TOKEN));
    let mut user = new_user("new", "new@example.org");
    user["rolls"] = json!(["user"]);
    let cases = [
        (Route::LogIn, None, json!({ "username": ADMIN, "otp": "1" })),
        (Route::CreateUser, admin, user),
        (
            Route::UpdateUser,
            admin,
            json!({ "userId": id, "data": { "role": "bot" } }),
        ),
        (Route::UpdateUser, admin, json!({ "data": {} })),
        (
            Route::GenerateAccessToken,
            admin,
            json!({ "tokenName": "a", "bypass": true }),
        ),
        (
            Route::RegenerateAccessToken,
            admin,
            json!({ "tokenName": "a", "bypassTwoFactor": true }),
        ),
        (Route::LogOut, admin, json!({ "all": true })),
    ];
    for (number, (route, account, body)) in cases.into_iter().enumerate() {
        let response = call(&chat, route, account, &[], &body).await;

        assert_eq!(response.status, 400, "{route:?}");
        assert_eq!(response.json()["errorType"], "invalid-params", "{route:?}");
        assert_eq!(chat.violations().len(), number + 1, "{route:?}");
    }
    chat.finish();
}

#[tokio::test]
async fn a_call_with_a_second_factor_accepts_the_password_or_the_code_of_the_app() {
    let (chat, id) = server().await;
    let admin = Some((id.as_str(), ADMIN_TOKEN));
    let generate = async |name: &str, headers: &[Header<'_>]| {
        let body = json!({ "tokenName": name, "bypassTwoFactor": true });
        call(&chat, Route::GenerateAccessToken, admin, headers, &body).await
    };
    let password = [("x-2fa-method", "password"), ("x-2fa-code", DIGEST)];

    let without = generate("a", &[]).await;
    let without_method = generate("a", &[("x-2fa-code", DIGEST)]).await;
    let wrong = generate(
        "a",
        &[("x-2fa-method", "password"), ("x-2fa-code", PASSWORD)],
    )
    .await;
    let right = generate("a", &password).await;
    let again = generate("a", &password).await;
    chat.set_totp(ADMIN, "123456");
    let not_the_password = generate("b", &password).await;
    let code = generate("b", &[("x-2fa-method", "totp"), ("x-2fa-code", "123456")]).await;

    for response in [&without, &without_method] {
        let expected = json!({
            "success": false,
            "error": "TOTP Required [totp-required]",
            "errorType": "totp-required",
            "details": { "method": "password", "codeGenerated": false, "availableMethods": [] },
        });
        assert_eq!((response.status, response.json()), (400, expected));
    }
    assert_eq!(wrong.json()["errorType"], "totp-invalid");
    assert_eq!(right.status, 200);
    assert_eq!(again.json()["errorType"], "error-token-already-exists");
    assert_eq!(not_the_password.json()["errorType"], "totp-invalid");
    assert_eq!(not_the_password.json()["details"]["method"], "totp");
    assert_eq!(code.status, 200);
    chat.finish();
}

#[tokio::test]
async fn a_token_that_ignores_the_second_factor_needs_none() {
    let (chat, _) = server().await;
    let id = chat.add_access_token(ADMIN, "bypassing", true);
    let admin = Some((id.as_str(), "bypassing"));

    let created = json!({ "tokenName": "a" });
    let created = call(&chat, Route::GenerateAccessToken, admin, &[], &created).await;
    let nameless = call(&chat, Route::GenerateAccessToken, admin, &[], &json!({})).await;
    let replaced = json!({ "tokenName": "a" });
    let replaced = call(&chat, Route::RegenerateAccessToken, admin, &[], &replaced).await;
    let absent = json!({ "tokenName": "b" });
    let absent = call(&chat, Route::RegenerateAccessToken, admin, &[], &absent).await;
    let listed = call(&chat, Route::ListAccessTokens, admin, &[], &json!({})).await;

    assert_eq!((created.status, replaced.status), (200, 200));
    assert_ne!(created.json()["token"], replaced.json()["token"]);
    assert_eq!(
        nameless.json()["error"],
        "The 'tokenName' param is required"
    );
    assert_eq!(absent.json()["errorType"], "error-token-does-not-exists");
    let names = listed.json()["tokens"].clone();
    let names = names.as_array().expect("a list").iter();
    let names: Vec<_> = names.map(|token| token["name"].clone()).collect();
    assert_eq!(names, ["of the test", "of the test", "a"]);
    chat.finish();
}

#[tokio::test]
async fn a_bot_without_the_role_user_has_no_tokens_to_create() {
    let chat = FakeRocketChat::builder().roles(&["bot"]).start().await;
    let chat = chat.expect("a free port");
    let (id, token) = (chat.user_id().to_owned(), chat.auth_token().to_owned());
    let bot = Some((id.as_str(), token.as_str()));
    let body = json!({ "tokenName": "a" });

    for route in [
        Route::GenerateAccessToken,
        Route::RegenerateAccessToken,
        Route::ListAccessTokens,
    ] {
        let response = call(&chat, route, bot, &[], &body).await;

        assert_eq!(response.json()["errorType"], "not-authorized", "{route:?}");
    }
    chat.finish();
}

#[tokio::test]
async fn a_new_password_ends_the_tokens_of_the_account() {
    let (chat, id) = server().await;
    let admin_id = chat.add_access_token(ADMIN, "bypassing", true);
    assert_eq!(id, admin_id);
    let admin = Some((id.as_str(), "bypassing"));
    let (bot, token) = (chat.user_id().to_owned(), chat.auth_token().to_owned());
    let as_bot = Some((bot.as_str(), token.as_str()));
    let body = json!({ "userId": bot, "data": { "password": "x", "roles": ["user", "bot"] } });

    let not_by_bots = json!({ "userId": id, "data": { "password": "x" } });
    let not_by_bots = call(&chat, Route::UpdateUser, as_bot, &[], &not_by_bots).await;
    let of_nobody = json!({ "userId": "nobody", "data": {} });
    let of_nobody = call(&chat, Route::UpdateUser, admin, &[], &of_nobody).await;
    let changed = call(&chat, Route::UpdateUser, admin, &[], &body).await;
    let ended = call(&chat, Route::Me, as_bot, &[], &json!({})).await;

    assert_eq!(not_by_bots.json()["errorType"], "error-action-not-allowed");
    assert_eq!(of_nobody.json()["errorType"], "error-invalid-user");
    assert_eq!((changed.status, ended.status), (200, 401));
    chat.finish();
}

#[tokio::test]
async fn the_history_lists_the_routes_in_order() {
    let (chat, id) = server().await;
    let admin = Some((id.as_str(), ADMIN_TOKEN));

    call(&chat, Route::Info, None, &[], &json!({})).await;
    call(&chat, Route::Me, admin, &[], &json!({})).await;

    assert_eq!(chat.history(), [Route::Info, Route::Me]);
    chat.finish();
}
