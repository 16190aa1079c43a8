//! Joins the parts of the list of settings when the program is compiled.

use super::Setting;

/// The settings of all parts, in their order; `COUNT` is their number.
pub(super) const fn joined<const COUNT: usize>(parts: [&[Setting]; 3]) -> [Setting; COUNT] {
    let mut all = [parts[0][0]; COUNT];
    let (mut at, mut part, mut row) = (0, 0, 0);
    while at < COUNT {
        if row == parts[part].len() {
            (part, row) = (part + 1, 0);
        } else {
            all[at] = parts[part][row];
            (at, row) = (at + 1, row + 1);
        }
    }
    all
}
