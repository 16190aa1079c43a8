//! The file of secrets: its mode, secrets that are given in the settings, and two runs at once.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use fakes::gitlab::{FakeGitLab, SAMPLE_KEY};

use super::{PROJECT, World};

const FORMER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const HEADER: &str =
    "# Written by webhook-app setup, which reads it again. Keep it secret, and out of Git.\n";

impl World {
    fn stored(&self) -> String {
        fs::read_to_string(self.file()).expect("is text")
    }

    fn mode(&self) -> u32 {
        let metadata = fs::metadata(self.file()).expect("exists");
        metadata.permissions().mode() & 0o777
    }

    /// The secret token and the signing token of the only webhook.
    fn secrets_of_webhook(&self) -> (Option<String>, Option<String>) {
        let hooks = self.gitlab.hooks_of(PROJECT);
        assert_eq!(hooks.len(), 1);
        self.gitlab.secrets(hooks[0])
    }
}

#[tokio::test]
async fn a_file_that_others_can_read_gets_another_mode() {
    let world = World::start().await;
    assert_eq!(world.setup(&[]).await.code, Some(0));
    world.take_message();
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(world.file(), open).expect("is changed");
    let said = |verb: &str| {
        let file = world.file();
        format!(
            "{verb} mode of {}: 644 → 600, because others could read it",
            file.display()
        )
    };

    let dry = world.setup(&["--dry-run"]).await;
    assert_eq!((dry.code, world.mode()), (Some(0), 0o644), "{}", dry.out);
    assert!(dry.out.contains(&said("would change ")), "{}", dry.out);
    let run = world.setup(&[]).await;
    assert_eq!((run.code, world.mode()), (Some(0), 0o600), "{}", run.out);
    assert!(run.out.contains(&said("changed ")), "{}", run.out);
    let again = world.setup(&[]).await;
    assert!(!again.out.contains("mode of"), "{}", again.out);
    world.finish();
}

#[tokio::test]
async fn signing_keys_of_the_settings_are_used() {
    let world = World::start().await;
    let list = format!("{SAMPLE_KEY},{FORMER}");
    let keys = [("GITLAB_SIGNING_KEYS", list.as_str())];

    let run = world.setup_with(&keys, &[]).await;

    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    world.take_message();
    let expected = "ok       signing key from GITLAB_SIGNING_KEYS";
    assert!(run.out.contains(expected), "{}", run.out);
    let stored = format!("GITLAB_SIGNING_KEYS={list}\n");
    assert!(world.stored().contains(&stored));
    assert_eq!(
        world.secrets_of_webhook(),
        (None, Some(SAMPLE_KEY.to_owned()))
    );

    // Afterwards the file counts.
    let same = world.setup_with(&keys, &[]).await;
    assert!(!same.out.contains("is not used"), "{}", same.out);
    let other = [(
        "GITLAB_SIGNING_KEYS",
        "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    )];
    let other = world.setup_with(&other, &[]).await;
    let expected = "note     GITLAB_SIGNING_KEYS of the environment is not used, because the file has other values";
    assert!(other.out.contains(expected), "{}", other.out);
    assert!(world.stored().contains(&stored));
    world.finish();
}

#[tokio::test]
async fn before_19_the_secret_tokens_of_the_settings_are_used_if_the_file_can_hold_them() {
    let world = World::with(FakeGitLab::builder().version("18.11.0")).await;
    let unusable = [("GITLAB_WEBHOOK_TOKENS", "canary-$(id)-0123456789")];
    let tokens = [(
        "GITLAB_WEBHOOK_TOKENS",
        "canary-token-0123456789,canary-former-0123456789",
    )];

    let refused = world.setup_with(&unusable, &[]).await;
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    let expected = "expected letters, digits, - and _ in GITLAB_WEBHOOK_TOKENS";
    assert!(refused.out.contains(expected), "{}", refused.out);
    assert_eq!(world.changes(0), Vec::<String>::new());

    let run = world.setup_with(&tokens, &[]).await;
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    world.take_message();
    assert!(
        world
            .stored()
            .contains("GITLAB_WEBHOOK_TOKENS=canary-token-0123456789,canary-former")
    );
    let first = Some("canary-token-0123456789".to_owned());
    assert_eq!(world.secrets_of_webhook(), (first, None));
    world.finish();
}

#[tokio::test]
async fn the_first_secret_of_a_list_in_the_file_is_written_into_the_webhook() {
    for (version, name, list, expected) in [
        (
            "19.3.0",
            "GITLAB_SIGNING_KEYS",
            format!("{SAMPLE_KEY},{FORMER}"),
            (None, Some(SAMPLE_KEY.to_owned())),
        ),
        (
            "18.11.0",
            "GITLAB_WEBHOOK_TOKENS",
            "canary-token-0123456789,canary-former-0123456789".to_owned(),
            (Some("canary-token-0123456789".to_owned()), None),
        ),
    ] {
        let world = World::with(FakeGitLab::builder().version(version)).await;
        fs::write(world.file(), format!("{HEADER}{name}={list}\n")).expect("is written");

        let run = world.setup(&[]).await;

        assert_eq!(run.code, Some(0), "{version}: {}{}", run.out, run.err);
        world.take_message();
        assert_eq!(world.secrets_of_webhook(), expected, "{version}");
        assert!(
            world.stored().contains(&format!("{name}={list}\n")),
            "{version}"
        );
        world.finish();
    }
}

/// Both have found no webhook, and each has its own file and key.
#[tokio::test]
async fn of_two_runs_at_once_the_later_one_says_whose_secret_the_webhook_has() {
    let world = World::start().await;
    for bot in ["first", "second"] {
        let prepared = world.run_in(bot, &["--bot", bot, "--to", "alice"]).await;
        assert_eq!(prepared.code, Some(0), "{}", prepared.out);
        world.chat.take_message();
        let [hook] = world.gitlab.hooks_of(PROJECT)[..] else {
            panic!("expected one webhook: {}", prepared.out);
        };
        world.gitlab.delete_hook(hook);
        let file = world.folder.join(bot);
        let text = fs::read_to_string(&file).expect("is text");
        fs::write(file, format!("{text}#SETUP_WEBHOOK_SECRET=new\n")).expect("is written");
    }
    // Each lists the webhooks twice before it creates one.
    world.gitlab.hold_lists_of_hooks(2, 2);

    let (first, second) = tokio::join!(
        world.run_in("first", &["--bot", "first", "--to", "alice"]),
        world.run_in("second", &["--bot", "second", "--to", "alice"])
    );

    let mut runs = [("first", first), ("second", second)];
    runs.sort_by_key(|(_, run)| run.code);
    let [(winner, won), (loser, lost)] = runs;
    assert_eq!(
        (won.code, lost.code),
        (Some(0), Some(1)),
        "{}{}",
        won.out,
        lost.out
    );
    let expected =
        "failed to write the webhook: another run created it at the same time, with its own secret";
    assert!(lost.out.contains(expected), "{}", lost.out);
    let text = |file: &str| fs::read_to_string(world.folder.join(file)).expect("is text");
    let key = world.secrets_of_webhook().1.expect("has one");
    assert!(text(winner).contains(&key) && !text(winner).contains("#SETUP"));
    assert!(
        text(loser).contains("#SETUP_WEBHOOK_SECRET=new"),
        "{}",
        text(loser)
    );
    let again = world
        .run_in(loser, &["--bot", loser, "--to", "alice"])
        .await;
    let expected = "the webhook of acme/rocket has a secret already";
    assert!(again.out.contains(expected), "{}", again.out);
    world.finish();
}
