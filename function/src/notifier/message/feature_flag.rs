//! What is said of a feature flag. Owns the render; what they are made of is read in
//! [`gitlab::feature_flag`](crate::gitlab::feature_flag).

use super::fragments::{MAX_PATH, lines, place_and_actor, quote, title};
use crate::gitlab::feature_flag::{FeatureFlag, Switch};

pub(super) fn render(flag: &FeatureFlag) -> String {
    let verb = match flag.switch {
        Switch::On => "turned on",
        Switch::Off => "turned off",
    };
    let name = quote(&flag.name, MAX_PATH);
    let headline = format!("Feature flag {name} {verb}{}", place_and_actor(&flag.meta));
    lines(headline, title(flag.description.as_deref()))
}
