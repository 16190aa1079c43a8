//! What to do next for one hook. Owns the order of resends, when a disabled hook is tested, and when a run gives up
//! because the function still fails. It is pure: it knows the log, the state of the hook, the settings, the time and
//! what this run has done, and returns a [`Step`], which [`runner`](super::runner) takes.
//!
//! GitLab counts failed resends like other failures and pauses a hook after the fourth in a row. A run therefore ends
//! before it would cause that, and a delivery that keeps failing is tried less and less often.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::log::{Answer, Delivery, Log, Need};
use super::pace::Pace;
use crate::limits::LIMITS;

/// Failures in a row after which GitLab pauses a hook.
pub(crate) const FAILURES_UNTIL_PAUSE: u32 = 4;

/// Whether GitLab sends events to a hook.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HookState {
    /// It does.
    Enabled,
    /// It drops them: only a successful test, or time, enables the hook again.
    Disabled,
}

/// How deliveries are sent again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// GitLab resends them.
    GitLab,
    /// This program posts the records.
    Direct,
}

/// Whether a hook may be tested. The function skips the push of a test only if it knows the user who causes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Testing {
    /// The user of the token is `GITLAB_RECONCILE_USER`.
    Allowed,
    /// `GITLAB_RECONCILE_USER` is not set, so a test would send a message.
    NoUser,
    /// It is another user than that of the token.
    OtherUser,
}

/// The settings of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PlanSettings {
    pub(crate) way: Way,
    pub(crate) testing: Testing,
}

/// What a run has done for a hook.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// The responses to the resends of each key.
    pub(crate) resends: BTreeMap<String, Resent>,
    /// The responses to resends and tests, in order.
    pub(crate) answers: Vec<Answer>,
    /// The response to the test.
    pub(crate) test: Option<Answer>,
    /// GitLab said that the hook is disabled, after it was listed.
    pub(crate) is_refused: bool,
    /// How often GitLab has refused a request with 429, without another response between.
    pub(crate) rate_limits: u32,
}

/// The result of resending one delivery.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Resent {
    /// The response of the hook's URL.
    Answered(Answer),
    /// GitLab refused: the entry is gone, or the URL has changed since.
    Refused,
    /// `--direct` has no record of it in memory.
    NoRoom,
}

/// What to do next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step<'a> {
    /// Send a delivery again.
    Resend(&'a Delivery),
    /// Test the hook with a push.
    Test,
    /// Nothing may be done before this time.
    Wait(SystemTime),
    /// Nothing more can be done in this run.
    End(Ending),
}

/// Why a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
    /// Nothing is left that could be sent now.
    Complete,
    /// The hook is disabled and may not be tested.
    Untested(Testing),
    /// The hook is disabled, and its test failed.
    TestFailed(Answer),
    /// The hook was disabled again after its test.
    DisabledAgain,
    /// Resends fail; a further one could disable the hook.
    StillFailing(Answer),
    /// Others use the rate limit of this user up.
    RateLimited,
    /// The rest has to wait for its turn in a later round.
    Paced,
}

/// Why a delivery still waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Waits {
    /// The run ended before its turn.
    Turn,
    /// It has failed several times, and is tried again after this time.
    Until(SystemTime),
    /// It was sent again and failed.
    Failed(Answer),
    /// GitLab refused to resend it.
    Refused,
}

/// Decides what to do next. `tests` and `resends` are what GitLab allows for the project.
pub(crate) fn next<'a>(
    log: &'a Log,
    state: HookState,
    settings: PlanSettings,
    done: &Done,
    (tests, resends): (&Pace, &Pace),
    now: SystemTime,
) -> Step<'a> {
    let through_gitlab = settings.way == Way::GitLab;
    if through_gitlab && (state == HookState::Disabled || done.is_refused) {
        match (done.test, settings.testing) {
            (None, Testing::Allowed) => return after_pause(tests, now, Step::Test),
            (None, testing) => return Step::End(Ending::Untested(testing)),
            (Some(answer), _) if !answer.is_success() => {
                return Step::End(Ending::TestFailed(answer));
            }
            (Some(_), _) if done.is_refused => return Step::End(Ending::DisabledAgain),
            (Some(_), _) => {}
        }
    }
    if done.rate_limits >= LIMITS.reconcile.max_rate_limits {
        return Step::End(Ending::RateLimited);
    }
    let Some(delivery) = first(log, done, now) else {
        return Step::End(Ending::Complete);
    };
    if let Some(answer) = failing(log, done) {
        return Step::End(Ending::StillFailing(answer));
    }
    if through_gitlab {
        after_pause(resends, now, Step::Resend(delivery))
    } else {
        Step::Resend(delivery)
    }
}

