//! Simulates a failure and its fix, delivered by replicas that share no state, in any interleaving, to a
//! chat server that fails in every way. Owns the invariants of a fix: it is sent only if the failure was
//! sent, and it is not withheld if the failure was stored.

use std::collections::BTreeSet;
use std::time::Duration;

use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::notifier::notification::Notification;
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{ConnectCause, Destination, MessageId, MessageKey, Username};
use webhook_app::send::{Call, Command, Deadline, Input, SendMachine, SendResult, ServerState};

use super::chat::{account, bot, room};
use crate::rng::Rng;

const INSTANCE: &str = "https://gitlab.example.org";
const SEND_DEADLINE: Duration = Duration::from_secs(5);
const ERRORS: &[ApiError] = &[
    ApiError::Connect(ConnectCause::Refused),
    ApiError::Timeout,
    ApiError::Reset,
    ApiError::ServerError,
    ApiError::Unconfirmed,
    ApiError::Unreadable,
];

/// How often a fix had each result, over all scenarios.
#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) sent: u64,
    pub(super) withheld: u64,
    pub(super) rejected: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Topic {
    Failure,
    Fix,
}

/// One delivery in flight.
struct Attempt {
    topic: Topic,
    machine: SendMachine,
    replica: usize,
    input: Input,
    /// Whether the failure was stored when this delivery started.
    failure_was_stored: bool,
}

struct Scenario<'a> {
    rng: Rng,
    now: Duration,
    fault_percent: u64,
    stored: BTreeSet<String>,
    states: [ServerState; 2],
    in_progress: Vec<Attempt>,
    fix_accepted: bool,
    violations: Vec<String>,
    stats: &'a mut Stats,
}

/// Runs one scenario; returns the violated invariants.
pub(super) fn run(seed: u64, stats: &mut Stats) -> Vec<String> {
    let mut rng = Rng::seeded(seed);
    let fault_percent = rng.below(70);
    let mut scenario = Scenario {
        rng,
        now: Duration::ZERO,
        fault_percent,
        stored: BTreeSet::new(),
        states: [(); 2].map(|()| ServerState::new(Duration::ZERO)),
        in_progress: Vec::new(),
        fix_accepted: false,
        violations: Vec::new(),
        stats,
    };
    for _ in 0..scenario.rng.below(3) + 2 {
        let topic = *scenario.rng.pick(&[Topic::Failure, Topic::Fix]);
        scenario.start(topic);
        for _ in 0..scenario.rng.below(9) {
            scenario.step();
        }
    }
    scenario.end_faults();
    scenario.violations
}

