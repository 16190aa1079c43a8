//! The first line of a message. Owns how it is shortened to what a notification shows, and which of its
//! parts are then missing. Knows no events: the renderer of a kind adds the parts.

use super::noun::Noun;
use super::sign::{MessageStyle, Sign};
use crate::gitlab::commit::CommitSha;
use crate::gitlab::page_url::PageUrl;
use crate::limits::LIMITS;
use crate::rocketchat::markup::{Link, VisibleText};

mod part;
use part::{Kind, Part, Project, Room};

/// Longest line, in characters that a reader sees.
const WHOLE: usize = LIMITS.texts.headline;
const MIN_NAME: usize = LIMITS.texts.min_name;
const MIN_IDENT: usize = LIMITS.texts.min_branch;

/// The parts of the line in their order, with the spaces and words between them.
#[derive(Clone, Debug)]
pub(super) struct Headline {
    pub(super) sign: Sign,
    parts: Vec<Part>,
}

/// The line, and what it does not show in full.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fitted {
    pub(super) line: String,
    /// Markup of every part that was cut or left out, in full, for the last line of the message.
    pub(super) full: Vec<String>,
}

/// What is shortened, in this order: the name of the actor, the project to its last segment, branches
/// in the middle; then the actor is left out, branches and the segment get shorter, and the project
/// and the place are left out. The first row with which the line fits gives the least that is
/// shown; the room that is left goes back to the parts.
const ROWS: [Room; 9] = {
    let all = Room {
        actor: WHOLE,
        project: Project::Path,
        ident: WHOLE,
        place: true,
    };
    let actor = Room {
        actor: MIN_NAME,
        ..all
    };
    let project = Room {
        project: Project::Segment(WHOLE),
        ..actor
    };
    let ident = Room {
        ident: LIMITS.texts.branch,
        ..project
    };
    let no_actor = Room { actor: 0, ..ident };
    let short_ident = Room {
        ident: MIN_IDENT,
        ..no_actor
    };
    let short_project = Room {
        project: Project::Segment(MIN_IDENT),
        ..short_ident
    };
    let no_project = Room {
        project: Project::Segment(0),
        ..short_ident
    };
    let no_place = Room {
        place: false,
        ..no_project
    };
    [
        all,
        actor,
        project,
        ident,
        no_actor,
        short_ident,
        short_project,
        no_project,
        no_place,
    ]
};

impl Headline {
    pub(super) fn new(sign: Sign) -> Self {
        let parts = Vec::with_capacity(8);
        Self { sign, parts }
    }

    /// Words of this program. Words, links, commits and numbers are never shortened, so they must leave
    /// room for the branches, tags and jobs of the line.
    pub(super) fn words(self, words: &'static str) -> Self {
        self.with(words.chars().count(), Kind::Fixed(words.into()))
    }

    pub(super) fn link(self, link: &Link) -> Self {
        self.with(link.visible(), Kind::Fixed(link.to_string().into()))
    }

    pub(super) fn noun(self, noun: &Noun) -> Self {
        self.with(noun.visible(), Kind::Fixed(noun.to_string().into()))
    }

    /// The short id of a commit without a page.
    pub(super) fn short_id(self, sha: &CommitSha) -> Self {
        let short = sha.short();
        self.with(short.len(), Kind::Fixed(format!("`{short}`").into()))
    }

    pub(super) fn ident(self, noun: &'static str, name: VisibleText) -> Self {
        self.with(name.visible(), Kind::Ident { noun, name })
    }

    /// A person or thing, which is linked to its page if Rocket.Chat makes nothing of its name.
    pub(super) fn subject(
        self,
        noun: &'static str,
        name: VisibleText,
        page: Option<PageUrl>,
    ) -> Self {
        self.with(name.visible(), Kind::Subject { noun, name, page })
    }

    /// Words such as ` in `, and the project or group; a shortened one links to its page.
    pub(super) fn project(
        self,
        words: &'static str,
        path: VisibleText,
        page: Option<&PageUrl>,
    ) -> Self {
        let page = page.cloned();
        self.with(path.visible(), Kind::Project { words, path, page })
    }

