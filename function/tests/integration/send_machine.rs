//! Exhaustive exploration of one send: the machine against a model of the chat server in which every call may
//! fail, applied or not, immediately or at the last moment.

use std::time::Duration;

use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::notifier::notification::Notification;
use webhook_app::outcome::{Facts, Report};
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{Destination, MessageId, MessageKey, RoomId, UserId, Username};
use webhook_app::send::retry_budget::RetryBudget;
use webhook_app::send::{
    Attempts, Command, ConfirmedBy, Deadline, Input, RecipientResult, SendError, SendMachine,
    SendResult,
};

const LIMIT: Duration = Duration::from_secs(5);

const INSTANCE: &str = "https://gitlab.example.org";

/// Errors that say that nothing was applied, and that may pass.
const TRANSIENT: &[ApiError] = &[
    ApiError::Connect,
    ApiError::TryAgain,
    ApiError::RateLimited(Some(Duration::from_secs(1))),
];
/// Errors after which the call may have been applied.
const AMBIGUOUS: &[ApiError] = &[
    ApiError::Timeout,
    ApiError::Reset,
    ApiError::Unreadable,
    ApiError::ServerError,
    ApiError::Unconfirmed,
];
/// Errors that a retry does not fix.
const PERMANENT: &[ApiError] = &[
    ApiError::Unauthorized,
    ApiError::Forbidden,
    ApiError::NotFound,
    ApiError::Redirected,
];

/// The chat server and the clock, as one send sees them.
#[derive(Clone)]
struct Model {
    now: Duration,
    /// The room that the server knows; the machine may have cached another one.
    room: RoomId,
    stored: Option<MessageId>,
    /// A message that existed before, if any.
    before: Option<MessageId>,
    /// Calls and waits so far.
    steps: usize,
}

struct Explorer {
    deadline: Deadline,
    /// Messages of which one must exist before; empty without a precondition.
    preconditions: Vec<MessageId>,
    /// Errors that a call may return without being applied.
    errors: Vec<ApiError>,
    paths: u64,
    delivered: u64,
    withheld: u64,
}

impl Explorer {
    /// Explores every path from one input.
    fn explore(
        &mut self,
        machine: &SendMachine,
        budget: &RetryBudget,
        model: &Model,
        input: Input,
    ) {
        let (mut machine, mut budget, mut model) = (machine.clone(), budget.clone(), model.clone());
        model.steps += 1;
        assert!(model.steps < 20, "the machine does not finish");
        match machine.on(input, model.now, &mut budget) {
            Command::Finish(result) => self.finish(&result, &model),
            Command::Edit { .. } => panic!("edits a message that is not about a pipeline"),
            Command::Wait(pause) => {
                model.now += pause;
                self.explore(&machine, &budget, &model, Input::Waited);
            }
            Command::CreateRoom { within } => {
                let room = model.room.clone();
                self.call(&machine, &budget, &model, within, &Input::Room(Ok(room)));
                self.fail(&machine, &budget, &model, within, Input::Room);
            }
            Command::Send { room, id, within } => {
                self.send(&machine, &budget, &model, within, (&room, &id));
            }
            Command::Find { id, within } => {
                let found = self.find(&model, &id);
                self.call(&machine, &budget, &model, within, &Input::Found(found));
                self.fail(&machine, &budget, &model, within, Input::Found);
            }
        }
    }

    fn find(&self, model: &Model, id: &MessageId) -> Result<StoredMessage, ApiError> {
        let (exists, expected) = if self.preconditions.contains(id) {
            assert_eq!(
                model.stored, None,
                "looked up the precondition after the message was sent"
            );
            (model.before.as_ref() == Some(id), model.before.as_ref())
        } else {
            (model.stored.is_some(), model.stored.as_ref())
        };
        if !exists {
            return Err(ApiError::Refused);
        }
        assert_eq!(expected, Some(id), "looked up another message");
        Ok(StoredMessage {
            room: model.room.clone(),
            sender: bot(),
            text: String::new(),
        })
    }

