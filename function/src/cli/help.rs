//! The help texts, which fit a terminal of 80 columns. Owns their layout and wording. The settings are
//! listed in [`catalogue`](crate::config::catalogue).

use std::fmt::Write as _;

use crate::config::catalogue::{
    GITLAB_API_SETTINGS, MAIN_SETTINGS, SETTINGS, SETUP_SETTINGS, Setting,
};

/// What the help is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Topic {
    /// The program.
    Program,
    Serve,
    Check,
    Render,
    DeadLetters,
    Hooks,
    Reconcile,
    Setup,
}

/// Columns of a line.
const WIDTH: usize = 80;

const COMMANDS: &str = "\
Receives GitLab webhooks and sends messages to Rocket.Chat, to users directly or
to rooms.

Usage: webhook-app [COMMAND]

Commands:
  serve         Receive webhooks until SIGTERM (default)
  check         Check the settings: sign in to Rocket.Chat, look up recipients
  render        Print the message for a webhook without sending it
  dead-letters  List messages that the broker gave up, or send them again
  hooks         Compare the webhooks in GitLab with HOOKS, or create them
  reconcile     Have GitLab send again what failed, and replace what it dropped
  setup         Create the bot and the webhook, and send a test message
  help          Print this help, or that of a command: webhook-app help check
  version       Print the version
";

const SERVE: &str = "\
Receives webhooks at POST /webhook until SIGTERM, and sends their messages.

Usage: webhook-app [serve]

After SIGTERM it fails its readiness check, serves for LAME_DUCK_SECONDS, and
ends when all requests have finished. Ctrl-C skips the waiting time.
";

const CHECK: &str = "\
Checks the settings: signs in to Rocket.Chat, and looks up the roles of the
account and the recipients.

Usage: webhook-app check [--send]

  --send  Also send one message to each recipient of the settings and read it
          back

With GITLAB_URL, GITLAB_API_TOKEN and HOOKS, it also compares the webhooks in
GitLab with those that HOOKS declares.

Each line begins with ok, note or FAIL.
";

const RENDER: &str = "\
Prints the message for the body of a webhook without sending it. Needs no
settings; uses ROUTES, MESSAGES and MESSAGE_STYLE if they are set.

Usage: webhook-app render [FILE | --kind KIND] [--explain]

  FILE         Read the body from a file instead of standard input
  --kind KIND  Use an example of a kind of event, such as push or pipeline
  --explain    Also print the evaluated routing rules and the recipients
";

const DEAD_LETTERS: &str = "\
Lists the messages that the broker gave up, or sends them to the broker again.
Run it in the pod that stores them, which has DEAD_LETTERS_FOLDER.

Usage: webhook-app dead-letters [list | resend ID… | resend --all]

  ID     The first 8 or more digits of an ID in the list
  --all  All of them

A message that the broker has stored again is removed from the list.
";

const HOOKS: &str = "\
Compares the webhooks in GitLab with those that HOOKS declares, and creates or
changes them. Removes none, and switches no trigger off.

Usage: webhook-app hooks plan [--renew-secrets]
       webhook-app hooks apply [--renew-secrets]
       webhook-app hooks status

  plan             Print what is to create or to change
  apply            Create and change it
  status           Print the webhooks, and when they last succeeded and failed
  --renew-secrets  Also write the secrets of webhooks that have one

Needs GITLAB_URL, GITLAB_API_TOKEN, HOOKS and GITLAB_SIGNING_KEYS or
GITLAB_WEBHOOK_TOKENS; for entries of HOOKS without url, WEBHOOK_URL; and for
those without triggers, ROUTES or ROCKETCHAT_RECIPIENT. It does not sign in to
Rocket.Chat.
";

const RECONCILE: &str = "\
Finds the webhooks that failed in GitLab's event log, and has GitLab send them
again, oldest first, at most five a minute for each project.

Usage: webhook-app reconcile [--once] [--direct] [--backfill --since DURATION]

  --once            Do it once, print what waits and what is lost, and end;
                    without it, again every RECONCILE_INTERVAL_SECONDS until
                    SIGTERM, with /metrics on METRICS_PORT
  --direct          Post the records to the webhook's URL without GitLab, and
                    remember them in RECONCILE_CURSOR_FILE
  --backfill        With --once: also send the pushes, pipelines and merge
                    requests that GitLab dropped while a webhook was disabled
  --since DURATION  How long ago the first of them was, such as 2h

Needs GITLAB_URL, GITLAB_API_TOKEN and HOOKS; for entries of HOOKS without url,
WEBHOOK_URL; and for those without triggers, ROUTES or ROCKETCHAT_RECIPIENT.
Needs neither MESSAGES nor an account of Rocket.Chat.
";

const SETUP: &str = "\
Creates the bot in Rocket.Chat and the webhook in GitLab, writes the secrets of
both to a file, and sends a test message. Another run changes nothing.

