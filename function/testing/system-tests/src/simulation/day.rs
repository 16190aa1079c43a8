//! One day with a broker, in virtual time: replicas that run the real state machine and are killed, a chat server with
//! blips and outages, a broker with a dispatcher that follows the retry table of Knative or of its broker for RabbitMQ,
//! and a service that stores dead letters. Owns the model of the broker and the invariants: a 202 only if the broker has
//! confirmed, an event is forgotten only if its message is stored or a dead letter, and in the end everything that was
//! accepted is stored once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use fakes::broker::Next;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::notification::{Notification, RecipientSource};
use webhook_app::outcome::{Facts, Outcome, Report};
use webhook_app::rocketchat::reachability::Unreachable;
use webhook_app::rocketchat::response::ApiError;
use webhook_app::rocketchat::{ConnectCause, Destination, RoomId, Username};
use webhook_app::send::{
    Attempts, Call, Command, Deadline, HandOffResult, Input, RecipientResult, SendMachine,
    SendResult, ServerState, SinkError,
};

use super::chat::{Chat, Stored, account, failed, room};
use super::event_queue::EventQueue;
use super::fixes::name;
use crate::rng::Rng;

const REPLICAS: usize = 2;
const DAY: Duration = Duration::from_hours(24);
/// `DELIVERY_TIMEOUT_SECONDS`
const LIMIT: Duration = Duration::from_secs(5);
/// Mean time between two webhooks.
const WEBHOOK_EVERY: Duration = Duration::from_secs(15);
/// Nobody has this name any more.
const FORMER: usize = 2;
const USERS: [&str; 3] = ["alice", "bob", "former"];
/// `retry` and `backoffDelay` of the Trigger; the pause doubles with each retry.
const RETRIES: u32 = 9;
const BACKOFF_DELAY: Duration = Duration::from_millis(1500);
/// `parallelism` of the dispatcher for RabbitMQ.
const AT_ONCE: usize = 50;
/// More runs than can be in progress at the same time.
const RECENT: usize = 2000;

/// A defect that the day must find, so that its invariants are known to hold for a reason.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mutant {
    /// None.
    None,
    /// The function answers 202 although the broker has not confirmed the event.
    UnconfirmedHandOff,
    /// The function does not put aside what it refuses, although the broker forgets that.
    RefusedIsForgotten,
    /// An event that comes back gets another message ID.
    NewMessageId,
    /// A function that is away or overloaded is answered for with a success.
    FailedIsForgotten,
}

/// Counts of what must occur in at least one day.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) webhooks: u64,
    pub(super) handed_off: u64,
    pub(super) failed: u64,
    pub(super) redeliveries: u64,
    pub(super) found_again: u64,
    pub(super) put_aside: u64,
    pub(super) given_up: u64,
    pub(super) crashes: u64,
    pub(super) dispatcher_restarts: u64,
}

