//! What the conditions of a Jinja2 template make sure of: which names are there where they hold, and which may be `null`.
use minijinja::machinery::ast::{BinOpKind, Expr, Stmt, UnaryOpKind};

/// Collects the names that are defined where the condition comes out like that: `x is defined`, also beside `and`, `or`, `not`.
pub(super) fn defined_if<'t>(condition: &Expr<'t>, outcome: bool, names: &mut Vec<&'t str>) {
    match condition {
        Expr::Test(test) => {
            if let (Expr::Var(name), true) = (&test.expr, test.name == if outcome { "defined" } else { "undefined" }) {
                names.push(name.id);
            }
        }
        Expr::UnaryOp(unary) if matches!(unary.op, UnaryOpKind::Not) => defined_if(&unary.expr, !outcome, names),
        Expr::BinOp(binary) if matches!((binary.op, outcome), (BinOpKind::ScAnd, true) | (BinOpKind::ScOr, false)) => {
            defined_if(&binary.left, outcome, names);
            defined_if(&binary.right, outcome, names);
        }
        _ => {}
    }
}

/// Collects the names that a condition asks for as a whole: `x`, `not x`, `x is none`, also beside `and` and `or`.
pub(super) fn nulls<'t>(condition: &Expr<'t>, names: &mut Vec<&'t str>) {
    match condition {
        Expr::Var(name) => names.push(name.id),
        Expr::Test(test) if test.name == "none" => nulls(&test.expr, names),
        Expr::UnaryOp(unary) if matches!(unary.op, UnaryOpKind::Not) => nulls(&unary.expr, names),
        Expr::BinOp(binary) => match binary.op {
            BinOpKind::ScAnd | BinOpKind::ScOr => {
                nulls(&binary.left, names);
                nulls(&binary.right, names);
            }
            BinOpKind::Eq | BinOpKind::Ne => match (&binary.left, &binary.right) {
                (Expr::Var(name), Expr::Const(literal)) | (Expr::Const(literal), Expr::Var(name))
                    if literal.value.is_none() =>
                {
                    names.push(name.id);
                }
                _ => {}
            },
            _ => {}
        },
        _ => {}
    }
}

/// The macros of a template, with the names of their parameters.
pub(super) fn macros<'t>(statements: &[Stmt<'t>]) -> Vec<(&'t str, Vec<&'t str>)> {
    let mut found = Vec::new();
    collect(statements, &mut found);
    found
}

fn collect<'t>(statements: &[Stmt<'t>], found: &mut Vec<(&'t str, Vec<&'t str>)>) {
    for statement in statements {
        match statement {
            Stmt::Macro(it) => {
                let parameter = |parameter: &Expr<'t>| match parameter {
                    Expr::Var(name) => name.id,
                    _ => "",
                };
                found.push((it.name, it.args.iter().map(parameter).collect()));
                collect(&it.body, found);
            }
            Stmt::ForLoop(each) => {
                collect(&each.body, found);
                collect(&each.else_body, found);
            }
            Stmt::IfCond(branch) => {
                collect(&branch.true_body, found);
                collect(&branch.false_body, found);
            }
            Stmt::WithBlock(block) => collect(&block.body, found),
            Stmt::SetBlock(block) => collect(&block.body, found),
            Stmt::FilterBlock(block) => collect(&block.body, found),
            _ => {}
        }
    }
}
