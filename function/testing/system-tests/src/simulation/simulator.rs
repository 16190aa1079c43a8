//! A small world in virtual time: one GitLab with its rules (no retry, off after four failures,
//! resends by hand), three replicas of the function's own machine, and one chat server that stores
//! a message per id and fails in every way. Some deliveries go to several people, some are about a
//! pipeline whose one message is edited. Owns what is promised of it.

use std::collections::BTreeMap;
use std::time::Duration;

use ring::digest;
use webhook_app::gitlab::attributes::PipelineState;
use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::gitlab::signature::TOLERANCE_SECONDS;
use webhook_app::notifier::live_pipeline;
use webhook_app::rocketchat::response::ApiError;
use webhook_app::rocketchat::{MessageId, RoomId};
use webhook_app::send::retry_budget::RetryBudget;
use webhook_app::send::{Command, Deadline, Input, SendMachine, SendResult};

use super::chat::{Call, Chat, Stored, bot, failed, room};
use super::event_queue::EventQueue;
use super::stats::Stats;
use crate::rng::Rng;

const REPLICAS: usize = 3;
const LIMIT: Duration = Duration::from_secs(5);
/// GitLab's own patience.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Failures in a row that switch a webhook off.
const FAILURES_UNTIL_OFF: u32 = 4;
/// People who may hear of one event.
const MOST_RECIPIENTS: usize = 3;
/// When chaos ends, and everything that failed is sent again.
const CALM: Duration = Duration::from_mins(20);

/// How a world ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) tally: Stats,
    pub(super) breaches: Vec<String>,
    pub(super) digest: String,
}

#[derive(Debug)]
enum Happening {
    Push {
        progress: Option<PipelineState>,
    },
    Post {
        number: usize,
    },
    Resend {
        number: usize,
    },
    /// The chat server gets a call; what its caller will hear is decided with it.
    Call {
        from: From,
        call: Call,
        way: Way,
    },
    Hear {
        from: From,
        input: Input,
    },
    GiveUp {
        attempt: usize,
    },
    Crash {
        replica: usize,
    },
    ChatTurns {
        down: bool,
    },
    Calm,
}

/// One recipient's part of an attempt.
#[derive(Clone, Copy, Debug)]
struct From {
    attempt: usize,
    recipient: usize,
}

/// What the network does to a call: when its answer comes, and whether it is one.
#[derive(Clone, Copy, Debug)]
struct Way {
    back: Duration,
    /// What is heard instead of the answer, and when that is over for the caller.
    lost: Option<ApiError>,
    deadline: Duration,
}

/// A try of GitLab's to get one delivery through.
struct Attempt {
    number: usize,
    replica: usize,
    /// The life of the replica that it belongs to.
    life: u64,
    /// One for each recipient, and whether it has delivered.
    machines: Vec<(SendMachine, Option<bool>)>,
    began: Duration,
    over: bool,
}

/// A delivery of GitLab's.
struct Sent {
    accepted: bool,
    recipients: usize,
    progress: Option<PipelineState>,
}

/// What differs between the stories.
struct Rules {
    /// Whether somebody sends deliveries again, and GitLab twice, while faults go on.
    restless: bool,
    switches_off: bool,
    resend_every: Duration,
    most_steps: usize,
}

struct Replica {
    budget: RetryBudget,
    rooms: [Option<RoomId>; MOST_RECIPIENTS],
    life: u64,
    skew: i64,
}

pub(super) struct Simulator {
    dice: Rng,
    agenda: EventQueue<Happening>,
    replicas: Vec<Replica>,
    attempts: Vec<Attempt>,
    sent: Vec<Sent>,
    chat: Chat,
    rules: Rules,
    chat_down: bool,
    chaos: u64,
    calm: bool,
    calls_this_second: (u64, u64),
    failures: u32,
    off_until: Duration,
    breaches: Vec<String>,
    tally: Stats,
    trace: digest::Context,
}