impl Counts {
    pub(super) fn coverage(&self) -> [(&'static str, u64); 8] {
        [
            ("a webhook that is handed off", self.handed_off),
            ("a webhook that fails with a broker", self.failed),
            ("an event that comes back", self.redeliveries),
            ("a message that is stored already", self.found_again),
            ("a refused event that is put aside", self.put_aside),
            ("an event whose attempts are used up", self.given_up),
            ("a crash with a broker", self.crashes),
            ("a restart of the dispatcher", self.dispatcher_restarts),
        ]
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Part {
    Chat,
    Broker,
    DeadLetterSink,
}

#[derive(Debug)]
enum Step {
    Webhook,
    /// GitLab or a proxy sends a webhook again.
    Post(usize),
    Receive(usize, Input),
    /// The chat server executes a call; the error replaces its response.
    Execute(usize, Call, Option<ApiError>),
    /// The function posts to the broker, or to the service for dead letters.
    HandOff(usize),
    PutAside(usize),
    /// The dispatcher of this generation sends an event, or gives it up.
    Dispatch(usize, u64),
    GiveUp(usize, u64, u32),
    Crash(usize),
    Restart,
    Set(Part, bool),
    End,
}

/// What a state machine runs for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    Webhook { post: usize },
    Redelivery { event: usize, generation: u64 },
}

struct Run {
    purpose: Purpose,
    delivery: usize,
    user: usize,
    source: RecipientSource,
    replica: usize,
    incarnation: u64,
    machine: SendMachine,
    began: Duration,
    result: Option<RecipientResult>,
    /// Whether the dispatcher knows the end of its attempt.
    is_answered: bool,
}

/// One webhook request.
struct Post {
    delivery: usize,
    runs: Vec<usize>,
}

struct Delivery {
    recipients: Vec<(usize, RecipientSource)>,
    accepted: bool,
}

/// An event that the broker keeps.
struct Event {
    delivery: usize,
    user: usize,
    source: RecipientSource,
    attempts: u32,
    is_over: bool,
}

struct Replica {
    state: ServerState,
    rooms: [Option<RoomId>; USERS.len()],
    incarnation: u64,
}

pub(super) struct Day<'a> {
    rng: Rng,
    mutant: Mutant,
    /// Whether the dispatcher is that for RabbitMQ.
    is_rabbitmq: bool,
    steps: EventQueue<Step>,
    chat: Chat,
    /// How many outages of each part there are now.
    down: BTreeMap<Part, u32>,
    is_over: bool,
    replicas: Vec<Replica>,
    deliveries: Vec<Delivery>,
    posts: Vec<Post>,
    runs: Vec<Run>,
    events: Vec<Event>,
    waiting: VecDeque<usize>,
    in_progress: usize,
    generation: u64,
    dead_letters: BTreeSet<usize>,
    /// How many messages are stored about a delivery for a user.
    stored: BTreeMap<(usize, usize), u32>,
    /// What the broker has ever stored.
    kept: BTreeSet<(usize, usize)>,
    counts: &'a mut Counts,
    violations: Vec<String>,
}

impl<'a> Day<'a> {
    pub(super) fn new(seed: u64, mutant: Mutant, counts: &'a mut Counts) -> Self {
        let mut rng = Rng::seeded(seed);
        let mut steps = EventQueue::new();
        let mut at = Duration::ZERO;
        while at < DAY {
            at += rng.time(WEBHOOK_EVERY * 2);
            steps.after(at, Step::Webhook);
        }
        // Blips, outages of minutes, and one that outlasts the attempts of the broker.
        let minutes = Duration::from_mins;
        // Meanwhile, the broker is away too, and nothing can be accepted.
        let long = rng.time(minutes(20 * 60));
        for (part, at, lasting) in [
            (Part::Chat, long, minutes(30) + rng.time(minutes(90))),
            (Part::Broker, long + rng.time(minutes(20)), minutes(3)),
        ] {
            steps.after(at, Step::Set(part, false));
            steps.after(at + lasting, Step::Set(part, true));
        }
        let mut outages = Vec::new();
        outages.extend((0..60).map(|_| (Part::Chat, rng.time(Duration::from_secs(5)))));
        outages.extend((0..6).map(|_| (Part::Chat, rng.time(minutes(8)))));
        outages.extend((0..12).map(|_| (Part::Broker, rng.time(minutes(2)))));
        outages.extend((0..8).map(|_| (Part::DeadLetterSink, rng.time(minutes(4)))));
        for (part, lasting) in outages {
            let at = rng.time(minutes(21 * 60));
            steps.after(at, Step::Set(part, false));
            steps.after(at + lasting, Step::Set(part, true));
        }
        for _ in 0..40 {
            let replica = rng.below(REPLICAS as u64) as usize;
            steps.after(rng.time(DAY), Step::Crash(replica));
        }
        for _ in 0..20 {
            steps.after(rng.time(DAY), Step::Restart);
        }
        steps.after(DAY, Step::End);
        let replica = || Replica {
            state: ServerState::new(Duration::ZERO),
            rooms: [const { None }; USERS.len()],
            incarnation: 0,
        };
        Self {
            rng,
            mutant,
            is_rabbitmq: seed % 2 == 1,
            steps,
            chat: Chat::new(false),
            down: BTreeMap::new(),
            is_over: false,
            replicas: (0..REPLICAS).map(|_| replica()).collect(),
            deliveries: Vec::new(),
            posts: Vec::new(),
            runs: Vec::new(),
            events: Vec::new(),
            waiting: VecDeque::new(),
            in_progress: 0,
            generation: 0,
            dead_letters: BTreeSet::new(),
            stored: BTreeMap::new(),
            kept: BTreeSet::new(),
            counts,
            violations: Vec::new(),
        }
    }