    fn send(
        &mut self,
        machine: &SendMachine,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        (room, id): (&RoomId, &MessageId),
    ) {
        let may_send = self.preconditions.is_empty() || model.before.is_some();
        assert!(may_send, "sent although the precondition is not met");
        let wrong_room = *room != model.room;
        if wrong_room || model.stored.is_some() {
            // A room that no longer exists, or a message that already exists.
            self.call(
                machine,
                budget,
                model,
                within,
                &Input::Sent(Err(ApiError::Refused)),
            );
        } else {
            let stored = Model {
                stored: Some(id.clone()),
                ..model.clone()
            };
            self.call(machine, budget, &stored, within, &Input::Sent(Ok(())));
            for error in AMBIGUOUS {
                self.call(machine, budget, &stored, within, &Input::Sent(Err(*error)));
            }
            // Rejected for another reason, such as a message that is too long.
            self.call(
                machine,
                budget,
                model,
                within,
                &Input::Sent(Err(ApiError::Refused)),
            );
        }
        self.fail(machine, budget, model, within, Input::Sent);
    }

    /// The call is not applied and returns each of the errors.
    fn fail<T>(
        &mut self,
        machine: &SendMachine,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        input: impl Fn(Result<T, ApiError>) -> Input,
    ) {
        for error in self.errors.clone() {
            self.call(machine, budget, model, within, &input(Err(error)));
        }
    }

    /// The same call ends immediately and, as a second path, at the last moment.
    fn call(
        &mut self,
        machine: &SendMachine,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        input: &Input,
    ) {
        assert!(
            model.now + within <= self.deadline.at,
            "a call that may end after the deadline"
        );
        assert!(within <= self.deadline.call_limit);
        for took in [Duration::ZERO, within] {
            let model = Model {
                now: model.now + took,
                ..model.clone()
            };
            self.explore(machine, budget, &model, input.clone());
        }
    }

    fn finish(&mut self, result: &SendResult, model: &Model) {
        self.paths += 1;
        assert!(model.now <= self.deadline.at, "finished after the deadline");
        match result {
            SendResult::Delivered { id, .. } => {
                assert_eq!(
                    model.stored.as_ref(),
                    Some(id),
                    "reported as delivered but not stored"
                );
                self.delivered += 1;
            }
            SendResult::Withheld => {
                assert!(
                    !self.preconditions.is_empty(),
                    "withheld without a precondition"
                );
                assert_eq!(
                    model.before, None,
                    "withheld although the precondition is met"
                );
                self.withheld += 1;
            }
            SendResult::Failed(SendError::IdTaken) => {
                panic!("an id conflict with its own message")
            }
            SendResult::Failed(_) => {}
            SendResult::Overloaded => panic!("the machine does not limit concurrency"),
        }
    }
}

fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("is an id")
}

fn key(name: &str) -> MessageKey {
    MessageKey::from(&IdempotencyKey::parse(name.as_bytes()).expect("is a key"))
}

fn notification() -> Notification {
    let alice = Destination::User(Username::parse("alice").expect("is a name"));
    Notification::new(key("key"), alice, "text".to_owned(), INSTANCE.to_owned())
}

fn delivery(cached: Option<RoomId>, deadline: Deadline) -> SendMachine {
    SendMachine::new(&notification(), bot(), cached, deadline, 1)
}

fn fix(failures: Vec<MessageKey>, cached: Option<RoomId>, deadline: Deadline) -> SendMachine {
    let notification = notification().after_one_of(failures);
    SendMachine::new(&notification, bot(), cached, deadline, 1)
}

fn model(before: Option<MessageId>) -> Model {
    Model {
        now: Duration::ZERO,
        room: room("room"),
        stored: None,
        before,
        steps: 0,
    }
}

/// Explores every path from the start; returns how many there are and how many of them delivered.
fn explore_all(cached: Option<RoomId>, has_retries: bool) -> (u64, u64) {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    if !has_retries {
        while budget.take_retry(Duration::ZERO) {}
    }
    let model = model(None);
    let mut explorer = Explorer {
        deadline,
        preconditions: Vec::new(),
        errors: [TRANSIENT, AMBIGUOUS, PERMANENT].concat(),
        paths: 0,
        delivered: 0,
        withheld: 0,
    };
    explorer.explore(&delivery(cached, deadline), &budget, &model, Input::Start);
    (explorer.paths, explorer.delivered)
}

#[test]
fn every_path_ends_in_time_with_a_true_result() {
    let mut paths = 0;
    for cached in [None, Some(room("room")), Some(room("a-room-that-is-gone"))] {
        for has_retries in [true, false] {
            let (all, delivered) = explore_all(cached.clone(), has_retries);
            assert!(delivered > 0 && delivered < all);
            paths += all;
        }
    }
    println!("{paths} paths");
    assert!(paths > 100_000, "{paths}");
}