impl Simulator {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Rng::seeded(seed);
        let skewed = dice.percent(20);
        let replicas = (0..REPLICAS).map(|_| Replica {
            budget: RetryBudget::new(Duration::ZERO),
            rooms: [const { None }; MOST_RECIPIENTS],
            life: 0,
            skew: if skewed {
                i64::try_from(dice.below(1200)).unwrap_or(0) - 600
            } else {
                0
            },
        });
        let replicas = replicas.collect();
        let mut agenda = EventQueue::new();
        for _ in 0..dice.below(24) + 2 {
            agenda.after(dice.time(CALM / 2), Happening::Push { progress: None });
        }
        for pipeline in 0..dice.below(4) {
            let at = dice.time(CALM / 2);
            let mut tell = |delay, finished_at| {
                let progress = Some(PipelineState {
                    pipeline,
                    finished_at,
                });
                agenda.after(at + delay, Happening::Push { progress });
            };
            tell(Duration::ZERO, None);
            tell(dice.time(Duration::from_secs(3)), None);
            tell(dice.time(Duration::from_secs(9)), Some(17));
        }
        for _ in 0..dice.below(8) {
            let replica = dice.below(REPLICAS as u64) as usize;
            agenda.after(dice.time(CALM / 2), Happening::Crash { replica });
        }
        for _ in 0..dice.below(4) {
            let at = dice.time(CALM / 2);
            agenda.after(at, Happening::ChatTurns { down: true });
            agenda.after(
                at + dice.time(CALM / 4),
                Happening::ChatTurns { down: false },
            );
        }
        agenda.after(CALM, Happening::Calm);
        let chaos = dice.below(70);
        let limited = dice.percent(15);
        let rules = Rules {
            restless: true,
            switches_off: true,
            resend_every: Duration::from_secs(12),
            most_steps: 100_000,
        };
        Self {
            rules,
            dice,
            agenda,
            replicas,
            attempts: Vec::new(),
            sent: Vec::new(),
            chat: Chat::new(limited),
            chat_down: false,
            chaos,
            calm: false,
            calls_this_second: (0, 0),
            failures: 0,
            off_until: Duration::ZERO,
            breaches: Vec::new(),
            tally: Stats::default(),
            trace: digest::Context::new(&digest::SHA256),
        }
    }

    /// A chat server that is gone for so long, under a steady load, and nothing else that is wrong.
    pub(super) fn outage(lasting: Duration, rate: u32) -> Self {
        let mut world = Self::new(0);
        world.agenda = EventQueue::new();
        world.chaos = 0;
        world.chat.limited = false;
        world.rules = Rules {
            restless: false,
            switches_off: false,
            resend_every: Duration::from_secs(1) / rate,
            most_steps: usize::MAX,
        };
        for replica in &mut world.replicas {
            replica.skew = 0;
        }
        let around = Duration::from_mins(1);
        let whole = lasting + around * 2;
        let mut at = Duration::ZERO;
        while at < whole {
            world.agenda.after(at, Happening::Push { progress: None });
            at += Duration::from_secs(1) / rate;
        }
        let turns = [(around, true), (around + lasting, false)];
        for (at, down) in turns {
            world.agenda.after(at, Happening::ChatTurns { down });
        }
        world.agenda.after(whole, Happening::Calm);
        world
    }

    /// Plays it to its end.
    pub(super) fn play(mut self) -> End {
        let mut steps = 0;
        while let Some(happening) = self.agenda.next() {
            steps += 1;
            if steps > self.rules.most_steps {
                self.breaches.push("the story does not end".to_owned());
                break;
            }
            let line = format!("{:?} {happening:?}\n", self.agenda.now());
            self.trace.update(line.as_bytes());
            self.happen(happening);
        }
        self.judge();
        let digest = format!("{:?}", self.trace.finish());
        End {
            tally: self.tally,
            breaches: self.breaches,
            digest,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Push { progress } => self.push(progress),
            Happening::Post { number } => self.post(number),
            Happening::Resend { number } => {
                if !self.sent[number].accepted {
                    self.post(number);
                }
            }
            Happening::Call { from, call, way } => self.call(from, &call, way),
            Happening::Hear { from, input } => self.hear(from, input),
            Happening::GiveUp { attempt } => {
                if !self.attempts[attempt].over {
                    self.tally.late += 1;
                    let took = self
                        .agenda
                        .now()
                        .saturating_sub(self.attempts[attempt].began);
                    self.breaches.push(format!("no answer after {took:?}"));
                    self.fail(attempt);
                }
            }
            Happening::Crash { replica } => self.crash(replica),
            Happening::ChatTurns { down } => self.chat_down = down,
            Happening::Calm => self.come_to_rest(),
        }
    }

    /// While a webhook is off, its events are never sent, and nobody promised them.
    fn push(&mut self, progress: Option<PipelineState>) {
        if self.agenda.now() < self.off_until {
            return;
        }
        let number = self.sent.len();
        let several = self.rules.restless && self.dice.percent(30);
        self.sent.push(Sent {
            accepted: false,
            recipients: if several { MOST_RECIPIENTS } else { 1 },
            progress,
        });
        self.tally.deliveries += 1;
        self.post(number);
        if !self.rules.restless {
            return;
        }
        if self.dice.percent(5) {
            let late = self.dice.time(Duration::from_secs(2));
            self.agenda.after(late, Happening::Post { number });
        }
        for _ in 0..self.dice.below(3) {
            let later = Duration::from_secs(11) + self.dice.time(CALM / 4);
            self.agenda.after(later, Happening::Resend { number });
        }
    }

    fn post(&mut self, number: usize) {
        self.tally.attempts += 1;
        let index = self.dice.below(REPLICAS as u64) as usize;
        let seed = self.dice.number();
        let now = self.agenda.now();
        let replica = &self.replicas[index];
        let stale = replica.skew.unsigned_abs() > TOLERANCE_SECONDS;
        let sent = &self.sent[number];
        let key = match &sent.progress {
            Some(progress) => live_pipeline::key(progress),
            None => IdempotencyKey::parse(format!("key-{number}").as_bytes()).expect("is a key"),
        };
        let machine = |recipient: usize| {
            let machine = SendMachine::new(
                key.clone(),
                "https://gitlab.example.org".to_owned(),
                bot(),
                replica.rooms[recipient].clone(),
                Deadline::new(now, LIMIT),
                seed,
            );
            (machine.about(sent.progress.clone()), None)
        };
        let machines: Vec<_> = (0..sent.recipients).map(machine).collect();
        let recipients = machines.len();
        let attempt = self.attempts.len();
        self.attempts.push(Attempt {
            number,
            replica: index,
            life: replica.life,
            machines,
            began: now,
            over: false,
        });
        if stale {
            self.tally.stale += 1;
            self.fail(attempt);
            return;
        }
        self.agenda.after(LIMIT, Happening::GiveUp { attempt });
        for recipient in 0..recipients {
            let from = From { attempt, recipient };
            self.hear(from, Input::Start);
        }
    }

    fn hear(&mut self, from: From, input: Input) {
        let now = self.agenda.now();
        let this = &mut self.attempts[from.attempt];
        let replica = &mut self.replicas[this.replica];
        if this.over || this.life != replica.life {
            return;
        }
        if let Input::Room(room) = &input {
            replica.rooms[from.recipient] = room.as_ref().ok().cloned();
        }
        let machine = &mut this.machines[from.recipient].0;
        match machine.on(input, now, &mut replica.budget) {
            Command::Finish(verdict) => self.part_ends(from, &verdict),
            Command::Wait(pause) => {
                let input = Input::Waited;
                self.agenda.after(pause, Happening::Hear { from, input });
            }
            Command::CreateRoom { within } => self.send_call(from, Call::CreateRoom, within),
            Command::Send { room, id, within } => {
                self.send_call(from, Call::Send(room, id), within);
            }
            Command::Find { id, within } => self.send_call(from, Call::Find(id), within),
            Command::Edit { id, within, .. } => self.send_call(from, Call::Edit(id), within),
        }
    }

    /// The network: there, back, or lost on either way.
    fn send_call(&mut self, from: From, call: Call, within: Duration) {
        self.count_call();
        let chaos = if self.calm { 0 } else { self.chaos };
        let slow = if self.dice.percent(chaos / 4) {
            Duration::from_secs(4)
        } else {
            Duration::from_millis(40)
        };
        let (there, back) = (self.dice.time(slow), self.dice.time(slow));
        if self.chat_down || self.dice.percent(chaos / 4) {
            let error = *self.dice.pick(&[
                ApiError::Connect,
                ApiError::Reset,
                ApiError::ServerError,
                ApiError::TryAgain,
                ApiError::Unreadable,
            ]);
            let input = failed(&call, error);
            self.agenda
                .after(there.min(within), Happening::Hear { from, input });
            return;
        }
        let lost = self.dice.percent(chaos / 3).then(|| {
            *self.dice.pick(&[
                ApiError::Timeout,
                ApiError::Reset,
                ApiError::ServerError,
                ApiError::Unreadable,
                ApiError::Unconfirmed,
            ])
        });
        self.tally.lost_answers += u64::from(lost.is_some());
        let deadline = self.agenda.now() + within;
        let way = Way {
            back,
            lost,
            deadline,
        };
        if there + back >= within {
            // The caller has given up by then; the call is on its way all the same.
            let input = failed(&call, ApiError::Timeout);
            self.agenda.after(within, Happening::Hear { from, input });
        }
        self.agenda
            .after(there, Happening::Call { from, call, way });
    }

    fn count_call(&mut self) {
        let second = self.agenda.now().as_secs();
        if self.calls_this_second.0 != second {
            self.calls_this_second = (second, 0);
        }
        self.calls_this_second.1 += 1;
        self.tally.peak = self.tally.peak.max(self.calls_this_second.1);
    }

    /// The chat server carries out a call, whether its caller still lives or not.
    fn call(&mut self, from: From, call: &Call, way: Way) {
        let number = self.attempts[from.attempt].number;
        let message = Stored {
            about: self.about(number),
            room: room(from.recipient),
            text: self.text(number),
        };
        let input = self.chat.answer(call, message, self.agenda.now());
        self.tally.found += u64::from(matches!(input, Input::Found(Ok(_))));
        self.tally.edited += u64::from(matches!(input, Input::Edited(Ok(()))));
        let input = way.lost.map_or(input, |error| failed(call, error));
        if self.agenda.now() + way.back < way.deadline {
            self.agenda.after(way.back, Happening::Hear { from, input });
        }
    }

    /// What makes two deliveries one message.
    fn about(&self, number: usize) -> String {
        match &self.sent[number].progress {
            Some(progress) => format!("pipeline {}", progress.pipeline),
            None => format!("delivery {number}"),
        }
    }

    fn text(&self, number: usize) -> String {
        let Some(progress) = &self.sent[number].progress else {
            return String::new();
        };
        let page = progress.pipeline;
        let text = format!("[{page}](https://gitlab.example.org/a/b/-/pipelines/{page})");
        live_pipeline::mark(&text, progress).expect("has a link")
    }

    /// One recipient's part has ended; with the last one there is an answer.
    fn part_ends(&mut self, from: From, verdict: &SendResult) {
        if let SendResult::Delivered { id, .. } = verdict {
            self.judge_delivered(from, id);
        }
        let this = &mut self.attempts[from.attempt];
        let delivered = matches!(verdict, SendResult::Delivered { .. });
        this.machines[from.recipient].1 = Some(delivered);
        if this.machines.iter().any(|(_, ended)| ended.is_none()) {
            return;
        }
        let reached = this
            .machines
            .iter()
            .filter(|(_, ended)| *ended == Some(true));
        let reached = reached.count();
        if reached < this.machines.len() {
            self.tally.partly += u64::from(reached > 0);
            self.fail(from.attempt);
            return;
        }
        this.over = true;
        let (number, took) = (this.number, self.agenda.now().saturating_sub(this.began));
        if took > WEBHOOK_TIMEOUT {
            self.breaches
                .push(format!("delivery {number} was answered after {took:?}"));
        }
        self.sent[number].accepted = true;
        self.failures = 0;
    }

    fn judge_delivered(&mut self, from: From, id: &MessageId) {
        let number = self.attempts[from.attempt].number;
        let (about, room) = (self.about(number), room(from.recipient));
        let told = self.chat.stored.get(id.as_str());
        let told = told.filter(|stored| stored.about == about && stored.room == room);
        if !told.is_some_and(|stored| self.is_told(number, stored)) {
            self.tally.lost += 1;
            self.breaches
                .push(format!("delivery {number} was accepted and is not stored"));
        }
    }

    /// Whether a text says what the delivery says, or something later.
    fn is_told(&self, number: usize, stored: &Stored) -> bool {
        let progress = self.sent[number].progress.as_ref();
        progress.is_none_or(|progress| !live_pipeline::is_behind(&stored.text, progress))
    }

    fn fail(&mut self, attempt: usize) {
        self.attempts[attempt].over = true;
        self.tally.refused += 1;
        self.failures += 1;
        let off = self.rules.switches_off && self.failures >= FAILURES_UNTIL_OFF;
        if off && !self.calm {
            self.tally.switched_off += 1;
            let doublings = (self.failures - FAILURES_UNTIL_OFF).min(10);
            self.off_until = self.agenda.now() + Duration::from_mins(1) * 2_u32.pow(doublings);
        }
    }

    /// Everything in the memory of the process is gone, and so are its connections.
    fn crash(&mut self, replica: usize) {
        self.tally.crashes += 1;
        let this = &mut self.replicas[replica];
        this.life += 1;
        this.rooms = [const { None }; MOST_RECIPIENTS];
        this.budget = RetryBudget::new(self.agenda.now());
        let dead: Vec<usize> = (0..self.attempts.len())
            .filter(|&attempt| {
                self.attempts[attempt].replica == replica && !self.attempts[attempt].over
            })
            .collect();
        for attempt in dead {
            self.fail(attempt);
        }
    }

    /// The faults end, and somebody sends again what failed.
    fn come_to_rest(&mut self) {
        self.calm = true;
        self.chat_down = false;
        self.chat.limited = false;
        for replica in &mut self.replicas {
            replica.skew = 0;
        }
        let failed = (0..self.sent.len()).filter(|&number| !self.sent[number].accepted);
        let failed: Vec<_> = failed.collect();
        for (position, number) in failed.into_iter().enumerate() {
            // Five a minute is what GitLab allows.
            let at = self.rules.resend_every * u32::try_from(position + 1).unwrap_or(u32::MAX);
            self.agenda.after(at, Happening::Resend { number });
        }
    }

    fn judge(&mut self) {
        let mut messages: BTreeMap<(&str, &str), Vec<&Stored>> = BTreeMap::new();
        for stored in self.chat.stored.values() {
            let place = (stored.about.as_str(), stored.room.as_str());
            messages.entry(place).or_default().push(stored);
        }
        let mut breaches = Vec::new();
        for ((about, room), several) in &messages {
            if several.len() > 1 {
                self.tally.doubled += 1;
                breaches.push(format!("{about} has {} messages in {room}", several.len()));
            }
        }
        for (number, sent) in self.sent.iter().enumerate() {
            let about = self.about(number);
            let told = (0..sent.recipients).all(|recipient| {
                let room = room(recipient);
                let there = messages.get(&(about.as_str(), room.as_str()));
                there.is_some_and(|there| self.is_told(number, there[0]))
            });
            if !sent.accepted || !told {
                self.tally.lost += 1;
                breaches.push(format!("delivery {number} did not arrive after the resend"));
            }
        }
        self.breaches.extend(breaches);
    }
}