    /// Runs until nothing is left to do; returns the violated invariants.
    pub(super) fn run(mut self) -> Vec<String> {
        while let Some(step) = self.steps.next() {
            self.handle(step);
        }
        self.check_end();
        self.violations
    }

    fn handle(&mut self, step: Step) {
        match step {
            Step::Webhook => self.webhook(),
            Step::Post(delivery) => self.post(delivery),
            Step::Receive(run, input) => self.receive(run, input),
            Step::Execute(run, call, lost) => self.execute(run, &call, lost),
            Step::HandOff(run) => self.hand_off(run),
            Step::PutAside(run) => self.put_aside(run),
            Step::Dispatch(event, generation) => self.dispatch(event, generation),
            Step::GiveUp(event, generation, attempt) => self.give_up(event, generation, attempt),
            Step::Crash(replica) => self.crash(replica),
            Step::Restart => self.restart_dispatcher(),
            Step::Set(part, true) => {
                let outages = self.down.entry(part).or_default();
                *outages = outages.saturating_sub(1);
                if part == Part::Broker && self.is_up(part) {
                    self.restart_dispatcher();
                }
            }
            Step::Set(part, false) => {
                *self.down.entry(part).or_default() += 1;
                if part == Part::Broker {
                    self.generation += 1;
                }
            }
            Step::End => self.end(),
        }
    }

    fn is_up(&self, part: Part) -> bool {
        self.down.get(&part).is_none_or(|outages| *outages == 0)
    }

    /// Whether the network loses something.
    fn loses(&mut self, percent: u64) -> bool {
        !self.is_over && self.rng.percent(percent)
    }

    fn webhook(&mut self) {
        use RecipientSource::{Configuration, Role};
        let recipients = match self.rng.below(10) {
            0 => vec![(0, Configuration), (1, Configuration)],
            1 => vec![(0, Configuration), (FORMER, Role)],
            2 => vec![(0, Configuration), (FORMER, Configuration)],
            _ => vec![(0, Configuration)],
        };
        let number = self.deliveries.len();
        self.deliveries.push(Delivery {
            recipients,
            accepted: false,
        });
        self.counts.webhooks += 1;
        self.post(number);
        if self.rng.percent(5) {
            let latest = [Duration::from_secs(3), Duration::from_mins(30)];
            let latest = *self.rng.pick(&latest);
            let later = self.rng.time(latest);
            self.steps.after(later, Step::Post(number));
        }
    }

    fn post(&mut self, delivery: usize) {
        let post = self.posts.len();
        let replica = self.rng.below(REPLICAS as u64) as usize;
        let deadline = Deadline::before_hand_off(self.steps.now(), LIMIT);
        let recipients = self.deliveries[delivery].recipients.clone();
        let first = self.runs.len();
        self.posts.push(Post {
            delivery,
            runs: (first..first + recipients.len()).collect(),
        });
        for (user, source) in &recipients {
            let purpose = Purpose::Webhook { post };
            self.begin(purpose, delivery, *user, *source, replica, deadline);
        }
        for run in first..first + recipients.len() {
            self.receive(run, Input::Start);
        }
    }

