//! Model check of two replicas with the same message: every order of their calls, the effects on the chat server
//! and its responses, with lost responses, late calls and a replica that crashes. A single send is explored in
//! [`send_machine`](super::send_machine).

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use webhook_app::gitlab::attributes::PipelineState;
use webhook_app::gitlab::idempotency_key::IdempotencyKey;
use webhook_app::gitlab::status::Status;
use webhook_app::limits::LIMITS;
use webhook_app::notifier::live_pipeline;
use webhook_app::notifier::notification::Notification;
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{
    ConnectCause, Destination, MessageId, MessageIds, MessageKey, RoomId, UserId, Username,
};
use webhook_app::send::{
    Account, Call, Command, Deadline, Input, SendError, SendMachine, SendResult, ServerState,
};

use crate::send_machine::digest;

/// One error after which nothing was applied, and one after which the call may have been applied.
const ERRORS: [ApiError; 2] = [ApiError::Connect(ConnectCause::Refused), ApiError::Timeout];

const INSTANCE: &str = "https://gitlab.example.org";

/// Short, so that a replica makes few retries and the model stays small.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Calls that may arrive after their caller has timed out.
const MAX_LATE_CALLS: usize = 1;

/// The state of one replica.
#[derive(Clone, Debug)]
enum Stage {
    /// The call has been sent and has not arrived.
    Called(Call),
    /// The chat server has applied the call, and its response has not arrived.
    Responding(Input),
    /// A delay before the next call.
    Waiting(Duration),
    Finished(SendResult),
    /// The replica crashed.
    Crashed,
}

#[derive(Clone, Debug)]
struct Replica {
    machine: SendMachine,
    state: ServerState,
    now: Duration,
    text: String,
    stage: Stage,
}

/// A replica that is not changed any more, and its digest: a step of one replica leaves the other one as it was written.
#[derive(Clone)]
struct Settled {
    replica: Rc<Replica>,
    digest: u128,
}

impl From<Replica> for Settled {
    fn from(replica: Replica) -> Self {
        let digest = digest(format!("{replica:?}"));
        let replica = Rc::new(replica);
        Self { replica, digest }
    }
}

impl Deref for Settled {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        &self.replica
    }
}

/// Both replicas and the one chat server.
#[derive(Clone)]
struct System {
    replicas: [Settled; 2],
    stored: BTreeMap<String, String>,
    /// Calls that timed out but still arrive, with the text they carry.
    late: Vec<(Call, String)>,
    /// Whether no fault has occurred so far.
    without_faults: bool,
}

#[derive(Default)]
struct Explorer {
    /// Digests of the systems that were explored.
    seen: BTreeSet<u128>,
    paths: usize,
    both_delivered: usize,
    /// Paths on which a later state was replaced by an earlier one.
    overtaken: usize,
}

impl Explorer {
    fn explore(&mut self, system: &System, states: &[Option<PipelineState>; 2]) {
        if !self.seen.insert(system.digest()) {
            return;
        }
        let stored = &system.stored;
        assert!(stored.len() <= 1, "two messages: {stored:#?}");
        let mut is_over = true;
        for index in 0..system.replicas.len() {
            for next in system.steps_of(index) {
                is_over = false;
                self.explore(&next, states);
            }
        }
        for position in 0..system.late.len() {
            let mut next = system.clone();
            let (call, text) = next.late.remove(position);
            next.carry_out(&call, &text);
            self.explore(&next, states);
        }
        if is_over {
            self.finish(system, states);
        }
    }

    fn finish(&mut self, system: &System, states: &[Option<PipelineState>; 2]) {
        self.paths += 1;
        let mut delivered = 0;
        for (replica, state) in system.replicas.iter().zip(states) {
            let Stage::Finished(result) = &replica.stage else {
                continue;
            };
            match result {
                SendResult::Delivered { id, .. } => {
                    delivered += 1;
                    let text = system.stored.get(id.as_str());
                    let text = text.expect("reported as delivered but not stored");
                    self.check_text(text, state.as_ref());
                }
                SendResult::Failed(SendError::IdTaken) => {
                    panic!("an id conflict with its own message")
                }
                SendResult::Withheld | SendResult::Overloaded => panic!("has no precondition"),
                SendResult::Unreachable(_) => panic!("the recipient can be reached"),
                SendResult::Failed(_) => assert!(!system.without_faults, "failed without a fault"),
            }
        }
        self.both_delivered += usize::from(delivered == 2);
    }

    /// Asserts that a final status has not been replaced by an earlier one; counts replaced later ones.
    fn check_text(&mut self, text: &str, state: Option<&PipelineState>) {
        let Some(state) = state else { return };
        if state.finished_at.is_some() && state.undated.is_none() {
            let earliest = PipelineState {
                finished_at: Some(0),
                ..state.clone()
            };
            assert!(
                !live_pipeline::is_behind(text, &earliest),
                "an unfinished state replaced a final one"
            );
        }
        self.overtaken += usize::from(live_pipeline::is_behind(text, state));
    }
}

