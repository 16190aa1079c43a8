//! The tests of templates, such as `is defined`. Owns which exist: others format values of any size.
//! The filters are in [`filters`](super::filters).

use minijinja::{Environment, tests};

macro_rules! value_tests {
    ($($label:literal => $test:path,)+) => {
        /// The tests.
        pub(super) const TESTS: &[&str] = &[$($label),+];

        /// Adds the tests.
        pub(super) fn add_tests(environment: &mut Environment) {
            $(environment.add_test($label, $test);)+
        }
    };
}

value_tests! {
    "!=" => tests::is_ne,
    "<" => tests::is_lt,
    "<=" => tests::is_le,
    "==" => tests::is_eq,
    ">" => tests::is_gt,
    ">=" => tests::is_ge,
    "boolean" => tests::is_boolean,
    "defined" => tests::is_defined,
    "divisibleby" => tests::is_divisibleby,
    "endingwith" => ending_with,
    "eq" => tests::is_eq,
    "equalto" => tests::is_eq,
    "even" => tests::is_even,
    "false" => tests::is_false,
    "float" => tests::is_float,
    "ge" => tests::is_ge,
    "greaterthan" => tests::is_gt,
    "gt" => tests::is_gt,
    "in" => tests::is_in,
    "int" => tests::is_integer,
    "integer" => tests::is_integer,
    "iterable" => tests::is_iterable,
    "le" => tests::is_le,
    "lessthan" => tests::is_lt,
    "lt" => tests::is_lt,
    "ne" => tests::is_ne,
    "none" => tests::is_none,
    "number" => tests::is_number,
    "odd" => tests::is_odd,
    "safe" => tests::is_safe,
    "sequence" => tests::is_sequence,
    "startingwith" => starting_with,
    "string" => tests::is_string,
    "true" => tests::is_true,
    "undefined" => tests::is_undefined,
}

fn starting_with(text: &str, start: &str) -> bool {
    text.starts_with(start)
}

fn ending_with(text: &str, end: &str) -> bool {
    text.ends_with(end)
}
