//! Exhaustive exploration of one send: the machine against a model of the chat server in which every call may
//! fail, applied or not, immediately or at the last moment.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::notification::{Notification, RecipientSource};
use webhook_app::outcome::{Facts, Report};
use webhook_app::rocketchat::reachability::Unreachable;
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{
    CallTime, ConnectCause, Destination, MessageId, MessageIds, MessageKey, RoomId, UserId,
    Username,
};
use webhook_app::send::{
    Account, Attempts, Call, Command, ConfirmedBy, Deadline, HandOffResult, Input, RecipientResult,
    SendError, SendMachine, SendResult, ServerState,
};

mod outages;
mod refusals;
mod reports;

const LIMIT: Duration = Duration::from_secs(5);

const INSTANCE: &str = "https://gitlab.example.org";

/// Errors that say that nothing was applied, one of each kind.
const NOT_APPLIED: &[ApiError] = &[
    ApiError::Connect(ConnectCause::Refused),
    ApiError::RateLimited(Some(Duration::from_secs(2))),
    ApiError::Redirected,
];
/// Errors after which the call may have been applied, one of each kind.
const AMBIGUOUS: &[ApiError] = &[ApiError::Timeout, ApiError::Unconfirmed];

/// The chat server and the clock, as one send sees them.
#[derive(Clone, Debug)]
struct Model {
    now: Duration,
    /// The room that the server knows; the machine may have cached another one.
    room: RoomId,
    stored: Option<MessageId>,
    /// A message that existed before, if any.
    before: Option<MessageId>,
}

/// The machine after an input, and the digest of both parts: they are written once for all inputs that may follow.
struct Step {
    machine: SendMachine,
    state: ServerState,
    digest: u128,
}

impl Step {
    fn new(machine: SendMachine, state: ServerState) -> Self {
        let digest = digest(format!("{machine:?} {state:?}"));
        Self {
            machine,
            state,
            digest,
        }
    }
}

struct Explorer {
    deadline: Deadline,
    /// Messages of which one must exist before; empty without a precondition.
    preconditions: Vec<MessageId>,
    /// Errors that a call may return without being applied.
    errors: Vec<ApiError>,
    /// Digests of the states that were explored.
    seen: BTreeSet<u128>,
    paths: u64,
    delivered: u64,
    withheld: u64,
}

impl Explorer {
    /// Explores every path from one input.
    fn explore(&mut self, step: &Step, model: &Model, input: Input) {
        let step_digest = step.digest;
        if !self
            .seen
            .insert(digest(format!("{step_digest:x} {model:?} {input:?}")))
        {
            return;
        }
        let (mut machine, mut state, mut model) =
            (step.machine.clone(), step.state.clone(), model.clone());
        match machine.on(input, model.now, &mut state) {
            Command::Finish(result) => self.finish(&result, &model),
            Command::Wait(pause) => {
                assert!(!pause.is_zero(), "waits for nothing");
                model.now += pause;
                self.explore(&Step::new(machine, state), &model, Input::Waited);
            }
            Command::Call(call, time) => {
                self.carry_out(&Step::new(machine, state), &model, &call, time);
            }
        }
    }

