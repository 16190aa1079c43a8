//! Every way a delivery can go, walked through to its end: the machine against a model of the chat
//! server that may fail at every call, carried out or not, at once or at the last moment.

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

/// Faults of one class lead the same way; one of each class keeps the walk short.
const PASSING: &[ApiError] = &[
    ApiError::Connect,
    ApiError::TryAgain,
    ApiError::RateLimited(Some(Duration::from_secs(1))),
];
const DOUBTFUL: &[ApiError] = &[
    ApiError::Timeout,
    ApiError::Reset,
    ApiError::Unreadable,
    ApiError::ServerError,
    ApiError::Unconfirmed,
];
const LASTING: &[ApiError] = &[
    ApiError::Unauthorized,
    ApiError::Forbidden,
    ApiError::NotFound,
    ApiError::Redirected,
];

/// The chat server and the clock, as far as one delivery sees them.
#[derive(Clone)]
struct Model {
    now: Duration,
    /// The room that the server knows; the machine may remember another one.
    room: RoomId,
    stored: Option<MessageId>,
    /// A message that was there before, if there was one.
    before: Option<MessageId>,
    /// Calls and pauses so far.
    steps: usize,
}

struct Walk {
    deadline: Deadline,
    /// Messages of which one must be there before; none is no condition.
    conditions: Vec<MessageId>,
    /// Faults that a call may have without being carried out.
    faults: Vec<ApiError>,
    ends: u64,
    delivered: u64,
    withheld: u64,
}

