//! Two replicas with the same message, in every order in which their calls, the chat server's
//! doings and its answers can fall, with answers that are lost, calls that arrive late and a replica
//! that dies. One delivery by itself is walked through in [`machine`](super::machine).

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use webhook_app::gitlab::attributes::PipelineState;
use webhook_app::notifier::live_pipeline;
use webhook_app::notifier::notification::Notification;
use webhook_app::rocketchat::response::{ApiError, StoredMessage};
use webhook_app::rocketchat::{Destination, MessageId, MessageKey, RoomId, UserId, Username};
use webhook_app::send::retry_budget::RetryBudget;
use webhook_app::send::{Command, Deadline, Input, SendError, SendMachine, SendResult};

/// Faults of one class lead the same way: one where nothing was done, and one that leaves doubt.
const FAULTS: [ApiError; 2] = [ApiError::Connect, ApiError::Timeout];

const INSTANCE: &str = "https://gitlab.example.org";

/// Calls that may arrive after their caller has given them up.
const MOST_LATE: usize = 1;

#[derive(Clone, Debug)]
enum Call {
    CreateRoom,
    Send(MessageId),
    Find(MessageId),
    Edit(MessageId),
}

/// Where a replica stands.
#[derive(Clone, Debug)]
enum Stage {
    /// The call is on its way to the chat server.
    Asked(Call),
    /// The chat server has done it, and its answer is on the way back.
    Done(Input),
    /// A pause.
    Paused(Duration),
    Ended(SendResult),
    /// The replica died.
    Dead,
}

#[derive(Clone, Debug)]
struct Replica {
    machine: SendMachine,
    budget: RetryBudget,
    now: Duration,
    text: String,
    stage: Stage,
}

/// Both replicas and the one chat server.
#[derive(Clone, Debug)]
struct Scene {
    replicas: [Replica; 2],
    stored: BTreeMap<String, String>,
    /// Calls that were given up and arrive all the same, with the text they carry.
    late: Vec<(Call, String)>,
    /// Whether everything went well so far.
    clean: bool,
}

#[derive(Default)]
struct Walk {
    seen: HashSet<String>,
    ends: usize,
    both_delivered: usize,
    /// Ends where a text was replaced by one that it was ahead of.
    overtaken: usize,
}

impl Walk {
    fn follow(&mut self, scene: &Scene, progress: &[Option<PipelineState>; 2]) {
        if !self.seen.insert(format!("{scene:?}")) {
            return;
        }
        assert!(scene.stored.len() <= 1, "two messages: {scene:#?}");
        let mut is_over = true;
        for index in 0..scene.replicas.len() {
            for next in scene.steps_of(index) {
                is_over = false;
                self.follow(&next, progress);
            }
        }
        for position in 0..scene.late.len() {
            let mut next = scene.clone();
            let (call, text) = next.late.remove(position);
            next.carry_out(&call, &text);
            self.follow(&next, progress);
        }
        if is_over {
            self.end(scene, progress);
        }
    }

    fn end(&mut self, scene: &Scene, progress: &[Option<PipelineState>; 2]) {
        self.ends += 1;
        let mut delivered = 0;
        for (replica, progress) in scene.replicas.iter().zip(progress) {
            let Stage::Ended(verdict) = &replica.stage else {
                continue;
            };
            match verdict {
                SendResult::Delivered { id, .. } => {
                    delivered += 1;
                    let text = scene.stored.get(id.as_str());
                    let text = text.expect("said to be delivered, and is not");
                    self.judge(text, progress.as_ref());
                }
                SendResult::Failed(SendError::IdTaken) => panic!("ours was taken for another's"),
                SendResult::Withheld | SendResult::Overloaded => panic!("has no precondition"),
                SendResult::Failed(_) => assert!(!scene.clean, "refused without a reason"),
            }
        }
        self.both_delivered += usize::from(delivered == 2);
    }

    /// What was told of a pipeline is there, or something later.
    fn judge(&mut self, text: &str, progress: Option<&PipelineState>) {
        let Some(progress) = progress else { return };
        if progress.finished_at.is_some() {
            let began = PipelineState {
                finished_at: Some(0),
                ..progress.clone()
            };
            assert!(
                !live_pipeline::is_behind(text, &began),
                "an end became a beginning"
            );
        }
        self.overtaken += usize::from(live_pipeline::is_behind(text, progress));
    }
}

