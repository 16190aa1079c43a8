//! When a call is repeated while Rocket.Chat fails, is out of service or limits the rate.

use super::*;

/// Runs one send whose every call fails with `error` after `took`; returns when each call began,
/// and the result.
fn attempts(error: ApiError, took: Duration, state: &mut ServerState) -> (Vec<u128>, SendResult) {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut machine = delivery(Some(room("room")), deadline);
    let (mut now, mut began, mut input) = (Duration::ZERO, Vec::new(), Input::Start);
    loop {
        input = match machine.on(input, now, state) {
            Command::Call(call, time) => {
                began.push(now.as_millis());
                now += took.min(time.response);
                match call {
                    Call::Send(..) => Input::Sent(Err(error)),
                    Call::Find(_) => Input::Found(Err(error)),
                    other => panic!("{other:?}"),
                }
            }
            Command::Wait(pause) => {
                now += pause;
                Input::Waited
            }
            Command::Finish(result) => return (began, result),
        };
    }
}

#[test]
fn attempts_are_spread_over_the_time_with_growing_pauses() {
    let mut state = ServerState::new(Duration::ZERO);
    let (began, result) = attempts(
        ApiError::Connect(ConnectCause::Refused),
        Duration::ZERO,
        &mut state,
    );
    let expected = SendResult::Failed(SendError::Api(ApiError::Connect(ConnectCause::Refused)));
    assert_eq!(result, expected);
    assert!((7..=11).contains(&began.len()), "{began:?}");
    let last = began.last().copied().expect("has one");
    assert!((3900..=4200).contains(&last), "{began:?}");
    let longest = began.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(longest <= Some(1000), "{began:?}");
}

#[test]
fn a_call_without_a_response_leaves_time_for_two_more() {
    let mut state = ServerState::new(Duration::ZERO);
    let (began, _) = attempts(ApiError::Timeout, LIMIT, &mut state);
    assert_eq!(began.len(), 3, "{began:?}");
}

#[test]
fn an_error_of_a_rollout_is_retried_twice() {
    for error in [ApiError::Unauthorized, ApiError::NotFound] {
        let mut state = ServerState::new(Duration::ZERO);
        let (began, result) = attempts(error, Duration::ZERO, &mut state);
        assert_eq!(result, SendResult::Failed(SendError::Api(error)));
        assert_eq!(began.len(), 3, "{began:?}");
        let last = began.last().copied().expect("has one");
        assert!((1200..=2400).contains(&last), "{began:?}");
    }
}

/// Runs a delivery of which every call fails. Adds its calls to `calls`; returns its result, and when it ended.
fn end_in_outage(
    machine: &mut SendMachine,
    began: Duration,
    state: &mut ServerState,
    calls: &mut u32,
) -> (SendResult, Duration) {
    let mut input = Input::Start;
    let mut at = began;
    loop {
        input = match machine.on(input, at, state) {
            Command::Call(Call::Send(..), _) => {
                *calls += 1;
                Input::Sent(Err(ApiError::Reset))
            }
            Command::Call(Call::Find(_), _) => {
                *calls += 1;
                Input::Found(Err(ApiError::Reset))
            }
            Command::Call(call, _) => panic!("{call:?}"),
            Command::Wait(pause) => {
                at += pause;
                Input::Waited
            }
            Command::Finish(result) => return (result, at),
        };
    }
}

#[test]
fn in_a_long_outage_a_delivery_costs_one_call() {
    let mut state = ServerState::new(Duration::ZERO);
    let mut calls = 0;
    let mut now = Duration::ZERO;
    let count = 6000;
    for _ in 0..count {
        let deadline = Deadline::new(now, LIMIT);
        let mut machine = delivery(Some(room("room")), deadline);
        let (_, at) = end_in_outage(&mut machine, now, &mut state, &mut calls);
        now = at.max(now) + Duration::from_millis(100);
    }
    assert!(calls <= count * 12 / 10, "{calls} calls");
}

#[test]
fn with_a_broker_an_outage_costs_one_call_per_second_and_no_delivery_waits() {
    let mut state = ServerState::new(Duration::ZERO);
    let mut calls = 0;
    let mut now = Duration::ZERO;
    let until = Duration::from_mins(10);
    while now < until {
        let deadline = Deadline::before_hand_off(now, LIMIT);
        assert_eq!(deadline.at, now + Duration::from_secs(4));
        let mut machine = delivery(Some(room("room")), deadline);
        let (result, at) = end_in_outage(&mut machine, now, &mut state, &mut calls);
        assert!(result.may_succeed_later(), "{result:?}");
        // Only the deliveries that found the outage have waited.
        if now > LIMIT {
            assert_eq!(at, now, "{result:?}");
        }
        now += Duration::from_millis(100);
    }
    assert!((550..=620).contains(&calls), "{calls} calls in ten minutes");
    let mut machine = delivery(Some(room("room")), Deadline::of_redelivery(now, LIMIT));
    let now = now + Duration::from_secs(1);
    let command = machine.on(Input::Start, now, &mut state);
    assert!(matches!(command, Command::Call(..)), "{command:?}");
    machine.on(Input::Sent(Ok(())), now, &mut state);
    let mut next = delivery(Some(room("room")), Deadline::before_hand_off(now, LIMIT));
    let command = next.on(Input::Start, now, &mut state);
    assert!(
        matches!(command, Command::Call(..)),
        "the outage is over: {command:?}"
    );
}

#[test]
fn a_rate_limit_is_waited_for_and_takes_nothing_from_the_budget() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    machine.on(Input::Start, Duration::ZERO, &mut state);
    while state.take_retry(Duration::ZERO) {}
    let limited = Input::Sent(Err(ApiError::RateLimited(Some(Duration::from_secs(2)))));
    let action = machine.on(limited, Duration::ZERO, &mut state);
    let Command::Wait(pause) = action else {
        panic!("{action:?}");
    };
    assert!((2050..=2100).contains(&pause.as_millis()), "{pause:?}");
    assert_eq!(machine.attempts.rate_limit_waits, 1);
    assert_eq!(machine.attempts.retries, 0);
}

#[test]
fn a_rate_limit_beyond_the_deadline_is_not_waited_for() {
    let minute = ApiError::RateLimited(Some(Duration::from_mins(1)));
    let mut state = ServerState::new(Duration::ZERO);
    let (began, result) = attempts(minute, Duration::ZERO, &mut state);
    assert_eq!(began.len(), 1);
    assert_eq!(result, SendResult::Failed(SendError::Api(minute)));
}
