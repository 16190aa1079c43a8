//! A failure and its fix, delivered by replicas that know nothing of each other, step by step in
//! any order, to a chat server that fails in every way. Owns what is promised of a fix: told to
//! nobody who was not told of the failure, and never dropped where the failure was there to be found.

use std::collections::BTreeSet;
use std::time::Duration;

use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::rocketchat::MessageId;
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::send::retry_budget::RetryBudget;
use webhook_app::send::{Command, Deadline, Input, SendMachine, SendResult};

use super::chat::{bot, room};
use crate::rng::Rng;

const INSTANCE: &str = "https://gitlab.example.org";
const LIMIT: Duration = Duration::from_secs(5);
const FAULTS: &[ApiError] = &[
    ApiError::Connect,
    ApiError::Timeout,
    ApiError::Reset,
    ApiError::ServerError,
    ApiError::Unconfirmed,
    ApiError::Unreadable,
];

/// How often a fix ended in each way, over all stories.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) told: u64,
    pub(super) withheld: u64,
    pub(super) refused: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Topic {
    Failure,
    Fix,
}

/// One delivery on its way.
struct Attempt {
    topic: Topic,
    machine: SendMachine,
    replica: usize,
    input: Input,
    /// Whether the failure could be found when this began.
    failure_was_there: bool,
}

struct Story<'a> {
    dice: Rng,
    now: Duration,
    chaos: u64,
    stored: BTreeSet<String>,
    budgets: [RetryBudget; 2],
    in_progress: Vec<Attempt>,
    fix_accepted: bool,
    breaches: Vec<String>,
    tally: &'a mut Stats,
}

/// Plays one story to its end; returns what was broken.
pub(super) fn play(seed: u64, tally: &mut Stats) -> Vec<String> {
    let mut dice = Rng::seeded(seed);
    let chaos = dice.below(70);
    let mut story = Story {
        dice,
        now: Duration::ZERO,
        chaos,
        stored: BTreeSet::new(),
        budgets: [(); 2].map(|()| RetryBudget::new(Duration::ZERO)),
        in_progress: Vec::new(),
        fix_accepted: false,
        breaches: Vec::new(),
        tally,
    };
    for _ in 0..story.dice.below(3) + 2 {
        let topic = *story.dice.pick(&[Topic::Failure, Topic::Fix]);
        story.begin(topic);
        for _ in 0..story.dice.below(9) {
            story.step();
        }
    }
    story.come_to_rest();
    story.breaches
}

impl Story<'_> {
    fn begin(&mut self, topic: Topic) {
        let name = |text: &str| IdempotencyKey::parse(text.as_bytes()).expect("is a key");
        let deadline = Deadline::new(self.now, LIMIT);
        let (key, conditions) = match topic {
            Topic::Failure => ("failure", Vec::new()),
            Topic::Fix => (
                "fix",
                vec![name("failure-of-another-push"), name("failure")],
            ),
        };
        let seed = self.dice.number();
        let machine = SendMachine::new(name(key), INSTANCE.to_owned(), bot(), None, deadline, seed);
        let attempt = Attempt {
            topic,
            machine: machine.after_one_of(conditions),
            replica: self.dice.below(2) as usize,
            input: Input::Start,
            failure_was_there: self.stored.contains(id("failure").as_str()),
        };
        self.in_progress.push(attempt);
    }

    /// One of the deliveries goes one step further.
    fn step(&mut self) {
        if self.in_progress.is_empty() {
            return;
        }
        let index = self.dice.below(self.in_progress.len() as u64) as usize;
        let mut attempt = self.in_progress.swap_remove(index);
        let budget = &mut self.budgets[attempt.replica];
        let action = attempt.machine.on(attempt.input.clone(), self.now, budget);
        self.now += self.dice.time(Duration::from_millis(100));
        attempt.input = match action {
            Command::Finish(verdict) => return self.end(&attempt, &verdict),
            Command::Wait(pause) => {
                self.now += pause;
                Input::Waited
            }
            Command::CreateRoom { .. } => Input::Room(self.answer(Ok(room(0)))),
            Command::Send { id, .. } => {
                let sent = self.send(&id);
                Input::Sent(sent)
            }
            Command::Find { id, .. } => {
                let found = self.find(&id);
                Input::Found(self.answer(found))
            }
            Command::Edit { .. } => panic!("nothing here is ever edited"),
        };
        self.in_progress.push(attempt);
    }

    fn send(&mut self, id: &MessageId) -> Result<(), ApiError> {
        if self.dice.percent(self.chaos / 2) {
            return Err(*self.dice.pick(FAULTS));
        }
        let is_new = self.stored.insert(id.as_str().to_owned());
        self.answer(if is_new {
            Ok(())
        } else {
            Err(ApiError::Refused)
        })
    }

    fn find(&self, id: &MessageId) -> Result<StoredMessage, ApiError> {
        if !self.stored.contains(id.as_str()) {
            return Err(ApiError::Refused);
        }
        Ok(StoredMessage {
            room: room(0),
            sender: bot(),
            text: String::new(),
        })
    }

    /// The answer, or what is heard instead of it.
    fn answer<T>(&mut self, answer: Result<T, ApiError>) -> Result<T, ApiError> {
        if self.dice.percent(self.chaos) {
            Err(*self.dice.pick(FAULTS))
        } else {
            answer
        }
    }

    fn end(&mut self, attempt: &Attempt, verdict: &SendResult) {
        let is_there = |key: &str| self.stored.contains(id(key).as_str());
        let (failure, fix) = (is_there("failure"), is_there("fix"));
        let broken = match (attempt.topic, verdict) {
            (Topic::Failure, SendResult::Delivered { .. }) if !failure => {
                "a failure was accepted and is not stored"
            }
            (Topic::Failure, SendResult::Withheld) => "a failure was withheld",
            (Topic::Fix, SendResult::Delivered { .. }) if !fix => {
                "a fix was accepted and is not stored"
            }
            (Topic::Fix, SendResult::Withheld) if attempt.failure_was_there => {
                "a fix was withheld although its failure was there"
            }
            _ if fix && !failure => "a fix was told to somebody who was not told of the failure",
            _ => "",
        };
        if !broken.is_empty() {
            self.breaches.push(broken.to_owned());
        }
        if attempt.topic == Topic::Fix {
            match verdict {
                SendResult::Delivered { .. } => self.tally.told += 1,
                SendResult::Withheld => self.tally.withheld += 1,
                SendResult::Refused(_) => self.tally.refused += 1,
            }
            self.fix_accepted |= !matches!(verdict, SendResult::Refused(_));
        }
    }

    /// The faults end, and what failed is sent again: the failure first.
    fn come_to_rest(&mut self) {
        while !self.in_progress.is_empty() {
            self.step();
        }
        self.chaos = 0;
        for topic in [Topic::Failure, Topic::Fix] {
            if topic == Topic::Fix && self.fix_accepted {
                break;
            }
            self.begin(topic);
            while !self.in_progress.is_empty() {
                self.step();
            }
        }
        if !self.fix_accepted {
            self.breaches
                .push("a fix was refused without a error".to_owned());
        }
    }
}

fn id(key: &str) -> MessageId {
    let key = IdempotencyKey::parse(key.as_bytes()).expect("is a key");
    MessageId::derive(INSTANCE, &key, &room(0))
}