Usage: webhook-app setup --project PROJECT [OPTIONS]

  --project PROJECT  Path or ID of the project that gets the webhook
  --to NAME          Who gets the test message [the administrator]
  --bot NAME         Username of the bot [gitlab]
  --email ADDRESS    E-mail address of a new bot [NAME@webhook-app.invalid]
  --file FILE        File of secrets [secret.env]
  --output FORMAT    env: only that file (default); secret: also print a Secret
                     for Kubernetes; overlay: also write kustomization.yaml
                     beside the file
  --allow-list       Let GitLab send to the webhook's address in its own network
  --renew-token      Give an existing bot a new password and a new token, and an
                     existing webhook a new secret, if the file lacks them
  --dry-run          Print the steps, and change nothing
  --gitlab-url, --rocketchat-url, --webhook-url
                     The same as the settings GITLAB_URL, ROCKETCHAT_URL and
                     WEBHOOK_URL

Needs also GITLAB_API_TOKEN and an administrator of Rocket.Chat, with
ROCKETCHAT_ADMIN_USER_ID and ROCKETCHAT_ADMIN_TOKEN, or
ROCKETCHAT_ADMIN_USERNAME, ROCKETCHAT_ADMIN_PASSWORD and, with a second factor,
ROCKETCHAT_ADMIN_CODE. What is missing is asked for on a terminal. Keys in
GITLAB_SIGNING_KEYS are used for the webhook in place of a new one.
";

const EXIT_CODES: &str = "\
Exit codes:
  0   success
  1   serve failed to start, check found a failure, render read no webhook,
      dead-letters could not read or send all, hooks could not read or write
      all, reconcile --once left something that waits or is lost, or setup
      could not finish
  2   hooks plan: something is to do
  64  an argument or a setting is invalid
";

/// The help about a topic.
pub(super) fn text(topic: Topic) -> String {
    let text = match topic {
        Topic::Program => return program(),
        Topic::Serve => SERVE,
        Topic::Check => CHECK,
        Topic::Render => RENDER,
        Topic::DeadLetters => DEAD_LETTERS,
        Topic::Hooks => HOOKS,
        Topic::Reconcile => RECONCILE,
        Topic::Setup => SETUP,
    };
    format!("{text}\n{EXIT_CODES}\nwebhook-app --help lists the settings.\n")
}

fn program() -> String {
    let mut text = format!(
        "{COMMANDS}\n{EXIT_CODES}
Settings are environment variables; NAME_FILE is the path of a file with the
value. These matter most; the default is in brackets:
"
    );
    for name in MAIN_SETTINGS {
        let found = SETTINGS.iter().filter(|setting| setting.name == name);
        found.for_each(|setting| describe(setting, &mut text));
    }
    text.push_str("\nAll other settings are optional:\n");
    let is_of = |settings: &[Setting], name| settings.iter().any(|it| it.name == name);
    let others = SETTINGS.iter().filter(|setting| {
        !MAIN_SETTINGS.contains(&setting.name)
            && !is_of(GITLAB_API_SETTINGS, setting.name)
            && !is_of(SETUP_SETTINGS, setting.name)
    });
    for setting in others {
        describe(setting, &mut text);
    }
    text.push_str("\nThe command hooks, and check if a token of GitLab is set, also read:\n");
    for setting in GITLAB_API_SETTINGS {
        describe(setting, &mut text);
    }
    text.push_str("\nThe command setup also reads, for one run:\n");
    for setting in SETUP_SETTINGS {
        describe(setting, &mut text);
    }
    text
}

fn describe(setting: &Setting, text: &mut String) {
    let default = match setting.default {
        "–" => "not set".to_owned(),
        default => default.replace('`', ""),
    };
    let _ = writeln!(text, "  {} [{default}]", setting.name);
    wrap(&setting.meaning.replace('`', ""), text);
}

/// Writes a text in lines with an indent.
fn wrap(words: &str, text: &mut String) {
    const INDENT: &str = "     ";
    let mut column = 0;
    for word in words.split(' ') {
        let length = word.chars().count() + 1;
        if column + length > WIDTH || column == 0 {
            text.push_str(if column == 0 { "" } else { "\n" });
            text.push_str(INDENT);
            column = INDENT.len();
        }
        let _ = write!(text, " {word}");
        column += length;
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_for_gitlab_name_the_settings_that_they_need() {
        for topic in [Topic::Hooks, Topic::Reconcile] {
            let text = text(topic);
            let names = [
                "GITLAB_URL",
                "GITLAB_API_TOKEN",
                "HOOKS",
                "WEBHOOK_URL",
                "ROUTES",
            ];
            assert!(names.iter().all(|name| text.contains(name)), "{text}");
        }
    }

    #[test]
    fn every_help_text_fits_80_columns() {
        for topic in [
            Topic::Program,
            Topic::Serve,
            Topic::Check,
            Topic::Render,
            Topic::DeadLetters,
            Topic::Hooks,
            Topic::Reconcile,
            Topic::Setup,
        ] {
            for line in text(topic).lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }
}
