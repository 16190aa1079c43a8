//! The event log of a hook: what it says about each delivery. Owns how attempts with the same idempotency key become
//! one [`Delivery`], and what each of them needs. What is done about them, and when, is decided in
//! [`plan`](super::plan).
//!
//! A failed attempt stays failed in GitLab's log: each resend is a separate entry with the same key. A delivery is
//! therefore finished when any of its attempts succeeded, and nothing else has to be remembered.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::backfill::Object;

/// How the hook's URL responded to an attempt, as GitLab records it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// A status.
    Status(u16),
    /// `internal error`: a timeout, a refused connection, or another error before a response.
    NoResponse,
    /// A failure of which GitLab does not say more, such as that of a test.
    Failure,
}

impl Answer {
    /// Parses the field `response_status`.
    pub(crate) fn parse(text: &str) -> Self {
        let is_status = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let status = text.parse().ok().filter(|_| is_status);
        status.map_or(Self::NoResponse, Self::Status)
    }

    /// GitLab counts redirects as successes.
    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::Status(200..400))
    }

    /// Whether the same request gets the same response again.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Status(400 | 413 | 415 | 422))
    }

    /// For output and logs.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::NoResponse => "no response".to_owned(),
            Self::Failure => "a failure".to_owned(),
        }
    }
}

/// What the log records of one attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Attempt {
    /// Its ID; later attempts have higher ones.
    pub(crate) id: u64,
    /// The idempotency key; `None` if there is none, as before GitLab 17.4.
    pub(crate) key: Option<String>,
    /// The name of the trigger, such as `push_hooks`.
    pub(crate) trigger: String,
    /// The response.
    pub(crate) answer: Answer,
    /// When it was made, if the log says so.
    pub(crate) at: Option<SystemTime>,
    /// What it is about.
    pub(crate) content: Content,
    /// Whether the response says that a recipient could not be found because an address is redacted.
    pub(crate) redacted: bool,
}

/// The recorded body of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Content {
    /// A body that can be sent again, and the object that it is about if backfill knows its kind.
    Recorded(Option<Object>),
    /// It was too large for the log.
    Oversize,
    /// A test of the hook, by a person or by this program.
    Test,
    /// It was sent to another URL, and GitLab refuses to resend it.
    OtherUrl,
}

/// What a delivery needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Need {
    /// Nothing: an attempt succeeded.
    Nothing,
    /// Nothing helps: it was resent, and recipients depend on addresses that GitLab redacts.
    Recipients,
    /// A resend of its newest attempt.
    Resend,
    /// Nothing helps: its body was too large for the log.
    Oversize,
}

/// All attempts with one idempotency key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Delivery {
    /// The idempotency key.
    pub(crate) key: String,
    /// The name of its trigger.
    pub(crate) trigger: String,
    /// ID of the first attempt: the order of deliveries.
    pub(crate) oldest: u64,
    /// ID of the last attempt, which is resent.
    pub(crate) newest: u64,
    /// How many there are.
    pub(crate) attempts: u32,
    /// When the first one was made, if the log says so.
    pub(crate) began: Option<SystemTime>,
    /// When the last one was made, if the log says so.
    pub(crate) last: Option<SystemTime>,
    /// The response to the last one.
    pub(crate) answer: Answer,
    /// What it needs.
    pub(crate) need: Need,
}

/// Attempts that are left alone, by their times.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Left {
    /// Failed attempts without an idempotency key.
    pub(crate) no_key: Vec<Option<SystemTime>>,
    /// Deliveries to another URL without a success.
    pub(crate) other_url: Vec<Option<SystemTime>>,
}

/// Records that cannot be read, because each is larger than a response may be. They may be successes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable {
    /// How many there are between these two.
    pub(crate) count: u32,
    /// ID of the record before them, 0 if there is none.
    pub(crate) after: u64,
    /// ID of the record after them, if there is one.
    pub(crate) before: Option<u64>,
    /// The time of one of the two, if the log says so.
    pub(crate) at: Option<SystemTime>,
}

/// What the log of one hook says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Log {
    /// The deliveries, oldest first.
    pub(crate) deliveries: Vec<Delivery>,
    /// What is left alone.
    pub(crate) left: Left,
    /// What cannot be read.
    pub(crate) unreadable: Vec<Unreadable>,
    /// How many of the newest attempts failed, without a success between them.
    pub(crate) failures_in_row: u32,
    /// The most failures in a row: after the fourth, GitLab pauses a hook and drops events.
    pub(crate) longest_failure: u32,
    /// When an attempt last succeeded.
    pub(crate) last_success: Option<SystemTime>,
    /// When an attempt last failed.
    pub(crate) last_failure: Option<SystemTime>,
    /// Attempts that succeeded and whose bodies the log does not have: their triggers and times.
    pub(crate) delivered_oversize: Vec<(String, Option<SystemTime>)>,
    /// Objects that the log has a record of: they were delivered, or can be resent. One for each delivery.
    pub(crate) objects: Vec<Object>,
}

