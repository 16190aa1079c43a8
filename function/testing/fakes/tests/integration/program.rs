//! The fakes as programs: fake-rocketchat and fake-gitlab-api with their inspection APIs, fake-broker, fake-gitlab and the demo.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use fakes::exchange::exchange;
use serde_json::{Value, json};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> Program {
    start_program(env!("CARGO_BIN_EXE_fake-rocketchat"), arguments)
}

fn start_program(program: &str, arguments: &[&str]) -> Program {
    let mut command = Command::new(program);
    let command = command.args(arguments).stdout(Stdio::piped());
    Program(command.spawn().expect("the program starts"))
}

#[tokio::test]
async fn fake_broker_prints_the_attributes_of_its_events() {
    let mut program = start_program(env!("CARGO_BIN_EXE_fake-broker"), &["127.0.0.1:0"]);
    let output = program.0.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines();
    let mut next = move || -> Value {
        let line = lines.next().expect("a line").expect("readable");
        serde_json::from_str(&line).expect("JSON")
    };
    let url = next()["listening"].as_str().expect("a text").to_owned();
    let event = [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/test"),
        ("ce-type", "test"),
        ("ce-knativeerrorcode", "422"),
        ("content-type", "application/json"),
    ];
    let headers = event.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));

    let refused = exchange("POST", &url, &headers[1..], b"{}").await;
    let accepted = exchange("POST", &url, &headers, b"{}").await;

    assert_eq!(refused.expect("a response").status, 400);
    assert_eq!(accepted.expect("a response").status, 202);
    let expected = json!({
        "specversion": "1.0", "id": "1", "source": "/test", "type": "test", "knativeerrorcode": "422",
    });
    assert_eq!(next(), expected);
}

#[tokio::test]
async fn fake_rocketchat_prints_and_serves_its_messages() {
    let mut program = start(&["127.0.0.1:0"]);
    let output = program.0.stdout.take().expect("piped");
    let mut lines = BufReader::new(output).lines();
    let mut next = move || -> Value {
        let line = lines.next().expect("a line").expect("readable");
        serde_json::from_str(&line).expect("JSON")
    };
    let started = next();
    let text = |name: &str| started[name].as_str().expect("a text").to_owned();
    let headers = [
        ("X-User-Id".to_owned(), text("user_id").into_bytes()),
        ("X-Auth-Token".to_owned(), text("auth_token").into_bytes()),
        ("Content-Type".to_owned(), b"application/json".to_vec()),
    ];
    let url = text("listening");
    let post = async |path: &str, body: Value| {
        let url = format!("{url}/api/v1/{path}");
        let response = exchange("POST", &url, &headers, body.to_string().as_bytes()).await;
        response.expect("a response").json()
    };
    let inspect = async |method: &str, path: &str| {
        let response = exchange(method, &format!("{url}/inspect/{path}"), &[], b"").await;
        response.expect("a response").json()
    };

    let room = post("im.create", json!({ "username": "alice" })).await;
    let room_id = &room["room"]["rid"];
    let message = json!({ "message": { "_id": "gl1", "rid": room_id, "msg": "hello" } });
    post("chat.sendMessage", message.clone()).await;
    post("chat.sendMessage", message).await;

    let printed = next();
    assert_eq!(printed["text"], "hello");
    assert_eq!(printed["recipient"], "alice");
    let messages = inspect("GET", "messages").await;
    assert_eq!(messages.as_array().map(Vec::len), Some(1));
    assert_eq!(messages[0]["id"], "gl1");
    assert_eq!(messages[0]["inserts"], 1);
    assert_eq!(messages[0]["attempts"], 2);
    let room = post("im.create", json!({ "username": "former" })).await;
    let message = json!({ "_id": "gl2", "rid": room["room"]["rid"], "msg": "hello" });
    let message = json!({ "message": message });
    let refused = post("chat.sendMessage", message.clone()).await;
    assert_eq!(refused["success"], false);
    inspect("DELETE", "deactivations").await;
    let sent = post("chat.sendMessage", message).await;
    assert_eq!(sent["success"], true);
    assert_eq!(inspect("GET", "violations").await, json!([]));
    assert_eq!(inspect("GET", "calls").await["/api/v1/chat.sendMessage"], 4);
    inspect("DELETE", "messages").await;
    assert_eq!(inspect("GET", "messages").await, json!([]));
}

