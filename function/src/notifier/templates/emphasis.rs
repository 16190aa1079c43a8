//! Values within emphasis of a template. Owns that the text of a code span neither ends the emphasis nor
//! begins another one or mentions a channel: the parser of Rocket.Chat up to 0.31.24 does not look for code
//! spans there, such as in `` *by `a*b`* ``, and newer ones miss some after a single `_`.

use super::seams::{END, VALUE};

/// The marks of emphasis, and characters that look like them.
const MARKS: [(char, char); 3] = [(BOLD, '＊'), ('_', '＿'), ('~', '～')];

const BOLD: char = '*';

/// What begins the mention of a channel, and a character that looks like it.
const CHANNEL: (char, char) = ('#', '＃');

/// The message without the marks around values. Where emphasis is open in a line, code spans have none of
/// its marks, and none of the others if the line has several. Bold text of a value is not bold in bold text.
pub(super) fn protect(marked: &str) -> String {
    let mut text = String::with_capacity(marked.len());
    let mut state = State::default();
    for line in marked.split_inclusive('\n') {
        state.line(line, &mut text);
    }
    text
}

/// Where a character is.
#[derive(Clone, Copy, Default)]
struct State {
    in_value: bool,
    in_code: bool,
}

impl State {
    /// The state after a character.
    fn next(self, char: char) -> Self {
        Self {
            in_value: (self.in_value || char == VALUE) && char != END,
            in_code: self.in_value && (self.in_code ^ (char == '`')),
        }
    }

    fn line(&mut self, line: &str, text: &mut String) {
        let counts = MARKS.map(|(mark, _)| line.matches(mark).count());
        let mut is_open = [false; MARKS.len()];
        let mut before = '\n';
        for char in line.chars() {
            let here = *self;
            *self = here.next(char);
            if matches!(char, VALUE | END) {
                continue;
            }
            let mark = MARKS.iter().position(|(mark, _)| *mark == char);
            // Bold text of the built-in message would end it.
            if here.in_value && !here.in_code && char == BOLD && is_open[0] {
                continue;
            }
            let is_within = here.in_code && is_open.contains(&true);
            text.push(match mark {
                Some(mark) if is_within && (is_open[mark] || counts[mark] > 1) => MARKS[mark].1,
                None if is_within && char == CHANNEL.0 => CHANNEL.1,
                _ => char,
            });
            if let Some(mark) = mark.filter(|_| !here.in_value && before != char) {
                is_open[mark] ^= true;
            }
            before = char;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::protect;

    #[test]
    fn a_code_span_within_emphasis_has_no_marks_of_emphasis() {
        for (template, expected) in [
            ("*‹`a*b_c~d`›*", "*`a＊b_c~d`*"),
            ("*‹`a_b_c`›* ‹`d_e`›", "*`a＿b＿c`* `d_e`"),
            ("*‹`#a`› ‹`b#c`›* ‹`b#c`›", "*`＃a` `b＃c`* `b#c`"),
            ("**by ‹`a*b`›** ‹`c*d`›", "**by `a＊b`** `c*d`"),
            ("build_id ‹`a_b`›\n‹`c_d`›", "build_id `a＿b`\n`c_d`"),
            ("*x* ‹`a*b _c_`›", "*x* `a*b _c_`"),
            (
                "_x_ ‹[a_b](https://a_b.de/c_d)›",
                "_x_ [a_b](https://a_b.de/c_d)",
            ),
            ("*‹by **a**›* ‹**b**›", "*by a* **b**"),
            ("‹`a\n*b*`›", "`a\n*b*`"),
        ] {
            let marked = template.replace('‹', "\u{1}").replace('›', "\u{3}");
            assert_eq!(protect(&marked), expected, "{template}");
        }
    }
}