    fn begin(
        &mut self,
        purpose: Purpose,
        delivery: usize,
        user: usize,
        source: RecipientSource,
        replica: usize,
        deadline: Deadline,
    ) {
        let is_other = matches!(purpose, Purpose::Redelivery { .. });
        let key = if is_other && self.mutant == Mutant::NewMessageId {
            format!("other-{delivery}")
        } else {
            format!("key-{delivery}")
        };
        let notification = Notification::new(
            name(&key),
            destination(user),
            String::new(),
            "https://gitlab.example.org".to_owned(),
        );
        let notification = notification.from(source);
        let room = self.replicas[replica].rooms[user].clone();
        let seed = self.rng.number();
        self.runs.push(Run {
            purpose,
            delivery,
            user,
            source,
            replica,
            incarnation: self.replicas[replica].incarnation,
            machine: SendMachine::new(&notification, account(), room, deadline, seed),
            began: self.steps.now(),
            result: None,
            is_answered: false,
        });
    }

    fn is_alive(&self, run: usize) -> bool {
        let run = &self.runs[run];
        self.replicas[run.replica].incarnation == run.incarnation
    }

    fn receive(&mut self, run: usize, input: Input) {
        if !self.is_alive(run) {
            return;
        }
        let now = self.steps.now();
        let this = &mut self.runs[run];
        let replica = &mut self.replicas[this.replica];
        if let Input::Room(room) = &input {
            replica.rooms[this.user] = room.as_ref().ok().cloned();
        }
        match this.machine.on(input, now, &mut replica.state) {
            Command::Finish(result) => self.sent(run, result),
            Command::Wait(pause) => self.steps.after(pause, Step::Receive(run, Input::Waited)),
            Command::Call(call, time) => self.call(run, call, time.response),
        }
    }

    /// The network between the function and the chat server.
    fn call(&mut self, run: usize, call: Call, within: Duration) {
        let delay = self.rng.time(Duration::from_millis(60));
        if !self.is_up(Part::Chat) || self.loses(2) {
            let error = *self.rng.pick(&[
                ApiError::Connect(ConnectCause::Refused),
                ApiError::Reset,
                ApiError::ServerError,
            ]);
            let input = failed(&call, error);
            self.steps
                .after(delay.min(within), Step::Receive(run, input));
            return;
        }
        let lost = self
            .loses(3)
            .then(|| *self.rng.pick(&[ApiError::Reset, ApiError::ServerError]));
        self.steps
            .after(delay.min(within), Step::Execute(run, call, lost));
    }

    fn execute(&mut self, run: usize, call: &Call, lost: Option<ApiError>) {
        let this = &self.runs[run];
        let message = Stored {
            key: format!("delivery {}", this.delivery),
            room: room(this.user),
            text: String::new(),
        };
        let input = match (this.user, call) {
            (FORMER, Call::CheckUser) => Input::Checked(Ok(Some(Unreachable::UnknownUser))),
            (FORMER, call) => failed(call, ApiError::Refused),
            _ => {
                let before = self.chat.stored.len();
                let input = self.chat.execute(call, message, self.steps.now());
                if self.chat.stored.len() > before {
                    *self.stored.entry((this.delivery, this.user)).or_default() += 1;
                }
                input
            }
        };
        self.counts.found_again += u64::from(matches!(input, Input::Found(Ok(_))));
        let input = lost.map_or(input, |error| failed(call, error));
        self.receive(run, input);
    }

    /// The state machine of one recipient has ended.
    fn sent(&mut self, run: usize, result: SendResult) {
        let this = &mut self.runs[run];
        let is_transient = result.may_succeed_later();
        let result = RecipientResult {
            destination: destination(this.user),
            source: this.source,
            result,
            attempts: Attempts::default(),
            hand_off: HandOffResult::None,
        };
        match this.purpose {
            Purpose::Webhook { .. } if is_transient => {
                this.result = Some(result);
                self.hand_off(run);
            }
            Purpose::Webhook { post } => {
                this.result = Some(result);
                self.answer(post);
            }
            Purpose::Redelivery { .. } => {
                let status = match Outcome::of(&result) {
                    Outcome::Failed(failure) => {
                        let puts_aside = self.is_rabbitmq && failure.is_final_for_broker();
                        this.result = Some(result);
                        if puts_aside && self.mutant != Mutant::RefusedIsForgotten {
                            return self.put_aside(run);
                        }
                        failure.status_for_broker()
                    }
                    outcome => outcome.status(),
                };
                self.redelivered(run, status);
            }
        }
    }

