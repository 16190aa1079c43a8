//! The part of the template language that a template may use. Owns the rule that no expression can
//! make a value much larger than its operands: the interpreter counts steps, but one step can join,
//! repeat or nest values of any size. The sizes that filters accept and return are limited in
//! [`filters`](super::filters).
//!
//! The rules together: no operator joins or repeats texts or lists, no block captures output into a
//! variable, and a list cannot be put into a variable, so it cannot be nested.

use minijinja::Error;
use minijinja::machinery::ast::{BinOpKind, CallArg, CompareOpKind, Expr, Stmt};
use minijinja::machinery::parse;
use minijinja::syntax::SyntaxConfig;

use super::context::MARKUP;
use super::filters::{FILTERS, FUNCTION};
use super::value_tests::TESTS;

/// The first use of something that a template cannot use, with its line, or `None`.
pub(super) fn first_unavailable(
    source: &str,
    syntax: SyntaxConfig,
) -> Result<Option<(u16, String)>, Error> {
    let template = parse(source, "message", syntax)?;
    Ok(statement(&template).err())
}

type Checked = Result<(), (u16, String)>;

fn statements(list: &[Stmt]) -> Checked {
    list.iter().try_for_each(statement)
}

fn statement(one: &Stmt) -> Checked {
    match one {
        Stmt::Template(template) => statements(&template.children),
        Stmt::EmitRaw(_) => Ok(()),
        Stmt::EmitExpr(emit) => expression(&emit.expr),
        Stmt::ForLoop(repeat) => {
            if repeat.recursive {
                return unavailable(repeat.span().start_line, "`recursive`", "use nested loops");
            }
            list_or_expression(&repeat.iter)?;
            repeat.filter_expr.iter().try_for_each(expression)?;
            statements(&repeat.body)?;
            statements(&repeat.else_body)
        }
        Stmt::IfCond(condition) => {
            expression(&condition.expr)?;
            statements(&condition.true_body)?;
            statements(&condition.false_body)
        }
        Stmt::WithBlock(with) => {
            let mut values = with.assignments.iter().map(|(_, value)| value);
            values.try_for_each(expression)?;
            statements(&with.body)
        }
        Stmt::Set(set) => expression(&set.expr),
        Stmt::SetBlock(set) => unavailable(
            set.span().start_line,
            "`set` with a block",
            "write the text in the place where it is shown",
        ),
        Stmt::FilterBlock(block) => unavailable(
            block.span().start_line,
            "`filter` with a block",
            "apply the filter to each value",
        ),
        Stmt::AutoEscape(block) => {
            expression(&block.enabled)?;
            statements(&block.body)
        }
        Stmt::Do(block) => call(&block.call.expr, &block.call.args, block.span().start_line),
    }
}

/// An expression, or a list in one of the places where it is used at once.
fn list_or_expression(one: &Expr) -> Checked {
    match one {
        Expr::List(list) => list.items.iter().try_for_each(expression),
        other => expression(other),
    }
}