impl Scene {
    /// `told` is what an earlier delivery has said of the pipeline.
    fn new(
        progress: &[Option<PipelineState>; 2],
        remembered: bool,
        told: Option<&PipelineState>,
    ) -> Self {
        let replica = |progress: &Option<PipelineState>| Replica {
            machine: machine(progress.as_ref(), remembered),
            budget: RetryBudget::new(Duration::ZERO),
            now: Duration::ZERO,
            text: text(progress.as_ref()),
            stage: Stage::Paused(Duration::ZERO),
        };
        let mut scene = Self {
            replicas: [replica(&progress[0]), replica(&progress[1])],
            stored: told
                .map(|told| (id(told).as_str().to_owned(), text(Some(told))))
                .into_iter()
                .collect(),
            late: Vec::new(),
            clean: true,
        };
        for replica in &mut scene.replicas {
            replica.hear(Input::Start);
        }
        scene
    }

    /// Everything that can happen next to one replica.
    fn steps_of(&self, index: usize) -> Vec<Self> {
        let mut steps = Vec::new();
        match &self.replicas[index].stage {
            Stage::Ended(_) | Stage::Dead => return steps,
            Stage::Paused(pause) => {
                let pause = *pause;
                steps.push(self.with(index, |replica| {
                    replica.now += pause;
                    replica.hear(Input::Waited);
                }));
            }
            Stage::Asked(call) => {
                let mut done = self.clone();
                let answer = done.carry_out(call, &self.replicas[index].text);
                done.replicas[index].stage = Stage::Done(answer);
                steps.push(done);
                for error in FAULTS {
                    steps.push(self.fails(index, failed(call, error)));
                }
                if self.late.len() < MOST_LATE {
                    let mut late = self.fails(index, failed(call, ApiError::Timeout));
                    let text = self.replicas[index].text.clone();
                    late.late.push((call.clone(), text));
                    steps.push(late);
                }
            }
            Stage::Done(answer) => {
                let answer = answer.clone();
                steps.push(self.with(index, |replica| replica.hear(answer.clone())));
                steps.push(self.fails(index, lost(&answer)));
            }
        }
        // Once is enough: with both dead there is nothing left to see.
        if index == 0 {
            let mut dead = self.with(index, |replica| replica.stage = Stage::Dead);
            dead.clean = false;
            steps.push(dead);
        }
        steps
    }

    fn with(&self, index: usize, change: impl FnOnce(&mut Replica)) -> Self {
        let mut scene = self.clone();
        change(&mut scene.replicas[index]);
        scene
    }

    fn fails(&self, index: usize, input: Input) -> Self {
        let mut scene = self.with(index, |replica| replica.hear(input));
        scene.clean = false;
        scene
    }

    /// One message an id, refused when it is there; only what is there can be found or edited.
    fn carry_out(&mut self, call: &Call, text: &str) -> Input {
        match call {
            Call::CreateRoom => Input::Room(Ok(room())),
            Call::Send(id) if self.stored.contains_key(id.as_str()) => {
                Input::Sent(Err(ApiError::Refused))
            }
            Call::Send(id) => {
                self.stored.insert(id.as_str().to_owned(), text.to_owned());
                Input::Sent(Ok(()))
            }
            Call::Find(id) => Input::Found(match self.stored.get(id.as_str()) {
                Some(text) => Ok(StoredMessage {
                    room: room(),
                    sender: bot(),
                    text: text.clone(),
                }),
                None => Err(ApiError::Refused),
            }),
            Call::Edit(id) => Input::Edited(match self.stored.get_mut(id.as_str()) {
                Some(told) => {
                    text.clone_into(told);
                    Ok(())
                }
                None => Err(ApiError::Refused),
            }),
        }
    }
}

impl Replica {
    fn hear(&mut self, input: Input) {
        self.stage = match self.machine.on(input, self.now, &mut self.budget) {
            Command::CreateRoom { .. } => Stage::Asked(Call::CreateRoom),
            Command::Send { id, .. } => Stage::Asked(Call::Send(id)),
            Command::Find { id, .. } => Stage::Asked(Call::Find(id)),
            Command::Edit { id, .. } => Stage::Asked(Call::Edit(id)),
            Command::Wait(pause) => Stage::Paused(pause),
            Command::Finish(verdict) => Stage::Ended(verdict),
        };
    }
}