impl System {
    /// `existing` is the pipeline's state in a message that exists already.
    fn new(
        states: &[Option<PipelineState>; 2],
        cached: bool,
        existing: Option<&PipelineState>,
    ) -> Self {
        let replica = |state: &Option<PipelineState>| {
            let mut replica = Replica {
                machine: machine(state.as_ref(), cached),
                state: few_retries(),
                now: Duration::ZERO,
                text: text(state.as_ref()),
                stage: Stage::Waiting(Duration::ZERO),
            };
            replica.receive(Input::Start);
            replica.into()
        };
        Self {
            replicas: [replica(&states[0]), replica(&states[1])],
            stored: existing
                .map(|existing| (id(existing).as_str().to_owned(), text(Some(existing))))
                .into_iter()
                .collect(),
            late: Vec::new(),
            without_faults: true,
        }
    }

    fn digest(&self) -> u128 {
        // Without a wildcard: a new field must be part of it.
        let Self {
            replicas: [first, second],
            stored,
            late,
            without_faults,
        } = self;
        let (first, second) = (first.digest, second.digest);
        digest(format!(
            "{first:x} {second:x} {stored:?} {late:?} {without_faults}"
        ))
    }

    /// Every system that one step of a replica can lead to.
    fn steps_of(&self, index: usize) -> Vec<Self> {
        let mut steps = Vec::new();
        match &self.replicas[index].stage {
            Stage::Finished(_) | Stage::Crashed => return steps,
            Stage::Waiting(pause) => {
                let pause = *pause;
                steps.push(self.with(index, |replica| {
                    replica.now += pause;
                    replica.receive(Input::Waited);
                }));
            }
            Stage::Called(call) => {
                let mut done = self.clone();
                let answer = done.carry_out(call, &self.replicas[index].text);
                steps.push(done.with(index, |replica| {
                    replica.stage = Stage::Responding(answer);
                }));
                for error in ERRORS {
                    steps.push(self.fails(index, failed(call, error)));
                }
                if self.late.len() < MAX_LATE_CALLS {
                    let mut late = self.fails(index, failed(call, ApiError::Timeout));
                    let text = self.replicas[index].text.clone();
                    late.late.push((call.clone(), text));
                    steps.push(late);
                }
            }
            Stage::Responding(answer) => {
                let answer = answer.clone();
                steps.push(self.with(index, |replica| replica.receive(answer.clone())));
                steps.push(self.fails(index, lost(&answer)));
            }
        }
        // One crash is enough: with both replicas down nothing happens.
        if index == 0 {
            let mut crashed = self.with(index, |replica| replica.stage = Stage::Crashed);
            crashed.without_faults = false;
            steps.push(crashed);
        }
        steps
    }

    fn with(&self, index: usize, change: impl FnOnce(&mut Replica)) -> Self {
        let mut system = self.clone();
        let mut replica = Replica::clone(&system.replicas[index]);
        change(&mut replica);
        system.replicas[index] = replica.into();
        system
    }

    fn fails(&self, index: usize, input: Input) -> Self {
        let mut system = self.with(index, |replica| replica.receive(input));
        system.without_faults = false;
        system
    }

    /// Stores one message per id and rejects duplicates; only a stored message can be found or edited.
    fn carry_out(&mut self, call: &Call, text: &str) -> Input {
        match call {
            Call::CreateRoom => Input::Room(Ok(room())),
            Call::Send(_, id) if self.stored.contains_key(id.as_str()) => {
                Input::Sent(Err(ApiError::Refused))
            }
            Call::Send(_, id) => {
                self.stored.insert(id.as_str().to_owned(), text.to_owned());
                Input::Sent(Ok(()))
            }
            Call::Find(id) => Input::Found(match self.stored.get(id.as_str()) {
                Some(text) => Ok(StoredMessage::Readable {
                    room: room(),
                    sender: bot(),
                    text: text.clone(),
                    deleted: false,
                }),
                None => Err(ApiError::Refused),
            }),
            Call::Edit(_, id) => Input::Edited(match self.stored.get_mut(id.as_str()) {
                Some(existing) => {
                    text.clone_into(existing);
                    Ok(())
                }
                None => Err(ApiError::Refused),
            }),
            Call::CheckUser | Call::CheckRoom(_) => Input::Checked(Ok(None)),
        }
    }
}

impl Replica {
    fn receive(&mut self, input: Input) {
        self.stage = match self.machine.on(input, self.now, &mut self.state) {
            Command::Call(call, _) => Stage::Called(call),
            Command::Wait(pause) => Stage::Waiting(pause),
            Command::Finish(result) => Stage::Finished(result),
        };
    }
}

