//! What templates may show besides. Owns which field is the title, the text and the number of a
//! thing, whatever its kind calls them.

use super::{Attributes, Build, Noteable, Payload};
use crate::gitlab::attributes::Details;
use crate::gitlab::kind::Kind;
use crate::gitlab::lenient::Lenient;

impl Payload {
    pub(super) fn details(self, kind: Kind, attributes: Attributes, thing: Noteable) -> Details {
        let first = |texts: Vec<Lenient>| texts.into_iter().find_map(Lenient::text);
        let commit = self.commit.unwrap_or_default();
        let numbers = [
            &thing.iid,
            &self.build_id,
            &self.deployment_id,
            if kind == Kind::Pipeline {
                &attributes.id
            } else {
                &attributes.iid
            },
        ];
        let failed = |build: &Build| {
            build.status.as_str() == "failed" && build.allow_failure.flag() != Some(true)
        };
        let builds = self.builds.unwrap_or_default().into_iter();
        Details {
            number: numbers.into_iter().find_map(Lenient::number),
            page: first(vec![attributes.url, self.url, self.deployable_url]),
            title: first(vec![
                thing.title,
                attributes.title,
                self.build_name,
                attributes.name,
                self.name,
                self.commit_title,
                commit.title,
                commit.message,
            ]),
            text: first(vec![
                attributes.note,
                attributes.message,
                attributes.description,
                self.description,
                self.message,
            ]),
            source_branch: attributes.source_branch.text(),
            target_branch: attributes.target_branch.text(),
            environment: self.environment.text(),
            stage: self.build_stage.text(),
            duration_seconds: attributes
                .duration
                .number()
                .or(self.build_duration.number()),
            failed_jobs: builds
                .filter(failed)
                .filter_map(|build| build.name.text())
                .collect(),
        }
    }
}