    /// Explores every response to a call.
    fn carry_out(&mut self, step: &Step, model: &Model, call: &Call, time: CallTime) {
        match call {
            Call::Edit(..) => panic!("edits a message that is not about a pipeline"),
            Call::CreateRoom => {
                let room = model.room.clone();
                self.call(step, model, time, &Input::Room(Ok(room)));
                self.fail(step, model, time, Input::Room);
            }
            Call::Send(room, id) => self.send(step, model, time, (room, id)),
            Call::Find(id) => {
                let found = self.find(model, id);
                self.call(step, model, time, &Input::Found(found));
                self.fail(step, model, time, Input::Found);
            }
            Call::CheckUser | Call::CheckRoom(_) => {
                let readonly = Some(Unreachable::ReadOnlyRoom);
                for checked in [
                    Ok(None),
                    Ok(readonly),
                    Err(ApiError::Connect(ConnectCause::Refused)),
                ] {
                    self.call(step, model, time, &Input::Checked(checked));
                }
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
        Ok(StoredMessage::Readable {
            room: model.room.clone(),
            sender: bot(),
            text: String::new(),
            deleted: false,
        })
    }

    fn send(
        &mut self,
        step: &Step,
        model: &Model,
        time: CallTime,
        (room, id): (&RoomId, &MessageId),
    ) {
        let may_send = self.preconditions.is_empty() || model.before.is_some();
        assert!(may_send, "sent although the precondition is not met");
        let wrong_room = *room != model.room;
        if wrong_room || model.stored.is_some() {
            // A room that no longer exists, or a message that already exists.
            self.call(step, model, time, &Input::Sent(Err(ApiError::Refused)));
        } else {
            let stored = Model {
                stored: Some(id.clone()),
                ..model.clone()
            };
            self.call(step, &stored, time, &Input::Sent(Ok(())));
            for error in AMBIGUOUS {
                self.call(step, &stored, time, &Input::Sent(Err(*error)));
            }
            // Rejected for another reason, such as a message that is too long.
            self.call(step, model, time, &Input::Sent(Err(ApiError::Refused)));
        }
        self.fail(step, model, time, Input::Sent);
    }

    /// The call is not applied and returns each of the errors.
    fn fail<T>(
        &mut self,
        step: &Step,
        model: &Model,
        time: CallTime,
        input: impl Fn(Result<T, ApiError>) -> Input,
    ) {
        for error in self.errors.clone() {
            self.call(step, model, time, &input(Err(error)));
        }
    }

    /// The same call ends immediately and, as a second path, at the last moment.
    fn call(&mut self, step: &Step, model: &Model, time: CallTime, input: &Input) {
        assert!(
            model.now + time.total <= self.deadline.at,
            "a call that may end after the deadline"
        );
        assert!(time.response <= self.deadline.call_limit);
        for took in [Duration::ZERO, time.response] {
            let model = Model {
                now: model.now + took,
                ..model.clone()
            };
            self.explore(step, &model, input.clone());
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
            SendResult::Unreachable(_) => {
                assert_eq!(model.stored, None, "unreachable, but the message is stored");
            }
            SendResult::Overloaded => panic!("the machine does not limit concurrency"),
        }
    }
}

/// What tells the states of an exploration apart. The default hasher is compiled without optimizations in tests and would
/// take most of their time. 128 bits are enough, because among ten million states the chance that two have the same is 10⁻²⁵.
/// Give it the result of `format!`, which runs optimized code of the standard library; `write!` to a `String` takes
/// several times as long in a debug build.
pub(crate) fn digest(state: impl AsRef<[u8]>) -> u128 {
    let digest = ring::digest::digest(&ring::digest::SHA256, state.as_ref());
    let (first, _) = digest.as_ref().split_first_chunk().expect("has 32 bytes");
    u128::from_le_bytes(*first)
}

fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

fn account() -> Account {
    Account {
        bot: bot(),
        ids: Arc::new(MessageIds::new(&"secret".into(), None)),
    }
}

fn id(key: &MessageKey, room: &RoomId) -> MessageId {
    account().ids.id(INSTANCE, key, room, 0)
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("is an id")
}

fn key(name: &str) -> MessageKey {
    MessageKey::Delivery(IdempotencyKey::parse(name.as_bytes()).expect("is a key"))
}

fn notification() -> Notification {
    let alice = Destination::User(Username::parse("alice").expect("is a name"));
    Notification::new(key("key"), alice, "text".to_owned(), INSTANCE.to_owned())
}

fn delivery(cached: Option<RoomId>, deadline: Deadline) -> SendMachine {
    SendMachine::new(&notification(), account(), cached, deadline, 1)
}

fn fix(failures: Vec<MessageKey>, cached: Option<RoomId>, deadline: Deadline) -> SendMachine {
    let notification = notification().after_one_of(failures);
    SendMachine::new(&notification, account(), cached, deadline, 1)
}

/// Retries of the explored sends: few, so that their paths can be explored exhaustively.
const RETRIES: u64 = 2;

/// A budget of this many retries.
fn with_retries(retries: u64) -> ServerState {
    let mut state = ServerState::new(Duration::ZERO);
    for _ in retries..LIMITS.sending.max_saved_retries {
        assert!(state.take_retry(Duration::ZERO));
    }
    state
}

fn model(before: Option<MessageId>) -> Model {
    Model {
        now: Duration::ZERO,
        room: room("room"),
        stored: None,
        before,
    }
}

/// Explores every path from the start; returns how many there are and how many of them delivered.
fn explore_all(cached: Option<RoomId>, has_retries: bool) -> (u64, u64) {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let state = with_retries(if has_retries { RETRIES } else { 0 });
    let model = model(None);
    let mut explorer = Explorer {
        deadline,
        preconditions: Vec::new(),
        errors: [NOT_APPLIED, AMBIGUOUS].concat(),
        seen: BTreeSet::new(),
        paths: 0,
        delivered: 0,
        withheld: 0,
    };
    let step = Step::new(delivery(cached, deadline), state);
    explorer.explore(&step, &model, Input::Start);
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
    assert!(paths > 1_500_000, "{paths}");
}

#[test]
fn every_path_of_a_fix_ends_in_time_with_a_true_result() {
    let names = ["failure-a", "failure-b"].map(key);
    let ids = names.each_ref().map(|name| id(name, &room("room")));
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
                        ApiError::Connect(ConnectCause::Refused),
                        ApiError::Timeout,
                        ApiError::Redirected,
                    ],
                    seen: BTreeSet::new(),
                    paths: 0,
                    delivered: 0,
                    withheld: 0,
                };
                let state = with_retries(if has_retries { RETRIES } else { 0 });
                let machine = fix(names[..count].to_vec(), cached.clone(), deadline);
                let model = model(there.map(|index: usize| ids[index].clone()));
                explorer.explore(&Step::new(machine, state), &model, Input::Start);
                assert_eq!(explorer.delivered > 0, there.is_some(), "{count} {there:?}");
                assert_eq!(explorer.withheld > 0, there.is_none(), "{count} {there:?}");
                assert!(explorer.delivered + explorer.withheld < explorer.paths);
                paths += explorer.paths;
            }
        }
    }
    println!("{paths} paths");
    assert!(paths > 500_000, "{paths}");
}

