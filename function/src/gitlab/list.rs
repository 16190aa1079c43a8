//! Lists in GitLab's JSON that are summarized while they are parsed. Owns the rule that no list is
//! collected: a body of 25 MiB has room for millions of entries, each of which would take a hundred
//! bytes or more. What is kept of a list is decided in the file of its kind. Lists that may have
//! another type are in [`lenient`](super::lenient).

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::limits::LIMITS;

/// What is kept of a list. Its size must not depend on the number of entries.
pub(super) trait Summary: Default {
    /// An entry of the list.
    type Entry;

    /// Takes the next entry.
    fn add(&mut self, entry: Self::Entry);
}

/// A list, summarized.
#[derive(Debug, Default)]
pub(super) struct List<S>(pub(super) S);

impl<'de, S> Deserialize<'de> for List<S>
where
    S: Summary<Entry: Deserialize<'de>>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<S>(PhantomData<S>);

impl<'de, S> Visitor<'de> for ListVisitor<S>
where
    S: Summary<Entry: Deserialize<'de>>,
{
    type Value = List<S>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<List<S>, A::Error> {
        let mut summary = S::default();
        while let Some(entry) = entries.next_element()? {
            summary.add(entry);
        }
        Ok(List(summary))
    }
}

/// The last entries, at most
/// [`max_list_entries`](crate::limits::EventLimits::max_list_entries), and the number of all.
#[derive(Debug)]
pub(super) struct Last<T> {
    pub(super) entries: VecDeque<T>,
    pub(super) count: usize,
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            count: 0,
        }
    }
}

impl<T> Summary for Last<T> {
    type Entry = T;

    fn add(&mut self, entry: T) {
        if self.entries.len() == LIMITS.events.max_list_entries {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
        self.count += 1;
    }
}

/// The first entry, and the number of all.
#[derive(Debug)]
pub(super) struct First<T> {
    pub(super) entry: Option<T>,
    pub(super) count: usize,
}

impl<T> Default for First<T> {
    fn default() -> Self {
        Self {
            entry: None,
            count: 0,
        }
    }
}

impl<T> Summary for First<T> {
    type Entry = T;

    fn add(&mut self, entry: T) {
        self.entry.get_or_insert(entry);
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_keeps_few_entries_and_counts_all() {
        let limit = LIMITS.events.max_list_entries;
        let numbers: Vec<usize> = (0..limit * 3).collect();
        let json = serde_json::to_string(&numbers).expect("is JSON");
        let List(last) = serde_json::from_str::<List<Last<usize>>>(&json).expect("is a list");
        assert_eq!((last.entries.len(), last.count), (limit, limit * 3));
        assert_eq!(last.entries.back(), Some(&(limit * 3 - 1)));
        let List(first) = serde_json::from_str::<List<First<usize>>>(&json).expect("is a list");
        assert_eq!((first.entry, first.count), (Some(0), limit * 3));
        serde_json::from_str::<List<First<usize>>>("{}").expect_err("is no list");
    }
}
