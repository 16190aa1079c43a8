//! Tables and wrapped texts for a terminal of 80 columns. Owns which column is shortened.

use std::fmt::Write as _;

/// Columns of a terminal.
const WIDTH: usize = 80;

/// Lines up the columns. On a terminal, the beginning of long texts in the first one is left out, so that lines
/// fit.
pub(super) fn table<const N: usize>(rows: &[[String; N]], is_terminal: bool) -> String {
    let length = |text: &String| text.chars().count();
    let mut widths = [0; N];
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = length(text).max(*width);
        }
    }
    let others: usize = widths[1..].iter().map(|width| width + 2).sum();
    if is_terminal {
        const LEAST: usize = 12;
        widths[0] = widths[0].min(WIDTH.saturating_sub(others).max(LEAST));
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, (column, width)) in row.iter().zip(widths).enumerate() {
            let shown = end(column, width);
            let gap = if index == 0 { "" } else { "  " };
            let _ = write!(line, "{gap}{shown:width$}");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// The end of a long text, because that of a path says most.
fn end(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let end = text.chars().skip(length - width.saturating_sub(1));
    std::iter::once('…').chain(end).collect()
}

/// Breaks a text into lines that are indented by `indent`, which the first one already is. Instead of a
/// deep indent, the text begins on a new line.
pub(super) fn wrap(text: &str, indent: usize) -> String {
    const DEEPEST: usize = 50;
    if indent + text.chars().count() <= WIDTH {
        return text.to_owned();
    }
    let (indent, mut wrapped) = if indent > DEEPEST {
        (4, "\n    ".to_owned())
    } else {
        (indent, String::new())
    };
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            wrapped.push('\n');
            wrapped += &" ".repeat(indent);
            column = indent;
        }
        if column > indent {
            wrapped.push(' ');
            column += 1;
        }
        wrapped += word;
        column += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_keeps_its_end() {
        assert_eq!(end("group/subgroup/app", 8), "…oup/app");
        assert_eq!(end("group/app", 9), "group/app");
    }
}
