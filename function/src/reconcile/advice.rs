//! Why a run of `reconcile` ended early or a delivery waits, and what to do about it. Owns these words; the lines around them are in
//! [`words`](super::words).

use std::time::SystemTime;

use super::log::Answer;
use super::plan::{Ending, Testing, Waits};

/// Why a run ended before everything was done; `None` if it did not.
pub(super) fn after(ending: Ending) -> Option<String> {
    Some(match ending {
        Ending::Complete | Ending::Paced => return None,
        Ending::Untested(Testing::OtherUser) => "GitLab has disabled the hook, and it was not tested, because GITLAB_RECONCILE_USER is not the user of GITLAB_API_TOKEN: the test push would send a message".to_owned(),
        Ending::Untested(_) => "GitLab has disabled the hook, and it was not tested, because the test push would send a message; set GITLAB_RECONCILE_USER here and in the function to the user of GITLAB_API_TOKEN".to_owned(),
        Ending::TestFailed(_) => "GitLab has disabled the hook, and its test failed; see what webhook-app answers in GitLab under Settings, Webhooks, Edit, Recent events".to_owned(),
        Ending::DisabledAgain => "GitLab has disabled the hook again; run the command later".to_owned(),
        Ending::StillFailing(answer) => format!("stopped, because webhook-app still fails ({}): GitLab pauses a hook after four failures in a row; {}", answer.words(), cause(answer)),
        Ending::RateLimited => "stopped, because others use the resends up that GitLab allows this user; run the command later".to_owned(),
    })
}

/// What to look at after a failed resend.
fn cause(answer: Answer) -> &'static str {
    match answer {
        Answer::NoResponse => {
            "GitLab got no response from the hook's URL; check that webhook-app runs and can be reached"
        }
        Answer::Status(401) => {
            "the hook has another secret than webhook-app; run webhook-app hooks apply --renew-secrets"
        }
        Answer::Status(_) | Answer::Failure => {
            "see the log of webhook-app, and run the command again when Rocket.Chat responds"
        }
    }
}

/// What follows the name of a delivery that waits.
pub(super) fn while_waiting(waits: Waits, now: SystemTime) -> String {
    match waits {
        Waits::Turn => String::new(),
        Waits::Until(time) => {
            let minutes = time
                .duration_since(now)
                .unwrap_or_default()
                .as_secs()
                .div_ceil(60);
            format!(
                ", has failed more than once; the next attempt is in {minutes} min at the earliest"
            )
        }
        Waits::Failed(answer) => format!(", failed again: {}", answer.words()),
        Waits::Refused => ", GitLab does not resend it".to_owned(),
    }
}
