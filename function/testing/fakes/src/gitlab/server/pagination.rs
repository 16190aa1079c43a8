//! Pages of a list, with the headers that lead to the next one.
//! Source: `lib/api/pagination_params.rb` and `lib/gitlab/pagination/offset_header_builder.rb`.

use serde_json::Value;

use super::call::{Call, Parameters, has_no_valid_value};
use super::reply::Reply;

const DEFAULT: i64 = 20;
/// What is asked for beyond this is silently not given.
const LARGEST: i64 = 100;

/// The page that a request asks for.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) number: usize,
    size: usize,
}

impl Page {
    /// Reads `page` and `per_page`, which must be positive.
    pub(super) fn of(query: &Parameters) -> Result<Self, Reply> {
        let number = query.number("page")?.unwrap_or(1);
        let size = query.number("per_page")?.unwrap_or(DEFAULT);
        if number < 1 {
            return Err(has_no_valid_value("page"));
        }
        if size < 1 {
            return Err(has_no_valid_value("per_page"));
        }
        Ok(Self {
            number: usize::try_from(number).unwrap_or(usize::MAX),
            size: usize::try_from(size.min(LARGEST)).unwrap_or(1),
        })
    }

    /// The part of the list, and the headers.
    pub(super) fn reply(&self, all: &[Value], call: &Call, base: &str) -> Reply {
        let skipped = (self.number - 1).saturating_mul(self.size);
        let items: Vec<_> = all.iter().skip(skipped).take(self.size).cloned().collect();
        let pages = all.len().div_ceil(self.size).max(1);
        let next = (self.number < pages).then(|| self.number + 1);
        let previous = (self.number > 1).then(|| self.number - 1);
        let query = call.query();
        let link = |page: usize, relation: &str| {
            let replaced = [
                ("page", page.to_string()),
                ("per_page", self.size.to_string()),
            ];
            let query = query.query_with(&replaced);
            format!("<{base}{}?{query}>; rel=\"{relation}\"", call.path)
        };
        let links = [
            previous.map(|page| link(page, "prev")),
            next.map(|page| link(page, "next")),
            Some(link(1, "first")),
            Some(link(pages, "last")),
        ];
        let links: Vec<_> = links.into_iter().flatten().collect();
        let text = |page: Option<usize>| page.map(|page| page.to_string()).unwrap_or_default();
        Reply::ok(&Value::Array(items))
            .with_header("X-Per-Page", self.size.to_string())
            .with_header("X-Page", self.number.to_string())
            .with_header("X-Next-Page", text(next))
            .with_header("X-Prev-Page", text(previous))
            .with_header("Link", links.join(", "))
            .with_header("X-Total", all.len().to_string())
            .with_header("X-Total-Pages", pages.to_string())
    }
}
