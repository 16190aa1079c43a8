//! A part of the first line. Owns how each kind of part is shortened, and what it is in full. How much room
//! it has is decided in [`headline`](super).

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use super::super::noun::Noun;
use super::{MIN_IDENT, MIN_NAME};
use crate::gitlab::page_url::PageUrl;
use crate::rocketchat::markup::{Inert, InlineCode, Link, Shown, VisibleText};

#[derive(Clone, Debug)]
pub(super) struct Part {
    /// How many characters a reader sees of the whole part, without words that are left out with it.
    pub(super) visible: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Never shortened: verbs, commits, statuses, nouns with their numbers.
    Fixed(Cow<'static, str>),
    /// A branch, tag or job.
    Ident {
        noun: &'static str,
        name: VisibleText,
    },
    /// The person, group or thing that the line is about.
    Subject {
        noun: &'static str,
        name: VisibleText,
        page: Option<PageUrl>,
    },
    /// A project or group.
    Project {
        words: &'static str,
        path: VisibleText,
        page: Option<PageUrl>,
    },
    /// Who did it. The words are left out with the name.
    Actor {
        words: &'static str,
        name: VisibleText,
    },
    /// Another page, such as the merge request of a pipeline. The words are left out with the noun.
    Place { words: &'static str, noun: Noun },
}

/// How much of the parts is shown, in characters.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) actor: usize,
    pub(super) project: Project,
    pub(super) ident: usize,
    pub(super) place: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Project {
    Path,
    /// At most this much of the last segment.
    Segment(usize),
}

impl Part {
    /// How many characters a reader sees.
    pub(super) fn visible(&self, room: Room) -> usize {
        let with = |words: &str, shown: Option<usize>| {
            shown.map_or(0, |shown| words.chars().count() + shown)
        };
        match &self.kind {
            Kind::Fixed(_) => self.visible,
            Kind::Ident { .. } | Kind::Subject { .. } => self.visible.min(room.ident),
            Kind::Project { words, path, .. } => with(words, room.project.of(path)),
            Kind::Actor { words, .. } => with(words, fitting(self.visible, MIN_NAME, room.actor)),
            Kind::Place { words, .. } => with(words, room.place.then_some(self.visible)),
        }
    }

    /// Writes what there is room for. Returns the part in full if that is less.
    pub(super) fn write(&self, room: Room, line: &mut String) -> Option<String> {
        match &self.kind {
            Kind::Fixed(markup) => {
                line.push_str(markup);
                None
            }
            Kind::Ident { noun, name } => {
                let shown = name.cut_middle(room.ident);
                let is_cut = shown != *name;
                push(line, "", InlineCode::from(shown));
                is_cut.then(|| format!("{noun} {}", InlineCode::from(name.clone())))
            }
            Kind::Subject { noun, name, page } => {
                let shown = name.cut_end(room.ident);
                let is_cut = shown != *name;
                match linked(&shown, page.as_ref()) {
                    Some(linked) => push(line, "", linked),
                    None => push(line, "", Shown::from(shown)),
                }
                is_cut.then(|| format!("{noun} {}", Shown::from(name.clone())))
            }
            Kind::Project { words, path, page } => {
                let is_full = room.project.write(words, path, page.as_ref(), line);
                let full = || {
                    let path = bold(path.clone());
                    if words.starts_with(" in ") {
                        format!("in {path}")
                    } else {
                        path
                    }
                };
                (!is_full).then(full)
            }
            Kind::Actor { words, name } => {
                let most = fitting(self.visible, MIN_NAME, room.actor);
                let shown = most.map(|most| name.cut_end(most));
                let is_cut = shown.as_ref() != Some(name);
                if let Some(shown) = shown {
                    push(line, words, Shown::from(shown));
                }
                let words = words.trim_start_matches([',', ' ']);
                is_cut.then(|| format!("{words}{}", Shown::from(name.clone())))
            }
            Kind::Place { words, noun } if room.place => {
                push(line, words, noun);
                None
            }
            Kind::Place { words, noun } => Some(format!("{}{noun}", words.trim_start())),
        }
    }
}

impl Project {
    /// How many characters of the path are shown.
    fn of(self, path: &VisibleText) -> Option<usize> {
        match self {
            Self::Path => Some(path.visible()),
            Self::Segment(most) => fitting(last_segment(path).chars().count(), MIN_IDENT, most),
        }
    }

    /// Whether the line shows the path, or links to the project instead.
    fn write(
        self,
        words: &str,
        path: &VisibleText,
        page: Option<&PageUrl>,
        line: &mut String,
    ) -> bool {
        let shown = match self {
            Self::Path => Some(path.clone()),
            Self::Segment(_) => {
                let segment = VisibleText::new(last_segment(path), usize::MAX);
                self.of(path)
                    .zip(segment)
                    .map(|(most, segment)| segment.cut_end(most))
            }
        };
        let Some(shown) = shown else {
            return false;
        };
        if shown == *path {
            push(line, words, bold(shown));
            return true;
        }
        let linked = linked(&shown, page);
        let is_linked = linked.is_some();
        let markup = linked.map_or_else(|| bold(shown), |linked| linked.to_string());
        push(line, words, markup);
        is_linked
    }
}

/// The text as the label of a link, if Rocket.Chat makes nothing of it.
fn linked(text: &VisibleText, page: Option<&PageUrl>) -> Option<Link> {
    let page = page?;
    let label = Inert::try_from(text.clone()).ok()?;
    Some(Link::new(page, label))
}

pub(super) fn bold(text: VisibleText) -> String {
    Shown::from(text).bold().to_string()
}

fn push(line: &mut String, words: &str, shown: impl Display) {
    let _ = write!(line, "{words}{shown}");
}

/// How much of a text is shown: nothing rather than less than `least`.
fn fitting(visible: usize, least: usize, most: usize) -> Option<usize> {
    let shown = visible.min(most);
    (shown >= visible.min(least)).then_some(shown)
}

fn last_segment(path: &VisibleText) -> &str {
    let path = path.as_str();
    path.rsplit_once('/').map_or(path, |(_, segment)| segment)
}