impl Log {
    /// Reads attempts in any order; one that is listed twice, because pages moved meanwhile, counts once.
    pub(crate) fn read(attempts: impl IntoIterator<Item = Attempt>) -> Self {
        let attempts: BTreeMap<u64, Attempt> = attempts
            .into_iter()
            .map(|attempt| (attempt.id, attempt))
            .collect();
        let mut log = Self::default();
        let newest_first = attempts.values().rev();
        let failures = newest_first
            .take_while(|attempt| !attempt.answer.is_success())
            .count();
        log.failures_in_row = u32::try_from(failures).unwrap_or(u32::MAX);
        let mut deliveries: BTreeMap<String, Delivery> = BTreeMap::new();
        let mut other_url: BTreeMap<String, Option<SystemTime>> = BTreeMap::new();
        let mut in_row = 0_u32;
        for attempt in attempts.into_values() {
            in_row = if attempt.answer.is_success() {
                0
            } else {
                in_row.saturating_add(1)
            };
            log.longest_failure = log.longest_failure.max(in_row);
            log.add_times(&attempt);
            let is_first = !attempt
                .key
                .as_ref()
                .is_some_and(|key| deliveries.contains_key(key));
            match &attempt.content {
                // A later attempt is about the same object, and its time is not that of the object.
                Content::Recorded(Some(object)) if is_first => log.objects.push(object.clone()),
                Content::Oversize if attempt.answer.is_success() => {
                    let delivered = (attempt.trigger.clone(), attempt.at);
                    log.delivered_oversize.push(delivered);
                }
                _ => {}
            }
            let is_success = attempt.answer.is_success();
            match (&attempt.content, attempt.key.clone()) {
                (Content::Test, _) => {}
                (_, None) if is_success => {}
                (Content::OtherUrl, None) => log.left.other_url.push(attempt.at),
                (_, None) => log.left.no_key.push(attempt.at),
                (Content::OtherUrl, Some(key)) if !is_success => {
                    other_url.insert(key, attempt.at);
                }
                (_, Some(key)) => match deliveries.get_mut(&key) {
                    Some(delivery) => delivery.add(&attempt),
                    None => {
                        deliveries.insert(key.clone(), Delivery::of(key, attempt));
                    }
                },
            }
        }
        other_url.retain(|key, _| !deliveries.contains_key(key));
        log.left.other_url.extend(other_url.into_values());
        log.failures_in_row = in_row;
        log.deliveries = deliveries.into_values().collect();
        log.deliveries.sort_by_key(|delivery| delivery.oldest);
        log
    }

    /// Marks what `--direct` has sent, which the log does not show.
    pub(crate) fn finish(&mut self, is_finished: impl Fn(u64) -> bool) {
        for delivery in &mut self.deliveries {
            if is_finished(delivery.newest) {
                delivery.need = Need::Nothing;
            }
        }
    }

    /// Deliveries that need something that can be done.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries
            .iter()
            .filter(|delivery| delivery.need == Need::Resend)
    }

    /// Whether a change of this merge request at about this time is recorded.
    pub(crate) fn records_change(&self, number: u64, time: SystemTime) -> bool {
        self.objects
            .iter()
            .any(|recorded| recorded.is_change_at(number, time))
    }

    fn add_times(&mut self, attempt: &Attempt) {
        let last = if attempt.answer.is_success() {
            &mut self.last_success
        } else {
            &mut self.last_failure
        };
        *last = (*last).max(attempt.at);
    }
}

impl Delivery {
    fn of(key: String, attempt: Attempt) -> Self {
        Self {
            key,
            oldest: attempt.id,
            newest: attempt.id,
            attempts: 1,
            began: attempt.at,
            last: attempt.at,
            answer: attempt.answer,
            need: Need::of(&attempt, false),
            trigger: attempt.trigger,
        }
    }

    /// Adds a later attempt.
    fn add(&mut self, attempt: &Attempt) {
        let need = Need::of(attempt, true);
        self.need = match (self.need, need) {
            // A success is one for ever, and one that found all recipients counts more.
            (Need::Nothing, _) | (_, Need::Nothing) => Need::Nothing,
            (Need::Recipients, _) | (_, Need::Recipients) => Need::Recipients,
            // A record that can be resent is as good as another.
            (Need::Resend, _) | (_, Need::Resend) => Need::Resend,
            (Need::Oversize, Need::Oversize) => Need::Oversize,
        };
        if attempt.content != Content::Oversize {
            self.newest = attempt.id;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.last = attempt.at.or(self.last);
        self.answer = attempt.answer;
    }
}

impl Need {
    /// `is_resent` says whether an earlier attempt failed, so that this one was made from a record.
    fn of(attempt: &Attempt, is_resent: bool) -> Self {
        match (attempt.answer.is_success(), &attempt.content) {
            (true, _) if attempt.redacted && is_resent => Self::Recipients,
            (true, _) => Self::Nothing,
            (false, Content::Oversize) => Self::Oversize,
            (false, _) => Self::Resend,
        }
    }
}
