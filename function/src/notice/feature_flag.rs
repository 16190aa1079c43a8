//! What is said of a feature flag. Owns the words; what they are made of is read in
//! [`gitlab::feature_flag`](crate::gitlab::feature_flag).

use super::phrase::{MAX_PATH, lines, place_and_actor, quote, title};
use crate::gitlab::feature_flag::{FeatureFlag, Switch};

pub(super) fn words(flag: &FeatureFlag) -> String {
    // GitLab does not say whether it was just turned, made or edited.
    let state = match flag.switch {
        Switch::On => "is on",
        Switch::Off => "is off",
    };
    let name = quote(&flag.name, MAX_PATH);
    let scene = &flag.scene;
    let by = place_and_actor(scene);
    let headline = format!("Feature flag {name} {state}{by}");
    lines(headline, title(flag.description.as_deref()))
}