    /// Words such as ` by ` or `, started by `, and the name.
    pub(super) fn actor(self, words: &'static str, name: VisibleText) -> Self {
        self.with(name.visible(), Kind::Actor { words, name })
    }

    /// Words such as ` for `, and the noun.
    pub(super) fn place(self, words: &'static str, noun: Noun) -> Self {
        self.with(noun.visible(), Kind::Place { words, noun })
    }

    fn with(mut self, visible: usize, kind: Kind) -> Self {
        self.parts.push(Part { visible, kind });
        self
    }

    /// The line with at most [`headline`](crate::limits::TextLimits::headline) visible characters.
    pub(super) fn fit(&self, style: MessageStyle) -> Fitted {
        let sign = self.sign.shown(style);
        let most = sign.map_or(WHOLE, |_| WHOLE - 2);
        let [.., last] = ROWS;
        let first = ROWS.into_iter().find(|row| self.visible(*row) <= most);
        let room = self.all_room(first.unwrap_or(last), most);
        self.write(room, sign)
    }

    /// Gives the room that is left back to the parts.
    fn all_room(&self, mut room: Room, most: usize) -> Room {
        room = self.widest(room, most, room.ident, |room, ident| Room { ident, ..room });
        if let Project::Segment(least) = room.project {
            room = self.widest(room, most, least, |room, segment| Room {
                project: Project::Segment(segment),
                ..room
            });
        }
        self.widest(room, most, room.actor, |room, actor| Room { actor, ..room })
    }

    /// The room with the largest number with which the line fits; it fits with `least`, if at all.
    fn widest(
        &self,
        room: Room,
        most: usize,
        least: usize,
        with: impl Fn(Room, usize) -> Room,
    ) -> Room {
        let (mut fits, mut over) = (least, WHOLE + 1);
        while over - fits > 1 {
            let middle = usize::midpoint(fits, over);
            if self.visible(with(room, middle)) <= most {
                fits = middle;
            } else {
                over = middle;
            }
        }
        with(room, fits)
    }

    fn visible(&self, room: Room) -> usize {
        self.parts.iter().map(|part| part.visible(room)).sum()
    }

