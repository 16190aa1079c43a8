//! Every way a delivery can go, walked through to its end: the machine against a model of the chat
//! server that may fail at every call, carried out or not, at once or at the last moment.

use std::time::Duration;

use webhook_app::delivery::budget::RetryBudget;
use webhook_app::delivery::{
    Action, Busy, Delivery, Effort, Evidence, Input, Refusal, Schedule, Verdict,
};
use webhook_app::gitlab::delivery_id::DeliveryId;
use webhook_app::notice::Ignored;
use webhook_app::outcome::{Outcome, Report};
use webhook_app::rocketchat::reply::{Fault, StoredMessage};
use webhook_app::rocketchat::{MessageId, RoomId, UserId};
use webhook_app::routes::Target;

const LIMIT: Duration = Duration::from_secs(5);

const INSTANCE: &str = "https://gitlab.example.org";

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
    /// A message that was there before, if there was one.
    before: Option<MessageId>,
    /// Calls and pauses so far.
    steps: usize,
}

struct Walk {
    schedule: Schedule,
    /// Messages of which one must be there before; none is no condition.
    conditions: Vec<MessageId>,
    /// Faults that a call may have without being carried out.
    faults: Vec<Fault>,
    ends: u64,
    delivered: u64,
    withheld: u64,
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
                let found = self.find(&model, &id);
                self.call(&machine, &budget, &model, within, &Input::Found(found));
                self.fail(&machine, &budget, &model, within, Input::Found);
            }
        }
    }

    fn find(&self, model: &Model, id: &MessageId) -> Result<StoredMessage, Fault> {
        let (there, expected) = if self.conditions.contains(id) {
            assert_eq!(model.stored, None, "sent before it was allowed to");
            (model.before.as_ref() == Some(id), model.before.as_ref())
        } else {
            (model.stored.is_some(), model.stored.as_ref())
        };
        if !there {
            return Err(Fault::Refused);
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
        machine: &Delivery,
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
        for fault in self.faults.clone() {
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
            Verdict::Withheld => {
                assert!(!self.conditions.is_empty(), "withheld without a condition");
                assert_eq!(model.before, None, "withheld although it was asked for");
                self.withheld += 1;
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
    Delivery::new(key, INSTANCE.to_owned(), bot(), remembered, schedule, 1)
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
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    if !tries {
        while budget.take_retry(Duration::ZERO) {}
    }
    let model = model(None);
    let mut walk = Walk {
        schedule,
        conditions: Vec::new(),
        faults: [PASSING, DOUBTFUL, LASTING].concat(),
        ends: 0,
        delivered: 0,
        withheld: 0,
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
fn every_way_of_a_fix_ends_in_time_with_the_truth() {
    let names =
        [&b"failure-a"[..], b"failure-b"].map(|name| DeliveryId::parse(name).expect("is a key"));
    let ids = names
        .each_ref()
        .map(|name| MessageId::derive(INSTANCE, name, &room("room")));
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
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
                    schedule,
                    conditions: ids[..count].to_vec(),
                    faults: vec![
                        Fault::Connect,
                        Fault::Timeout,
                        Fault::Unconfirmed,
                        Fault::Forbidden,
                    ],
                    ends: 0,
                    delivered: 0,
                    withheld: 0,
                };
                let mut budget = RetryBudget::new(Duration::ZERO);
                while !tries && budget.take_retry(Duration::ZERO) {}
                let machine = delivery(remembered.clone(), schedule);
                let machine = machine.after_one_of(names[..count].to_vec());
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

/// One of several recipients: which one, and how the delivery to it ended.
type End = Result<Verdict, Busy>;

fn every_end(recipient: &str) -> Vec<End> {
    let key = DeliveryId::parse(b"key").expect("is a key");
    let id = MessageId::derive(INSTANCE, &key, &room(recipient));
    let delivered = Evidence::ALL.map(|known_by| Verdict::Delivered {
        id: id.clone(),
        known_by,
    });
    let faults = Fault::ALL.map(Refusal::Fault);
    let refused = faults
        .into_iter()
        .chain([Refusal::IdTaken, Refusal::NoTime]);
    let verdicts = delivered.into_iter().chain([Verdict::Withheld]);
    let verdicts = verdicts.chain(refused.map(Verdict::Refused));
    verdicts.map(Ok).chain([Err(Busy)]).collect()
}

/// What the sender hears of recipients whose deliveries ended so, against what is true of them.
fn assert_told_the_truth(ends: &[End]) {
    let rooms = ["room-a", "room-b", "room-c"];
    let targets: Vec<_> = rooms.iter().map(|name| Target::Room(room(name))).collect();
    let targets: Vec<_> = targets.iter().take(ends.len()).collect();
    let once = Effort {
        retries: 1,
        rate_limit_waits: 2,
    };
    let verdicts = ends.iter().cloned().map(|end| end.map(|end| (end, once)));
    let report = Report::of(Outcome::Ignored(Ignored::Nobody)).told(&targets, verdicts.collect());
    let count = |is: fn(&End) -> bool| ends.iter().filter(|end| is(end)).count();
    let delivered = count(|end| matches!(end, Ok(Verdict::Delivered { .. })));
    let withheld = count(|end| matches!(end, Ok(Verdict::Withheld)));
    let expected = match (delivered, withheld) {
        (delivered, withheld) if delivered + withheld < ends.len() => 503,
        (0, _) => 204,
        _ => 200,
    };
    assert_eq!(report.outcome.status(), expected, "{ends:?}");
    let tried = ends.iter().filter(|end| end.is_ok()).count();
    assert_eq!(report.effort.retries, tried as u64, "{ends:?}");
    assert_eq!(report.effort.rate_limit_waits, 2 * tried as u64, "{ends:?}");
    if ends.len() == 1 {
        assert_eq!(report.deliveries, [], "one recipient is the answer itself");
        return;
    }
    assert_eq!(report.deliveries.len(), ends.len());
    for ((told, target), end) in report.deliveries.iter().zip(&targets).zip(ends) {
        assert_eq!(told.recipient, target.label());
        let stored = match end {
            Ok(Verdict::Delivered { id, .. }) => Some(id),
            _ => None,
        };
        assert_eq!(told.result.as_ref().ok(), stored, "{ends:?}");
    }
}

#[test]
fn every_way_several_recipients_can_end_is_told_as_it_is() {
    let [a, b, c] = ["room-a", "room-b", "room-c"].map(every_end);
    let mut ways = 0;
    let mut check = |ends: &[End]| {
        assert_told_the_truth(ends);
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
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    for fault in [PASSING, DOUBTFUL, LASTING].concat() {
        let mut budget = RetryBudget::new(Duration::ZERO);
        while budget.take_retry(Duration::ZERO) {}
        let name = DeliveryId::parse(b"failure").expect("is a key");
        let mut machine = delivery(Some(room("room")), schedule).after_one_of(vec![name]);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
        assert!(matches!(on(Input::Start), Action::Find { .. }));
        let end = on(Input::Found(Err(fault)));
        let expected = Verdict::Refused(Refusal::Fault(fault));
        assert_eq!(end, Action::Finish(expected));
    }
}

#[test]
fn a_failure_that_somebody_else_told_is_none_of_ours() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let name = DeliveryId::parse(b"failure").expect("is a key");
    let mut machine = delivery(Some(room("room")), schedule).after_one_of(vec![name]);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut budget);
    on(Input::Start);
    let stored = StoredMessage {
        room: room("room"),
        sender: UserId::parse("mallory").expect("is an id"),
        text: String::new(),
    };
    let end = on(Input::Found(Ok(stored)));
    assert_eq!(end, Action::Finish(Verdict::Withheld));
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
fn the_time_of_a_delivery_is_shared_out() {
    let schedule = Schedule::new(Duration::from_mins(1), LIMIT);
    assert_eq!(schedule.deadline, Duration::from_millis(64_500));
    assert_eq!(schedule.call_limit, Duration::from_millis(1500));
}

#[test]
fn there_are_three_tries_however_quickly_they_fail() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), schedule);
    let (mut now, mut tries, mut input) = (Duration::ZERO, 0, Input::Start);
    let end = loop {
        input = match machine.on(input, now, &mut budget) {
            Action::Send { .. } => {
                tries += 1;
                Input::Sent(Err(Fault::Connect))
            }
            Action::Wait(pause) => {
                now += pause;
                Input::Waited
            }
            other => break other,
        };
    };
    assert_eq!(
        end,
        Action::Finish(Verdict::Refused(Refusal::Fault(Fault::Connect)))
    );
    assert_eq!(tries, 3);
}

#[test]
fn a_limit_of_the_chat_server_is_waited_for_and_counted() {
    let schedule = Schedule::new(Duration::ZERO, LIMIT);
    let mut budget = RetryBudget::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), schedule);
    machine.on(Input::Start, Duration::ZERO, &mut budget);
    let limited = Input::Sent(Err(Fault::RateLimited(Some(Duration::from_secs(2)))));
    let action = machine.on(limited, Duration::ZERO, &mut budget);
    let Action::Wait(pause) = action else {
        panic!("{action:?}");
    };
    assert!((2100..2400).contains(&pause.as_millis()), "{pause:?}");
    assert_eq!(machine.effort.rate_limit_waits, 1);
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
