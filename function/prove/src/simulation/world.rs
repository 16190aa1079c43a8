//! A small world in virtual time: one GitLab with its rules (no retry, off after four failures,
//! resends by hand), three replicas of the function's own machine, and one chat server that stores
//! a message per id and fails in every way. Owns what is promised of it.

use std::collections::BTreeMap;
use std::time::Duration;

use ring::digest;
use webhook_app::delivery::budget::RetryBudget;
use webhook_app::delivery::{Action, Delivery, Input, Schedule, Verdict};
use webhook_app::gitlab::delivery_id::DeliveryId;
use webhook_app::gitlab::signature::TOLERANCE_SECONDS;
use webhook_app::rocketchat::reply::{Fault, StoredMessage};
use webhook_app::rocketchat::{MessageId, RoomId, UserId};

use super::agenda::Agenda;
use crate::dice::Dice;

const REPLICAS: usize = 3;
const LIMIT: Duration = Duration::from_secs(5);
/// GitLab's own patience.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Failures in a row that switch a webhook off.
const FAILURES_UNTIL_OFF: u32 = 4;
/// When chaos ends, and everything that failed is sent again.
const CALM: Duration = Duration::from_mins(20);

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) deliveries: u64,
    pub(super) attempts: u64,
    pub(super) crashes: u64,
    pub(super) lost_answers: u64,
    pub(super) switched_off: u64,
    pub(super) stale: u64,
    pub(super) found: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    pub(super) late: u64,
}

impl Tally {
    pub(super) fn add(&mut self, more: &Self) {
        self.deliveries += more.deliveries;
        self.attempts += more.attempts;
        self.crashes += more.crashes;
        self.lost_answers += more.lost_answers;
        self.switched_off += more.switched_off;
        self.stale += more.stale;
        self.found += more.found;
        self.lost += more.lost;
        self.doubled += more.doubled;
        self.late += more.late;
    }