fn after_pause<'a>(pace: &Pace, now: SystemTime, step: Step<'a>) -> Step<'a> {
    let next = pace.next(now);
    if next > now { Step::Wait(next) } else { step }
}

/// The delivery whose turn it is: of those with the fewest attempts the oldest, so that one that always fails does
/// not keep others waiting.
fn first<'a>(log: &'a Log, done: &Done, now: SystemTime) -> Option<&'a Delivery> {
    let ready = |delivery: &&Delivery| {
        !done.resends.contains_key(&delivery.key) && due(delivery).is_none_or(|due| due <= now)
    };
    let ready = log.waiting().filter(ready);
    ready.min_by_key(|delivery| (delivery.attempts, delivery.oldest))
}

/// The response that ends the run: the last one failed, and a further failure could be the fourth in a row.
fn failing(log: &Log, done: &Done) -> Option<Answer> {
    let last = done.answers.last().filter(|answer| !answer.is_success())?;
    let newest_first = done.answers.iter().rev();
    let own = newest_first
        .take_while(|answer| !answer.is_success())
        .count();
    let earlier = if own == done.answers.len() {
        log.failures_in_row
    } else {
        0
    };
    let in_row = earlier.saturating_add(u32::try_from(own).unwrap_or(u32::MAX));
    (in_row + 1 >= FAILURES_UNTIL_PAUSE).then_some(*last)
}

/// When a delivery may be sent again: at once after its first attempt, then after a pause that grows with each.
/// `None` if the log has no times.
fn due(delivery: &Delivery) -> Option<SystemTime> {
    let Some(repeats) = delivery.attempts.checked_sub(2) else {
        return Some(SystemTime::UNIX_EPOCH);
    };
    let factor = LIMITS.reconcile.pause_factor.checked_pow(repeats);
    let pause = factor.and_then(|factor| LIMITS.reconcile.pause.checked_mul(factor));
    let pause = pause
        .unwrap_or(Duration::MAX)
        .min(LIMITS.reconcile.max_pause);
    delivery.last.map(|last| last + pause)
}

/// What waits at the end of a run, oldest first, and why.
pub(crate) fn left<'a>(
    log: &'a Log,
    done: &'a Done,
    now: SystemTime,
) -> impl Iterator<Item = (&'a Delivery, Waits)> {
    log.waiting().filter_map(move |delivery| {
        let waits = match done.resends.get(&delivery.key) {
            Some(Resent::Answered(answer)) if answer.is_success() => return None,
            Some(Resent::Answered(answer)) => Waits::Failed(*answer),
            Some(Resent::Refused) => Waits::Refused,
            Some(Resent::NoRoom) => Waits::Turn,
            None => match due(delivery) {
                Some(due) if due > now => Waits::Until(due),
                _ => Waits::Turn,
            },
        };
        Some((delivery, waits))
    })
}

