//! The model of a simulation in virtual time: GitLab with its rules (no retries, a webhook is disabled after
//! four failures, manual resends), three replicas that run the real state machine, and one chat server that
//! stores one message per id and fails in every way. Some deliveries have several recipients, some update
//! the one message of a pipeline. Owns the invariants.

use std::collections::BTreeMap;
use std::time::Duration;

use ring::digest;
use webhook_app::gitlab::attributes::PipelineState;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::live_pipeline;
use webhook_app::notifier::notification::Notification;
use webhook_app::rocketchat::response::ApiError;
use webhook_app::rocketchat::{ConnectCause, Destination, MessageId, RoomId, Username};
use webhook_app::send::{Call, Command, Deadline, Input, SendMachine, SendResult, ServerState};

use super::chat::{Chat, Stored, account, failed, room};
use super::event_queue::EventQueue;
use super::fixes::name;
use super::stats::Stats;
use crate::rng::Rng;

const REPLICAS: usize = 3;
/// The deadline of webhook-app for sending a message.
const SEND_DEADLINE: Duration = Duration::from_secs(5);
/// GitLab's timeout for webhooks.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Consecutive failures after which GitLab disables a webhook.
const FAILURES_UNTIL_DISABLED: u32 = 4;
/// The maximum number of recipients of one event.
const MAX_RECIPIENTS: usize = 3;
/// When the faults end and failed deliveries are resent.
const FAULTS_END: Duration = Duration::from_mins(20);

/// The result of a simulation.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) stats: Stats,
    pub(super) violations: Vec<String>,
    pub(super) digest: String,
}

#[derive(Debug)]
enum Event {
    Push {
        progress: Option<PipelineState>,
    },
    Post {
        number: usize,
    },
    Resend {
        number: usize,
    },
    /// The chat server receives a call; whether its response arrives is already decided.
    Call {
        send: SendId,
        call: Call,
        transit: Transit,
    },
    Receive {
        send: SendId,
        input: Input,
    },
    DeadlineExceeded {
        attempt: usize,
    },
    Crash {
        replica: usize,
    },
    SetChatDown {
        down: bool,
    },
    FaultsEnd,
}

/// Identifies the send to one recipient within an attempt.
#[derive(Clone, Copy, Debug)]
struct SendId {
    attempt: usize,
    recipient: usize,
}

/// What the network does to the response of a call.
#[derive(Clone, Copy, Debug)]
struct Transit {
    /// The delay of the response.
    inbound: Duration,
    /// The error that the caller gets instead of the response.
    lost: Option<ApiError>,
    /// When the caller times out.
    deadline: Duration,
}

/// One HTTP request of GitLab for a delivery.
struct Attempt {
    number: usize,
    replica: usize,
    /// The incarnation of the replica, which changes with each crash.
    incarnation: u64,
    /// One state machine per recipient, and whether it delivered once it has finished.
    machines: Vec<(SendMachine, Option<bool>)>,
    began: Duration,
    over: bool,
}

/// A delivery of GitLab.
struct Delivery {
    accepted: bool,
    recipients: usize,
    progress: Option<PipelineState>,
}

/// Settings that differ between kinds of simulations.
struct Rules {
    /// Whether deliveries are resent or sent twice before the faults end, and some have several recipients.
    resends_early: bool,
    auto_disables: bool,
    resend_interval: Duration,
    max_steps: usize,
}

struct Replica {
    state: ServerState,
    rooms: [Option<RoomId>; MAX_RECIPIENTS],
    incarnation: u64,
    /// Clock skew in seconds.
    skew: i64,
}

pub(super) struct Simulator {
    rng: Rng,
    events: EventQueue<Event>,
    replicas: Vec<Replica>,
    attempts: Vec<Attempt>,
    deliveries: Vec<Delivery>,
    chat: Chat,
    rules: Rules,
    chat_down: bool,
    fault_percent: u64,
    faults_over: bool,
    calls_this_second: (u64, u64),
    failures: u32,
    disabled_until: Duration,
    violations: Vec<String>,
    stats: Stats,
    trace: digest::Context,
}