    /// One call to the broker, which stores the event or not, and whose response may be lost.
    fn hand_off(&mut self, run: usize) {
        if !self.is_alive(run) {
            return;
        }
        let now = self.steps.now();
        let this = &self.runs[run];
        let deadline = this.began + LIMIT.saturating_sub(LIMITS.hand_off.response_reserve);
        let Purpose::Webhook { post } = this.purpose else {
            return;
        };
        let has_time = deadline.saturating_sub(now) >= LIMITS.delivery.min_call;
        let (delivery, user, source) = (this.delivery, this.user, this.source);
        let stored = has_time && self.is_up(Part::Broker) && !self.loses(3);
        if stored {
            self.kept.insert((delivery, user));
            self.events.push(Event {
                delivery,
                user,
                source,
                attempts: 0,
                is_over: false,
            });
            let event = self.events.len() - 1;
            self.waiting.push_back(event);
            self.fill();
        }
        let confirmed = stored && !self.loses(3);
        let result = if confirmed || (has_time && self.mutant == Mutant::UnconfirmedHandOff) {
            HandOffResult::Accepted
        } else if has_time {
            let pause = LIMITS.hand_off.retry_pause + self.rng.time(Duration::from_millis(20));
            return self.steps.after(pause, Step::HandOff(run));
        } else {
            HandOffResult::Failed(SinkError::NoTime)
        };
        if let Some(recipient) = &mut self.runs[run].result {
            recipient.hand_off = result;
        }
        self.answer(post);
    }

    /// Answers a webhook when all of its recipients have a result.
    fn answer(&mut self, post: usize) {
        let this = &self.posts[post];
        let is_waiting = |run: &usize| match &self.runs[*run].result {
            None => true,
            Some(one) => one.result.may_succeed_later() && one.hand_off == HandOffResult::None,
        };
        if this.runs.iter().any(is_waiting) {
            return;
        }
        let results = this.runs.iter();
        let results: Vec<_> = results
            .filter_map(|run| self.runs[*run].result.clone())
            .collect();
        let took = self
            .steps
            .now()
            .saturating_sub(self.runs[this.runs[0]].began);
        if took > LIMIT {
            self.violations
                .push(format!("a webhook was answered after {took:?}"));
        }
        let report = Report::sent(Facts::default(), results, took);
        if !(200..300).contains(&report.status()) {
            self.counts.failed += 1;
            return;
        }
        let delivery = this.delivery;
        self.counts.handed_off += u64::from(report.status() == 202);
        for (user, _) in self.deliveries[delivery].recipients.clone() {
            let is_kept = self.is_stored(delivery, user) || self.kept.contains(&(delivery, user));
            if user != FORMER && !is_kept {
                self.violations.push(format!(
                    "webhook {delivery} was answered with {}, and nobody has its message",
                    report.status()
                ));
            }
        }
        self.deliveries[delivery].accepted = true;
    }

    fn is_stored(&self, delivery: usize, user: usize) -> bool {
        self.stored.contains_key(&(delivery, user))
    }

    /// Sends what waits, as far as the dispatcher may.
    fn fill(&mut self) {
        while (!self.is_rabbitmq || self.in_progress < AT_ONCE) && self.is_up(Part::Broker) {
            let Some(event) = self.waiting.pop_front() else {
                return;
            };
            self.in_progress += 1;
            self.steps
                .after(Duration::ZERO, Step::Dispatch(event, self.generation));
        }
    }