fn failed(call: &Call, error: ApiError) -> Input {
    match call {
        Call::CreateRoom => Input::Room(Err(error)),
        Call::Send(_) => Input::Sent(Err(error)),
        Call::Find(_) => Input::Found(Err(error)),
        Call::Edit(_) => Input::Edited(Err(error)),
    }
}

/// The answer is lost on its way back.
fn lost(answer: &Input) -> Input {
    match answer {
        Input::Room(_) => Input::Room(Err(ApiError::Reset)),
        Input::Sent(_) => Input::Sent(Err(ApiError::Reset)),
        Input::Found(_) => Input::Found(Err(ApiError::Reset)),
        Input::Edited(_) => Input::Edited(Err(ApiError::Reset)),
        Input::Start | Input::Waited => panic!("no answer to a call"),
    }
}

fn bot() -> UserId {
    UserId::parse("bot").expect("is an id")
}

fn room() -> RoomId {
    RoomId::parse("room").expect("is an id")
}

fn machine(progress: Option<&PipelineState>, remembered: bool) -> SendMachine {
    let key = match progress {
        Some(progress) => live_pipeline::key(progress),
        None => MessageKey::derive(&["key"]),
    };
    let alice = Destination::User(Username::parse("alice").expect("is a name"));
    let notification = Notification::new(key, alice, String::new(), INSTANCE.to_owned());
    let notification = match progress {
        Some(progress) => notification.edited(progress.clone()),
        None => notification,
    };
    let deadline = Deadline::new(Duration::ZERO, Duration::from_secs(5));
    SendMachine::new(&notification, bot(), remembered.then(room), deadline, 1)
}

fn id(progress: &PipelineState) -> MessageId {
    MessageId::derive(INSTANCE, &live_pipeline::key(progress), &room())
}

fn text(progress: Option<&PipelineState>) -> String {
    let text = "[31](https://gitlab.example.org/a/b/-/pipelines/31)";
    progress.map_or_else(
        || text.to_owned(),
        |progress| live_pipeline::mark(text, progress).expect("has a link"),
    )
}

fn at(finished_at: Option<u64>) -> PipelineState {
    let pipeline = 31;
    PipelineState {
        pipeline,
        finished_at,
    }
}

fn walk(
    progress: &[Option<PipelineState>; 2],
    remembered: bool,
    told: Option<&PipelineState>,
) -> Walk {
    let mut walk = Walk::default();
    let scene = Scene::new(progress, remembered, told);
    walk.follow(&scene, progress);
    println!("{} states, {} ends", walk.seen.len(), walk.ends);
    assert!(walk.ends > 100 && walk.both_delivered > 10, "too tame");
    walk
}

#[test]
fn two_replicas_with_one_delivery_store_one_message_in_every_order() {
    for remembered in [true, false] {
        walk(&[None, None], remembered, None);
    }
}

#[test]
fn the_end_of_a_pipeline_stays_whoever_tells_of_its_way() {
    let (way, end) = (at(None), at(Some(7)));
    for progress in [[&way, &end], [&end, &way]] {
        let progress = progress.map(|progress| Some(progress.clone()));
        for told in [None, Some(&way)] {
            assert_eq!(walk(&progress, true, told).overtaken, 0);
        }
    }
}

#[test]
fn one_end_told_by_two_replicas_is_told_once() {
    let progress = [Some(at(Some(7))), Some(at(Some(7)))];
    for told in [None, Some(&at(None))] {
        assert_eq!(walk(&progress, true, told).overtaken, 0);
    }
}

#[test]
fn of_two_ends_the_later_one_stays_unless_both_are_written_at_once() {
    let ends = [Some(at(Some(7))), Some(at(Some(9)))];
    // One of them is sent, so the other one knows what it replaces.
    assert_eq!(walk(&ends, true, None).overtaken, 0);
    // Both replace the same text, and the chat server does not compare when it edits.
    assert!(walk(&ends, true, Some(&at(None))).overtaken > 0);
}