impl Walk {
    /// Follows one action through every way it can go.
    fn follow(&mut self, machine: &SendMachine, budget: &RetryBudget, model: &Model, input: Input) {
        let (mut machine, mut budget, mut model) = (machine.clone(), budget.clone(), model.clone());
        model.steps += 1;
        assert!(model.steps < 20, "the machine does not come to an end");
        match machine.on(input, model.now, &mut budget) {
            Command::Finish(verdict) => self.end(&verdict, &model),
            Command::Edit { .. } => panic!("edits what is not about a pipeline"),
            Command::Wait(pause) => {
                model.now += pause;
                self.follow(&machine, &budget, &model, Input::Waited);
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
        let (there, expected) = if self.conditions.contains(id) {
            assert_eq!(model.stored, None, "sent before it was allowed to");
            (model.before.as_ref() == Some(id), model.before.as_ref())
        } else {
            (model.stored.is_some(), model.stored.as_ref())
        };
        if !there {
            return Err(ApiError::Refused);
        }
        assert_eq!(expected, Some(id), "another message was looked for");
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
        let is_free = self.conditions.is_empty() || model.before.is_some();
        assert!(is_free, "sends what is for others");
        let wrong_room = *room != model.room;
        if wrong_room || model.stored.is_some() {
            // A room that is gone, or a message that is there.
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
            for error in DOUBTFUL {
                self.call(machine, budget, &stored, within, &Input::Sent(Err(*error)));
            }
            // Refused for a reason of its own, such as a message that is too long.
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

    /// The call is not carried out, whatever is said about it.
    fn fail<T>(
        &mut self,
        machine: &SendMachine,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        input: impl Fn(Result<T, ApiError>) -> Input,
    ) {
        for error in self.faults.clone() {
            self.call(machine, budget, model, within, &input(Err(error)));
        }
    }

    /// A call that ends at once, and one that ends at the last moment.
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
            "a call that cannot end in time"
        );
        assert!(within <= self.deadline.call_limit);
        for took in [Duration::ZERO, within] {
            let model = Model {
                now: model.now + took,
                ..model.clone()
            };
            self.follow(machine, budget, &model, input.clone());
        }
    }

    fn end(&mut self, verdict: &SendResult, model: &Model) {
        self.ends += 1;
        assert!(model.now <= self.deadline.at, "the answer comes too late");
        match verdict {
            SendResult::Delivered { id, .. } => {
                assert_eq!(
                    model.stored.as_ref(),
                    Some(id),
                    "said to be delivered, and is not"
                );
                self.delivered += 1;
            }
            SendResult::Withheld => {
                assert!(!self.conditions.is_empty(), "withheld without a condition");
                assert_eq!(model.before, None, "withheld although it was asked for");
                self.withheld += 1;
            }
            SendResult::Failed(SendError::IdTaken) => {
                panic!("our own message was taken for another")
            }
            SendResult::Failed(_) => {}
            SendResult::Overloaded => panic!("the machine has no permits"),
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

fn delivery(remembered: Option<RoomId>, deadline: Deadline) -> SendMachine {
    SendMachine::new(&notification(), bot(), remembered, deadline, 1)
}

fn fix(failures: Vec<MessageKey>, remembered: Option<RoomId>, deadline: Deadline) -> SendMachine {
    let notification = notification().after_one_of(failures);
    SendMachine::new(&notification, bot(), remembered, deadline, 1)
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

/// Walks every way from the start; returns the ends and how many of them were deliveries.
fn walk(remembered: Option<RoomId>, tries: bool) -> (u64, u64) {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    if !tries {
        while budget.take_retry(Duration::ZERO) {}
    }
    let model = model(None);
    let mut walk = Walk {
        deadline,
        conditions: Vec::new(),
        faults: [PASSING, DOUBTFUL, LASTING].concat(),
        ends: 0,
        delivered: 0,
        withheld: 0,
    };
    walk.follow(
        &delivery(remembered, deadline),
        &budget,
        &model,
        Input::Start,
    );
    (walk.ends, walk.delivered)
}

#[test]
fn every_way_ends_in_time_with_the_truth() {
    let mut ends = 0;
    for remembered in [None, Some(room("room")), Some(room("a-room-that-is-gone"))] {
        for tries in [true, false] {
            let (all, delivered) = walk(remembered.clone(), tries);
            assert!(delivered > 0 && delivered < all);
            ends += all;
        }
    }
    println!("{ends} ways");
    assert!(ends > 100_000, "{ends}");
}

#[test]
fn every_way_of_a_fix_ends_in_time_with_the_truth() {
    let names = ["failure-a", "failure-b"].map(key);
    let ids = names
        .each_ref()
        .map(|name| MessageId::derive(INSTANCE, name, &room("room")));
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut ends = 0;
    for (count, there) in [
        (1, None),
        (1, Some(0)),
        (2, None),
        (2, Some(0)),
        (2, Some(1)),
    ] {
        for remembered in [None, Some(room("room"))] {
            for tries in [true, false] {
                let mut walk = Walk {
                    deadline,
                    conditions: ids[..count].to_vec(),
                    faults: vec![
                        ApiError::Connect,
                        ApiError::Timeout,
                        ApiError::Unconfirmed,
                        ApiError::Forbidden,
                    ],
                    ends: 0,
                    delivered: 0,
                    withheld: 0,
                };
                let mut budget = RetryBudget::new(Duration::ZERO);
                while !tries && budget.take_retry(Duration::ZERO) {}
                let machine = fix(names[..count].to_vec(), remembered.clone(), deadline);
                let model = model(there.map(|index: usize| ids[index].clone()));
                walk.follow(&machine, &budget, &model, Input::Start);
                assert_eq!(walk.delivered > 0, there.is_some(), "{count} {there:?}");
                assert_eq!(walk.withheld > 0, there.is_none(), "{count} {there:?}");
                assert!(walk.delivered + walk.withheld < walk.ends);
                ends += walk.ends;
            }
        }
    }
    println!("{ends} ways");
    assert!(ends > 10_000, "{ends}");
}

fn every_end(recipient: &str) -> Vec<SendResult> {
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

/// What the sender is answered for these results, against what is true of them.
fn assert_answered_truthfully(ends: &[SendResult]) {
    let rooms = ["room-a", "room-b", "room-c"].map(room);
    let once = Attempts {
        retries: 1,
        rate_limit_waits: 2,
    };
    let recipients: Vec<_> = rooms
        .into_iter()
        .zip(ends)
        .map(|(room, end)| RecipientResult {
            destination: Destination::Room(room),
            result: end.clone(),
            attempts: once,
        })
        .collect();
    let report = Report::sent(Facts::default(), recipients.clone(), Duration::ZERO);
    let count = |is: fn(&SendResult) -> bool| ends.iter().filter(|end| is(end)).count();
    let delivered = count(|end| matches!(end, SendResult::Delivered { .. }));
    let withheld = count(|end| matches!(end, SendResult::Withheld));
    let expected = match (delivered, withheld) {
        (delivered, withheld) if delivered + withheld < ends.len() => 503,
        (0, _) => 204,
        _ => 200,
    };
    assert_eq!(report.outcome.status(), expected, "{ends:?}");
    assert_eq!(report.send_time.is_some(), expected != 204, "{ends:?}");
    assert_eq!(report.recipients, recipients, "nobody is left out");
    let attempts = report.attempts();
    assert_eq!(attempts.retries, ends.len() as u64, "{ends:?}");
    assert_eq!(attempts.rate_limit_waits, 2 * ends.len() as u64, "{ends:?}");
}

#[test]
fn every_way_several_recipients_can_end_is_answered_truthfully() {
    let [a, b, c] = ["room-a", "room-b", "room-c"].map(every_end);
    let mut ways = 0;
    let mut check = |ends: &[SendResult]| {
        assert_answered_truthfully(ends);
        ways += 1;
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
    println!("{ways} ways");
    assert_eq!(ways, 20 + 20 * 20 + 20 * 20 * 20);
}

#[test]
fn a_look_for_a_failure_that_cannot_be_answered_fails_the_delivery() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    for error in [PASSING, DOUBTFUL, LASTING].concat() {
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
fn a_failure_that_somebody_else_told_is_none_of_ours() {
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
fn without_retry_budget_there_is_one_try_and_one_look() {
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
fn the_time_of_a_delivery_is_shared_out() {
    let deadline = Deadline::new(Duration::from_mins(1), LIMIT);
    assert_eq!(deadline.at, Duration::from_millis(64_500));
    assert_eq!(deadline.call_limit, Duration::from_millis(1500));
}

#[test]
fn there_are_three_tries_however_quickly_they_fail() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    let (mut now, mut tries, mut input) = (Duration::ZERO, 0, Input::Start);
    let end = loop {
        input = match machine.on(input, now, &mut budget) {
            Command::Send { .. } => {
                tries += 1;
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
    assert_eq!(tries, 3);
}

#[test]
fn a_limit_of_the_chat_server_is_waited_for_and_counted() {
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
fn a_message_of_another_sender_or_room_is_not_ours() {
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
fn pauses_differ_by_delivery_and_stay_within_their_bounds() {
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
