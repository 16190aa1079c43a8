//! Which page of a hook's log is read next. Owns the size of pages, which shrinks where records are large, and the
//! number of calls. The calls are made in [`reading`](super::reading).

use std::iter;

use crate::limits::LIMITS;

/// The pages of one log, from the newest record on. The size of a page divides the number of records before it, because
/// GitLab counts pages and not records.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    offset: u32,
    size: u32,
    calls: usize,
    has_shrunk: bool,
}

/// Which pages the newest records of a log need.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum FirstPage {
    /// Full ones.
    #[default]
    Full,
    /// One record each, because a full page was too large.
    Single,
}

impl Pages {
    pub(super) fn new(first: FirstPage) -> Self {
        let size = match first {
            FirstPage::Full => LIMITS.gitlab_api.events_per_page,
            FirstPage::Single => 1,
        };
        Self {
            offset: 0,
            size,
            calls: 0,
            has_shrunk: false,
        }
    }

    /// The number and the size of the next page; `None` after so many calls that the server may name pages for ever.
    pub(super) fn next(&mut self) -> Option<(u32, u32)> {
        let max_calls = LIMITS.reconcile.max_entries / LIMITS.gitlab_api.events_per_page as usize;
        self.calls += 1;
        (self.calls <= max_calls).then(|| (self.offset / self.size + 1, self.size))
    }

    /// The page is read: the next one is as large as its place allows.
    pub(super) fn pass(&mut self) {
        self.offset += self.size;
        let fits = |size: &u32| self.offset.is_multiple_of(*size);
        self.size = sizes().find(fits).unwrap_or(1);
    }

    /// The page was too large: the next one is smaller. A single record that is too large is passed, and counted by the
    /// result.
    pub(super) fn shrink(&mut self) -> u32 {
        self.has_shrunk = true;
        if let Some(smaller) = sizes().find(|size| *size < self.size) {
            self.size = smaller;
            return 0;
        }
        self.pass();
        1
    }

    /// How the next reading begins, of which one known record is the end.
    pub(super) fn first_of_next(self, first: FirstPage) -> FirstPage {
        match self.has_shrunk {
            true => FirstPage::Single,
            false if self.offset >= LIMITS.gitlab_api.events_per_page => FirstPage::Full,
            false => first,
        }
    }
}

/// The sizes of pages: each divides the one before it.
fn sizes() -> impl Iterator<Item = u32> {
    let smaller = |size: &u32| match size {
        1 => None,
        size if size.is_multiple_of(2) => Some(size / 2),
        _ => Some(1),
    };
    iter::successors(Some(LIMITS.gitlab_api.events_per_page), smaller)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads a log of records with these sizes, newest first, of which a page may have 32. Returns what was read, and
    /// what was too large.
    fn read(records: &[u32]) -> (Vec<usize>, Vec<usize>) {
        let mut pages = Pages::new(FirstPage::Full);
        let (mut found, mut lost) = (Vec::new(), Vec::new());
        while let Some((number, size)) = pages.next() {
            let (number, size) = (number as usize, size as usize);
            let start = (number - 1) * size;
            if start >= records.len() {
                break;
            }
            let end = records.len().min(start + size);
            if records[start..end].iter().sum::<u32>() <= 32 {
                found.extend(start..end);
                pages.pass();
            } else if pages.shrink() > 0 {
                lost.push(start);
            }
        }
        (found, lost)
    }

    #[test]
    fn a_page_that_is_too_large_is_read_in_parts_and_the_rest_in_full_pages() {
        let mut pages = Pages::new(FirstPage::Full);
        assert_eq!(pages.next(), Some((1, 20)));
        pages.pass();
        let mut asked = Vec::new();
        // The record with the number 23 alone is too large.
        while let Some((number, size)) = pages.next().filter(|_| asked.len() < 12) {
            let records = (number - 1) * size..number * size;
            asked.push((records.start, size));
            if records.contains(&23) {
                pages.shrink();
            } else {
                pages.pass();
            }
        }
        let expected = [
            (20, 20),
            (20, 10),
            (20, 5),
            (20, 1),
            (21, 1),
            (22, 1),
            (23, 1),
            (24, 1),
            (25, 5),
            (30, 10),
            (40, 20),
            (60, 20),
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_log_whose_next_page_never_ends_is_read_up_to_a_limit() {
        let mut pages = Pages::new(FirstPage::Full);
        let mut calls = 0;
        while pages.next().is_some() {
            calls += 1;
            pages.pass();
        }
        assert_eq!(calls, 1000);
    }

    #[test]
    fn the_next_reading_begins_small_while_the_newest_records_are_large() {
        let mut large = Pages::new(FirstPage::Full);
        large.shrink();
        assert_eq!(large.first_of_next(FirstPage::Full), FirstPage::Single);
        let mut known = Pages::new(FirstPage::Single);
        known.pass();
        assert_eq!(known.first_of_next(FirstPage::Single), FirstPage::Single);
        for _ in 0..20 {
            known.pass();
        }
        assert_eq!(known.first_of_next(FirstPage::Single), FirstPage::Full);
    }

    proptest! {
        #[test]
        fn every_record_is_read_once_unless_it_alone_is_too_large(
            records in proptest::collection::vec(prop_oneof![Just(0_u32), 1_u32..8, 20_u32..40], 0..200),
        ) {
            let (found, lost) = read(&records);
            let is_large = |index: &usize| records[*index] > 32;
            let (large, small): (Vec<_>, Vec<_>) = (0..records.len()).partition(is_large);
            prop_assert_eq!(found, small);
            prop_assert_eq!(lost, large);
        }
    }
}
