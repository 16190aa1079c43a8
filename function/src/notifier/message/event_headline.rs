//! Parts of the first line that many events have: the commit, the project and who did it. Owns how they
//! are taken from an event; how they are shortened is decided in [`headline`](super::headline).

use super::fragments::commit_link;
use super::headline::Headline;
use super::{MAX_NAME, MAX_PATH};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::event::Event;
use crate::gitlab::page_url::PageUrl;
use crate::gitlab::push::RefKind;
use crate::rocketchat::markup::VisibleText;

impl Headline {
    /// The short id, as a link if the project has a valid URL.
    pub(super) fn commit(self, event: &Event, sha: &CommitSha) -> Self {
        match commit_link(event, sha) {
            Some(link) => self.link(&link),
            None => self.short_id(sha),
        }
    }

    /// A required name in a code span.
    pub(super) fn name(self, noun: &'static str, name: &str) -> Self {
        self.ident(noun, VisibleText::or_unnamed(name, MAX_PATH))
    }

    /// Words and a name in a code span, if there is one.
    pub(super) fn optional_name(
        self,
        words: &'static str,
        noun: &'static str,
        name: Option<&str>,
    ) -> Self {
        match name.and_then(|name| VisibleText::new(name, MAX_PATH)) {
            Some(name) => self.words(words).ident(noun, name),
            None => self,
        }
    }

    /// Words and a text, if there is one.
    pub(super) fn optional_text(
        self,
        words: &'static str,
        noun: &'static str,
        text: Option<&str>,
    ) -> Self {
        match text.and_then(|text| VisibleText::new(text, MAX_NAME)) {
            Some(text) => self.words(words).subject(noun, text, None),
            None => self,
        }
    }

    /// The branch or tag.
    pub(super) fn on_ref(self, kind: RefKind, name: Option<&str>) -> Self {
        match kind {
            RefKind::Branch => self.optional_name(" on ", "branch", name),
            RefKind::Tag => self.optional_name(" on tag ", "tag", name),
        }
    }

    /// ` in ` and the project, or else ` in group ` and the group.
    pub(super) fn in_project(self, event: &Event) -> Self {
        let group = &event.attributes.project_path;
        match event.meta.project_label() {
            Some(label) => self.place_named(" in ", label, event.meta.project_url()),
            None => self.in_group(Some(group)),
        }
    }

    /// ` in group ` and the group, if there is one.
    pub(super) fn in_group(self, group: Option<&str>) -> Self {
        match group.filter(|group| !group.is_empty()) {
            Some(group) => self.place_named(" in group ", group, None),
            None => self,
        }
    }

    /// Words and the path of a project or group.
    pub(super) fn place_named(
        self,
        words: &'static str,
        path: &str,
        page: Option<&PageUrl>,
    ) -> Self {
        match VisibleText::new(path, MAX_PATH) {
            Some(path) => self.project(words, path, page),
            None => self,
        }
    }

    /// Words such as ` by `, and the user who triggered the event, by full name or else by username.
    pub(super) fn actor_of(self, words: &'static str, event: &Event) -> Self {
        let actor = event.attributes.participants.actor.as_ref();
        let names = actor.map(|actor| [actor.name.as_deref(), actor.username.as_deref()]);
        let mut names = names.into_iter().flatten().flatten();
        match names.find_map(|name| VisibleText::new(name, MAX_NAME)) {
            Some(name) => self.actor(words, name),
            None => self,
        }
    }

    /// The project and who did it; most first lines end with them.
    pub(super) fn in_project_by_actor(self, event: &Event) -> Self {
        self.in_project(event).actor_of(" by ", event)
    }
}