impl Simulator {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let skewed = rng.percent(20);
        let replicas = (0..REPLICAS).map(|_| Replica {
            state: ServerState::new(Duration::ZERO),
            rooms: [const { None }; MAX_RECIPIENTS],
            incarnation: 0,
            skew: if skewed {
                i64::try_from(rng.below(1200)).unwrap_or(0) - 600
            } else {
                0
            },
        });
        let replicas = replicas.collect();
        let mut events = EventQueue::new();
        for _ in 0..rng.below(24) + 2 {
            events.after(rng.time(FAULTS_END / 2), Event::Push { progress: None });
        }
        for pipeline in 0..rng.below(4) {
            let at = rng.time(FAULTS_END / 2);
            let mut push = |delay, finished_at| {
                let progress = Some(PipelineState {
                    pipeline,
                    finished_at,
                    undated: None,
                });
                events.after(at + delay, Event::Push { progress });
            };
            push(Duration::ZERO, None);
            push(rng.time(Duration::from_secs(3)), None);
            push(rng.time(Duration::from_secs(9)), Some(17));
        }
        for _ in 0..rng.below(8) {
            let replica = rng.below(REPLICAS as u64) as usize;
            events.after(rng.time(FAULTS_END / 2), Event::Crash { replica });
        }
        for _ in 0..rng.below(4) {
            let at = rng.time(FAULTS_END / 2);
            events.after(at, Event::SetChatDown { down: true });
            events.after(
                at + rng.time(FAULTS_END / 4),
                Event::SetChatDown { down: false },
            );
        }
        events.after(FAULTS_END, Event::FaultsEnd);
        let fault_percent = rng.below(70);
        let limited = rng.percent(15);
        let rules = Rules {
            resends_early: true,
            auto_disables: true,
            resend_interval: Duration::from_secs(12),
            max_steps: 100_000,
        };
        Self {
            rules,
            rng,
            events,
            replicas,
            attempts: Vec::new(),
            deliveries: Vec::new(),
            chat: Chat::new(limited),
            chat_down: false,
            fault_percent,
            faults_over: false,
            calls_this_second: (0, 0),
            failures: 0,
            disabled_until: Duration::ZERO,
            violations: Vec::new(),
            stats: Stats::default(),
            trace: digest::Context::new(&digest::SHA256),
        }
    }

    /// An outage of the chat server under constant load, without other faults; or the same load without the outage.
    pub(super) fn outage(lasting: Duration, rate: u32, is_down: bool) -> Self {
        let mut simulator = Self::new(0);
        simulator.events = EventQueue::new();
        simulator.fault_percent = 0;
        simulator.chat.limited = false;
        simulator.rules = Rules {
            resends_early: false,
            auto_disables: false,
            resend_interval: Duration::from_secs(1) / rate,
            max_steps: usize::MAX,
        };
        for replica in &mut simulator.replicas {
            replica.skew = 0;
        }
        let margin = Duration::from_mins(1);
        let total = lasting + margin * 2;
        let mut at = Duration::ZERO;
        while at < total {
            simulator.events.after(at, Event::Push { progress: None });
            at += Duration::from_secs(1) / rate;
        }
        if is_down {
            let changes = [(margin, true), (margin + lasting, false)];
            for (at, down) in changes {
                simulator.events.after(at, Event::SetChatDown { down });
            }
        }
        simulator.events.after(total, Event::FaultsEnd);
        simulator
    }

    /// Runs the simulation until no events are left.
    pub(super) fn run(mut self) -> Outcome {
        let mut steps = 0;
        while let Some(event) = self.events.next() {
            steps += 1;
            if steps > self.rules.max_steps {
                self.violations
                    .push("the simulation does not end".to_owned());
                break;
            }
            let line = format!("{:?} {event:?}\n", self.events.now());
            self.trace.update(line.as_bytes());
            self.handle(event);
        }
        self.check_invariants();
        let digest = format!("{:?}", self.trace.finish());
        Outcome {
            stats: self.stats,
            violations: self.violations,
            digest,
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Push { progress } => self.push(progress),
            Event::Post { number } => self.post(number),
            Event::Resend { number } => {
                if !self.deliveries[number].accepted {
                    self.post(number);
                }
            }
            Event::Call {
                send,
                call,
                transit,
            } => self.call(send, &call, transit),
            Event::Receive { send, input } => self.receive(send, input),
            Event::DeadlineExceeded { attempt } => {
                if !self.attempts[attempt].over {
                    self.stats.late += 1;
                    let took = self
                        .events
                        .now()
                        .saturating_sub(self.attempts[attempt].began);
                    self.violations.push(format!("no response after {took:?}"));
                    self.fail(attempt);
                }
            }
            Event::Crash { replica } => self.crash(replica),
            Event::SetChatDown { down } => self.chat_down = down,
            Event::FaultsEnd => self.end_faults(),
        }
    }

    /// GitLab pushes an event, unless the webhook is disabled: such events are never delivery.
    fn push(&mut self, progress: Option<PipelineState>) {
        if self.events.now() < self.disabled_until {
            return;
        }
        let number = self.deliveries.len();
        let several = self.rules.resends_early && self.rng.percent(30);
        self.deliveries.push(Delivery {
            accepted: false,
            recipients: if several { MAX_RECIPIENTS } else { 1 },
            progress,
        });
        self.stats.deliveries += 1;
        self.post(number);
        if !self.rules.resends_early {
            return;
        }
        if self.rng.percent(5) {
            let late = self.rng.time(Duration::from_secs(2));
            self.events.after(late, Event::Post { number });
        }
        for _ in 0..self.rng.below(3) {
            let later = Duration::from_secs(11) + self.rng.time(FAULTS_END / 4);
            self.events.after(later, Event::Resend { number });
        }
    }

    fn post(&mut self, number: usize) {
        self.stats.attempts += 1;
        let index = self.rng.below(REPLICAS as u64) as usize;
        let machine_seed = self.rng.number();
        let now = self.events.now();
        let replica = &self.replicas[index];
        let stale = replica.skew.unsigned_abs() > LIMITS.events.signature_tolerance_seconds;
        let delivery = &self.deliveries[number];
        let key = match &delivery.progress {
            Some(progress) => live_pipeline::key(progress),
            None => name(&format!("key-{number}")),
        };
        let alice = Destination::User(Username::parse("alice").expect("is a name"));
        let origin = "https://gitlab.example.org".to_owned();
        let notification = Notification::new(key, alice, String::new(), origin);
        let notification = match &delivery.progress {
            Some(progress) => notification.edited(progress.clone()),
            None => notification,
        };
        let machine = |recipient: usize| {
            let room = replica.rooms[recipient].clone();
            let deadline = Deadline::new(now, SEND_DEADLINE);
            (
                SendMachine::new(&notification, account(), room, deadline, machine_seed),
                None,
            )
        };
        let machines: Vec<_> = (0..delivery.recipients).map(machine).collect();
        let recipients = machines.len();
        let attempt = self.attempts.len();
        self.attempts.push(Attempt {
            number,
            replica: index,
            incarnation: replica.incarnation,
            machines,
            began: now,
            over: false,
        });
        if stale {
            self.stats.stale += 1;
            self.fail(attempt);
            return;
        }
        self.events
            .after(SEND_DEADLINE, Event::DeadlineExceeded { attempt });
        for recipient in 0..recipients {
            let send = SendId { attempt, recipient };
            self.receive(send, Input::Start);
        }
    }

    fn receive(&mut self, send: SendId, input: Input) {
        let now = self.events.now();
        let this = &mut self.attempts[send.attempt];
        let replica = &mut self.replicas[this.replica];
        if this.over || this.incarnation != replica.incarnation {
            return;
        }
        if let Input::Room(room) = &input {
            replica.rooms[send.recipient] = room.as_ref().ok().cloned();
        }
        let machine = &mut this.machines[send.recipient].0;
        match machine.on(input, now, &mut replica.state) {
            Command::Finish(result) => self.send_finished(send, &result),
            Command::Wait(pause) => {
                let input = Input::Waited;
                self.events.after(pause, Event::Receive { send, input });
            }
            Command::Call(call, time) => self.send_call(send, call, time.response),
        }
    }

    /// The network: delays a call and its response, or loses one of them.
    fn send_call(&mut self, send: SendId, call: Call, within: Duration) {
        self.count_call();
        let fault_percent = if self.faults_over {
            0
        } else {
            self.fault_percent
        };
        let slow = if self.rng.percent(fault_percent / 4) {
            Duration::from_secs(4)
        } else {
            Duration::from_millis(40)
        };
        let (outbound, inbound) = (self.rng.time(slow), self.rng.time(slow));
        if self.chat_down || self.rng.percent(fault_percent / 4) {
            let error = *self.rng.pick(&[
                ApiError::Connect(ConnectCause::Refused),
                ApiError::Reset,
                ApiError::ServerError,
                ApiError::TryAgain,
                ApiError::Unreadable,
            ]);
            let input = failed(&call, error);
            self.events
                .after(outbound.min(within), Event::Receive { send, input });
            return;
        }
        let lost = self.rng.percent(fault_percent / 3).then(|| {
            *self.rng.pick(&[
                ApiError::Timeout,
                ApiError::Reset,
                ApiError::ServerError,
                ApiError::Unreadable,
                ApiError::Unconfirmed,
            ])
        });
        self.stats.lost_responses += u64::from(lost.is_some());
        let deadline = self.events.now() + within;
        let transit = Transit {
            inbound,
            lost,
            deadline,
        };
        if outbound + inbound >= within {
            // The caller times out before the response, but the chat server still executes the call.
            let input = failed(&call, ApiError::Timeout);
            self.events.after(within, Event::Receive { send, input });
        }
        self.events.after(
            outbound,
            Event::Call {
                send,
                call,
                transit,
            },
        );
    }

    fn count_call(&mut self) {
        let second = self.events.now().as_secs();
        if self.calls_this_second.0 != second {
            self.calls_this_second = (second, 0);
        }
        self.calls_this_second.1 += 1;
        self.stats.calls += u64::from(!self.faults_over);
        self.stats.peak = self.stats.peak.max(self.calls_this_second.1);
    }

    /// The chat server executes a call, even if its caller has crashed.
    fn call(&mut self, send: SendId, call: &Call, transit: Transit) {
        let number = self.attempts[send.attempt].number;
        let message = Stored {
            key: self.message_key(number),
            room: room(send.recipient),
            text: self.text(number),
        };
        let input = self.chat.execute(call, message, self.events.now());
        self.stats.found += u64::from(matches!(input, Input::Found(Ok(_))));
        self.stats.edited += u64::from(matches!(input, Input::Edited(Ok(()))));
        let input = transit.lost.map_or(input, |error| failed(call, error));
        if self.events.now() + transit.inbound < transit.deadline {
            self.events
                .after(transit.inbound, Event::Receive { send, input });
        }
    }

    /// The key of the message: equal for deliveries that belong to one message.
    fn message_key(&self, number: usize) -> String {
        match &self.deliveries[number].progress {
            Some(progress) => format!("pipeline {}", progress.pipeline),
            None => format!("delivery {number}"),
        }
    }

    fn text(&self, number: usize) -> String {
        let Some(progress) = &self.deliveries[number].progress else {
            return String::new();
        };
        let page = progress.pipeline;
        let text = format!("[{page}](https://gitlab.example.org/a/b/-/pipelines/{page})");
        live_pipeline::mark(&text, progress).expect("has a link")
    }

    /// The send to one recipient has finished; after the last one the attempt is answered.
    fn send_finished(&mut self, send: SendId, result: &SendResult) {
        if let SendResult::Delivered { id, .. } = result {
            self.check_stored(send, id);
        }
        let this = &mut self.attempts[send.attempt];
        let delivered = matches!(result, SendResult::Delivered { .. });
        this.machines[send.recipient].1 = Some(delivered);
        if this.machines.iter().any(|(_, ended)| ended.is_none()) {
            return;
        }
        let reached = this
            .machines
            .iter()
            .filter(|(_, ended)| *ended == Some(true));
        let reached = reached.count();
        if reached < this.machines.len() {
            self.stats.partially_delivered += u64::from(reached > 0);
            self.fail(send.attempt);
            return;
        }
        this.over = true;
        let (number, took) = (this.number, self.events.now().saturating_sub(this.began));
        if took > WEBHOOK_TIMEOUT {
            self.violations
                .push(format!("delivery {number} was answered after {took:?}"));
        }
        self.deliveries[number].accepted = true;
        self.failures = 0;
    }

    fn check_stored(&mut self, send: SendId, id: &MessageId) {
        let number = self.attempts[send.attempt].number;
        let (key, room) = (self.message_key(number), room(send.recipient));
        let stored = self.chat.stored.get(id.as_str());
        let stored = stored.filter(|stored| stored.key == key && stored.room == room);
        if !stored.is_some_and(|stored| self.is_up_to_date(number, stored)) {
            self.stats.lost += 1;
            self.violations
                .push(format!("delivery {number} was accepted but is not stored"));
        }
    }

    /// Whether a stored text has the state of this delivery or a later one.
    fn is_up_to_date(&self, number: usize, stored: &Stored) -> bool {
        let progress = self.deliveries[number].progress.as_ref();
        progress.is_none_or(|progress| !live_pipeline::is_behind(&stored.text, progress))
    }

    fn fail(&mut self, attempt: usize) {
        self.attempts[attempt].over = true;
        self.stats.rejected += 1;
        self.failures += 1;
        let off = self.rules.auto_disables && self.failures >= FAILURES_UNTIL_DISABLED;
        if off && !self.faults_over {
            self.stats.auto_disabled += 1;
            let doublings = (self.failures - FAILURES_UNTIL_DISABLED).min(10);
            self.disabled_until = self.events.now() + Duration::from_mins(1) * 2_u32.pow(doublings);
        }
    }

    /// A replica restarts: it loses its memory and its connections.
    fn crash(&mut self, replica: usize) {
        self.stats.crashes += 1;
        let this = &mut self.replicas[replica];
        this.incarnation += 1;
        this.rooms = [const { None }; MAX_RECIPIENTS];
        this.state = ServerState::new(self.events.now());
        let aborted: Vec<usize> = (0..self.attempts.len())
            .filter(|&attempt| {
                self.attempts[attempt].replica == replica && !self.attempts[attempt].over
            })
            .collect();
        for attempt in aborted {
            self.fail(attempt);
        }
    }

    /// Stops the faults and schedules a resend of the failed deliveries.
    fn end_faults(&mut self) {
        self.faults_over = true;
        self.chat_down = false;
        self.chat.limited = false;
        for replica in &mut self.replicas {
            replica.skew = 0;
        }
        let failed = (0..self.deliveries.len()).filter(|&number| !self.deliveries[number].accepted);
        let failed: Vec<_> = failed.collect();
        for (position, number) in failed.into_iter().enumerate() {
            // GitLab allows 5 resends per minute.
            let at = self.rules.resend_interval * u32::try_from(position + 1).unwrap_or(u32::MAX);
            self.events.after(at, Event::Resend { number });
        }
    }

    fn check_invariants(&mut self) {
        let mut messages: BTreeMap<(&str, &str), Vec<&Stored>> = BTreeMap::new();
        for stored in self.chat.stored.values() {
            let place = (stored.key.as_str(), stored.room.as_str());
            messages.entry(place).or_default().push(stored);
        }
        let mut violations = Vec::new();
        for ((key, room), several) in &messages {
            if several.len() > 1 {
                self.stats.duplicated += 1;
                violations.push(format!("{key} has {} messages in {room}", several.len()));
            }
        }
        for (number, delivery) in self.deliveries.iter().enumerate() {
            let key = self.message_key(number);
            let is_stored = (0..delivery.recipients).all(|recipient| {
                let room = room(recipient);
                let found = messages.get(&(key.as_str(), room.as_str()));
                found.is_some_and(|found| self.is_up_to_date(number, found[0]))
            });
            if !delivery.accepted || !is_stored {
                self.stats.lost += 1;
                violations.push(format!("delivery {number} was not stored after the resend"));
            }
        }
        self.violations.extend(violations);
    }
}
