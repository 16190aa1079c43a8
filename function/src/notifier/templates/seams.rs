//! What a template writes beside a value. Owns that the words of a template and the values beside them stay
//! apart for Rocket.Chat: outside text is proven to do nothing in its code span, or as plain text between
//! spaces, but not after half a link or half an address. How a value is shown is decided in
//! [`context`](super::context).
//!
//! [`print()`](super::print::print) puts marks around values, so that the finished message tells them
//! from the words of the template, whatever conditions and loops it consists of.

/// Begins a value in a code span, or a link.
pub(super) const VALUE: char = '\u{1}';

/// Begins a value with outside text that is plain.
pub(super) const PLAIN: char = '\u{2}';

/// Ends either.
pub(super) const END: char = '\u{3}';

/// Marks of emphasis, which [`emphasis`](super::emphasis) treats.
pub(super) const EMPHASIS: [char; 3] = ['*', '_', '~'];

/// The message; only marks around values are left, for [`protect()`](super::emphasis::protect).
///
/// - A link has white space before it, or the start of the message, or `(` after one of them: `!` before it
///   would make an image of it, and `:` an emoticon.
/// - A plain value has white space before and after it, or one of the characters with which plain text is
///   proven to do nothing. Otherwise a space is added: `@` or `:` beside it would make a mention or an
///   emoji of it.
/// - A code span does not follow an address directly, which would take the grave accent for a part of it.
/// - A bracket does not begin a link that ends in a value: Rocket.Chat looks for its end in code spans
///   too. Only a link that the template writes in full is one.
pub(super) fn join(marked: &str) -> String {
    let mut joined = Joined {
        text: String::with_capacity(marked.len()),
        replaced: 0,
        last_label: marked.rfind("](").unwrap_or(0),
        last_bar: marked.rfind('|').unwrap_or(0),
    };
    let mut rest = marked;
    while let Some(at) = rest.find([VALUE, PLAIN]) {
        let (words, value) = rest.split_at(at);
        joined.push_words(words, marked.len() - rest.len());
        let is_plain = value.starts_with(PLAIN);
        let (value, after) = value[1..].split_once(END).unwrap_or((&value[1..], ""));
        let is_apart = if is_plain {
            may_precede_plain(&joined.text)
        } else if value.starts_with('[') {
            may_precede_plain(joined.text.trim_end_matches(EMPHASIS))
        } else {
            !may_be_address(words)
        };
        if !is_apart {
            joined.text.push(' ');
        }
        joined.text.push(VALUE);
        joined.text.push_str(value);
        joined.text.push(END);
        if is_plain && !may_follow_plain(after) {
            joined.text.push(' ');
        }
        rest = after;
    }
    joined.push_words(rest, marked.len() - rest.len());
    joined.text
}

/// White space, the start of the message, or `(` after one of them.
fn may_precede_plain(text: &str) -> bool {
    let before = text.strip_suffix('(').unwrap_or(text);
    before.is_empty() || before.ends_with(char::is_whitespace)
}

/// White space, the end of the message, or `)` and one of `,` `.` `:` before one of them.
fn may_follow_plain(after: &str) -> bool {
    let after = after.strip_prefix(')').unwrap_or(after);
    let after = after.strip_prefix([',', '.', ':']).unwrap_or(after);
    after.is_empty() || after.starts_with(char::is_whitespace)
}

/// Whether Rocket.Chat could take the last word, or a part of it, and the code span directly after it for
/// an address.
fn may_be_address(words: &str) -> bool {
    let word = words.rsplit(char::is_whitespace).next().unwrap_or_default();
    let mut before = ' ';
    word.chars().any(|char| {
        let is_part = char.is_alphanumeric() && ".:@/".contains(before);
        before = char;
        is_part
    })
}

/// The message so far.
struct Joined {
    text: String,
    /// How many brackets were replaced and are not closed.
    replaced: usize,
    /// Where the marked message has the last end of a label, and the last vertical bar: searched once, because
    /// a message may consist of brackets.
    last_label: usize,
    last_bar: usize,
}

impl Joined {
    /// Writes words of the template, which are at `start` in the marked message.
    fn push_words(&mut self, words: &str, start: usize) {
        let mut at = 0;
        while let Some(found) = words[at..].find(['[', ']', '<']) {
            self.text.push_str(&words[at..at + found]);
            at += found;
            if let Some(length) = whole_link(&words[at..]) {
                self.text.push_str(&words[at..at + length]);
                at += length;
                continue;
            }
            let is_word = |words: &str| !words.starts_with(char::is_whitespace);
            self.text.push(match words.as_bytes()[at] {
                b'[' if start + at < self.last_label => {
                    self.replaced += 1;
                    '［'
                }
                b'<' if is_word(&words[at + 1..]) && start + at < self.last_bar => '＜',
                b']' if self.replaced > 0 => {
                    self.replaced -= 1;
                    '］'
                }
                other => char::from(other),
            });
            at += 1;
        }
        self.text.push_str(&words[at..]);
    }
}

