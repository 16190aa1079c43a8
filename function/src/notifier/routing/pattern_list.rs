//! Several patterns in one text. Owns the signs of it, and how the patterns are written as values of a rule.

/// Advises to write a list, if the text has the separator, which no name has, or alternatives in braces.
pub(super) fn several(text: &str, separator: Option<&str>) -> Option<String> {
    let is_separated = |separator: &&str| text.contains(separator);
    let items = match alternatives(text) {
        Some(items) => items,
        None => separator.filter(is_separated).map(|separator| {
            let items = text.split(separator).map(str::trim);
            items.map(str::to_owned).collect()
        })?,
    };
    let items = items.iter().filter(|item| !item.is_empty());
    let items: Vec<_> = items.map(|item| quoted(item)).collect();
    if items.is_empty() {
        return Some("write a list with one pattern per item, without braces".to_owned());
    }
    Some(format!("write a list, [{}]", items.join(", ")))
}

/// The patterns that `{a,b}` stands for in a shell; none if there are several braces, which may stand for any
/// number of patterns.
fn alternatives(text: &str) -> Option<Vec<String>> {
    let groups = text.split('{').skip(1);
    let mut groups = groups.filter_map(|group| group.split_once('}'));
    let (inner, after) = groups.find(|(inner, _)| inner.contains(','))?;
    let (before, rest) = text.split_once('{')?;
    if rest.contains('{') {
        return Some(Vec::new());
    }
    let with = |item: &str| format!("{before}{}{after}", item.trim());
    Some(inner.split(',').map(with).collect())
}

/// A pattern as a value of YAML, with quotes if it needs them.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || "/._-*?@+ ".contains(char);
    if text.starts_with(char::is_alphanumeric) && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
