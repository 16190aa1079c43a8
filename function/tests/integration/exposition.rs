//! A parser of the Prometheus text format. Which series `/metrics` must contain is tested in
//! [`metrics`](crate::metrics).

use std::collections::{BTreeMap, BTreeSet};

/// All samples of one scrape.
#[derive(Clone, Debug)]
pub(crate) struct Exposition {
    /// The value of each series, by its name and labels as written.
    pub(crate) samples: BTreeMap<String, f64>,
    /// Type and help of each family.
    pub(crate) families: BTreeMap<String, (String, String)>,
}

impl Exposition {
    /// Reads the text format.
    pub(crate) fn parse(text: &str) -> Self {
        let mut samples = BTreeMap::new();
        let mut families: BTreeMap<String, (String, String)> = BTreeMap::new();
        for line in text.lines() {
            let mut about = line.splitn(4, ' ');
            match (about.next(), about.next(), about.next(), about.next()) {
                (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                    help.clone_into(&mut families.entry(name.to_owned()).or_default().1);
                }
                (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                    kind.clone_into(&mut families.entry(name.to_owned()).or_default().0);
                }
                _ => {
                    let (series, value) = line.rsplit_once(' ').expect("has a value");
                    let value = value.parse().expect("is a number");
                    let before = samples.insert(series.to_owned(), value);
                    assert!(before.is_none(), "duplicate series: {series}");
                }
            }
        }
        Self { samples, families }
    }

    /// The value of one series.
    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        let value = self.samples.get(series);
        *value.unwrap_or_else(|| panic!("no series {series}"))
    }

    /// The names and labels of all series.
    pub(crate) fn series(&self) -> BTreeSet<&str> {
        self.samples.keys().map(String::as_str).collect()
    }

    /// Label names and their values over all series of a family, without `le`.
    pub(crate) fn labels(&self, family: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for series in self.samples.keys() {
            let (name, pairs) = series.split_once('{').unwrap_or((series, ""));
            let suffix = name.strip_prefix(family);
            if !matches!(suffix, Some("" | "_bucket" | "_sum" | "_count")) {
                continue;
            }
            // No label value of the function contains a comma.
            let pairs = pairs.trim_end_matches('}').split(',');
            for (label, value) in pairs.filter_map(|pair| pair.split_once('=')) {
                if label != "le" {
                    labels
                        .entry(label)
                        .or_default()
                        .insert(value.trim_matches('"'));
                }
            }
        }
        labels
    }
}
