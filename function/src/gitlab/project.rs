//! A project on GitLab. Owns its path and its page. Events of a group are parsed by their kind,
//! such as [`member`](super::member).

use serde::Deserialize;
use url::Url;

use super::lenient::Lenient;
use super::page_url::PageUrl;
use super::text::Line;

/// A project on GitLab.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Project {
    label: String,
    has_path: bool,
    /// Id of the project, unique on its GitLab instance.
    pub(crate) id: Option<u64>,
    /// Its page, if GitLab sent a URL that can be a link.
    pub(super) page: Option<PageUrl>,
    /// Scheme, host and port of its page, if GitLab sent a valid URL.
    pub(super) origin: Option<String>,
}

impl Project {
    /// A project of which only the path is known.
    pub(super) fn at(path: String) -> Self {
        Self {
            label: path,
            has_path: true,
            id: None,
            page: None,
            origin: None,
        }
    }

    /// A project of which only the name is known.
    pub(super) fn named(name: String) -> Self {
        Self {
            has_path: false,
            ..Self::at(name)
        }
    }

    /// The same project, with the URL of its page.
    pub(super) fn with_page(self, web_url: Option<&str>) -> Self {
        let url = web_url.and_then(|address| Url::parse(address).ok());
        Self {
            origin: url.as_ref().map(origin),
            page: url.and_then(PageUrl::from_url),
            ..self
        }
    }

    /// Path with its groups, such as `acme/rocket`, or else the name.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Path with its groups, if GitLab sent it.
    pub(crate) fn path(&self) -> Option<&str> {
        self.has_path.then_some(&self.label)
    }
}

/// A project in a body.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ProjectPayload {
    id: Lenient,
    path_with_namespace: Line,
    name: Line,
    web_url: Line,
}

impl ProjectPayload {
    /// The project; `None` if it has neither path nor name.
    pub(super) fn read(self) -> Option<Project> {
        let project = match (self.path_with_namespace.0, self.name.0) {
            (Some(path), _) => Project::at(path),
            (None, name) => Project::named(name?),
        };
        Some(Project {
            id: self.id.number(),
            ..project.with_page(self.web_url.0.as_deref())
        })
    }
}

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The path of a project as rules match it; `""` if there is none.
pub(super) fn path_of(project: Option<&Project>) -> String {
    project
        .and_then(Project::path)
        .unwrap_or_default()
        .to_owned()
}
