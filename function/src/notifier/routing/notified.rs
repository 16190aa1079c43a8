//! Which kinds of event the rules notify someone of. Owns the answer for the triggers of webhooks, which are
//! on for whole kinds. What can never happen is decided in [`reach`](super::reach) and
//! [`coverage`](super::coverage), as for the warnings.

use super::RoutingRules;
use super::coverage::covers;
use super::hook_fields::can_be_confidential;
use super::reach::{can_name, listed_kinds, obstacle};
use super::rule::{Role, Rule};
use crate::gitlab::kind::Kind;

impl RoutingRules {
    /// The kinds of event of which one can notify someone, each with whether confidential ones can too.
    pub(crate) fn notified_kinds(&self) -> Vec<(Kind, bool)> {
        let mut kinds = Vec::new();
        for kind in Kind::known() {
            let rules = || {
                let all = self.rules.iter().enumerate();
                all.filter(|(index, rule)| notifies(rule, &self.rules[..*index], kind))
                    .map(|(_, rule)| rule)
            };
            if rules().next().is_some() {
                let asks = rules().any(|rule| rule.confidential.match_rule());
                kinds.push((kind, asks && can_be_confidential(kind)));
            }
        }
        kinds
    }
}

/// Whether an event of the kind can be matched by the rule, after the earlier ones, and have a recipient.
fn notifies(rule: &Rule, earlier: &[Rule], kind: Kind) -> bool {
    let hides = |earlier: &Rule| !earlier.continue_ && covers(earlier, rule, kind);
    let is_recipient = |role: Role| {
        let is_actor = matches!(role, Role::Actor | Role::Pusher | Role::Starter);
        can_name(kind, role, &rule.conditions) && !(rule.except_actor && is_actor)
    };
    listed_kinds(rule).contains(&kind)
        && obstacle(kind, rule).is_none()
        && !earlier.iter().any(hides)
        && rule.to.iter().any(|to| to.role().is_none_or(is_recipient))
}
