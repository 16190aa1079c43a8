//! The records that `--direct` posts. Owns how many bytes of them are in memory: the oldest, because they are posted
//! first.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use super::log::{Attempt, Content};
use crate::gitlab_api::HookEvent;
use crate::limits::LIMITS;

/// What is sent again of a record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Box<RawValue>,
}

/// Records by the IDs of their attempts.
#[derive(Debug, Default)]
pub(super) struct Records {
    kept: BTreeMap<u64, Record>,
    bytes: usize,
    /// Deliveries whose newest attempt was seen in this reading.
    seen: BTreeSet<String>,
}

impl Records {
    /// A log is read from its newest record on.
    pub(super) fn begin(&mut self) {
        self.seen.clear();
    }

    /// Keeps the newest record of a delivery that failed, if there is room for it.
    pub(super) fn offer(&mut self, event: HookEvent, attempt: &Attempt) {
        let can_be_sent = matches!(attempt.content, Content::Recorded(_));
        let key = attempt.key.clone().filter(|_| can_be_sent);
        let is_newest = key.is_some_and(|key| self.seen.insert(key));
        let (Some(body), true) = (
            event.request_data,
            is_newest && !attempt.answer.is_success(),
        ) else {
            return;
        };
        self.bytes += body.get().len();
        let headers = event.request_headers;
        self.kept.insert(event.id, Record { headers, body });
        while self.bytes > LIMITS.reconcile.max_record_bytes
            && let Some((_, record)) = self.kept.pop_last()
        {
            self.bytes -= record.body.get().len();
        }
    }

    pub(super) fn get(&self, id: u64) -> Option<&Record> {
        self.kept.get(&id)
    }

    /// Forgets what need not be posted.
    pub(super) fn retain(&mut self, is_waiting: impl Fn(u64) -> bool) {
        self.kept.retain(|id, _| is_waiting(*id));
        let lengths = self.kept.values().map(|record| record.body.get().len());
        self.bytes = lengths.sum();
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Answer;
    use super::*;

    fn offer(records: &mut Records, id: u64, key: &str, status: u16, bytes: usize) {
        let body = "x".repeat(bytes - 2);
        let event = format!(r#"{{"id":{id},"request_data":"{body}"}}"#);
        let event: HookEvent = serde_json::from_str(&event).expect("is an entry");
        let attempt = Attempt {
            id,
            key: Some(key.to_owned()),
            trigger: "push_hooks".to_owned(),
            answer: Answer::Status(status),
            at: None,
            content: Content::Recorded(None),
            redacted: false,
        };
        records.offer(event, &attempt);
    }

    fn kept(records: &Records) -> Vec<u64> {
        records.kept.keys().copied().collect()
    }

    #[test]
    fn only_the_newest_failed_record_of_an_unfinished_delivery_is_kept() {
        let mut records = Records::default();
        for (id, key, status) in [
            (5, "a", 200),
            (4, "b", 503),
            (3, "b", 503),
            (2, "a", 503),
            (1, "c", 503),
        ] {
            offer(&mut records, id, key, status, 10);
        }
        assert_eq!(kept(&records), [1, 4]);
        records.retain(|id| id == 4);
        assert_eq!((kept(&records), records.bytes), (vec![4], 10));
    }

    #[test]
    fn what_is_kept_has_a_limit_and_is_the_oldest() {
        let half = LIMITS.reconcile.max_record_bytes / 2;
        let mut records = Records::default();
        offer(&mut records, 4, "d", 503, half);
        offer(&mut records, 3, "c", 503, half);
        assert_eq!(kept(&records), [3, 4]);
        offer(&mut records, 2, "b", 503, 10);
        assert_eq!(kept(&records), [2, 3]);
        offer(&mut records, 1, "a", 503, 2 * half);
        assert_eq!(kept(&records), [1]);
        assert_eq!(records.bytes, 2 * half);
    }
}