impl Scenario<'_> {
    fn start(&mut self, topic: Topic) {
        let deadline = Deadline::new(self.now, SEND_DEADLINE);
        let (key, preconditions) = match topic {
            Topic::Failure => ("failure", Vec::new()),
            Topic::Fix => (
                "fix",
                vec![name("failure-of-another-push"), name("failure")],
            ),
        };
        let seed = self.rng.number();
        let alice = Destination::User(Username::parse("alice").expect("is a name"));
        let notification = Notification::new(name(key), alice, String::new(), INSTANCE.to_owned());
        let notification = notification.after_one_of(preconditions);
        let attempt = Attempt {
            topic,
            machine: SendMachine::new(&notification, account(), None, deadline, seed),
            replica: self.rng.below(2) as usize,
            input: Input::Start,
            failure_was_stored: self.stored.contains(id("failure").as_str()),
        };
        self.in_progress.push(attempt);
    }

    /// Executes one step of a random delivery.
    fn step(&mut self) {
        if self.in_progress.is_empty() {
            return;
        }
        let index = self.rng.below(self.in_progress.len() as u64) as usize;
        let mut attempt = self.in_progress.swap_remove(index);
        let state = &mut self.states[attempt.replica];
        let command = attempt.machine.on(attempt.input.clone(), self.now, state);
        self.now += self.rng.time(Duration::from_millis(100));
        attempt.input = match command {
            Command::Finish(result) => return self.finish(&attempt, &result),
            Command::Wait(pause) => {
                self.now += pause;
                Input::Waited
            }
            Command::Call(Call::CreateRoom, _) => Input::Room(self.respond(Ok(room(0)))),
            Command::Call(Call::Send(_, id), _) => {
                let sent = self.send(&id);
                Input::Sent(sent)
            }
            Command::Call(Call::Find(id), _) => {
                let found = self.find(&id);
                Input::Found(self.respond(found))
            }
            Command::Call(Call::Edit(..), _) => panic!("a fix or a failure is never edited"),
            Command::Call(Call::CheckUser | Call::CheckRoom(_), _) => Input::Checked(Ok(None)),
        };
        self.in_progress.push(attempt);
    }

    fn send(&mut self, id: &MessageId) -> Result<(), ApiError> {
        if self.rng.percent(self.fault_percent / 2) {
            return Err(*self.rng.pick(ERRORS));
        }
        let is_new = self.stored.insert(id.as_str().to_owned());
        self.respond(if is_new {
            Ok(())
        } else {
            Err(ApiError::Refused)
        })
    }

    fn find(&self, id: &MessageId) -> Result<StoredMessage, ApiError> {
        if !self.stored.contains(id.as_str()) {
            return Err(ApiError::Refused);
        }
        Ok(StoredMessage::Readable {
            room: room(0),
            sender: bot(),
            text: String::new(),
            deleted: false,
        })
    }

    /// The response, or a random error instead of it.
    fn respond<T>(&mut self, response: Result<T, ApiError>) -> Result<T, ApiError> {
        if self.rng.percent(self.fault_percent) {
            Err(*self.rng.pick(ERRORS))
        } else {
            response
        }
    }

    fn finish(&mut self, attempt: &Attempt, result: &SendResult) {
        let is_stored = |key: &str| self.stored.contains(id(key).as_str());
        let (failure, fix) = (is_stored("failure"), is_stored("fix"));
        let violation = match (attempt.topic, result) {
            (Topic::Failure, SendResult::Delivered { .. }) if !failure => {
                "a failure was accepted and is not stored"
            }
            (Topic::Failure, SendResult::Withheld) => "a failure was withheld",
            (Topic::Fix, SendResult::Delivered { .. }) if !fix => {
                "a fix was accepted and is not stored"
            }
            (Topic::Fix, SendResult::Withheld) if attempt.failure_was_stored => {
                "a fix was withheld although its failure was stored"
            }
            _ if fix && !failure => "a fix was sent to a recipient who did not get the failure",
            _ => "",
        };
        if !violation.is_empty() {
            self.violations.push(violation.to_owned());
        }
        if attempt.topic == Topic::Fix {
            match result {
                SendResult::Delivered { .. } => self.stats.sent += 1,
                SendResult::Withheld => self.stats.withheld += 1,
                SendResult::Failed(_) | SendResult::Unreachable(_) | SendResult::Overloaded => {
                    self.stats.rejected += 1;
                }
            }
            self.fix_accepted |= !matches!(result, SendResult::Failed(_));
        }
    }

    /// Stops the faults and resends what failed: the failure first.
    fn end_faults(&mut self) {
        while !self.in_progress.is_empty() {
            self.step();
        }
        self.fault_percent = 0;
        for topic in [Topic::Failure, Topic::Fix] {
            if topic == Topic::Fix && self.fix_accepted {
                break;
            }
            self.start(topic);
            while !self.in_progress.is_empty() {
                self.step();
            }
        }
        if !self.fix_accepted {
            self.violations
                .push("a fix was rejected without faults".to_owned());
        }
    }
}

pub(super) fn name(text: &str) -> MessageKey {
    MessageKey::Delivery(IdempotencyKey::parse(text.as_bytes()).expect("is a key"))
}

fn id(key: &str) -> MessageId {
    account().ids.id(INSTANCE, &name(key), &room(0), 0)
}