/// The length of the link that the words begin with: `[label](address)` or `<address|label>`.
fn whole_link(words: &str) -> Option<usize> {
    let open = words.chars().next().filter(|open| "[<".contains(*open))?;
    let first = until(&words[1..], if open == '[' { "](" } else { "|" })?;
    let second_at = 1 + first.len() + if open == '[' { 2 } else { 1 };
    let second = until(&words[second_at..], if open == '[' { ")" } else { ">" })?;
    let address = if open == '[' { second } else { first };
    let is_link = ["https://", "http://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    let is_whole = is_link && !address.contains(char::is_whitespace);
    is_whole.then_some(second_at + second.len() + 1)
}

/// What is before `end`, if no other mark of a link is.
fn until<'a>(words: &'a str, end: &str) -> Option<&'a str> {
    let at = words.find(['[', ']', '(', ')', '<', '>', '|', '\n'])?;
    words[at..].starts_with(end).then_some(&words[..at])
}

#[cfg(test)]
mod tests {
    use super::{END, VALUE, join};

    /// `‹a›` stands for a value in a code span or a link, `«a»` for plain text.
    fn joined(template: &str) -> String {
        let marks = [
            ('‹', '\u{1}'),
            ('«', '\u{2}'),
            ('›', '\u{3}'),
            ('»', '\u{3}'),
        ];
        let marked = marks
            .iter()
            .fold(template.to_owned(), |text, (sign, mark)| {
                text.replace(*sign, &mark.to_string())
            });
        join(&marked).replace([VALUE, END], "")
    }

    #[test]
    fn plain_text_has_a_space_or_a_known_character_beside_it() {
        for (template, expected) in [
            ("«a» «b»", "a b"),
            ("«a»\n«b», «c»: («d»), x", "a\nb, c: (d), x"),
            ("(«a»).", "(a)."),
            ("«a»«b»", "a b"),
            ("«a»‹`b`›", "a `b`"),
            ("@«all»", "@ all"),
            (":«boom»:", ": boom:"),
            ("x.«de»", "x. de"),
            ("«x».de", "x .de"),
            ("*«a»*", "* a *"),
            ("12«a»3", "12 a 3"),
            ("«cut", "cut"),
        ] {
            assert_eq!(joined(template), expected, "{template}");
        }
    }

    #[test]
    fn a_code_span_is_no_part_of_an_address() {
        for (template, expected) in [
            ("*‹`a`›*/‹`b`›.", "*`a`*/`b`."),
            ("docs/‹`a`›", "docs/`a`"),
            ("https://a.de/‹`b`›", "https://a.de/ `b`"),
            ("a.de‹`b`›", "a.de `b`"),
            ("mailto:a‹`b`›", "mailto:a `b`"),
            ("a.de ‹`b`›", "a.de `b`"),
            ("a:‹`b`›", "a:`b`"),
        ] {
            assert_eq!(joined(template), expected, "{template}");
        }
    }

    #[test]
    fn nothing_is_directly_before_a_link_but_a_bracket_and_emphasis() {
        let link = "‹[d](https://d.de)›";
        for (before, is_apart) in [
            ("", true),
            ("a ", true),
            ("a\n", true),
            ("(", true),
            ("*", true),
            ("a (_", true),
            ("a:", false),
            ("‹`c`›:", false),
            (":*", false),
            ("Look!", false),
            ("‹`c`›", false),
        ] {
            let joined = joined(&format!("{before}{link}"));
            assert_eq!(
                joined.ends_with(" [d](https://d.de)"),
                !is_apart || before == "a ",
                "{joined}"
            );
        }
    }

    #[test]
    fn only_a_whole_link_of_the_template_is_a_link() {
        for (template, expected) in [
            ("[x] ‹`a`›", "[x] `a`"),
            ("[x] ‹`](https://b.de)`›", "［x］ `](https://b.de)`"),
            ("[‹`a`›] ‹[b](https://b.de)›", "［`a`］ [b](https://b.de)"),
            ("[‹`a`›](https://b.de)", "［`a`］(https://b.de)"),
            ("[a [b](https://b.de)", "［a [b](https://b.de)"),
            (
                "[a](https://a.de) ‹[b](https://b.de)›",
                "[a](https://a.de) [b](https://b.de)",
            ),
            ("[a](https://‹`b`›)", "［a］(https://`b`)"),
            ("<https://a.de|a> ‹`b`›", "<https://a.de|a> `b`"),
            ("<https://a.de|‹`b`›>", "＜https://a.de| `b`>"),
            ("a < b | ‹`c`›", "a < b | `c`"),
            (
                "[‹[a](https://a.de)›]http://b|c>",
                "［ [a](https://a.de)］http://b|c>",
            ),
        ] {
            assert_eq!(joined(template), expected, "{template}");
        }
    }
}
