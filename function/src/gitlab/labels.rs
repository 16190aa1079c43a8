//! The labels of a merge request, an issue or a work item. Owns how they are parsed; a value of
//! another shape counts as missing, as for all values that only rules use.

use serde::Deserialize;

use super::lenient::{Lenient, LenientList};

/// A list of labels in a body.
pub(super) type Labels = LenientList<Label>;

/// A label; rules match its title. Its id tells two labels of the same title apart.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub(super) struct Label {
    id: Lenient,
    title: Lenient,
}

impl Labels {
    /// The titles of the labels that are not in `others`.
    pub(super) fn titles_without(&self, others: &Self) -> Vec<String> {
        let left = self.0.iter().filter(|label| !others.0.contains(label));
        left.filter_map(|label| label.title.clone().text())
            .collect()
    }

    /// The titles, without empty entries.
    pub(super) fn titles(self) -> Vec<String> {
        let titles = self.0.into_iter().map(|label| label.title.text());
        titles.flatten().collect()
    }
}
