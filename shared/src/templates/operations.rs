//! How the sandbox rebuilds what a Jinja2 template does with values: filters and operators, with Python's meaning, and guarded.
use minijinja::machinery::Span;
use minijinja::machinery::ast::{self, BinOpKind, CallArg, Expr, Spanned};

use super::allowed::{Argument, arguments, constant};
use super::conversions::{ITEMS, TEXT};
use super::demand::Demand;
use super::model::Fault;
use super::order;
use super::sandbox::{GUARD, Rebuild};
use super::signatures::{ITERATING, TEXTUAL};

impl<'t> Rebuild<'t> {
    pub(super) fn filter(&mut self, filter: &ast::Filter<'t>, span: Span) -> Result<Expr<'t>, Fault> {
        let arguments = arguments(filter).map_err(|detail| self.forbidden(span, detail))?;
        let expr = match &filter.expr {
            Some(Expr::Var(name)) if matches!(filter.name, "d" | "default") => Some(self.asked(name)),
            other => self.optional(other.as_ref())?,
        };
        let expr = match filter.name {
            name if TEXTUAL.contains(&name) => expr.map(|expr| wrapped(TEXT, expr)),
            name if ITERATING.contains(&name) => expr.map(|expr| wrapped(ITEMS, expr)),
            _ => expr,
        };
        let mut args = Vec::with_capacity(arguments.len());
        for (name, argument) in arguments {
            let argument = match argument {
                Argument::Given(expr) => self.expr(expr)?,
                Argument::Unsaid(value) => constant(value, span),
            };
            args.push(match name {
                None => CallArg::Pos(argument),
                Some(name) => CallArg::Kwarg(name, argument),
            });
        }
        Ok(Expr::Filter(Spanned::new(ast::Filter { name: filter.name, expr, args }, span)))
    }

    pub(super) fn binary(&mut self, binary: &ast::BinOp<'t>, span: Span) -> Result<Expr<'t>, Fault> {
        let op = binary.op;
        let left = self.expr(&binary.left)?;
        let right = match op {
            BinOpKind::ScAnd => self.where_defined(&binary.left, true, |this| this.expr(&binary.right))?,
            BinOpKind::ScOr => self.where_defined(&binary.left, false, |this| this.expr(&binary.right))?,
            _ => self.expr(&binary.right)?,
        };
        let by_filter = match op {
            BinOpKind::Lt => order::LESS,
            BinOpKind::Lte => order::LESS_OR_EQUAL,
            BinOpKind::Gt => order::GREATER,
            BinOpKind::Gte => order::GREATER_OR_EQUAL,
            BinOpKind::In => order::IN,
            BinOpKind::Concat => {
                let (left, right) = (wrapped(TEXT, left), wrapped(TEXT, right));
                return Ok(Expr::BinOp(Spanned::new(ast::BinOp { op, left, right }, span)));
            }
            BinOpKind::Rem if matches!(&binary.left, Expr::Const(literal) if literal.value.as_str().is_some()) => {
                let detail = "`%` does not format here; use `round`, and put the parts beside each other with `~`";
                return Err(self.forbidden(span, detail));
            }
            _ => {
                let rebuilt = Expr::BinOp(Spanned::new(ast::BinOp { op, left, right }, span));
                return Ok(if costs_the_same(op) { rebuilt } else { guarded(rebuilt) });
            }
        };
        // Whoever cannot compare the two says which variable to declare.
        let named = [&binary.left, &binary.right].into_iter().find_map(|side| match side {
            Expr::Var(name) if !self.is_set(name.id) => Some(name.id),
            _ => None,
        });
        let named = constant(named.unwrap_or_default().into(), span);
        let args = vec![CallArg::Pos(right), CallArg::Pos(named)];
        Ok(guarded(Expr::Filter(Spanned::new(ast::Filter { name: by_filter, expr: Some(left), args }, span))))
    }

    /// A name that the template asks for, and does not need.
    pub(super) fn asked(&mut self, name: &Spanned<ast::Var<'t>>) -> Expr<'t> {
        // Whether one stands in a loop is no question about a variable.
        if !self.is_set(name.id) && name.id != "loop" {
            self.demands.add(name.id, Demand { required: false, nullable: true });
        }
        Expr::Var(Spanned::new(ast::Var { id: name.id }, name.span()))
    }
}

/// Does the operator cost the same whatever the values?
fn costs_the_same(op: BinOpKind) -> bool {
    use BinOpKind::{Div, FloorDiv, Rem, ScAnd, ScOr, Sub};
    matches!(op, ScAnd | ScOr | Sub | Div | FloorDiv | Rem)
}

/// The value as the filter leaves it.
pub(super) fn wrapped<'t>(filter: &'static str, expr: Expr<'t>) -> Expr<'t> {
    let span = expr.span();
    Expr::Filter(Spanned::new(ast::Filter { name: filter, expr: Some(expr), args: Vec::new() }, span))
}

pub(super) fn guarded(expr: Expr<'_>) -> Expr<'_> {
    wrapped(GUARD, expr)
}