#[test]
fn every_path_of_a_fix_ends_in_time_with_a_true_result() {
    let names = ["failure-a", "failure-b"].map(key);
    let ids = names
        .each_ref()
        .map(|name| MessageId::derive(INSTANCE, name, &room("room")));
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut paths = 0;
    for (count, there) in [
        (1, None),
        (1, Some(0)),
        (2, None),
        (2, Some(0)),
        (2, Some(1)),
    ] {
        for cached in [None, Some(room("room"))] {
            for has_retries in [true, false] {
                let mut explorer = Explorer {
                    deadline,
                    preconditions: ids[..count].to_vec(),
                    errors: vec![
                        ApiError::Connect,
                        ApiError::Timeout,
                        ApiError::Unconfirmed,
                        ApiError::Forbidden,
                    ],
                    paths: 0,
                    delivered: 0,
                    withheld: 0,
                };
                let mut budget = RetryBudget::new(Duration::ZERO);
                while !has_retries && budget.take_retry(Duration::ZERO) {}
                let machine = fix(names[..count].to_vec(), cached.clone(), deadline);
                let model = model(there.map(|index: usize| ids[index].clone()));
                explorer.explore(&machine, &budget, &model, Input::Start);
                assert_eq!(explorer.delivered > 0, there.is_some(), "{count} {there:?}");
                assert_eq!(explorer.withheld > 0, there.is_none(), "{count} {there:?}");
                assert!(explorer.delivered + explorer.withheld < explorer.paths);
                paths += explorer.paths;
            }
        }
    }
    println!("{paths} paths");
    assert!(paths > 10_000, "{paths}");
}

fn all_results(recipient: &str) -> Vec<SendResult> {
    let id = MessageId::derive(INSTANCE, &key("key"), &room(recipient));
    let delivered = ConfirmedBy::ALL.map(|confirmed_by| SendResult::Delivered {
        id: id.clone(),
        confirmed_by,
    });
    let errors = ApiError::ALL.map(SendError::Api);
    let failed = errors
        .into_iter()
        .chain([SendError::IdTaken, SendError::NoTime]);
    let others = [SendResult::Withheld, SendResult::Overloaded];
    let results = delivered.into_iter().chain(others);
    results.chain(failed.map(SendResult::Failed)).collect()
}

/// Asserts that the report of these results has the right status and counts.
fn assert_report_matches(results: &[SendResult]) {
    let rooms = ["room-a", "room-b", "room-c"].map(room);
    let once = Attempts {
        retries: 1,
        rate_limit_waits: 2,
    };
    let recipients: Vec<_> = rooms
        .into_iter()
        .zip(results)
        .map(|(room, result)| RecipientResult {
            destination: Destination::Room(room),
            result: result.clone(),
            attempts: once,
        })
        .collect();
    let report = Report::sent(Facts::default(), recipients.clone(), Duration::ZERO);
    let count = |is: fn(&SendResult) -> bool| results.iter().filter(|result| is(result)).count();
    let delivered = count(|result| matches!(result, SendResult::Delivered { .. }));
    let withheld = count(|result| matches!(result, SendResult::Withheld));
    let expected = match (delivered, withheld) {
        (delivered, withheld) if delivered + withheld < results.len() => 503,
        (0, _) => 204,
        _ => 200,
    };
    assert_eq!(report.outcome.status(), expected, "{results:?}");
    assert_eq!(report.send_time.is_some(), expected != 204, "{results:?}");
    assert_eq!(report.recipients, recipients, "a recipient is missing");
    let attempts = report.attempts();
    assert_eq!(attempts.retries, results.len() as u64, "{results:?}");
    assert_eq!(
        attempts.rate_limit_waits,
        2 * results.len() as u64,
        "{results:?}"
    );
}

#[test]
fn every_combination_of_results_has_the_right_status() {
    let [a, b, c] = ["room-a", "room-b", "room-c"].map(all_results);
    let mut combinations = 0;
    let mut check = |results: &[SendResult]| {
        assert_report_matches(results);
        combinations += 1;
    };
    for first in a {
        check(std::slice::from_ref(&first));
        for second in &b {
            check(&[first.clone(), second.clone()]);
            for third in &c {
                check(&[first.clone(), second.clone(), third.clone()]);
            }
        }
    }
    println!("{combinations} combinations");
    assert_eq!(combinations, 20 + 20 * 20 + 20 * 20 * 20);
}