    fn dispatch(&mut self, event: usize, generation: u64) {
        if generation != self.generation {
            return;
        }
        self.counts.redeliveries += 1;
        let (delivery, user) = (self.events[event].delivery, self.events[event].user);
        let source = self.events[event].source;
        let replica = self.rng.below(REPLICAS as u64) as usize;
        let purpose = Purpose::Redelivery { event, generation };
        let deadline = Deadline::of_redelivery(self.steps.now(), LIMIT);
        self.begin(purpose, delivery, user, source, replica, deadline);
        self.receive(self.runs.len() - 1, Input::Start);
    }

    /// One call to the service for dead letters.
    fn put_aside(&mut self, run: usize) {
        if !self.is_alive(run) {
            return;
        }
        let this = &self.runs[run];
        let deadline = this.began + LIMIT.saturating_sub(LIMITS.hand_off.response_reserve);
        let Purpose::Redelivery { event, .. } = this.purpose else {
            return;
        };
        if deadline.saturating_sub(self.steps.now()) < LIMITS.delivery.min_call {
            return self.redelivered(run, 503);
        }
        if self.is_up(Part::DeadLetterSink) && !self.loses(3) {
            self.dead_letters.insert(event);
            if !self.loses(3) {
                self.counts.put_aside += 1;
                return self.redelivered(run, 200);
            }
        }
        let pause = LIMITS.hand_off.retry_pause + self.rng.time(Duration::from_millis(20));
        self.steps.after(pause, Step::PutAside(run));
    }

    /// The function answers the dispatcher; the response may be lost.
    fn redelivered(&mut self, run: usize, status: u16) {
        let Purpose::Redelivery { event, generation } = self.runs[run].purpose else {
            return;
        };
        self.runs[run].is_answered = true;
        let status = (!self.loses(3)).then_some(status);
        self.after_attempt(event, generation, status);
    }

    fn after_attempt(&mut self, event: usize, generation: u64, status: Option<u16>) {
        if generation != self.generation {
            return;
        }
        let next = match status {
            Some(500..) | None if self.mutant == Mutant::FailedIsForgotten => Next::Forget,
            status if self.is_rabbitmq => Next::on_rabbitmq(status),
            status => Next::after(status),
        };
        let attempts = self.events[event].attempts;
        match next {
            Next::Forget => self.forget(event),
            Next::Again if attempts < RETRIES => {
                self.events[event].attempts += 1;
                let pause = BACKOFF_DELAY * 2_u32.pow(attempts);
                self.steps.after(pause, Step::Dispatch(event, generation));
            }
            Next::Again | Next::DeadLetter => {
                self.counts.given_up += u64::from(next == Next::Again);
                self.give_up(event, generation, 0);
            }
        }
    }

    /// The broker posts a dead letter, with the same attempts.
    fn give_up(&mut self, event: usize, generation: u64, attempt: u32) {
        if generation != self.generation {
            return;
        }
        if self.is_up(Part::DeadLetterSink) && !self.loses(3) {
            self.dead_letters.insert(event);
            self.forget(event);
        } else if attempt < RETRIES {
            let pause = BACKOFF_DELAY * 2_u32.pow(attempt);
            let next = Step::GiveUp(event, generation, attempt + 1);
            self.steps.after(pause, next);
        } else {
            self.forget(event);
        }
    }

    fn forget(&mut self, event: usize) {
        let this = &mut self.events[event];
        this.is_over = true;
        let (delivery, user, source) = (this.delivery, this.user, this.source);
        let is_nobody = user == FORMER && source == RecipientSource::Role;
        if !is_nobody && !self.dead_letters.contains(&event) && !self.is_stored(delivery, user) {
            self.violations.push(format!(
                "the event of webhook {delivery} was forgotten, and its message is lost"
            ));
        }
        self.in_progress -= 1;
        self.fill();
    }

    /// A dispatcher that starts again has forgotten attempts, and gets everything that is not acknowledged.
    fn restart_dispatcher(&mut self) {
        self.counts.dispatcher_restarts += 1;
        self.generation += 1;
        self.in_progress = 0;
        let events = 0..self.events.len();
        self.waiting = events
            .filter(|event| !self.events[*event].is_over)
            .collect();
        for event in &self.waiting {
            self.events[*event].attempts = 0;
        }
        self.fill();
    }

