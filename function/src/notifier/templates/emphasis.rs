//! Values beside emphasis of a template. Owns that the text of a code span neither ends the emphasis nor does
//! anything within it: some versions of Rocket.Chat's parser do not look for code spans there, such as in
//! `` *by `a*b`* ``, and 0.31.24 takes all of `` *a* `b` *c* `` for one bold text.

use super::seams::{EMPHASIS, END, VALUE};

/// The mark of bold text.
const BOLD: char = EMPHASIS[0];

/// The message without the marks around values. In a line with marks of emphasis, code spans have other
/// characters instead: between the first and the last mark of a kind all punctuation, behind a single mark all
/// marks and `#`, and otherwise those marks that the line has before. Bold text of a value is not bold in
/// bold text.
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

/// Where the words of a template have one kind of mark in a line.
#[derive(Clone, Copy, Default)]
struct Marks {
    first: Option<usize>,
    last: usize,
    /// Adjacent marks count once.
    count: usize,
}

impl Marks {
    fn are_before(self, at: usize) -> bool {
        self.first.is_some_and(|first| first < at)
    }

    /// Whether a character is between two marks.
    fn enclose(self, at: usize) -> bool {
        self.are_before(at) && self.count > 1 && at < self.last
    }

    /// Whether a character is behind the only mark.
    fn are_open(self, at: usize) -> bool {
        self.are_before(at) && self.count == 1
    }
}

impl State {
    /// The state after a character.
    fn next(self, char: char) -> Self {
        Self {
            in_value: (self.in_value || char == VALUE) && char != END,
            in_code: self.in_value && (self.in_code ^ (char == '`')),
        }
    }

    /// Where the words of the template have marks.
    fn marks(mut self, line: &str) -> [Marks; EMPHASIS.len()] {
        let mut found = [Marks::default(); EMPHASIS.len()];
        let mut before = '\n';
        for (at, char) in line.char_indices() {
            let here = self;
            self = here.next(char);
            let mark = EMPHASIS.iter().position(|mark| *mark == char);
            if let Some(mark) = mark.filter(|_| !here.in_value) {
                let marks = &mut found[mark];
                marks.count += usize::from(before != char);
                marks.first.get_or_insert(at);
                marks.last = at;
            }
            before = char;
        }
        found
    }

    fn line(&mut self, line: &str, text: &mut String) {
        let marks = self.marks(line);
        let is_free = marks.iter().all(|marks| marks.count == 0);
        for (at, char) in line.char_indices() {
            let here = *self;
            *self = here.next(char);
            if matches!(char, VALUE | END) {
                continue;
            }
            if is_free || !here.in_value {
                text.push(char);
                continue;
            }
            let mark = EMPHASIS.iter().position(|mark| *mark == char);
            let is_enclosed = marks.iter().any(|marks| marks.enclose(at));
            let is_open = marks.iter().any(|marks| marks.are_open(at));
            if here.in_code {
                let is_replaced = (is_enclosed && is_punctuation(char))
                    || (is_open && (mark.is_some() || char == '#'))
                    || mark.is_some_and(|mark| marks[mark].are_before(at));
                text.push(if is_replaced { full_width(char) } else { char });
            } else if char != BOLD || !(marks[0].enclose(at) || marks[0].are_open(at)) {
                // Bold text of the built-in message would end that of the template.
                text.push(char);
            }
        }
    }
}

/// Whether Rocket.Chat could make something of the character outside of a code span.
fn is_punctuation(char: char) -> bool {
    char.is_ascii_punctuation() && !"`,'\"?&".contains(char)
}

/// A character that looks like this one of ASCII and does nothing.
fn full_width(char: char) -> char {
    char::from_u32(u32::from(char) + 0xfee0).unwrap_or(char)
}

#[cfg(test)]
mod tests {
    use super::protect;

    #[test]
    fn a_code_span_within_emphasis_has_no_marks_of_emphasis() {
        for (template, expected) in [
            ("*‹`a*b_c~d`›*", "*`a＊b＿c～d`*"),
            (
                "*‹`[x](https://a.b) 8)`›*",
                "*`［x］（https：／／a．b） 8）`*",
            ),
            ("*a* ‹`#b` `[c](d)`› *e*", "*a* `＃b` `［c］（d）` *e*"),
            ("*‹`a_b_c`›* ‹`d_e`›", "*`a＿b＿c`* `d_e`"),
            ("*‹`#a`› ‹`b#c`›* ‹`b#c`›", "*`＃a` `b＃c`* `b#c`"),
            ("**by ‹`a*b`›** ‹`c*d.e`›", "**by `a＊b`** `c＊d.e`"),
            ("build_id ‹`a_b.c`›\n‹`c_d`›", "build_id `a＿b.c`\n`c_d`"),
            ("*x* ‹`a*b _c_`›", "*x* `a＊b _c_`"),
            (
                "_x_ ‹[a_b](https://a_b.de/c_d)›",
                "_x_ [a_b](https://a_b.de/c_d)",
            ),
            ("*‹by **a**›* ‹**b**›", "*by a* **b**"),
            ("‹`a\n*b*`›", "`a\n*b*`"),
            ("‹`a.b`› (c)", "`a.b` (c)"),
        ] {
            let marked = template.replace('‹', "\u{1}").replace('›', "\u{3}");
            assert_eq!(protect(&marked), expected, "{template}");
        }
    }
}