    fn write(&self, room: Room, sign: Option<char>) -> Fitted {
        let mut line = String::with_capacity(256);
        if let Some(sign) = sign {
            line.extend([sign, ' ']);
        }
        let mut full = Vec::new();
        for part in &self.parts {
            full.extend(part.write(room, &mut line));
        }
        Fitted { line, full }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::part::bold;
    use super::*;
    use crate::rocketchat::markup::{InlineCode, Label, Shown};

    /// 68 characters.
    const WORDS: &str = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww";

    const PAGE: &str = "https://gitlab.example.org/acme/launch-systems/rocket-control";

    fn text(text: &str) -> VisibleText {
        VisibleText::new(text, 255).expect("is visible")
    }

    fn page(address: &str) -> PageUrl {
        PageUrl::parse(address).expect("is a page")
    }

    fn link(label: impl Into<Label>) -> Link {
        Link::below(&page("https://g.example"), "x", label).expect("is a link")
    }

    fn noun(number: u64) -> Noun {
        let words = format!("merge request {number}");
        Noun::page(Some("https://g.example/x"), words)
    }

    /// What a reader sees of markup that this module writes.
    fn seen(line: &str) -> String {
        line.replace("](https://g.example/x)", "")
            .replace(&format!("]({PAGE})"), "")
            .replace("**", "")
            .replace(['[', '`'], "")
    }

    fn push_line(branch: &str, project: &str, name: &str) -> Headline {
        Headline::new(Sign::Commits)
            .link(&link("3f2c9d7b"))
            .words(" pushed to ")
            .ident("branch", text(branch))
            .project(" in ", text(project), Some(&page(PAGE)))
            .actor(" by ", text(name))
    }

    fn pipeline_line(branch: &str, project: &str, name: &str) -> Headline {
        Headline::new(Sign::Failed)
            .link(&link(("Pipeline", 104_213)))
            .words(" failed on ")
            .ident("branch", text(branch))
            .project(" in ", text(project), Some(&page(PAGE)))
            .actor(", started by ", text(name))
    }

    #[test]
    fn a_line_that_fits_is_complete() {
        let fitted = push_line("main", "acme/rocket", "Robin Example").fit(MessageStyle::Signs);
        let line = "📥 [3f2c9d7b](https://g.example/x) pushed to `main` in **acme/rocket** by Robin Example";
        assert_eq!(
            fitted,
            Fitted {
                line: line.to_owned(),
                full: vec![]
            }
        );
        let unsigned = Headline::new(Sign::Failed)
            .words("x")
            .fit(MessageStyle::Plain);
        assert_eq!(unsigned.line, "x");
    }

    #[test]
    fn names_are_cut_first_then_the_project_then_the_branch() {
        let long_branch = "feature/landing-legs-and-a-half";
        let renovate = "renovate/major-typescript-eslint-monorepo-and-plugins";
        let deep = "acme/launch-systems/rocket-control";
        let person = "Maximiliane Mustermann-Beispiel";
        let cases = [
            (
                push_line(long_branch, "acme/rocket", "Robin Alexandra Example-Sample"),
                "📥 3f2c9d7b pushed to feature/landing-legs-and-a-half in acme/rocket by Robin Alexandra Ex…",
                vec!["by Robin Alexandra Example-Sample".to_owned()],
            ),
            (
                pipeline_line("main", deep, person),
                "❌ Pipeline 104213 failed on main in rocket-control, started by Maximiliane Mustermann-Bei…",
                vec![format!("started by {person}")],
            ),
            (
                push_line(renovate, deep, person),
                "📥 3f2c9d7b pushed to renovate/major-type…onorepo-and-plugins in rocket-control by Maximil…",
                vec![format!("branch `{renovate}`"), format!("by {person}")],
            ),
        ];
        for (headline, line, full) in cases {
            let fitted = headline.fit(MessageStyle::Signs);
            assert_eq!(seen(&fitted.line), line);
            assert_eq!(fitted.full, full, "{line}");
        }
    }

    #[test]
    fn a_shortened_project_links_to_its_page_or_is_named_in_full() {
        let deep = "acme/launch-systems/rocket-control";
        let person = "Maximiliane Mustermann-Beispiel";
        let fitted = pipeline_line("main", deep, person).fit(MessageStyle::Signs);
        assert!(
            fitted
                .line
                .contains(&format!(" in [rocket-control]({PAGE}),"))
        );
        let line = |project: &str, page| {
            let headline = Headline::new(Sign::Failed).words(WORDS);
            headline
                .project(" in ", text(project), page)
                .fit(MessageStyle::Signs)
        };
        let fitted = line(deep, None);
        assert!(
            fitted.line.ends_with("w in **rocket-control**"),
            "{fitted:?}"
        );
        assert_eq!(fitted.full, [format!("in **{deep}**")]);
        let fitted = line("acme/launch-systems/rocket_control", Some(&page(PAGE)));
        assert!(fitted.line.ends_with("w in `rocket_control`"), "{fitted:?}");
        assert_eq!(fitted.full, ["in `acme/launch-systems/rocket_control`"]);
    }

    #[test]
    fn a_subject_is_cut_at_its_end_and_a_commit_never() {
        let long = "Maximiliane Alexandra Mustermann-Beispiel from the Department of Landing Legs and more";
        let sha = CommitSha::parse(&"da156088".repeat(5)).expect("is a commit");
        let headline = Headline::new(Sign::Person).subject("member", text(long), None);
        let headline = headline.words(" joined at ").short_id(&sha);
        let fitted = headline.fit(MessageStyle::Plain);
        let line = "Maximiliane Alexandra Mustermann-Beispiel from the Department of Landi… joined at `da156088`";
        assert_eq!(fitted.line, line);
        assert_eq!(fitted.full, [format!("member {long}")]);
    }

    #[test]
    fn two_idents_share_the_room_and_the_name_is_left_out() {
        let fitted = Headline::new(Sign::Warnings)
            .link(&link(("Job", 7_345_812_901)))
            .words(" ")
            .ident("job", text("integration-tests: [postgres, 17, arm64]"))
            .words(" failed (allowed) on ")
            .ident("branch", text("renovate/major-typescript-eslint-monorepo"))
            .project(
                " in ",
                text("acme/launch-systems/rocket-control"),
                Some(&page(PAGE)),
            )
            .actor(", started by ", text("Maximiliane Mustermann-Beispiel"))
            .fit(MessageStyle::Signs);
        assert_eq!(
            fitted.line.replace(&format!("]({PAGE})"), ""),
            "🔶 [Job 7345812901](https://g.example/x) `integrat…, arm64]` failed (allowed) on `renovate…monorepo` in [rocket-control"
        );
        assert_eq!(
            fitted.full,
            [
                "job `integration-tests: [postgres, 17, arm64]`",
                "branch `renovate/major-typescript-eslint-monorepo`",
                "started by Maximiliane Mustermann-Beispiel",
            ]
        );
    }

    const FAMILY: &str = "👩\u{200d}👧";

    /// Names with joined emoji, marks, flags and what Rocket.Chat makes something of.
    fn name() -> impl Strategy<Value = VisibleText> {
        let parts = [
            "a", "B", "8", "_", ".", "/", "-", " ", "@", "#", "é", "山", FAMILY, "👍🏽", "🇩🇪",
            "e\u{301}",
        ];
        let parts = prop::collection::vec(prop::sample::select(parts.to_vec()), 1..80);
        parts.prop_filter_map("is empty", |parts| VisibleText::new(&parts.concat(), 1000))
    }

    proptest! {
        #[test]
        fn a_line_fits_and_what_is_missing_is_returned_in_full(
            number in any::<u64>(), branch in name(), project in name(), actor in name(),
            page in prop::option::of(Just(page(PAGE))),
        ) {
            let fitted = Headline::new(Sign::Warnings)
                .link(&link(("Pipeline", number)))
                .words(" passed again with warnings on ")
                .ident("branch", branch.clone())
                .place(" for ", noun(number))
                .project(" in ", project.clone(), page.as_ref())
                .actor(", started by ", actor.clone())
                .fit(MessageStyle::Signs);
            let line = seen(&fitted.line);
            prop_assert!(line.chars().count() <= WHOLE, "{}", line);
            let start = format!("🔶 Pipeline {number} passed again with warnings on ");
            prop_assert!(line.starts_with(&start), "{}", line);

            let everything = format!("{}\n{}", fitted.line, fitted.full.join("\n"));
            let in_project = format!("in {}", bold(project.clone()));
            let names = [
                InlineCode::from(branch.clone()).to_string(),
                format!("started by {}", Shown::from(actor.clone())),
                format!("merge request {number}"),
            ];
            for name in names {
                prop_assert!(everything.contains(&name), "{} is not in {}", name, everything);
            }
            let is_linked = page.is_some_and(|page| fitted.line.contains(page.as_str()));
            prop_assert!(is_linked || everything.contains(&in_project), "{}", everything);

            // The project is shortened if a name of eight characters is still too long, and the branch after it.
            let words = format!("{start} for merge request {number} in , started by ").chars().count();
            let least = words + branch.visible() + project.visible() + actor.visible().min(8);
            let is_path_shown = fitted.line.contains(&in_project);
            prop_assert!(is_path_shown || least > WHOLE, "{:?}", fitted);
            let is_branch_cut = fitted.full.iter().any(|part| part.starts_with("branch "));
            let is_deep = project.as_str().contains('/');
            prop_assert!(!(is_deep && is_path_shown && (is_branch_cut || least > WHOLE)), "{:?}", fitted);

            let joined = [FAMILY, "👍🏽", "🇩🇪", "e\u{301}"];
            let rest = joined.iter().fold(line.clone(), |rest, sign| rest.replace(sign, ""));
            let halves = ['👩', '👧', '\u{200d}', '👍', '🏽', '🇩', '🇪', '\u{301}'];
            prop_assert!(!rest.contains(halves), "{}", line);
        }
    }
}