fn expression(one: &Expr) -> Checked {
    let line = one.span().start_line;
    match one {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::Slice(slice) => {
            if let Some(name) = markup(&slice.expr) {
                let problem = format!(
                    "{name} cannot be cut, because a part of it could be half a link; cut another variable, such as title"
                );
                return Err((line, problem));
            }
            expression(&slice.expr)?;
            let bounds = [&slice.start, &slice.stop, &slice.step];
            bounds.into_iter().flatten().try_for_each(expression)
        }
        Expr::UnaryOp(unary) => expression(&unary.expr),
        Expr::BinOp(binary) => {
            match binary.op {
                BinOpKind::Concat => return joins_texts(line, "~"),
                BinOpKind::Mul => {
                    return unavailable(
                        line,
                        "the operator *",
                        "write the text in full, or show the number as it is",
                    );
                }
                // Adding a number to anything but a number is an error.
                BinOpKind::Add if !is_number(&binary.left) && !is_number(&binary.right) => {
                    return joins_texts(line, "+");
                }
                _ => {}
            }
            if is_comparison(binary.op) {
                never_equal(line, &[&binary.left, &binary.right])?;
            }
            expression(&binary.left)?;
            match binary.op {
                BinOpKind::In => list_or_expression(&binary.right),
                _ => expression(&binary.right),
            }
        }
        Expr::Compare(compare) => {
            let others = compare.ops.iter().map(|one| &one.expr);
            let compared: Vec<_> = [&compare.expr].into_iter().chain(others).collect();
            never_equal(line, &compared)?;
            expression(&compare.expr)?;
            compare.ops.iter().try_for_each(|one| match one.op {
                CompareOpKind::In | CompareOpKind::NotIn => list_or_expression(&one.expr),
                _ => expression(&one.expr),
            })
        }
        Expr::IfExpr(choice) => {
            expression(&choice.test_expr)?;
            expression(&choice.true_expr)?;
            choice.false_expr.iter().try_for_each(expression)
        }
        Expr::Filter(filter) => {
            known(line, "filter", filter.name, FILTERS)?;
            filter.expr.iter().try_for_each(list_or_expression)?;
            arguments(&filter.args, expression)
        }
        Expr::Test(test) => {
            known(line, "test", test.name, TESTS)?;
            expression(&test.expr)?;
            arguments(&test.args, list_or_expression)
        }
        Expr::GetAttr(attribute) => expression(&attribute.expr),
        Expr::GetItem(item) => {
            expression(&item.expr)?;
            expression(&item.subscript_expr)
        }
        Expr::Call(it) => call(&it.expr, &it.args, line),
        Expr::List(_) => unavailable(
            line,
            "a list in this place",
            "use it after `in` or before a filter",
        ),
        Expr::Tuple(_) => unavailable(line, "a tuple", "use one variable per value"),
        Expr::Map(_) => unavailable(line, "a map", "use conditions"),
    }
}

/// The name of a variable that is markup.
fn markup<'a>(one: &Expr<'a>) -> Option<&'a str> {
    match one {
        Expr::Var(variable) => Some(variable.id).filter(|name| MARKUP.contains(name)),
        _ => None,
    }
}

fn is_comparison(operator: BinOpKind) -> bool {
    use BinOpKind::{Eq, Gt, Gte, In, Lt, Lte, Ne};
    matches!(operator, Eq | Gt | Gte | In | Lt | Lte | Ne)
}

/// Fails if a text is compared with markup: that is never true, so it is a mistake.
fn never_equal(line: u16, compared: &[&Expr]) -> Checked {
    let is_text =
        |one: &&Expr| matches!(one, Expr::Const(constant) if constant.value.as_str().is_some());
    match compared.iter().find_map(|one| markup(one)) {
        Some(name) if compared.iter().any(is_text) => Err((
            line,
            format!(
                "{name} is markup, which equals no text; compare another variable, such as status, or write if {name}"
            ),
        )),
        _ => Ok(()),
    }
}

/// A call of the only function, or of a method of `loop`.
fn call(callee: &Expr, args: &[CallArg], line: u16) -> Checked {
    let is_allowed = match callee {
        Expr::Var(function) => function.id == FUNCTION,
        Expr::GetAttr(method) => {
            matches!(&method.expr, Expr::Var(object) if object.id == "loop")
        }
        _ => false,
    };
    if is_allowed {
        arguments(args, expression)
    } else {
        unavailable(
            line,
            "this call",
            &format!("the only function is {FUNCTION}"),
        )
    }
}

fn arguments(args: &[CallArg], check: fn(&Expr) -> Checked) -> Checked {
    args.iter().try_for_each(|arg| match arg {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) => check(value),
        CallArg::PosSplat(value) | CallArg::KwargSplat(value) => expression(value),
    })
}

fn is_number(one: &Expr) -> bool {
    matches!(one, Expr::Const(constant) if constant.value.is_number())
}

fn known(line: u16, noun: &str, name: &str, names: &[&str]) -> Checked {
    if names.contains(&name) {
        return Ok(());
    }
    let names = names.join(", ");
    let problem = format!("the {noun} {name} is not available; use one of {names}");
    Err((line, problem))
}

fn joins_texts(line: u16, operator: &str) -> Checked {
    unavailable(
        line,
        &format!("the operator {operator}"),
        "write the values next to each other, or use [a, b] | join",
    )
}

fn unavailable(line: u16, what: &str, advice: &str) -> Checked {
    let problem =
        format!("{what} is not available, because its result could have any size; {advice}");
    Err((line, problem))
}
