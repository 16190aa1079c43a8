//! `webhook-app setup` against both fakes: from nothing to a message in one command, the second run, the dry
//! run, each refusal, and an interruption at each call.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use fakes::gitlab::{Access, FakeGitLab, SAMPLE_KEY, Scope};
use fakes::rocketchat::{FakeRocketChat, Fault, Route};
use serde_json::json;

use crate::harness::program;

mod addresses;
mod connect;
mod fakes_by_hand;
mod secrets;
mod terminal;

const ADMIN: &str = "root";
const ADMIN_TOKEN: &str = "canary-admin-token-2f7c";
const PASSWORD: &str = "canary-Admin-password-9!";
const PROJECT: &str = "acme/rocket";

/// How many folders were made.
static FOLDERS: AtomicUsize = AtomicUsize::new(0);

/// Both servers, an administrator, and a folder for the file.
struct World {
    chat: FakeRocketChat,
    gitlab: FakeGitLab,
    admin_id: String,
    folder: PathBuf,
}

/// What a run printed, and its exit code.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl World {
    async fn start() -> Self {
        Self::with(FakeGitLab::builder()).await
    }

    async fn with(gitlab: fakes::gitlab::Builder) -> Self {
        let chat = FakeRocketChat::start().await;
        chat.add_administrator(ADMIN, PASSWORD);
        let admin_id = chat.add_access_token(ADMIN, ADMIN_TOKEN, true);
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = format!("setup-{}-{number}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(folder);
        fs::create_dir_all(&folder).expect("is created");
        Self {
            chat,
            gitlab: gitlab.start().await.expect("a free port"),
            admin_id,
            folder,
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("secret.env")
    }

    fn settings(&self) -> BTreeMap<String, String> {
        let settings = [
            ("GITLAB_URL", self.gitlab.url()),
            ("GITLAB_API_TOKEN", self.gitlab.admin_token().to_owned()),
            ("ROCKETCHAT_URL", self.chat.url()),
            ("ROCKETCHAT_ADMIN_USER_ID", self.admin_id.clone()),
            ("ROCKETCHAT_ADMIN_TOKEN", ADMIN_TOKEN.to_owned()),
            (
                "WEBHOOK_URL",
                "https://hooks.example.org/webhook".to_owned(),
            ),
            // Never gets the test message.
            ("ROCKETCHAT_RECIPIENT", "bob".to_owned()),
        ];
        let settings = settings.into_iter();
        settings
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    async fn setup(&self, arguments: &[&str]) -> Run {
        self.setup_with(&[], arguments).await
    }

    /// Runs it; an empty value removes a setting. No output may contain a secret.
    async fn setup_with(&self, overrides: &[(&str, &str)], arguments: &[&str]) -> Run {
        self.run(&self.file(), overrides, arguments).await
    }

    /// The same with another file in the folder.
    async fn run_in(&self, file: &str, arguments: &[&str]) -> Run {
        self.run(&self.folder.join(file), &[], arguments).await
    }

    async fn run(&self, file: &Path, overrides: &[(&str, &str)], arguments: &[&str]) -> Run {
        let mut settings = self.settings();
        for (name, value) in overrides {
            settings.insert((*name).to_owned(), (*value).to_owned());
        }
        settings.retain(|_, value| !value.is_empty());
        let mut command = program(&settings);
        command.arg("setup").args(["--project", PROJECT]);
        command.arg("--file").arg(file).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output().expect("runs"));
        let output = output.await.expect("does not panic");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("is text");
        let run = Run {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        };
        let is_manifest = arguments.contains(&"secret");
        let stdout = if is_manifest { "" } else { &run.out };
        self.assert_no_secret(&format!("{stdout}{}", run.err));
        run
    }

    fn assert_no_secret(&self, output: &str) {
        let stored = fs::read_to_string(self.file()).unwrap_or_default();
        let stored = stored.lines().filter_map(|line| line.split_once('='));
        let public = ["ROCKETCHAT_USER_ID", "#SETUP_WEBHOOK_SECRET"];
        let stored = stored.filter(|(name, _)| !public.contains(name));
        for (name, secret) in stored {
            assert!(!output.contains(secret), "{name} is printed: {output}");
        }
        for secret in ["canary", self.gitlab.admin_token(), "whsec_", "aZ7!"] {
            assert!(!output.contains(secret), "{secret} is printed: {output}");
        }
    }

    /// The calls that changed something since the last look, at both servers.
    fn changes(&self, before: usize) -> Vec<String> {
        let chat = self.chat.history();
        let chat = chat
            .iter()
            .skip(before)
            .filter(|route| route.method() != "GET");
        let chat = chat.map(|route| route.path().to_owned());
        let gitlab = self.gitlab.requests();
        let gitlab = gitlab.iter().filter(|request| request.method != "GET");
        let gitlab = gitlab.map(|request| format!("{} {}", request.method, request.path));
        chat.chain(gitlab).collect()
    }

    /// Reads the message that is there, of which there is exactly one.
    fn take_message(&self) {
        let message = self.chat.take_message();
        assert_eq!(
            (message.recipient.as_str(), message.sender.as_str()),
            (ADMIN, "gitlab")
        );
        assert!(message.text.contains(PROJECT), "{}", message.text);
        assert_eq!(self.chat.messages().len(), 1);
    }

    fn finish(self) {
        fs::remove_dir_all(&self.folder).expect("is removed");
        self.chat.finish();
    }
}

#[tokio::test]
async fn one_command_leads_from_nothing_to_a_message_and_the_next_run_only_reads() {
    let world = World::start().await;

    let first = world.setup(&[]).await;

    assert_eq!(first.code, Some(0), "{}{}", first.out, first.err);
    world.take_message();
    let bot = world.chat.roles_of("gitlab");
    assert_eq!(bot, Some(vec!["user".to_owned(), "bot".to_owned()]));
    // The session with the password has ended; the token stays.
    assert_eq!(
        world.chat.tokens_of("gitlab"),
        (vec!["webhook-app".to_owned()], 0)
    );
    let mode = fs::metadata(world.file())
        .expect("exists")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let stored = fs::read_to_string(world.file()).expect("is text");
    for name in [
        "GITLAB_SIGNING_KEYS=whsec_",
        "MESSAGE_ID_SECRET=",
        "ROCKETCHAT_USER_ID=",
        "ROCKETCHAT_AUTH_TOKEN=",
    ] {
        assert!(stored.contains(name), "{name}");
    }
    assert!(!stored.contains("PASSWORD"));

    let before = world.chat.history().len();
    world.gitlab.clear_requests();
    let second = world.setup(&[]).await;

    assert_eq!(second.code, Some(0), "{}{}", second.out, second.err);
    assert_eq!(world.changes(before), Vec::<String>::new());
    assert!(
        second.out.ends_with("\nThere is nothing to do.\n"),
        "{}",
        second.out
    );
    assert_eq!(fs::read_to_string(world.file()).expect("is text"), stored);
    world.finish();
}

#[tokio::test]
async fn the_output_has_one_line_per_step_and_the_next_command() {
    let world = World::start().await;

    let run = world.setup(&["--to", "alice"]).await;

    world.chat.take_message();
    let out = run.out.replace(&world.chat.url(), "CHAT");
    let out = out.replace(&world.gitlab.url(), "GITLAB");
    let out = out.replace(&world.file().display().to_string(), "secret.env");
    insta::assert_snapshot!(out, @"
    ok       Rocket.Chat 8.8 at CHAT
    ok       GitLab 19.3.0 at GITLAB, signed in as @root
    created  signing key, GITLAB_SIGNING_KEYS
    created  MESSAGE_ID_SECRET
    ok       signed in to Rocket.Chat as @root
    wrote    secret.env
    created  account @gitlab with the roles user and bot
    created  personal access token webhook-app of @gitlab
    created  webhook of acme/rocket: push, tag_push, merge_requests, issues and 12 more triggers
    sent     test message to @alice
    ok       read the test message back

    Revoke GITLAB_API_TOKEN and ROCKETCHAT_ADMIN_TOKEN now if they were made for this; webhook-app does not need them.

    Next, start webhook-app where GitLab reaches https://hooks.example.org/webhook:

      set -a; . secret.env; set +a
      ROCKETCHAT_URL=CHAT ROCKETCHAT_RECIPIENT=alice webhook-app
    ");
    world.finish();
}

#[tokio::test]
async fn a_dry_run_only_reads_and_says_what_it_would_do() {
    let world = World::start().await;

    let run = world.setup(&["--dry-run"]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert_eq!(world.changes(0), Vec::<String>::new());
    assert!(!world.file().exists());
    for expected in [
        "would create  account @gitlab with the roles user and bot",
        "would create  personal access token webhook-app of @gitlab",
        "would create  webhook of acme/rocket",
        "would send    test message to @root",
        "Nothing was changed",
    ] {
        assert!(run.out.contains(expected), "{expected}: {}", run.out);
    }
    world.finish();
}

#[tokio::test]
async fn a_dry_run_does_not_sign_in_with_a_password() {
    let world = World::start().await;
    let password = [
        ("ROCKETCHAT_ADMIN_USER_ID", ""),
        ("ROCKETCHAT_ADMIN_TOKEN", ""),
        ("ROCKETCHAT_ADMIN_USERNAME", ADMIN),
        ("ROCKETCHAT_ADMIN_PASSWORD", PASSWORD),
    ];

    let run = world.setup_with(&password, &["--dry-run"]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert_eq!(world.changes(0), Vec::<String>::new());
    assert!(
        run.out.contains("does not sign in with a password"),
        "{}",
        run.out
    );
    world.finish();
}

#[tokio::test]
async fn an_administrator_may_sign_in_with_a_password_and_a_code() {
    let world = World::start().await;
    world.chat.set_totp(ADMIN, "123456");
    let sign_in = |code| {
        [
            ("ROCKETCHAT_ADMIN_USER_ID", ""),
            ("ROCKETCHAT_ADMIN_TOKEN", ""),
            ("ROCKETCHAT_ADMIN_USERNAME", ADMIN),
            ("ROCKETCHAT_ADMIN_PASSWORD", PASSWORD),
            ("ROCKETCHAT_ADMIN_CODE", code),
        ]
    };

    let without = world.setup_with(&sign_in(""), &[]).await;
    let wrong = world.setup_with(&sign_in("654321"), &[]).await;
    let right = world.setup_with(&sign_in("123456"), &[]).await;

    for run in [without, wrong] {
        assert_eq!(run.code, Some(1));
        assert!(
            run.out
                .contains("set ROCKETCHAT_ADMIN_CODE to what the app"),
            "{}",
            run.out
        );
    }
    assert_eq!(right.code, Some(0), "{}{}", right.out, right.err);
    world.take_message();
    // The session of the administrator has ended, too.
    assert_eq!(world.chat.tokens_of(ADMIN).1, 0);
    let before = world.chat.history().len();
    world.gitlab.clear_requests();
    let again = world.setup_with(&sign_in(""), &[]).await;
    assert_eq!(
        (again.code, world.changes(before)),
        (Some(0), Vec::new()),
        "{}",
        again.out
    );
    world.finish();
}

/// What is wrong; the settings and the arguments that make it so; and the error.
type Refusal = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static str,
);

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    const GONE: &str = "http://127.0.0.1:9";
    let cases: [Refusal; 9] = [
        (
            "wrong token of the administrator",
            &[("ROCKETCHAT_ADMIN_TOKEN", "wrong")],
            &[],
            "failed to sign in to Rocket.Chat as the administrator: Rocket.Chat does not accept the administrator's",
        ),
        (
            "wrong token of GitLab",
            &[("GITLAB_API_TOKEN", "wrong")],
            &[],
            "failed to reach GitLab: GitLab does not accept GITLAB_API_TOKEN",
        ),
        (
            "no such recipient",
            &[],
            &["--to", "nobody"],
            "@nobody does not exist on Rocket.Chat; check --to",
        ),
        (
            "the bot as recipient",
            &[],
            &["--to", "gitlab"],
            "--to is the bot itself",
        ),
        (
            "the name of a person",
            &[],
            &["--bot", "alice"],
            "@alice exists and does not have the role bot",
        ),
        (
            "an existing bot without its token",
            &[],
            &["--bot", "gitlab-bot"],
            "run setup again with --renew-token",
        ),
        (
            "no Rocket.Chat",
            &[("ROCKETCHAT_URL", GONE)],
            &[],
            "failed to reach Rocket.Chat: ",
        ),
        (
            "no GitLab",
            &[("GITLAB_URL", GONE)],
            &[],
            "failed to reach GitLab: ",
        ),
        (
            "a name that the server does not allow",
            &[],
            &["--bot", "a+b"],
            "choose a name with --bot that this server allows",
        ),
    ];
    for (case, overrides, arguments, expected) in cases {
        let world = World::start().await;

        let run = world.setup_with(overrides, arguments).await;

        assert_eq!(run.code, Some(1), "{case}: {}{}", run.out, run.err);
        assert!(run.out.contains("FAIL     "), "{case}: {}", run.out);
        assert!(run.out.contains(expected), "{case}: {}", run.out);
        assert_eq!(world.chat.tokens_of(ADMIN).1, 0, "{case}");
        world.finish();
    }
}

#[tokio::test]
async fn an_account_without_the_role_admin_is_refused_before_anything_is_changed() {
    let world = World::start().await;
    world.chat.set_roles_of(ADMIN, &["user"]);

    let run = world.setup(&[]).await;

    assert_eq!(run.code, Some(1));
    assert!(
        run.out.contains("@root is no administrator of Rocket.Chat"),
        "{}",
        run.out
    );
    assert_eq!(world.changes(0), Vec::<String>::new());
    world.finish();
}

#[tokio::test]
async fn a_project_that_does_not_exist_is_named() {
    let world = World::start().await;

    let mut settings = world.settings();
    settings.insert("ROCKETCHAT_RECIPIENT".to_owned(), "bob".to_owned());
    let run = {
        let mut command = program(&settings);
        command
            .args(["setup", "--project", "acme/none", "--file"])
            .arg(world.file());
        let output = tokio::task::spawn_blocking(move || command.output().expect("runs"));
        output.await.expect("does not panic")
    };

    let out = String::from_utf8(run.stdout).expect("is text");
    assert_eq!(run.status.code(), Some(1));
    assert!(out.contains("GitLab knows no such project"), "{out}");
    assert!(out.contains("check --project"), "{out}");
    assert_eq!(world.changes(0), Vec::<String>::new());
    assert!(!world.file().exists());
    world.finish();
}

#[tokio::test]
async fn a_recipient_who_cannot_receive_messages_is_named_before_anything_is_changed() {
    let world = World::start().await;
    world.chat.deactivate_user("bob");

    let unknown = world.setup(&["--to", "nobody"]).await;
    let deactivated = world.setup(&["--to", "bob"]).await;

    for (run, expected) in [
        (unknown, "@nobody does not exist on Rocket.Chat"),
        (deactivated, "@bob is deactivated on Rocket.Chat"),
    ] {
        assert_eq!(run.code, Some(1));
        assert!(run.out.contains(expected), "{}", run.out);
    }
    assert_eq!(world.changes(0), Vec::<String>::new());
    assert!(!world.file().exists());
    world.finish();
}

#[tokio::test]
async fn a_local_address_is_allowed_only_if_that_is_asked_for() {
    let gitlab = FakeGitLab::builder().local_requests_forbidden();
    let world = World::with(gitlab).await;
    let local = [("WEBHOOK_URL", "http://127.0.0.1:8080/webhook")];

    let refused = world.setup_with(&local, &[]).await;
    let allowed = world.setup_with(&local, &["--allow-list"]).await;

    assert_eq!(refused.code, Some(1));
    let expected = "allow it in GitLab under Admin, Settings, Network, Outbound requests";
    assert!(refused.out.contains(expected), "{}", refused.out);
    assert_eq!(allowed.code, Some(0), "{}{}", allowed.out, allowed.err);
    let expected = "changed  settings of GitLab: it may send to 127.0.0.1";
    assert!(allowed.out.contains(expected), "{}", allowed.out);
    world.take_message();
    let before = world.chat.history().len();
    world.gitlab.clear_requests();
    let again = world.setup_with(&local, &[]).await;
    assert_eq!(
        (again.code, world.changes(before)),
        (Some(0), Vec::new()),
        "{}",
        again.out
    );
    world.finish();
}

#[tokio::test]
async fn a_gitlab_before_19_gets_a_secret_token() {
    let world = World::with(FakeGitLab::builder().version("18.11.0")).await;

    let run = world.setup(&[]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    world.take_message();
    let stored = fs::read_to_string(world.file()).expect("is text");
    assert!(stored.contains("GITLAB_WEBHOOK_TOKENS="));
    assert!(!stored.contains("GITLAB_SIGNING_KEYS="));
    world.finish();
}

#[tokio::test]
async fn a_file_that_setup_did_not_write_is_not_replaced() {
    let world = World::start().await;
    fs::write(world.file(), "MINE=elephant\n").expect("is written");

    let run = world.setup(&[]).await;

    assert_eq!(run.code, Some(1));
    assert!(
        run.err.contains("was not written by webhook-app setup"),
        "{}",
        run.err
    );
    assert_eq!(
        fs::read_to_string(world.file()).expect("is text"),
        "MINE=elephant\n"
    );
    assert_eq!(world.changes(0), Vec::<String>::new());
    world.finish();
}

#[tokio::test]
async fn a_lost_token_is_renewed_only_if_that_is_asked_for() {
    let world = World::start().await;
    let bot = ["--bot", "gitlab-bot", "--to", "alice"];
    let renewing = ["--bot", "gitlab-bot", "--to", "alice", "--renew-token"];

    let refused = world.setup(&bot).await;
    let renewed = world.setup(&renewing).await;
    world.chat.take_message();
    let kept = world.setup(&bot).await;

    assert_eq!(
        (refused.code, kept.code),
        (Some(1), Some(0)),
        "{}",
        kept.out
    );
    assert_eq!(renewed.code, Some(0), "{}{}", renewed.out, renewed.err);
    assert!(
        renewed.out.contains("changed  password of @gitlab-bot"),
        "{}",
        renewed.out
    );
    assert!(
        kept.out
            .contains("kept     account @gitlab-bot and its token"),
        "{}",
        kept.out
    );
    world.finish();
}

#[tokio::test]
async fn a_webhook_with_another_secret_gets_that_of_the_file_only_if_that_is_asked_for() {
    let world = World::start().await;
    let hook = json!({ "url": "https://hooks.example.org/webhook", "signing_token": SAMPLE_KEY });
    let hook = world.gitlab.add_hook(PROJECT, &hook);
    let key_of_webhook = || world.gitlab.secrets(hook).1;

    let refused = world.setup(&["--to", "alice"]).await;

    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(
        refused
            .out
            .contains("the webhook of acme/rocket has a secret already"),
        "{}",
        refused.out
    );
    assert_eq!(key_of_webhook().as_deref(), Some(SAMPLE_KEY));

    let renewed = world.setup(&["--to", "alice", "--renew-token"]).await;

    assert_eq!(renewed.code, Some(0), "{}{}", renewed.out, renewed.err);
    world.chat.take_message();
    let file = fs::read_to_string(world.file()).expect("is text");
    let mut lines = file.lines();
    let key = lines.find_map(|line| line.strip_prefix("GITLAB_SIGNING_KEYS="));
    assert_eq!(key_of_webhook().as_deref(), key);
    assert!(!file.contains("#SETUP"), "{file}");

    let kept = world.setup(&["--to", "alice"]).await;
    assert!(
        kept.out.ends_with("\nThere is nothing to do.\n"),
        "{}",
        kept.out
    );
    world.finish();
}

#[tokio::test]
async fn a_token_that_rocket_chat_no_longer_accepts_is_reported() {
    let world = World::start().await;
    assert_eq!(world.setup(&[]).await.code, Some(0));
    world.take_message();
    let stored = fs::read_to_string(world.file()).expect("is text");
    let broken = stored.replace("ROCKETCHAT_AUTH_TOKEN=", "ROCKETCHAT_AUTH_TOKEN=x");
    fs::write(world.file(), broken).expect("is written");

    let refused = world.setup(&[]).await;
    let renewed = world.setup(&["--renew-token"]).await;

    assert_eq!(refused.code, Some(1));
    let expected = "Rocket.Chat does not accept the stored token of the bot";
    assert!(refused.out.contains(expected), "{}", refused.out);
    assert_eq!(renewed.code, Some(0), "{}{}", renewed.out, renewed.err);
    world.finish();
}

#[tokio::test]
async fn missing_roles_are_added_to_those_that_the_bot_has() {
    let world = World::start().await;
    assert_eq!(world.setup(&[]).await.code, Some(0));
    world.take_message();
    world.chat.set_roles_of("gitlab", &["user", "moderator"]);

    let run = world.setup(&[]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    let roles = world.chat.roles_of("gitlab").expect("exists");
    assert_eq!(roles, ["user", "moderator", "bot"]);
    world.finish();
}

/// Each call to Rocket.Chat that changes something is answered once with a 500, before or after it has
/// its effect; the next run finishes what the first began.
#[tokio::test]
async fn a_run_that_was_interrupted_is_continued() {
    let routes = [
        Route::Info,
        Route::CreateUser,
        Route::LogIn,
        Route::ListAccessTokens,
        Route::GenerateAccessToken,
        Route::LogOut,
        Route::CreateDirectMessage,
        Route::SendMessage,
        Route::GetMessage,
    ];
    for route in routes {
        for is_executed in [false, true] {
            let world = World::start().await;
            let fault = if is_executed {
                Fault::InsertThenStatus(500)
            } else {
                Fault::Status(500)
            };
            world.chat.inject_fault(route, fault);

            let first = world.setup(&[]).await;
            world.chat.clear_faults();
            let second = world.setup(&[]).await;

            let case = format!("{route:?} {is_executed}: {}{}", first.out, second.out);
            assert_eq!((first.code, second.code), (Some(1), Some(0)), "{case}");
            world.take_message();
            let (tokens, _) = world.chat.tokens_of("gitlab");
            assert_eq!(tokens, ["webhook-app"], "{case}");
            world.finish();
        }
    }
}

#[tokio::test]
async fn a_run_without_gitlab_or_the_role_in_it_is_continued() {
    let world = World::start().await;
    world.gitlab.add_user("robin");
    let token = world.gitlab.add_token("robin", Scope::Api);
    world
        .gitlab
        .set_access("robin", PROJECT, Some(Access::Developer));
    let robin = [("GITLAB_API_TOKEN", token.as_str())];

    world.gitlab.answer_always(503, &[], "<html>");
    let away = world.setup(&[]).await;
    world.gitlab.answer_normally();
    let developer = world.setup_with(&robin, &[]).await;
    assert_eq!(world.changes(0), Vec::<String>::new());
    world
        .gitlab
        .set_access("robin", PROJECT, Some(Access::Maintainer));
    let maintainer = world.setup_with(&robin, &[]).await;

    assert_eq!(away.code, Some(1));
    assert!(
        away.out.contains("failed to reach GitLab: "),
        "{}",
        away.out
    );
    assert_eq!(developer.code, Some(1));
    assert!(
        developer.out.contains("role Maintainer"),
        "{}",
        developer.out
    );
    assert_eq!(maintainer.code, Some(0), "{}", maintainer.out);
    world.take_message();
    world.finish();
}

#[tokio::test]
async fn a_secret_for_kubernetes_is_all_of_standard_output() {
    let world = World::start().await;

    let run = world.setup(&["--output", "secret"]).await;

    assert_eq!(run.code, Some(0), "{}", run.err);
    world.take_message();
    let manifest: serde_json::Value = serde_saphyr::from_str(&run.out).expect("is YAML");
    assert_eq!(manifest["kind"], "Secret");
    assert_eq!(manifest["metadata"]["name"], "webhook-app");
    let values = manifest["stringData"].as_object().expect("is a map");
    let names: Vec<_> = values.keys().map(String::as_str).collect();
    let expected = [
        "GITLAB_SIGNING_KEYS",
        "MESSAGE_ID_SECRET",
        "ROCKETCHAT_AUTH_TOKEN",
        "ROCKETCHAT_USER_ID",
    ];
    assert_eq!(names, expected);
    world.finish();
}

#[tokio::test]
async fn an_overlay_is_written_beside_the_file_and_kept() {
    let world = World::start().await;
    let overlay = world.folder.join("kustomization.yaml");

    let first = world.setup(&["--output", "overlay"]).await;
    let text = fs::read_to_string(&overlay).expect("is written");
    fs::write(&overlay, "# mine\n").expect("is written");
    let second = world.setup(&["--output", "overlay"]).await;

    assert_eq!(
        (first.code, second.code),
        (Some(0), Some(0)),
        "{}",
        second.err
    );
    world.take_message();
    assert!(text.contains("envs: [\"secret.env\"]"), "{text}");
    assert!(text.contains(&world.chat.url()), "{text}");
    assert_eq!(fs::read_to_string(&overlay).expect("is text"), "# mine\n");
    world.finish();
}

#[tokio::test]
async fn wrong_arguments_are_usage_errors() {
    let world = World::start().await;
    for (arguments, expected) in [
        (&["--projct", "x"][..], "did you mean --project?"),
        (&["--to"], "expected a value after --to"),
        (&["--dry-run=yes"], "expected no value after --dry-run"),
        (&["--output", "yaml"], "expected env, secret or overlay"),
        (&["--bot", "a", "--bot", "b"], "expected --bot once"),
        (&["--to", "a,b"], "--to: expected one user name"),
    ] {
        let run = world.setup(arguments).await;

        assert_eq!(run.code, Some(64), "{arguments:?}: {}", run.err);
        assert!(run.err.contains(expected), "{arguments:?}: {}", run.err);
    }
    let half = [("ROCKETCHAT_ADMIN_USER_ID", ""), ("WEBHOOK_URL", "")];
    let run = world.setup_with(&half, &[]).await;
    assert_eq!(run.code, Some(64));
    for expected in ["2 errors", "found a half of it", "WEBHOOK_URL: is not set"] {
        assert!(run.err.contains(expected), "{expected}: {}", run.err);
    }
    world.finish();
}