/// Deliveries that nothing helps.
pub(crate) fn unrecoverable(log: &Log) -> impl Iterator<Item = &Delivery> {
    let is_lost = |delivery: &&Delivery| matches!(delivery.need, Need::Oversize | Need::Recipients);
    log.deliveries.iter().filter(is_lost)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::log::{Attempt, Content};
    use super::*;

    const ALLOWED: PlanSettings = PlanSettings {
        way: Way::GitLab,
        testing: Testing::Allowed,
    };
    const OK: Answer = Answer::Status(200);
    const AWAY: Answer = Answer::Status(503);

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn attempt(id: u64, key: &str, answer: Answer) -> Attempt {
        Attempt {
            id,
            key: Some(key.to_owned()),
            trigger: "push_hooks".to_owned(),
            answer,
            at: Some(at(id)),
            content: Content::Recorded(None),
            redacted: false,
        }
    }

    fn log(attempts: &[(u64, &str, Answer)]) -> Log {
        Log::read(
            attempts
                .iter()
                .map(|(id, key, answer)| attempt(*id, key, *answer)),
        )
    }

    fn step<'a>(log: &'a Log, state: HookState, settings: PlanSettings, done: &Done) -> Step<'a> {
        let pace = Pace::default();
        next(log, state, settings, done, (&pace, &pace), at(1000))
    }

    fn resent(step: &Step) -> Option<u64> {
        match step {
            Step::Resend(delivery) => Some(delivery.newest),
            _ => None,
        }
    }

    fn done(answers: &[(&str, Answer)]) -> Done {
        let mut done = Done::default();
        for (key, answer) in answers {
            done.resends
                .insert((*key).to_owned(), Resent::Answered(*answer));
            done.answers.push(*answer);
        }
        done
    }

    #[test]
    fn the_oldest_delivery_without_a_success_is_resent_by_its_newest_attempt() {
        let log = log(&[(1, "a", AWAY), (2, "b", AWAY), (3, "a", OK), (4, "c", AWAY)]);
        let first = step(&log, HookState::Enabled, ALLOWED, &Done::default());
        assert_eq!(resent(&first), Some(2));
        let second = step(&log, HookState::Enabled, ALLOWED, &done(&[("b", OK)]));
        assert_eq!(resent(&second), Some(4));
        let end = step(
            &log,
            HookState::Enabled,
            ALLOWED,
            &done(&[("b", OK), ("c", OK)]),
        );
        assert_eq!(end, Step::End(Ending::Complete));
    }

    #[test]
    fn a_delivery_that_keeps_failing_waits_longer_and_lets_others_go_first() {
        let log = log(&[
            (1, "a", AWAY),
            (2, "b", AWAY),
            (3, "a", AWAY),
            (990, "a", AWAY),
        ]);
        let first = step(&log, HookState::Enabled, ALLOWED, &Done::default());
        assert_eq!(resent(&first), Some(2));
        let done = done(&[("b", OK)]);
        let end = step(&log, HookState::Enabled, ALLOWED, &done);
        assert_eq!(end, Step::End(Ending::Complete));
        let left: Vec<_> = left(&log, &done, at(1000))
            .map(|(_, waits)| waits)
            .collect();
        assert_eq!(left, [Waits::Until(at(990 + 240))]);
    }

    #[test]
    fn a_disabled_hook_is_tested_once_and_an_enabled_one_never() {
        let log = log(&[
            (1, "a", AWAY),
            (2, "b", AWAY),
            (3, "c", AWAY),
            (4, "d", AWAY),
        ]);
        let mut done = Done::default();
        assert_eq!(step(&log, HookState::Disabled, ALLOWED, &done), Step::Test);
        assert_eq!(
            resent(&step(&log, HookState::Enabled, ALLOWED, &done)),
            Some(1)
        );
        let direct = PlanSettings {
            way: Way::Direct,
            ..ALLOWED
        };
        assert_eq!(
            resent(&step(&log, HookState::Disabled, direct, &done)),
            Some(1)
        );
        for testing in [Testing::NoUser, Testing::OtherUser] {
            let settings = PlanSettings { testing, ..ALLOWED };
            let end = step(&log, HookState::Disabled, settings, &done);
            assert_eq!(end, Step::End(Ending::Untested(testing)));
        }
        done.test = Some(AWAY);
        let end = step(&log, HookState::Disabled, ALLOWED, &done);
        assert_eq!(end, Step::End(Ending::TestFailed(AWAY)));
        done.test = Some(Answer::Status(204));
        done.answers.push(Answer::Status(204));
        assert_eq!(
            resent(&step(&log, HookState::Disabled, ALLOWED, &done)),
            Some(1)
        );
        done.is_refused = true;
        let end = step(&log, HookState::Disabled, ALLOWED, &done);
        assert_eq!(end, Step::End(Ending::DisabledAgain));
    }

    #[test]
    fn a_run_ends_before_the_fourth_failure_in_a_row() {
        let few = log(&[(1, "a", AWAY), (2, "x", OK), (3, "b", AWAY), (4, "c", AWAY)]);
        let one = done(&[("a", AWAY)]);
        let end = step(&few, HookState::Enabled, ALLOWED, &one);
        assert_eq!(end, Step::End(Ending::StillFailing(AWAY)));
        let recovered = done(&[("b", OK), ("a", AWAY)]);
        assert_eq!(
            resent(&step(&few, HookState::Enabled, ALLOWED, &recovered)),
            Some(4)
        );
    }

    /// One delivery of the simulation: how often it fails until it succeeds.
    fn simulate(failures: &[u32], rounds: usize, second_reconciler: bool) -> (Vec<Attempt>, Log) {
        let mut attempts = Vec::new();
        for (index, count) in failures.iter().enumerate() {
            let answer = if *count == 0 { OK } else { AWAY };
            let id = u64::try_from(index).expect("is small");
            attempts.push(attempt(id, &index.to_string(), answer));
        }
        let mut now = at(100_000);
        let mut paces = [Pace::default(), Pace::default()];
        let mut requests = [Vec::new(), Vec::new()];
        for round in 0..rounds {
            let log = Log::read(attempts.clone());
            let runs = if second_reconciler { 2 } else { 1 };
            for run in 0..runs {
                let mut done = Done::default();
                loop {
                    let pace = Pace::default();
                    match next(
                        &log,
                        HookState::Enabled,
                        ALLOWED,
                        &done,
                        (&pace, &paces[run]),
                        now,
                    ) {
                        Step::Wait(until) => {
                            assert!(until > now);
                            now = until;
                        }
                        Step::End(_) => break,
                        Step::Test => panic!("an enabled hook is not tested"),
                        Step::Resend(delivery) => {
                            let of_key =
                                |attempt: &&Attempt| attempt.key.as_ref() == Some(&delivery.key);
                            let seen = attempts.iter().filter(of_key);
                            let known = log.deliveries.iter().any(|found| {
                                found.key == delivery.key && found.need == Need::Nothing
                            });
                            assert!(!known, "a finished delivery is resent");
                            let tries = u32::try_from(seen.count()).expect("is small");
                            let index: usize = delivery.key.parse().expect("is a number");
                            let answer = if tries >= failures[index] { OK } else { AWAY };
                            let id = attempts.len() as u64;
                            attempts.push(Attempt {
                                at: Some(now),
                                ..attempt(id, &delivery.key, answer)
                            });
                            done.resends
                                .insert(delivery.key.clone(), Resent::Answered(answer));
                            done.answers.push(answer);
                            paces[run].record(now);
                            requests[run].push(now);
                        }
                    }
                }
                let sent: Vec<_> = requests[run]
                    .windows(6)
                    .map(|six| six[5].duration_since(six[0]))
                    .collect();
                assert!(
                    sent.into_iter()
                        .all(|took| took.is_ok_and(|took| took >= Duration::from_mins(1)))
                );
            }
            now += Duration::from_mins(u64::from(u32::try_from(round).expect("is small")) * 30 + 1);
        }
        let log = Log::read(attempts.clone());
        (attempts, log)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn everything_that_can_be_delivered_is_finished_and_nothing_is_resent_after_a_success(
            failures in proptest::collection::vec(prop_oneof![Just(0_u32), Just(1), 1_u32..4], 0..40),
            second_reconciler: bool,
        ) {
            let (attempts, log) = simulate(&failures, 30, second_reconciler);
            prop_assert_eq!(log.waiting().count(), 0);
            // Two reconcilers may both resend one delivery, one does not resend a finished one.
            if !second_reconciler {
                for (index, count) in failures.iter().enumerate() {
                    let key = index.to_string();
                    let made = attempts.iter().filter(|attempt| attempt.key.as_ref() == Some(&key)).count();
                    prop_assert_eq!(made, usize::try_from(*count).expect("is small") + 1);
                }
            }
        }

        #[test]
        fn deliveries_are_resent_oldest_first_in_any_order_of_the_log(
            keys in proptest::collection::vec((0_u64..30, any::<bool>()), 1..60),
            order in any::<u64>(),
        ) {
            let mut attempts: Vec<_> = keys.iter().enumerate().map(|(id, (key, success))| {
                let answer = if *success { OK } else { AWAY };
                attempt(id as u64, &key.to_string(), answer)
            }).collect();
            let repeated = attempts[0].clone();
            attempts.push(repeated);
            let half = usize::try_from(order % attempts.len() as u64).expect("is small");
            attempts.rotate_left(half);
            let log = Log::read(attempts.clone());
            let mut done = Done::default();
            let mut last = None;
            while let Step::Resend(delivery) = next(&log, HookState::Enabled, ALLOWED, &done, (&Pace::default(), &Pace::default()), at(1_000_000)) {
                let of_key = |attempt: &&Attempt| attempt.key.as_ref() == Some(&delivery.key);
                prop_assert!(attempts.iter().filter(of_key).all(|attempt| !attempt.answer.is_success()));
                let place = (delivery.attempts, delivery.oldest);
                prop_assert!(last < Some(place));
                last = Some(place);
                done.resends.insert(delivery.key.clone(), Resent::Answered(OK));
                done.answers.push(OK);
            }
            prop_assert_eq!(left(&log, &done, at(1_000_000)).count(), 0);
            prop_assert_eq!(log.waiting().count(), done.resends.len());
        }
    }
}