#[test]
fn a_failed_lookup_of_the_precondition_fails_the_send() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    for error in [TRANSIENT, AMBIGUOUS, PERMANENT].concat() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        while budget.take_retry(Duration::ZERO) {}
        let mut machine = fix(vec![key("failure")], Some(room("room")), deadline);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
        assert!(matches!(on(Input::Start), Command::Find { .. }));
        let end = on(Input::Found(Err(error)));
        let expected = SendResult::Failed(SendError::Api(error));
        assert_eq!(end, Command::Finish(expected));
    }
}

#[test]
fn a_failure_by_another_sender_does_not_meet_the_precondition() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = fix(vec![key("failure")], Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
    on(Input::Start);
    let stored = StoredMessage {
        room: room("room"),
        sender: UserId::parse("mallory").expect("is an id"),
        text: String::new(),
    };
    let end = on(Input::Found(Ok(stored)));
    assert_eq!(end, Command::Finish(SendResult::Withheld));
}

#[test]
fn without_retry_budget_there_is_one_attempt_and_one_lookup() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    while budget.take_retry(Duration::ZERO) {}
    let mut machine = delivery(Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
    assert!(matches!(on(Input::Start), Command::Send { .. }));
    assert!(matches!(
        on(Input::Sent(Err(ApiError::Reset))),
        Command::Find { .. }
    ));
    let end = on(Input::Found(Err(ApiError::Refused)));
    assert_eq!(
        end,
        Command::Finish(SendResult::Failed(SendError::Api(ApiError::Reset)))
    );
}

#[test]
fn a_deadline_keeps_a_reserve_and_limits_each_call() {
    let deadline = Deadline::new(Duration::from_mins(1), LIMIT);
    assert_eq!(deadline.at, Duration::from_millis(64_500));
    assert_eq!(deadline.call_limit, Duration::from_millis(1500));
}

#[test]
fn a_send_is_attempted_at_most_three_times() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    let (mut now, mut attempts, mut input) = (Duration::ZERO, 0, Input::Start);
    let end = loop {
        input = match machine.on(input, now, &mut budget) {
            Command::Send { .. } => {
                attempts += 1;
                Input::Sent(Err(ApiError::Connect))
            }
            Command::Wait(pause) => {
                now += pause;
                Input::Waited
            }
            other => break other,
        };
    };
    assert_eq!(
        end,
        Command::Finish(SendResult::Failed(SendError::Api(ApiError::Connect)))
    );
    assert_eq!(attempts, 3);
}

#[test]
fn a_rate_limit_is_waited_for_and_counted() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    machine.on(Input::Start, Duration::ZERO, &mut budget);
    let limited = Input::Sent(Err(ApiError::RateLimited(Some(Duration::from_secs(2)))));
    let action = machine.on(limited, Duration::ZERO, &mut budget);
    let Command::Wait(pause) = action else {
        panic!("{action:?}");
    };
    assert!((2100..2400).contains(&pause.as_millis()), "{pause:?}");
    assert_eq!(machine.attempts.rate_limit_waits, 1);
}

#[test]
fn a_message_by_another_sender_or_in_another_room_is_an_id_conflict() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let others = [
        StoredMessage {
            room: room("room"),
            sender: UserId::parse("mallory").expect("is an id"),
            text: String::new(),
        },
        StoredMessage {
            room: room("elsewhere"),
            sender: bot(),
            text: String::new(),
        },
    ];
    for stored in others {
        let mut budget = RetryBudget::new(Duration::ZERO);
        let mut machine = delivery(Some(room("room")), deadline);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
        on(Input::Start);
        on(Input::Sent(Err(ApiError::Refused)));
        let end = on(Input::Found(Ok(stored)));
        assert_eq!(end, Command::Finish(SendResult::Failed(SendError::IdTaken)));
    }
}

#[test]
fn retry_delays_differ_by_delivery_and_stay_within_bounds() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let pause = |seed| {
        let room = Some(room("room"));
        let mut machine = SendMachine::new(&notification(), bot(), room, deadline, seed);
        let mut budget = RetryBudget::new(Duration::ZERO);
        machine.on(Input::Start, Duration::ZERO, &mut budget);
        match machine.on(
            Input::Sent(Err(ApiError::Connect)),
            Duration::ZERO,
            &mut budget,
        ) {
            Command::Wait(pause) => pause.as_millis(),
            other => panic!("{other:?}"),
        }
    };
    let pauses: std::collections::BTreeSet<_> = (0..1000).map(pause).collect();
    assert!(pauses.len() > 200, "{}", pauses.len());
    assert!(pauses.iter().all(|pause| (100..400).contains(pause)));
}
