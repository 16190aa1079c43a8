//! One instrument and a handle for each of its series. Owns the kinds of instruments. Which series
//! there are follows from their [`labels`](super::labels).

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use opentelemetry::KeyValue;
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

/// An instrument `I` and its handles `H`. With a handle a measurement is an addition, not a search.
///
/// A handle is made when it is first needed, and all of them when somebody looks: hundreds would
/// delay the first webhook of a cold start by a third of a millisecond.
pub(super) struct Family<L, I, H> {
    instrument: I,
    handles: HashMap<L, OnceLock<H>>,
    bind: fn(&I, &[KeyValue]) -> H,
}

impl<L: Labels, I, H> Family<L, I, H> {
    fn over(instrument: I, bind: fn(&I, &[KeyValue]) -> H) -> Self {
        let all = L::all().into_iter();
        Self {
            instrument,
            handles: all.map(|labels| (labels, OnceLock::new())).collect(),
            bind,
        }
    }

    /// Makes every series visible, at zero where nothing was measured.
    pub(super) fn show(&self) {
        for (labels, handle) in &self.handles {
            handle.get_or_init(|| (self.bind)(&self.instrument, &labels.attributes()));
        }
    }

    /// Measures one series. One that [`Labels::all`] forgot appears late; a test that comes by here
    /// fails instead.
    fn measure(&self, labels: L, with: impl FnOnce(&H)) {
        let bind = || (self.bind)(&self.instrument, &labels.attributes());
        let handle = self.handles.get(&labels);
        debug_assert!(handle.is_some(), "not there from the start: {labels:?}");
        match handle {
            Some(handle) => with(handle.get_or_init(bind)),
            None => with(&bind()),
        }
    }
}

impl<L: Labels> Count<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.u64_counter(is.name).with_unit(is.unit);
        let counter = builder.with_description(is.help).build();
        Self::over(counter, |counter, attributes| {
            let handle = counter.bind(attributes);
            // Without labels a series is there only once it has been counted.
            handle.add(0);
            handle
        })
    }

    pub(super) fn add(&self, labels: L, count: u64) {
        self.measure(labels, |handle| handle.add(count));
    }
}

impl<L: Labels> Level<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.i64_up_down_counter(is.name).with_unit(is.unit);
        let counter = builder.with_description(is.help).build();
        Self::over(counter, UpDownCounter::bind)
    }

    pub(super) fn add(&self, labels: L, change: i64) {
        self.measure(labels, |handle| handle.add(change));
    }
}

impl<L: Labels> Distribution<L> {
    pub(super) fn make(meter: &Meter, is: &Description) -> Self {
        let builder = meter.f64_histogram(is.name).with_unit(is.unit);
        let builder = builder.with_description(is.help);
        let histogram = builder.with_boundaries(is.bounds.to_vec()).build();
        Self::over(histogram, Histogram::bind)
    }

    pub(super) fn record(&self, labels: L, value: f64) {
        self.measure(labels, |handle| handle.record(value));
    }
}

impl<L, I, H> fmt::Debug for Family<L, I, H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} series", self.handles.len())
    }
}