    /// What must have come about in some seed, or the simulation is too tame.
    pub(super) fn figures(&self) -> [(&'static str, u64); 6] {
        [
            ("a delivery", self.deliveries),
            ("a crash", self.crashes),
            ("a lost answer", self.lost_answers),
            ("a webhook that is switched off", self.switched_off),
            ("a clock that is wrong", self.stale),
            ("a message that was found", self.found),
        ]
    }
}

/// How a world ended.
#[derive(Debug)]
pub(super) struct End {
    pub(super) tally: Tally,
    pub(super) breaches: Vec<String>,
    pub(super) digest: String,
}

#[derive(Debug)]
enum Happening {
    Push,
    Post {
        number: usize,
    },
    Resend {
        number: usize,
    },
    /// The chat server gets a call; what its caller will hear is decided with it.
    Call {
        attempt: usize,
        call: Call,
        way: Way,
    },
    Hear {
        attempt: usize,
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

#[derive(Clone, Debug)]
enum Call {
    CreateRoom,
    Send(RoomId, MessageId),
    Find(MessageId),
}

/// What the network does to a call: when its answer comes, and whether it is one.
#[derive(Clone, Copy, Debug)]
struct Way {
    back: Duration,
    /// What is heard instead of the answer, and when that is over for the caller.
    lost: Option<Fault>,
    deadline: Duration,
}

/// A try of GitLab's to get one delivery through.
struct Attempt {
    number: usize,
    replica: usize,
    /// The life of the replica that it belongs to.
    life: u64,
    machine: Delivery,
    began: Duration,
    over: bool,
}

#[derive(Default)]
struct Sent {
    logged: bool,
    accepted: bool,
}

struct Replica {
    budget: RetryBudget,
    room: Option<RoomId>,
    life: u64,
    skew: i64,
}

pub(super) struct World {
    dice: Dice,
    agenda: Agenda<Happening>,
    replicas: Vec<Replica>,
    attempts: Vec<Attempt>,
    sent: Vec<Sent>,
    /// Which delivery each stored message is about.
    stored: BTreeMap<String, usize>,
    chat_down: bool,
    chaos: u64,
    calm: bool,
    limited: bool,
    calls_this_minute: (u64, u64),
    failures: u32,
    off_until: Duration,
    breaches: Vec<String>,
    tally: Tally,
    trace: digest::Context,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::seeded(seed);
        let skewed = dice.percent(20);
        let replicas = (0..REPLICAS).map(|_| Replica {
            budget: RetryBudget::new(Duration::ZERO),
            room: None,
            life: 0,
            skew: if skewed {
                i64::try_from(dice.below(1200)).unwrap_or(0) - 600
            } else {
                0
            },
        });
        let replicas = replicas.collect();
        let mut agenda = Agenda::new();
        for _ in 0..dice.below(24) + 2 {
            agenda.after(dice.time(CALM / 2), Happening::Push);
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
        Self {
            dice,
            agenda,
            replicas,
            attempts: Vec::new(),
            sent: Vec::new(),
            stored: BTreeMap::new(),
            chat_down: false,
            chaos,
            calm: false,
            limited,
            calls_this_minute: (0, 0),
            failures: 0,
            off_until: Duration::ZERO,
            breaches: Vec::new(),
            tally: Tally::default(),
            trace: digest::Context::new(&digest::SHA256),
        }
    }

    /// Plays it to its end.
    pub(super) fn play(mut self) -> End {
        let mut steps = 0;
        while let Some(happening) = self.agenda.next() {
            steps += 1;
            if steps > 100_000 {
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
            Happening::Push => self.push(),
            Happening::Post { number } => self.post(number),
            Happening::Resend { number } => {
                if !self.sent[number].accepted {
                    self.post(number);
                }
            }
            Happening::Call { attempt, call, way } => self.call(attempt, &call, way),
            Happening::Hear { attempt, input } => self.hear(attempt, input),
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
    fn push(&mut self) {
        if self.agenda.now() < self.off_until {
            return;
        }
        let number = self.sent.len();
        self.sent.push(Sent {
            logged: true,
            accepted: false,
        });
        self.tally.deliveries += 1;
        self.post(number);
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
        let key = DeliveryId::parse(format!("key-{number}").as_bytes()).expect("is a key");
        let machine = Delivery::new(
            key,
            "https://gitlab.example.org".to_owned(),
            bot(),
            replica.room.clone(),
            Schedule::new(now, LIMIT),
            seed,
        );
        let attempt = self.attempts.len();
        self.attempts.push(Attempt {
            number,
            replica: index,
            life: replica.life,
            machine,
            began: now,
            over: false,
        });
        if stale {
            self.tally.stale += 1;
            self.fail(attempt);
            return;
        }
        self.agenda.after(LIMIT, Happening::GiveUp { attempt });
        self.hear(attempt, Input::Start);
    }

    fn hear(&mut self, attempt: usize, input: Input) {
        let now = self.agenda.now();
        let this = &mut self.attempts[attempt];
        let replica = &mut self.replicas[this.replica];
        if this.over || this.life != replica.life {
            return;
        }
        if let Input::Room(room) = &input {
            replica.room = room.as_ref().ok().cloned();
        }
        match this.machine.on(input, now, &mut replica.budget) {
            Action::Finish(verdict) => self.answer(attempt, &verdict),
            Action::Wait(pause) => {
                let input = Input::Waited;
                self.agenda.after(pause, Happening::Hear { attempt, input });
            }
            Action::CreateRoom { within } => self.send_call(attempt, Call::CreateRoom, within),
            Action::Send { room, id, within } => {
                self.send_call(attempt, Call::Send(room, id), within);
            }
            Action::Find { id, within } => self.send_call(attempt, Call::Find(id), within),
            Action::Edit { .. } => {
                panic!("no message of this world is about a pipeline, and one was to be edited")
            }
        }
    }

    /// The network: there, back, or lost on either way.
    fn send_call(&mut self, attempt: usize, call: Call, within: Duration) {
        let chaos = if self.calm { 0 } else { self.chaos };
        let slow = if self.dice.percent(chaos / 4) {
            Duration::from_secs(4)
        } else {
            Duration::from_millis(40)
        };
        let (there, back) = (self.dice.time(slow), self.dice.time(slow));
        if self.chat_down || self.dice.percent(chaos / 4) {
            let fault = *self.dice.pick(&[
                Fault::Connect,
                Fault::Reset,
                Fault::ServerError,
                Fault::TryAgain,
                Fault::Unreadable,
            ]);
            let input = failed(&call, fault);
            self.agenda
                .after(there.min(within), Happening::Hear { attempt, input });
            return;
        }
        let lost = self.dice.percent(chaos / 3).then(|| {
            *self.dice.pick(&[
                Fault::Timeout,
                Fault::Reset,
                Fault::ServerError,
                Fault::Unreadable,
                Fault::Unconfirmed,
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
            let input = failed(&call, Fault::Timeout);
            self.agenda
                .after(within, Happening::Hear { attempt, input });
        }
        self.agenda
            .after(there, Happening::Call { attempt, call, way });
    }

    /// The chat server carries out a call, whether its caller still lives or not.
    fn call(&mut self, attempt: usize, call: &Call, way: Way) {
        let number = self.attempts[attempt].number;
        let input = match (self.over_the_limit(), call) {
            (Some(fault), call) => failed(call, fault),
            (None, Call::CreateRoom) => Input::Room(Ok(room())),
            (None, Call::Send(to, id)) => {
                if *to != room() || self.stored.contains_key(id.as_str()) {
                    failed(call, Fault::Refused)
                } else {
                    self.stored.insert(id.as_str().to_owned(), number);
                    Input::Sent(Ok(()))
                }
            }
            (None, Call::Find(id)) => Input::Found(if self.stored.contains_key(id.as_str()) {
                Ok(StoredMessage {
                    room: room(),
                    sender: bot(),
                    text: String::new(),
                })
            } else {
                Err(Fault::Refused)
            }),
        };
        self.tally.found += u64::from(matches!(input, Input::Found(Ok(_))));
        let input = way.lost.map_or(input, |fault| failed(call, fault));
        if self.agenda.now() + way.back < way.deadline {
            self.agenda
                .after(way.back, Happening::Hear { attempt, input });
        }
    }

    /// Ten calls a minute where the bot lacks its role.
    fn over_the_limit(&mut self) -> Option<Fault> {
        let now = self.agenda.now();
        let minute = now.as_secs() / 60;
        if self.calls_this_minute.0 != minute {
            self.calls_this_minute = (minute, 0);
        }
        self.calls_this_minute.1 += 1;
        let over = self.limited && !self.calm && self.calls_this_minute.1 > 10;
        over.then(|| {
            Fault::RateLimited(Some(
                Duration::from_secs((minute + 1) * 60).saturating_sub(now),
            ))
        })
    }

    fn answer(&mut self, attempt: usize, verdict: &Verdict) {
        let Verdict::Delivered { id, .. } = verdict else {
            self.fail(attempt);
            return;
        };
        let this = &mut self.attempts[attempt];
        this.over = true;
        let (number, took) = (this.number, self.agenda.now().saturating_sub(this.began));
        if self.stored.get(id.as_str()) != Some(&number) {
            self.tally.lost += 1;
            self.breaches
                .push(format!("delivery {number} was accepted and is not stored"));
        }
        if took > WEBHOOK_TIMEOUT {
            self.breaches
                .push(format!("delivery {number} was answered after {took:?}"));
        }
        self.sent[number].accepted = true;
        self.failures = 0;
    }

    fn fail(&mut self, attempt: usize) {
        self.attempts[attempt].over = true;
        self.failures += 1;
        if self.failures >= FAILURES_UNTIL_OFF && !self.calm {
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
        this.room = None;
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
        for replica in &mut self.replicas {
            replica.skew = 0;
        }
        let failed = (0..self.sent.len()).filter(|&number| !self.sent[number].accepted);
        for (position, number) in failed.enumerate() {
            // Five a minute is what GitLab allows.
            let at = Duration::from_secs(12) * u32::try_from(position + 1).unwrap_or(u32::MAX);
            self.agenda.after(at, Happening::Resend { number });
        }
    }

    fn judge(&mut self) {
        let mut messages = vec![0_u64; self.sent.len()];
        for number in self.stored.values() {
            messages[*number] += 1;
        }
        for (number, sent) in self.sent.iter().enumerate() {
            if messages[number] > 1 {
                self.tally.doubled += 1;
                self.breaches.push(format!(
                    "delivery {number} has {} messages",
                    messages[number]
                ));
            }
            if sent.logged && (!sent.accepted || messages[number] == 0) {
                self.tally.lost += 1;
                self.breaches
                    .push(format!("delivery {number} did not arrive after the resend"));
            }
        }
    }
}

fn failed(call: &Call, fault: Fault) -> Input {
    match call {
        Call::CreateRoom => Input::Room(Err(fault)),
        Call::Send(..) => Input::Sent(Err(fault)),
        Call::Find(_) => Input::Found(Err(fault)),
    }
}

fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

fn room() -> RoomId {
    RoomId::parse("room").expect("is an id")
}
