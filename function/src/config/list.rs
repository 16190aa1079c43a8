//! Lists of values in one setting. Owns where a list is split. A comma separates values on one line, as
//! it always has; on several lines each line is one value, so that a secret can contain a comma.

use std::fmt::Display;

use super::env::EnvReader;
use super::mistake::Mistake;
use super::source::Value;

/// What a comma means in a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Commas {
    /// It separates values, because no value can contain it.
    Separate,
    /// It separates the values of a single line, and belongs to the value if there are several lines.
    SeparateOnOneLine,
    /// Like [`Self::SeparateOnOneLine`]; a single line that ends with a line break, or that is in a file, is
    /// also one value itself. Values can contain spaces, but not in a list that is separated by commas.
    SeparateOrBelong,
}

/// How the values of a list are given and judged.
pub(super) struct ListFormat {
    /// Most values.
    pub(super) limit: usize,
    /// What a comma means.
    pub(super) commas: Commas,
    /// A warning about a valid value; must not contain the value.
    pub(super) doubt: fn(&str) -> Option<&'static str>,
}

/// The values of a list.
pub(super) struct List<T> {
    pub(super) values: Vec<T>,
    pub(super) layout: Layout,
}

/// How the values of a list are separated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Layout {
    /// By commas.
    Commas,
    /// By commas, in a file or in a line that ends with a line break.
    CommasInLine,
    /// By line breaks, or there is only one value.
    Lines,
}

impl EnvReader<'_> {
    /// The values of a list; `None` after an error.
    pub(super) fn list<T, E: Display>(
        &mut self,
        name: &str,
        format: &ListFormat,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<List<T>> {
        let Some(Value { text, is_line }) = self.value(name) else {
            let (values, layout) = (Vec::new(), Layout::Lines);
            return Some(List { values, layout });
        };
        let mut texts = split(&text, format.commas);
        let line = whole_line(&text, format.commas);
        let is_spaced = line.is_some() && texts.iter().any(has_space);
        if is_spaced && !is_line {
            self.error(name, "contains a comma and, within a value, a space, so that it may be a list or one value; write each value on its own line, and end the last one with a line break");
            return None;
        }
        let line = line.filter(|_| is_line);
        if let Some(line) = line.filter(|_| is_spaced) {
            texts = vec![line];
        }
        // A list with spaces around its commas has always been only a list.
        let whole = line.filter(|line| !has_space(line) && parse(line).is_ok());
        if whole.is_some() {
            self.warn(name, "the line contains a comma, so that it is one value and also a list; write each value on its own line, or choose values without commas");
        } else if text.contains('\n') && texts.iter().any(|text| text.contains(',')) {
            self.warn(name, "has several lines, and one of them contains a comma, which is part of that value; write each value on its own line");
        }
        if texts.len() > format.limit {
            self.error(
                name,
                format_args!(
                    "expected at most {} values, found {}",
                    format.limit,
                    texts.len()
                ),
            );
            return None;
        }
        let quotes = Mistake::in_valid(&text).filter(|_| texts.len() > 1);
        if let Some(mistake) = quotes {
            self.warn(name, mistake.advice(name));
        }
        let layout = match text.contains(',') && !text.contains('\n') && !is_spaced {
            true if is_line => Layout::CommasInLine,
            true => Layout::Commas,
            false => Layout::Lines,
        };
        texts.extend(whole);
        let mut values = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let number = index + 1;
            match parse(text) {
                Ok(value) => {
                    values.push(value);
                    if let Some(doubt) = (format.doubt)(text) {
                        self.warn(name, format_args!("value {number} {doubt}"));
                    }
                }
                Err(problem) => {
                    let advice = Mistake::in_invalid(text).or(quotes);
                    let advice = advice.map(|mistake| format!("; {}", mistake.advice(name)));
                    let advice = advice.unwrap_or_default();
                    self.error(name, format_args!("value {number}: {problem}{advice}"));
                }
            }
        }
        (values.len() == texts.len()).then_some(List { values, layout })
    }
}

/// The values of a list, without empty ones.
fn split(text: &str, commas: Commas) -> Vec<&str> {
    let is_filled = |text: &&str| !text.is_empty();
    let lines: Vec<_> = text.lines().map(str::trim).filter(is_filled).collect();
    if commas != Commas::Separate && lines.len() > 1 {
        // Lists of which each line ends with a comma have always been accepted.
        let values = lines.into_iter().map(|line| line.trim_matches(',').trim());
        return values.filter(is_filled).collect();
    }
    let values = text.split([',', '\n']).map(str::trim);
    values.filter(is_filled).collect()
}

fn has_space(text: &&str) -> bool {
    text.contains(char::is_whitespace)
}

/// The only line, if it could be one value that contains a comma.
fn whole_line(text: &str, commas: Commas) -> Option<&str> {
    let line = text.trim();
    let is_ambiguous = line.contains(',') && !line.contains('\n');
    (commas == Commas::SeparateOrBelong && is_ambiguous).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_belongs_to_a_value_only_if_each_value_has_its_own_line() {
        let cases: [(&str, Commas, &[&str]); 8] = [
            ("a,b", Commas::Separate, &["a", "b"]),
            ("a,b\nc,", Commas::Separate, &["a", "b", "c"]),
            ("a, b,", Commas::SeparateOnOneLine, &["a", "b"]),
            ("a\nb", Commas::SeparateOnOneLine, &["a", "b"]),
            ("a,b\r\nc\r\n", Commas::SeparateOnOneLine, &["a,b", "c"]),
            ("a,\n\nb,\n", Commas::SeparateOnOneLine, &["a", "b"]),
            ("a,b", Commas::SeparateOrBelong, &["a", "b"]),
            (" \n", Commas::SeparateOrBelong, &[]),
        ];
        for (text, commas, expected) in cases {
            assert_eq!(split(text, commas), expected, "{text:?}");
        }
    }

    #[test]
    fn only_one_line_with_a_comma_can_be_read_in_two_ways() {
        let whole = |text| whole_line(text, Commas::SeparateOrBelong);
        assert_eq!(whole("a,b"), Some("a,b"));
        assert_eq!((whole("a"), whole("a,b\nc")), (None, None));
        assert_eq!(whole_line("a,b", Commas::SeparateOnOneLine), None);
    }
}