fn failed(call: &Call, error: ApiError) -> Input {
    match call {
        Call::CreateRoom => Input::Room(Err(error)),
        Call::Send(..) => Input::Sent(Err(error)),
        Call::Find(_) => Input::Found(Err(error)),
        Call::Edit(..) => Input::Edited(Err(error)),
        Call::CheckUser | Call::CheckRoom(_) => Input::Checked(Err(error)),
    }
}

/// The response is lost.
fn lost(answer: &Input) -> Input {
    match answer {
        Input::Room(_) => Input::Room(Err(ApiError::Reset)),
        Input::Sent(_) => Input::Sent(Err(ApiError::Reset)),
        Input::Found(_) => Input::Found(Err(ApiError::Reset)),
        Input::Edited(_) => Input::Edited(Err(ApiError::Reset)),
        Input::Checked(_) => Input::Checked(Err(ApiError::Reset)),
        Input::RoomOfAnother(_) | Input::Start | Input::Waited | Input::NoPermit => {
            panic!("not a response to a call")
        }
    }
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

/// A budget of one retry, which keeps the number of systems small.
fn few_retries() -> ServerState {
    let mut state = ServerState::new(Duration::ZERO);
    for _ in 1..LIMITS.sending.max_saved_retries {
        assert!(state.take_retry(Duration::ZERO));
    }
    state
}

fn room() -> RoomId {
    RoomId::parse("room").expect("is an id")
}

fn machine(state: Option<&PipelineState>, cached: bool) -> SendMachine {
    let key = match state {
        Some(state) => live_pipeline::key(state),
        None => MessageKey::Delivery(IdempotencyKey::parse(b"key").expect("is a key")),
    };
    let alice = Destination::User(Username::parse("alice").expect("is a name"));
    let notification = Notification::new(key, alice, String::new(), INSTANCE.to_owned());
    let notification = match state {
        Some(state) => notification.edited(state.clone()),
        None => notification,
    };
    let deadline = Deadline::new(Duration::ZERO, TIMEOUT);
    SendMachine::new(&notification, account(), cached.then(room), deadline, 1)
}

fn id(state: &PipelineState) -> MessageId {
    account()
        .ids
        .id(INSTANCE, &live_pipeline::key(state), &room(), 0)
}

fn text(state: Option<&PipelineState>) -> String {
    let text = "[31](https://gitlab.example.org/a/b/-/pipelines/31)";
    state.map_or_else(
        || text.to_owned(),
        |state| live_pipeline::mark(text, state).expect("has a link"),
    )
}

fn at(finished_at: Option<u64>) -> PipelineState {
    let pipeline = 31;
    PipelineState {
        pipeline,
        finished_at,
        undated: None,
    }
}

fn explore_all(
    states: &[Option<PipelineState>; 2],
    cached: bool,
    existing: Option<&PipelineState>,
) -> Explorer {
    let mut explorer = Explorer::default();
    let system = System::new(states, cached, existing);
    explorer.explore(&system, states);
    println!("{} states, {} paths", explorer.seen.len(), explorer.paths);
    assert!(
        explorer.paths > 100 && explorer.both_delivered > 10,
        "too few paths: {} and {}",
        explorer.paths,
        explorer.both_delivered
    );
    explorer
}

#[test]
fn two_replicas_with_one_delivery_store_one_message_in_every_order() {
    for cached in [true, false] {
        explore_all(&[None, None], cached, None);
    }
}

#[test]
fn a_final_status_is_never_replaced_by_an_earlier_one() {
    let (running, finished) = (at(None), at(Some(7)));
    for states in [[&running, &finished], [&finished, &running]] {
        let states = states.map(|state| Some(state.clone()));
        for existing in [None, Some(&running)] {
            assert_eq!(explore_all(&states, true, existing).overtaken, 0);
        }
    }
}

#[test]
fn a_final_status_from_two_replicas_is_stored_once() {
    let states = [Some(at(Some(7))), Some(at(Some(7)))];
    for existing in [None, Some(&at(None))] {
        assert_eq!(explore_all(&states, true, existing).overtaken, 0);
    }
}

#[test]
fn the_later_of_two_results_stays_unless_both_edit_at_once() {
    let states = [Some(at(Some(7))), Some(at(Some(9)))];
    // One of them is inserted, so the other one reads what it replaces.
    assert_eq!(explore_all(&states, true, None).overtaken, 0);
    // Both replace the same text, and the chat server's edit is not a compare-and-swap.
    assert!(explore_all(&states, true, Some(&at(None))).overtaken > 0);
}

#[test]
fn an_undated_status_is_never_replaced_by_a_running_one() {
    let (running, mut undated) = (at(None), at(Some(0)));
    undated.undated = Some(Status::Failed);
    for states in [[&running, &undated], [&undated, &undated]] {
        let states = states.map(|state| Some(state.clone()));
        for existing in [None, Some(&running)] {
            assert_eq!(explore_all(&states, true, existing).overtaken, 0);
        }
    }
}
