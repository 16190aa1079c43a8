//! What follows from an ID that somebody else has, and from a recipient that Rocket.Chat refuses.

use std::collections::HashSet;

use super::*;

fn message_of(sender: &str, place: &str) -> StoredMessage {
    StoredMessage::Readable {
        room: room(place),
        sender: UserId::parse(sender).expect("is an id"),
        text: String::new(),
        deleted: false,
    }
}

#[test]
fn an_id_of_another_message_leads_to_the_next_one_at_most_three() {
    let others = [
        message_of("mallory", "room"),
        message_of("bot", "elsewhere"),
        StoredMessage::Unreadable,
    ];
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    let mut ids = HashSet::new();
    let mut command = on(Input::Start);
    for stored in others {
        let Command::Call(Call::Send(_, id), _) = command else {
            panic!("{command:?}");
        };
        assert!(ids.insert(id), "the same id again");
        on(Input::Sent(Err(ApiError::Refused)));
        command = on(Input::Found(Ok(stored)));
    }
    let expected = SendResult::Failed(SendError::IdTaken);
    assert_eq!(command, Command::Finish(expected));
}

#[test]
fn a_deleted_message_is_not_sent_again() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = delivery(Some(room("room")), deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    on(Input::Start);
    on(Input::Sent(Err(ApiError::Refused)));
    let end = on(Input::Found(Ok(StoredMessage::Readable {
        room: room("room"),
        sender: bot(),
        text: String::new(),
        deleted: true,
    })));
    let expected = SendResult::Delivered {
        id: id(&key("key"), &room("room")),
        confirmed_by: ConfirmedBy::FoundDeleted,
    };
    assert_eq!(end, Command::Finish(expected));
}

#[test]
fn a_refused_room_is_created_once_more_and_then_explained() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = delivery(None, deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    let is_creation = |command| matches!(command, Command::Call(Call::CreateRoom, _));
    assert!(is_creation(on(Input::Start)));
    let refused = Input::Room(Err(ApiError::Refused));
    assert!(matches!(on(refused.clone()), Command::Wait(_)));
    assert!(is_creation(on(Input::Waited)));
    assert!(matches!(on(refused), Command::Call(Call::CheckUser, _)));
    let end = on(Input::Checked(Ok(Some(Unreachable::UnknownUser))));
    let expected = SendResult::Unreachable(Unreachable::UnknownUser);
    assert_eq!(end, Command::Finish(expected));
}

#[test]
fn a_refusal_without_evidence_is_reported_as_it_is() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    for checked in [Ok(None), Err(ApiError::Refused), Err(ApiError::Forbidden)] {
        let mut state = ServerState::new(Duration::ZERO);
        let mut machine = delivery(None, deadline);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
        on(Input::Start);
        on(Input::Room(Ok(room("room"))));
        on(Input::Sent(Err(ApiError::Refused)));
        let next = on(Input::Found(Err(ApiError::Refused)));
        assert!(matches!(next, Command::Call(Call::CheckUser, _)));
        let next = on(Input::Checked(checked));
        assert!(matches!(next, Command::Call(Call::CheckRoom(_), _)));
        let end = on(Input::Checked(checked));
        let expected = SendResult::Failed(SendError::Api(ApiError::Refused));
        assert_eq!(end, Command::Finish(expected));
    }
}

#[test]
fn a_room_of_the_configuration_that_refuses_is_explained_and_never_created() {
    for (checked, expected) in [
        (
            Ok(Some(Unreachable::ReadOnlyRoom)),
            SendResult::Unreachable(Unreachable::ReadOnlyRoom),
        ),
        (
            Ok(None),
            SendResult::Failed(SendError::Api(ApiError::Refused)),
        ),
    ] {
        let place = room("room");
        let text = "text".to_owned();
        let to_room = Destination::Room(place.clone());
        let notification = Notification::new(key("key"), to_room, text, INSTANCE.to_owned());
        let deadline = Deadline::new(Duration::ZERO, LIMIT);
        let mut state = ServerState::new(Duration::ZERO);
        let mut machine =
            SendMachine::new(&notification, account(), Some(place.clone()), deadline, 1);
        let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
        on(Input::Start);
        on(Input::Sent(Err(ApiError::Refused)));
        let next = on(Input::Found(Err(ApiError::Refused)));
        assert!(
            matches!(&next, Command::Call(Call::CheckRoom(checked), _) if *checked == place),
            "{next:?}"
        );
        assert_eq!(on(Input::Checked(checked)), Command::Finish(expected));
    }
}

#[test]
fn an_unreachable_recipient_of_a_fix_is_withheld() {
    let deadline = Deadline::new(Duration::ZERO, LIMIT);
    let mut state = ServerState::new(Duration::ZERO);
    let mut machine = fix(vec![key("failure")], None, deadline);
    let mut on = |input| machine.on(input, Duration::ZERO, &mut state);
    on(Input::Start);
    on(Input::Room(Err(ApiError::Refused)));
    on(Input::Waited);
    on(Input::Room(Err(ApiError::Refused)));
    let end = on(Input::Checked(Ok(Some(Unreachable::UnknownUser))));
    assert_eq!(end, Command::Finish(SendResult::Withheld));
}
