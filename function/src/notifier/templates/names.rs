//! The names that a template uses, as they are written. Owns on which line a name is, which the library
//! does not say, and what an error says about a name that has no value. Which variables exist is decided
//! in [`context`](super::context).

use super::context::{LISTS, VARIABLES};

/// The names in the tags of a template, such as `title` or `author.name`, each with its line, counted from
/// 1, in their order.
fn names(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (start, tag) in tags(source) {
        let (mut quote, mut name) = (None, None);
        for (at, char) in tag.char_indices().chain([(tag.len(), ' ')]) {
            let is_part = quote.is_none() && (char.is_alphanumeric() || "_.".contains(char));
            match name {
                None if is_part => name = Some(at),
                Some(from) if !is_part => {
                    let line = source[..start + from].matches('\n').count() + 1;
                    found.push((line, &tag[from..at]));
                    name = None;
                }
                _ => {}
            }
            quote = match quote {
                None => Some(char).filter(|char| "\"'".contains(*char)),
                Some(open) => Some(open).filter(|open| *open != char),
            };
        }
    }
    found
}

/// The contents of the tags of a template, without comments, each with its offset.
fn tags(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + source[at..].find('{')? + 2;
            let end = match source.as_bytes().get(start - 1)? {
                b'{' => "}}",
                b'%' => "%}",
                b'#' => "#}",
                _ => {
                    at = start - 1;
                    continue;
                }
            };
            at = source[start..]
                .find(end)
                .map_or(source.len(), |length| start + length);
            if end != "#}" {
                return Some((start, &source[start..at]));
            }
        }
    })
}

/// What an error begins with: the line in the template, unless there is only one.
pub(super) fn place(source: &str, line: Option<usize>) -> String {
    match line {
        Some(line) if has_lines(source) => format!("line {line} of the template: "),
        _ => String::new(),
    }
}

fn has_lines(source: &str) -> bool {
    source.trim_end().contains('\n')
}

/// An unknown variable, with the line of its first use unless there is only one.
pub(super) fn with_line(source: &str, name: &str) -> String {
    let mut names = names(source).into_iter();
    let first = names.find(|(_, found)| found.split('.').next() == Some(name));
    match first {
        Some((line, _)) if has_lines(source) => format!("{name} (line {line} of the template)"),
        _ => name.to_owned(),
    }
}

/// What a value is that does not exist, on a line of the template.
pub(super) fn without_value(source: &str, line: Option<usize>) -> String {
    let mut names = names(source).into_iter();
    let attribute = names.find_map(|(at, name)| {
        let (object, attribute) = name.split_once('.')?;
        let is_on_line = line.is_none_or(|line| line == at);
        (is_on_line && object != "loop").then_some((object, attribute))
    });
    let Some((object, attribute)) = attribute else {
        return "found a value that does not exist, such as an entry beyond the end of a list; write default(\"-\") after it, or leave it out".to_owned();
    };
    let noun = if LISTS.contains(&object) {
        "a list"
    } else {
        "a single value"
    };
    let other = if VARIABLES.contains(&attribute) {
        format!(", or the variable {attribute}")
    } else {
        String::new()
    };
    format!(
        "there is no {object}.{attribute}: {object} is {noun} without attributes; write {object}{other}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_tags_with_their_lines() {
        let source =
            "a {b}\n{{ title | default('x.y') }} {# c #}\n{% if author.name %}{{\n d }}{% endif %}";
        let expected = [
            (2, "title"),
            (2, "default"),
            (3, "if"),
            (3, "author.name"),
            (4, "d"),
            (4, "endif"),
        ];
        assert_eq!(names(source), expected);
        for cut in 0..source.len() {
            names(&source[..cut]);
        }
    }
}