    /// A replica restarts: it loses its memory, and what it was doing gets no response.
    fn crash(&mut self, replica: usize) {
        self.counts.crashes += 1;
        let this = &mut self.replicas[replica];
        let former = this.incarnation;
        this.incarnation += 1;
        this.rooms = [const { None }; USERS.len()];
        this.state = ServerState::new(self.steps.now());
        let mut cut_off = Vec::new();
        for run in self.runs.iter_mut().rev().take(RECENT) {
            let is_cut_off = run.replica == replica && run.incarnation == former;
            if let Purpose::Redelivery { event, generation } = run.purpose
                && is_cut_off
                && !std::mem::replace(&mut run.is_answered, true)
            {
                cut_off.push((event, generation));
            }
        }
        for (event, generation) in cut_off {
            self.after_attempt(event, generation, None);
        }
    }

    /// The faults end: everything that failed is sent again, by GitLab and by the operator.
    fn end(&mut self) {
        self.is_over = true;
        self.down.clear();
        self.restart_dispatcher();
        for delivery in 0..self.deliveries.len() {
            if !self.deliveries[delivery].accepted {
                self.steps.after(
                    Duration::from_secs(12) * u32::try_from(delivery).unwrap_or_default(),
                    Step::Post(delivery),
                );
            }
        }
        for event in std::mem::take(&mut self.dead_letters) {
            let this = &mut self.events[event];
            // The broker may send it still, because the response to the first attempt was lost.
            if this.is_over {
                this.is_over = false;
                this.attempts = 0;
                self.waiting.push_back(event);
            }
        }
        self.fill();
    }

    fn check_end(&mut self) {
        for ((delivery, user), count) in &self.stored {
            if *count > 1 {
                let user = USERS[*user];
                self.violations.push(format!(
                    "webhook {delivery} is stored {count} times for {user}"
                ));
            }
        }
        let dead = self.dead_letters.iter();
        let dead: BTreeSet<_> = dead
            .map(|event| (self.events[*event].delivery, self.events[*event].user))
            .collect();
        for (delivery, user) in &dead {
            if *user != FORMER {
                self.violations.push(format!(
                    "webhook {delivery} is a dead letter although it can be delivered"
                ));
            }
        }
        for (number, delivery) in self.deliveries.iter().enumerate() {
            for (user, source) in &delivery.recipients {
                let is_kept = self.kept.contains(&(number, *user));
                let is_found = match (*user, source) {
                    (FORMER, RecipientSource::Role) => true,
                    (FORMER, _) => !is_kept || dead.contains(&(number, FORMER)),
                    (user, _) => self.is_stored(number, user),
                };
                if !is_found {
                    self.violations.push(format!(
                        "webhook {number} is neither stored nor a dead letter for {}",
                        USERS[*user]
                    ));
                }
            }
        }
        if self.events.iter().any(|event| !event.is_over) {
            self.violations
                .push("the broker has events left".to_owned());
        }
    }
}

fn destination(user: usize) -> Destination {
    Destination::User(Username::parse(USERS[user]).expect("is a name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two days: one with each table of responses.
    fn violations(mutant: Mutant, counts: &mut Counts) -> Vec<String> {
        let days = (0..2).map(|seed| Day::new(seed, mutant, counts).run());
        days.flatten().collect()
    }

    #[test]
    fn two_days_lose_and_repeat_nothing() {
        let mut counts = Counts::default();
        assert_eq!(violations(Mutant::None, &mut counts), Vec::<String>::new());
        for (what, count) in counts.coverage() {
            assert!(count > 0, "{what}: {counts:?}");
        }
    }

    #[test]
    fn a_day_finds_every_mutant() {
        for mutant in [
            Mutant::UnconfirmedHandOff,
            Mutant::RefusedIsForgotten,
            Mutant::NewMessageId,
            Mutant::FailedIsForgotten,
        ] {
            let found = violations(mutant, &mut Counts::default());
            assert!(!found.is_empty(), "{mutant:?}");
        }
    }
}
