//! The text of a Markdown document, without its code and its links. Owns what GitLab ignores when it looks
//! for references: code, HTML elements such as `<pre>`, comments, labels and images. Who is mentioned in
//! the rest is decided in [`mention`](super::mention).
//!
//! GitLab's source is the authority: `lib/banzai/filter/references/reference_filter.rb`.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::limits::LIMITS;

/// A part of a document in which a name may be a reference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Part<'a> {
    /// Text between two marks or tags. A character that was escaped is in no part.
    Text(&'a str),
    /// Where a link leads: GitLab reads `[Kim](@kim)` as a reference.
    Destination(&'a str),
}

/// HTML elements whose text GitLab ignores or removes; the first one is the anchor.
const IGNORED: [&str; 5] = ["a", "code", "pre", "script", "style"];

/// The elements that are open at a place of a document.
#[derive(Clone, Copy, Default)]
struct Open {
    /// By their place in [`IGNORED`].
    html: [u32; IGNORED.len()],
    /// Blocks of code, links and images.
    markdown: u32,
}

impl Open {
    fn is_ignored(&self) -> bool {
        self.markdown > 0 || self.html.iter().any(|count| *count > 0)
    }
}

struct Reader<F> {
    found: F,
    open: Open,
    /// What was open where each element that is still open began.
    outer: Vec<Open>,
    /// The text since the last mark.
    text: String,
    /// The lines of a block of HTML.
    html: String,
}

/// Passes each part of the document to `found`, in its order. Returns whether the document was read to its
/// end: the parser takes time for each line in proportion to the nesting, so what follows a line that
/// nests deeper than [`max_markdown_depth`](crate::limits::EventLimits::max_markdown_depth) is not read.
pub(super) fn read(markdown: &str, found: impl FnMut(Part)) -> bool {
    let mut lines = markdown.split_inclusive('\n');
    let shallow: usize = lines
        .by_ref()
        .take_while(|line| depth(line) <= LIMITS.events.max_markdown_depth)
        .map(str::len)
        .sum();
    read_shallow(&markdown[..shallow], found);
    shallow == markdown.len()
}

/// The number of quotes and list items that a line begins.
fn depth(line: &str) -> usize {
    let bytes = line.as_bytes();
    let prefix = line
        .bytes()
        .take_while(|byte| b" \t>-*+.)0123456789".contains(byte));
    let is_marker = |(at, byte): &(usize, u8)| match byte {
        b'>' => true,
        b'-' | b'*' | b'+' | b'.' | b')' => matches!(bytes.get(at + 1), Some(b' ' | b'\t')),
        _ => false,
    };
    prefix.enumerate().filter(is_marker).count()
}

fn read_shallow(markdown: &str, found: impl FnMut(Part)) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS;
    let mut reader = Reader {
        found,
        open: Open::default(),
        outer: Vec::new(),
        text: String::new(),
        html: String::new(),
    };
    for (event, range) in Parser::new_ext(markdown, options).into_offset_iter() {
        match event {
            Event::Text(text) if markdown[..range.start].ends_with('\\') => {
                reader.flush();
                let mut rest = text.chars();
                rest.next();
                reader.text.push_str(rest.as_str());
            }
            Event::Text(text) => reader.text.push_str(&text),
            Event::Html(line) => reader.html.push_str(&line),
            Event::InlineHtml(tag) => {
                reader.flush();
                reader.read_html(&tag);
            }
            Event::Start(tag) => reader.start(&tag),
            Event::End(tag) => reader.end(tag),
            _ => reader.flush(),
        }
    }
    reader.flush();
}

impl<F: FnMut(Part)> Reader<F> {
    fn flush(&mut self) {
        if !self.open.is_ignored() && !self.text.is_empty() {
            (self.found)(Part::Text(&self.text));
        }
        self.text.clear();
    }

    fn start(&mut self, tag: &Tag) {
        self.flush();
        self.outer.push(self.open);
        if let Tag::Link { dest_url, .. } = tag
            && !self.open.is_ignored()
        {
            (self.found)(Part::Destination(dest_url));
        }
        if matches!(
            tag,
            Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. }
        ) {
            self.open.markdown += 1;
        }
    }

    /// Closes the HTML elements in it too, as a browser does, except those that a block of HTML opens:
    /// they may enclose other blocks. An anchor without an end is a target, not a link.
    fn end(&mut self, tag: TagEnd) {
        self.flush();
        if tag == TagEnd::HtmlBlock {
            let html = std::mem::take(&mut self.html);
            self.read_html(&html);
            let anchors = self.outer.pop().map(|outer| outer.html[0]);
            self.open.html[0] = anchors.unwrap_or_default();
        } else {
            self.open = self.outer.pop().unwrap_or_default();
        }
    }

    fn read_html(&mut self, html: &str) {
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            self.text.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = match rest.strip_prefix("<!--") {
                Some(comment) => comment.find("-->").map_or(rest.len(), |end| end + 7),
                None => tag_length(rest),
            };
            if length == 0 {
                self.text.push('<');
                rest = &rest[1..];
                continue;
            }
            self.flush();
            self.read_tag(&rest[1..length]);
            rest = &rest[length..];
        }
        self.text.push_str(rest);
        self.flush();
    }

    /// Opens or closes an element; `tag` is the text after `<`.
    fn read_tag(&mut self, tag: &str) {
        let closing = tag.strip_prefix('/');
        let name = closing.unwrap_or(tag);
        let end = name.find(|char: char| !char.is_ascii_alphanumeric());
        let name = &name[..end.unwrap_or(name.len())];
        let is_name = |ignored: &str| ignored.eq_ignore_ascii_case(name);
        if let Some(at) = IGNORED.iter().position(|ignored| is_name(ignored)) {
            let count = &mut self.open.html[at];
            *count = match closing {
                Some(_) => count.saturating_sub(1),
                None => *count + 1,
            };
        }
    }
}

/// The length of the tag at the start of the text, up to a `>` outside of quotes; 0 if the `<` is text.
fn tag_length(text: &str) -> usize {
    let is_tag = text[1..]
        .starts_with(|char: char| matches!(char, '/' | '!' | '?') || char.is_ascii_alphabetic());
    if !is_tag {
        return 0;
    }
    let mut quote = None;
    for (at, char) in text.char_indices() {
        match (quote, char) {
            (None, '>') => return at + 1,
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), _) if open == char => quote = None,
            _ => {}
        }
    }
    text.len()
}