#[test]
fn a_failed_lookup_of_the_precondition_fails_the_send() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    for error in ApiError::ALL {
        if matches!(error, ApiError::Refused | ApiError::RateLimited(_)) {
            continue;
        }
        let mut state = ServerState::new(Duration::ZERO);
        while state.take_retry(Duration::ZERO) {}
        let mut machine = fix(vec![key("failure")], Some(room("room")), deadline);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
        assert!(matches!(on(Input::Start), Command::Call(Call::Find(_), _)));
        let end = on(Input::Found(Err(error)));
        let expected = SendResult::Failed(SendError::Api(error));
        assert_eq!(end, Command::Finish(expected));
    }
}

#[test]
fn a_failure_by_another_sender_does_not_meet_the_precondition() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = fix(vec![key("failure")], Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    on(Input::Start);
    let stored = StoredMessage::Readable {
        room: room("room"),
        sender: UserId::parse("mallory").expect("is an id"),
        text: String::new(),
        deleted: false,
    };
    // All ids that the failure can have.
    for _ in 1..LIMITS.sending.max_generations {
        let next = on(Input::Found(Ok(stored.clone())));
        assert!(matches!(next, Command::Call(Call::Find(_), _)), "{next:?}");
    }
    let end = on(Input::Found(Ok(stored)));
    assert_eq!(end, Command::Finish(SendResult::Withheld));
}

#[test]
fn without_retry_budget_there_is_one_attempt_and_one_lookup() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    while state.take_retry(Duration::ZERO) {}
    let mut machine = delivery(Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    assert!(matches!(on(Input::Start), Command::Call(Call::Send(..), _)));
    assert!(matches!(
        on(Input::Sent(Err(ApiError::Reset))),
        Command::Call(Call::Find(_), _)
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
    assert_eq!(deadline.at, Duration::from_millis(64_700));
    assert_eq!(deadline.call_limit, Duration::from_millis(1500));
}

#[test]
fn the_room_of_another_notification_says_nothing_about_the_server() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    for _ in 0..LIMITS.sending.failures_until_open {
        let mut machine = delivery(None, deadline);
        machine.on(Input::Start, Duration::ZERO, &mut state);
        let other = Input::RoomOfAnother(Err(ApiError::Timeout));
        machine.on(other, Duration::ZERO, &mut state);
    }
    let mut machine = delivery(None, deadline);
    let next = machine.on(Input::Start, Duration::ZERO, &mut state);
    assert!(
        matches!(next, Command::Call(Call::CreateRoom, _)),
        "{next:?}"
    );
}

#[test]
fn a_notification_without_a_permit_reports_what_it_knows() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    let end = machine.on(Input::NoPermit, Duration::ZERO, &mut state);
    assert_eq!(end, Command::Finish(SendResult::Overloaded));

    let mut machine = delivery(Some(room("room")), deadline);
    machine.on(Input::Start, Duration::ZERO, &mut state);
    machine.on(
        Input::Sent(Err(ApiError::Connect(ConnectCause::Refused))),
        Duration::ZERO,
        &mut state,
    );
    let end = machine.on(Input::NoPermit, Duration::ZERO, &mut state);
    let expected = SendResult::Failed(SendError::Api(ApiError::Connect(ConnectCause::Refused)));
    assert_eq!(end, Command::Finish(expected));
}
