//! One instrument and a handle for each of its series. Owns the kinds of instruments. Which series
//! there are follows from their [`labels`](super::labels).

use std::collections::HashMap;
use std::fmt;

use opentelemetry::metrics::{
    BoundCounter, BoundHistogram, BoundUpDownCounter, Counter, Histogram, Meter, UpDownCounter,
};

use super::labels::Labels;

/// What an instrument is.
pub(super) struct Description {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) help: &'static str,
    /// Upper ends of the buckets.
    pub(super) bounds: &'static [f64],
}

/// Only goes up.
pub(super) type Count<L> = Family<L, Counter<u64>, BoundCounter<u64>>;

/// Goes up and down.
pub(super) type Level<L> = Family<L, UpDownCounter<i64>, BoundUpDownCounter<i64>>;

/// How often which size came up.
pub(super) type Distribution<L> = Family<L, Histogram<f64>, BoundHistogram<f64>>;

/// An instrument `I` and its handles `H`, all made at start: every series is there at zero, and a
/// measurement is an addition, not a search.
pub(super) struct Family<L, I, H> {
    instrument: I,
    handles: HashMap<L, H>,
}

impl<L: Labels, I, H> Family<L, I, H> {
    fn over(instrument: I, bind: impl Fn(&I, &L) -> H) -> Self {
        let all = L::all().into_iter();
        let handles = all
            .map(|labels| (labels, bind(&instrument, &labels)))
            .collect();
        Self {
            instrument,
            handles,
        }
    }

    /// The handle of a series; for one that was forgotten in [`Labels::all`], nothing, but a test
    /// that comes by here fails.
    fn handle(&self, labels: L) -> Option<&H> {
        let handle = self.handles.get(&labels);
        debug_assert!(handle.is_some(), "not there from the start: {labels:?}");
        handle
    }
}

impl<L: Labels> Count<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.u64_counter(is.name).with_unit(is.unit);
        let counter = builder.with_description(is.help).build();
        let family = Self::over(counter, |counter, labels| {
            counter.bind(&labels.attributes())
        });
        // Without labels a series is there only once it has been counted.
        family.handles.values().for_each(|handle| handle.add(0));
        family
    }

    pub(super) fn add(&self, labels: L, count: u64) {
        match self.handle(labels) {
            Some(handle) => handle.add(count),
            None => self.instrument.add(count, &labels.attributes()),
        }
    }
}

impl<L: Labels> Level<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.i64_up_down_counter(is.name).with_unit(is.unit);
        let counter = builder.with_description(is.help).build();
        Self::over(counter, |counter, labels| {
            counter.bind(&labels.attributes())
        })
    }

    pub(super) fn add(&self, labels: L, change: i64) {
        match self.handle(labels) {
            Some(handle) => handle.add(change),
            None => self.instrument.add(change, &labels.attributes()),
        }
    }
}

impl<L: Labels> Distribution<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.f64_histogram(is.name).with_unit(is.unit);
        let builder = builder.with_description(is.help);
        let histogram = builder.with_boundaries(is.bounds.to_vec()).build();
        Self::over(histogram, |histogram, labels| {
            histogram.bind(&labels.attributes())
        })
    }

    pub(super) fn record(&self, labels: L, value: f64) {
        match self.handle(labels) {
            Some(handle) => handle.record(value),
            None => self.instrument.record(value, &labels.attributes()),
        }
    }
}

impl<L, I, H> fmt::Debug for Family<L, I, H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} series", self.handles.len())
    }
}
