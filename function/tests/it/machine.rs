//! Every way a delivery can go, walked through to its end: the machine against a model of the chat
//! server that may fail at every call, carried out or not, at once or at the last moment.

use std::time::Duration;

use webhook_app::delivery::budget::RetryBudget;
use webhook_app::delivery::{Action, Delivery, Input, Refusal, Schedule, Verdict};
use webhook_app::gitlab::delivery_id::DeliveryId;
use webhook_app::rocketchat::reply::{Fault, StoredMessage};
use webhook_app::rocketchat::{MessageId, RoomId, UserId};

const LIMIT: Duration = Duration::from_secs(5);

/// Faults of one class lead the same way; one of each class keeps the walk short.
const PASSING: &[Fault] = &[
    Fault::Connect,
    Fault::TryAgain,
    Fault::RateLimited(Some(Duration::from_secs(1))),
];
const DOUBTFUL: &[Fault] = &[
    Fault::Timeout,
    Fault::Reset,
    Fault::Unreadable,
    Fault::ServerError,
    Fault::Unconfirmed,
];
const LASTING: &[Fault] = &[
    Fault::Unauthorized,
    Fault::Forbidden,
    Fault::NotFound,
    Fault::Redirected,
];

/// The chat server and the clock, as far as one delivery sees them.
#[derive(Clone)]
struct Model {
    now: Duration,
    /// The room that the server knows; the machine may remember another one.
    room: RoomId,
    stored: Option<MessageId>,
    /// Calls and pauses so far.
    steps: usize,
}

struct Walk {
    schedule: Schedule,
    ends: u64,
    delivered: u64,
}

impl Walk {
    /// Follows one action through every way it can go.
    fn follow(&mut self, machine: &Delivery, budget: &RetryBudget, model: &Model, input: Input) {
        let (mut machine, mut budget, mut model) = (machine.clone(), budget.clone(), model.clone());
        model.steps += 1;
        assert!(model.steps < 20, "the machine does not come to an end");
        match machine.on(input, model.now, &mut budget) {
            Action::Finish(verdict) => self.end(&verdict, &model),
            Action::Edit { .. } => panic!("edits what is not about a pipeline"),
            Action::Wait(pause) => {
                model.now += pause;
                self.follow(&machine, &budget, &model, Input::Waited);
            }
            Action::CreateRoom { within } => {
                let room = model.room.clone();
                self.call(&machine, &budget, &model, within, &Input::Room(Ok(room)));
                self.fail(&machine, &budget, &model, within, Input::Room);
            }
            Action::Send { room, id, within } => {
                self.send(&machine, &budget, &model, within, (&room, &id));
            }
            Action::Find { id, within } => {
                let found = match &model.stored {
                    Some(stored) => {
                        assert_eq!(*stored, id, "another message was looked for");
                        Ok(StoredMessage {
                            room: model.room.clone(),
                            sender: bot(),
                            text: String::new(),
                        })
                    }
                    None => Err(Fault::Refused),
                };
                self.call(&machine, &budget, &model, within, &Input::Found(found));
                self.fail(&machine, &budget, &model, within, Input::Found);
            }
        }
    }

    fn send(
        &mut self,
        machine: &Delivery,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        (room, id): (&RoomId, &MessageId),
    ) {
        let wrong_room = *room != model.room;
        if wrong_room || model.stored.is_some() {
            // A room that is gone, or a message that is there.
            self.call(
                machine,
                budget,
                model,
                within,
                &Input::Sent(Err(Fault::Refused)),
            );
        } else {
            let stored = Model {
                stored: Some(id.clone()),
                ..model.clone()
            };
            self.call(machine, budget, &stored, within, &Input::Sent(Ok(())));
            for fault in DOUBTFUL {
                self.call(machine, budget, &stored, within, &Input::Sent(Err(*fault)));
            }
            // Refused for a reason of its own, such as a message that is too long.
            self.call(
                machine,
                budget,
                model,
                within,
                &Input::Sent(Err(Fault::Refused)),
            );
        }
        self.fail(machine, budget, model, within, Input::Sent);
    }