#[tokio::test]
async fn fake_gitlab_api_serves_the_api_and_its_inspection() {
    let program = env!("CARGO_BIN_EXE_fake-gitlab-api");
    let mut program = start_program(program, &["127.0.0.1:0", "--version", "18.11.4"]);
    let output = program.0.stdout.take().expect("piped");
    let started = BufReader::new(output).lines().next();
    let started = started.expect("a line").expect("readable");
    let started: Value = serde_json::from_str(&started).expect("JSON");
    let text = |name: &str| started[name].as_str().expect("a text");
    let url = text("listening");
    let call = async |method: &str, path: &str, token: &str, body: Value| {
        let headers = [
            ("PRIVATE-TOKEN", token),
            ("Content-Type", "application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let body = body.to_string();
        let response = exchange(method, &format!("{url}/{path}"), &headers, body.as_bytes()).await;
        response.expect("a response")
    };
    let hooks = "api/v4/projects/42/hooks";
    let fields = json!({ "url": format!("{url}/inspect/nowhere") });

    let created = call("POST", hooks, text("token"), fields.clone()).await;
    let refused = call("POST", hooks, text("read_token"), fields).await;
    let happened = json!({ "project": text("project"), "trigger": "push_events", "body": {} });
    let attempts = call("POST", "inspect/happen", "", happened).await.json();
    let moved = call("POST", "inspect/clock", "", json!({ "advance_seconds": 5 })).await;
    let version = call("GET", "api/v4/version", text("admin_token"), json!({})).await;
    let requests = call("GET", "inspect/requests", "", json!({})).await.json();

    assert_eq!(
        (created.status, refused.status, moved.status),
        (201, 403, 204)
    );
    assert_eq!(attempts[0]["hook_id"], created.json()["id"]);
    assert_eq!(attempts[0]["status"], 404);
    assert_eq!(version.json()["version"], "18.11.4");
    assert_eq!(requests.as_array().map(Vec::len), Some(3), "{requests}");
    assert_eq!(requests[1]["status"], 403);
    call("DELETE", "inspect/requests", "", json!({})).await;
    assert_eq!(
        call("GET", "inspect/requests", "", json!({})).await.json(),
        json!([])
    );
    let wrong = json!({ "project": "acme/other", "trigger": "push_events", "body": {} });
    assert_eq!(call("POST", "inspect/happen", "", wrong).await.status, 404);
    let wrong = json!({ "project": "acme/rocket", "trigger": "push" });
    assert_eq!(call("POST", "inspect/happen", "", wrong).await.status, 400);
}

#[tokio::test]
async fn the_load_sender_lets_the_fake_gitlab_send_and_record() {
    let program = env!("CARGO_BIN_EXE_fake-gitlab-api");
    let mut program = start_program(program, &["127.0.0.1:0"]);
    let output = program.0.stdout.take().expect("piped");
    let started = BufReader::new(output).lines().next();
    let started = started.expect("a line").expect("readable");
    let started: Value = serde_json::from_str(&started).expect("JSON");
    let url = started["listening"].as_str().expect("a text").to_owned();
    let token = started["token"].as_str().expect("a text").as_bytes();
    let call = async |method: &str, path: &str, body: &Value| {
        let headers = [
            ("PRIVATE-TOKEN", token),
            ("Content-Type", b"application/json"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_vec()));
        let url = format!("{url}/api/v4/projects/42/hooks{path}");
        let response = exchange(method, &url, &headers, body.to_string().as_bytes()).await;
        response.expect("a response").json()
    };
    let fields = json!({ "url": format!("{url}/inspect/nowhere") });
    let hook = call("POST", "", &fields).await["id"].clone();

    let stats = || {
        let sender = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"))
            .args(["happen", &url, "--count", "3"])
            .output();
        let output = sender.expect("fake-gitlab starts").stdout;
        serde_json::from_slice::<Value>(&output).expect("JSON")
    };
    let (first, second) = (stats(), stats());

    assert_eq!(first["answers"], json!({ "404": 3 }));
    // After the fourth failure the others are dropped, or they were on their way already.
    let dropped = second["unanswered"].as_object().expect("an object");
    let dropped = dropped
        .iter()
        .filter(|(text, _)| text.starts_with("dropped"));
    let dropped: u64 = dropped.filter_map(|(_, count)| count.as_u64()).sum();
    let events = call("GET", &format!("/{hook}/events"), &json!({})).await;
    assert_eq!(
        events.as_array().map(Vec::len),
        Some(6 - usize::try_from(dropped).expect("few"))
    );
    assert_eq!(events[0]["request_data"]["user_username"], "robin");
    assert_eq!(
        call("GET", &format!("/{hook}"), &json!({})).await["alert_status"],
        "temporarily_disabled"
    );
}

#[test]
fn fake_gitlab_api_names_wrong_arguments() {
    let cases = [
        (["--halp", ""], "found --halp"),
        (["--requests", "many"], "found many"),
        (
            ["127.0.0.1:0", "--version"],
            "expected a value after --version",
        ),
    ];
    for (arguments, expected) in cases {
        let output = Command::new(env!("CARGO_BIN_EXE_fake-gitlab-api"))
            .args(arguments)
            .output()
            .expect("the program starts");

        let problem = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(problem.contains(expected), "{arguments:?}: {problem}");
    }
}

#[tokio::test]
async fn fake_rocketchat_has_an_administrator_if_that_is_asked_for() {
    let mut program = start(&["127.0.0.1:0", "--administrator", "root"]);
    let output = program.0.stdout.take().expect("piped");
    let started = BufReader::new(output).lines().next();
    let started = started.expect("a line").expect("readable");
    let started: Value = serde_json::from_str(&started).expect("JSON");
    let text = |name: &str| started[name].as_str().expect("a text").to_owned();
    let headers = [
        ("X-User-Id".to_owned(), text("admin_user_id").into_bytes()),
        ("X-Auth-Token".to_owned(), text("admin_token").into_bytes()),
    ];

    let url = format!("{}/api/v1/me", text("listening"));
    let me = exchange("GET", &url, &headers, b"")
        .await
        .expect("a response")
        .json();

    assert_eq!(me["username"], "root");
    assert_eq!(me["roles"], json!(["user", "admin"]));
}

#[test]
fn fake_rocketchat_names_wrong_arguments() {
    for (arguments, expected) in [
        (&["--halp"][..], "found --halp"),
        (
            &["--administrator"],
            "expected a username after --administrator",
        ),
        (
            &["127.0.0.1:0", "--administrator", "a b"],
            "expected a username",
        ),
        (
            &["127.0.0.1:0", "--administrator", "alice"],
            "the name of another account",
        ),
    ] {
        let program = env!("CARGO_BIN_EXE_fake-rocketchat");
        let output = Command::new(program).args(arguments).output();
        let output = output.expect("the program starts");
        let problem = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(problem.contains(expected), "{arguments:?}: {problem}");
    }
}

#[test]
fn every_program_has_a_help_of_80_columns() {
    for program in [
        env!("CARGO_BIN_EXE_fake-rocketchat"),
        env!("CARGO_BIN_EXE_fake-gitlab"),
        env!("CARGO_BIN_EXE_fake-gitlab-api"),
        env!("CARGO_BIN_EXE_demo"),
        env!("CARGO_BIN_EXE_smoke"),
    ] {
        let output = Command::new(program).arg("--help").output();
        let output = output.expect("the program starts");
        let help = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{program}");
        assert!(help.contains("usage:"), "{program}: {help}");
        let is_wide = |line: &str| line.chars().count() > 80;
        assert!(!help.lines().any(is_wide), "{program}: {help}");
    }
}

#[test]
fn the_demo_says_how_to_build_a_missing_program() {
    let program = env!("CARGO_BIN_EXE_demo");

    let output = Command::new(program)
        .args(["--once", "--port", "0", "/nowhere/webhook-app"])
        .output()
        .expect("the demo starts");

    let problem = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success());
    assert!(
        problem.contains("/nowhere/webhook-app does not start"),
        "{problem}"
    );
    assert!(problem.contains("cargo build -p webhook-app"), "{problem}");
}

#[test]
fn fake_gitlab_counts_responses_and_stored_messages() {
    let mut chat = start(&["127.0.0.1:0"]);
    let output = chat.0.stdout.take().expect("piped");
    let started = BufReader::new(output).lines().next();
    let started = started.expect("a line").expect("readable");
    let started: Value = serde_json::from_str(&started).expect("JSON");
    let chat = started["listening"].as_str().expect("an address");
    let unknown = format!("{chat}/inspect/unknown");

    let output = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"))
        .args(["send", &unknown, "--count", "3", "--chat", chat])
        .output()
        .expect("fake-gitlab starts");

    let stats: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(stats["sent"], 3);
    assert_eq!(stats["answers"], json!({ "404": 3 }));
    assert_eq!(
        stats["stored"],
        json!({ "once": 0, "never": 3, "again": 0 })
    );
}

#[test]
fn fake_gitlab_holds_connections_without_a_body_and_replaces_closed_ones() {
    let server = TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = server.local_addr().expect("has one").to_string();
    let holding = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"))
        .args(["hold", &address, "2", "60"])
        .spawn()
        .expect("fake-gitlab starts");
    let _holding = Program(holding);

    let first = accept_without_body(&server);
    let _second = accept_without_body(&server);
    drop(first);
    let _instead_of_the_first = accept_without_body(&server);
}

fn accept_without_body(server: &TcpListener) -> TcpStream {
    let (mut client, _) = server.accept().expect("connects");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("sends headers");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    assert!(head.contains("Content-Length: "), "{head}");
    client.set_nonblocking(true).expect("can be set");
    let body = client.read(&mut [0]).expect_err("sends no body");
    assert_eq!(body.kind(), ErrorKind::WouldBlock);
    client
}

#[test]
fn fake_gitlab_names_an_unknown_command() {
    for word in ["foo", "--halp"] {
        let output = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"))
            .arg(word)
            .output()
            .expect("fake-gitlab starts");

        let problem = String::from_utf8(output.stderr).expect("text");
        assert!(!output.status.success());
        assert!(problem.contains(&format!("found {word:?}")), "{problem}");
    }
}

#[test]
fn fake_gitlab_rejects_an_unknown_proof() {
    let output = Command::new(env!("CARGO_BIN_EXE_fake-gitlab"))
        .args(["send", "http://127.0.0.1/", "--proof", "sealed"])
        .output()
        .expect("fake-gitlab starts");

    let problem = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success());
    assert!(
        problem.contains("signed, forged or none, found sealed"),
        "{problem}"
    );
}