    /// The call is not carried out, whatever is said about it.
    fn fail<T>(
        &mut self,
        machine: &Delivery,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        input: impl Fn(Result<T, Fault>) -> Input,
    ) {
        for fault in [PASSING, DOUBTFUL, LASTING].concat() {
            self.call(machine, budget, model, within, &input(Err(fault)));
        }
    }

    /// A call that ends at once, and one that ends at the last moment.
    fn call(
        &mut self,
        machine: &Delivery,
        budget: &RetryBudget,
        model: &Model,
        within: Duration,
        input: &Input,
    ) {
        assert!(
            model.now + within <= self.schedule.deadline,
            "a call that cannot end in time"
        );
        assert!(within <= self.schedule.call_limit);
        for took in [Duration::ZERO, within] {
            let model = Model {
                now: model.now + took,
                ..model.clone()
            };
            self.follow(machine, budget, &model, input.clone());
        }
    }

    fn end(&mut self, verdict: &Verdict, model: &Model) {
        self.ends += 1;
        assert!(
            model.now <= self.schedule.deadline,
            "the answer comes too late"
        );
        match verdict {
            Verdict::Delivered { id, .. } => {
                assert_eq!(
                    model.stored.as_ref(),
                    Some(id),
                    "said to be delivered, and is not"
                );
                self.delivered += 1;
            }
            Verdict::Refused(Refusal::IdTaken) => panic!("our own message was taken for another"),
            Verdict::Refused(_) => {}
        }
    }
}

fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("is an id")
}

fn delivery(remembered: Option<RoomId>, schedule: Schedule) -> Delivery {
    let key = DeliveryId::parse(b"key").expect("is a key");
    Delivery::new(
        key,
        "https://gitlab.example.org".to_owned(),
        bot(),
        remembered,
        schedule,
        1,
    )
}

/// Walks every way from the start; returns the ends and how many of them were deliveries.
fn walk(remembered: Option<RoomId>, tries: bool) -> (u64, u64) {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    if !tries {
        while budget.take_retry(Duration::ZERO) {}
    }
    let model = Model {
        now: Duration::ZERO,
        room: room("room"),
        stored: None,
        steps: 0,
    };
    let mut walk = Walk {
        schedule,
        ends: 0,
        delivered: 0,
    };
    walk.follow(
        &delivery(remembered, schedule),
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
fn without_retry_budget_there_is_one_try_and_one_look() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    while budget.take_retry(Duration::ZERO) {}
    let mut machine = delivery(Some(room("room")), schedule);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
    assert!(matches!(on(Input::Start), Action::Send { .. }));
    assert!(matches!(
        on(Input::Sent(Err(Fault::Reset))),
        Action::Find { .. }
    ));
    let end = on(Input::Found(Err(Fault::Refused)));
    assert_eq!(
        end,
        Action::Finish(Verdict::Refused(Refusal::Fault(Fault::Reset)))
    );
}

#[test]
fn a_message_of_another_sender_or_room_is_not_ours() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
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
        let mut machine = delivery(Some(room("room")), schedule);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
        on(Input::Start);
        on(Input::Sent(Err(Fault::Refused)));
        let end = on(Input::Found(Ok(stored)));
        assert_eq!(end, Action::Finish(Verdict::Refused(Refusal::IdTaken)));
    }
}

#[test]
fn pauses_differ_by_delivery_and_stay_within_their_bounds() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let pause = |seed| {
        let key = DeliveryId::parse(b"key").expect("is a key");
        let mut machine = Delivery::new(
            key,
            String::new(),
            bot(),
            Some(room("room")),
            schedule,
            seed,
        );
        let mut budget = RetryBudget::new(Duration::ZERO);
        machine.on(Input::Start, Duration::ZERO, &mut budget);
        match machine.on(
            Input::Sent(Err(Fault::Connect)),
            Duration::ZERO,
            &mut budget,
        ) {
            Action::Wait(pause) => pause.as_millis(),
            other => panic!("{other:?}"),
        }
    };
    let pauses: std::collections::BTreeSet<_> = (0..1000).map(pause).collect();
    assert!(pauses.len() > 200, "{}", pauses.len());
    assert!(pauses.iter().all(|pause| (100..400).contains(pause)));
}
