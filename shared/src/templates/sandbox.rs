//! The sandbox of Jinja2: what a template may say is decided before any of it runs.
//!
//! A template that [nests no deeper](super::scan) than the stack allows is parsed, and its syntax tree is rebuilt. What
//! is not [allowed](super::allowed) is refused, with the place where it stands. What is but can be slow, or make
//! something large, is wrapped in the [guard](GUARD) filter, which the engine knows and no template can name: slices,
//! literals, comparisons, `+`, `*`, `**`, filters, tests and calls. What stays bare costs the same whatever the values.
use std::collections::HashSet;

use minijinja::machinery::ast::{self, CallArg, Expr, Spanned, Stmt, UnaryOpKind};
use minijinja::machinery::{Span, parse};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

use super::allowed::{check_call, check_test};
use super::conversions::ITEMS;
use super::demand::{Demand, Demands};
use super::guards::{defined_if, macros, nulls};
use super::model::Fault;
use super::operations::{guarded, wrapped};
use super::scan::scan;

/// The filter around everything that can be slow or large.
pub(super) const GUARD: &str = "+guard";

/// The longest template, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// A template that may run.
pub(super) struct Program<'t> {
    /// The syntax tree, guarded.
    pub(super) statement: Stmt<'t>,
    /// What it asks of the names that it uses and does not set.
    pub(super) demands: Demands,
}

/// Reads a template, or says what in it is not allowed.
pub(super) fn check(text: &str) -> Result<Program<'_>, Fault> {
    if text.len() > MAX_TEXT {
        return Err(Fault::limit("a jinja2 template is at most 64 KiB"));
    }
    scan(text)?;
    let tree = parse(text, "template", syntax()).map_err(|error| syntax_fault(text, &error))?;
    let Stmt::Template(template) = &tree else {
        return Err(Fault::at(text, 0, Fault::SYNTAX, "this is no template"));
    };
    let mut rebuild = Rebuild {
        text,
        macros: macros(&template.children),
        scopes: vec![HashSet::new()],
        defined: Vec::new(),
        demands: Demands::default(),
    };
    let children = rebuild.statements(&template.children)?;
    let statement = Stmt::Template(Spanned::new(ast::Template { children }, template.span()));
    Ok(Program { statement, demands: rebuild.demands })
}

/// The usual delimiters; and what stands around the tags stays byte for byte.
pub(super) fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder().keep_trailing_newline(true).build().expect("the default delimiters are distinct")
}

fn syntax_fault(text: &str, error: &Error) -> Fault {
    let detail = error.detail().unwrap_or("the template cannot be read").to_owned();
    let is_limit = error.kind() != ErrorKind::SyntaxError || detail.contains("recursion limit");
    let code = if is_limit { Fault::LIMIT } else { Fault::SYNTAX };
    Fault::at(text, error.range().map_or(0, |range| range.start), code, detail)
}

/// Copies a syntax tree, guarded, and finds the variables on the way.
pub(super) struct Rebuild<'t> {
    text: &'t str,
    /// The macros, with the names of their parameters.
    macros: Vec<(&'t str, Vec<&'t str>)>,
    /// The names that are set, innermost scope last.
    scopes: Vec<HashSet<&'t str>>,
    /// The names that the template has made sure of where it stands.
    defined: Vec<&'t str>,
    pub(super) demands: Demands,
}

impl<'t> Rebuild<'t> {
    pub(super) fn forbidden(&self, span: Span, detail: impl Into<String>) -> Fault {
        Fault::at(self.text, span.start_offset as usize, Fault::FORBIDDEN, detail)
    }

    fn set(&mut self, name: &'t str) {
        self.innermost().insert(name);
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    fn in_scope<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        self.scopes.push(HashSet::new());
        let result = inside(self);
        self.scopes.pop();
        result
    }

    fn statements(&mut self, statements: &[Stmt<'t>]) -> Result<Vec<Stmt<'t>>, Fault> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Stmt<'t>) -> Result<Stmt<'t>, Fault> {
        Ok(match statement {
            Stmt::EmitRaw(raw) => Stmt::EmitRaw(Spanned::new(ast::EmitRaw { raw: raw.raw }, raw.span())),
            Stmt::EmitExpr(emit) => {
                Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr: self.expr(&emit.expr)? }, emit.span()))
            }
            Stmt::ForLoop(each) => Stmt::ForLoop(Spanned::new(self.for_loop(each)?, each.span())),
            Stmt::IfCond(branch) => Stmt::IfCond(Spanned::new(self.branch(branch)?, branch.span())),
            Stmt::WithBlock(with) => Stmt::WithBlock(Spanned::new(self.with_block(with)?, with.span())),
            Stmt::Set(set) => {
                let expr = self.expr(&set.expr)?;
                Stmt::Set(Spanned::new(ast::Set { target: self.target(&set.target)?, expr }, set.span()))
            }
            Stmt::SetBlock(set) => {
                let body = self.statements(&set.body)?;
                let filter = set.filter.as_ref().map(|filter| self.expr(filter)).transpose()?;
                let target = self.target(&set.target)?;
                Stmt::SetBlock(Spanned::new(ast::SetBlock { target, filter, body }, set.span()))
            }
            Stmt::FilterBlock(block) => {
                let body = self.statements(&block.body)?;
                let (filter, filter_span) = (self.expr(&block.filter)?, block.filter_span);
                Stmt::FilterBlock(Spanned::new(ast::FilterBlock { filter, filter_span, body }, block.span()))
            }
            Stmt::Macro(macro_) => Stmt::Macro(Spanned::new(self.macro_(macro_)?, macro_.span())),
            _ => return Err(Fault::at(self.text, 0, Fault::FORBIDDEN, "the template has a tag that is not allowed")),
        })
    }

    /// No scope, as in Jinja2: what both branches set is set after them. What one sets may be a variable where it does not run.
    fn branch(&mut self, branch: &ast::IfCond<'t>) -> Result<ast::IfCond<'t>, Fault> {
        self.know_null(&branch.expr);
        let expr = self.expr(&branch.expr)?;
        let before = self.innermost().clone();
        let true_body = self.where_defined(&branch.expr, true, |this| this.statements(&branch.true_body))?;
        let set_where_true = std::mem::replace(self.innermost(), before);
        let false_body = self.where_defined(&branch.expr, false, |this| this.statements(&branch.false_body))?;
        let set_where_false = self.innermost().clone();
        self.innermost().retain(|name| set_where_true.contains(name));
        // What one branch sets, and the other is sure of.
        for (outcome, set) in [(false, set_where_true), (true, set_where_false)] {
            let mut sure = Vec::new();
            defined_if(&branch.expr, outcome, &mut sure);
            self.defined.extend(sure.into_iter().filter(|name| set.contains(name)));
        }
        Ok(ast::IfCond { expr, true_body, false_body })
    }

    fn innermost(&mut self) -> &mut HashSet<&'t str> {
        self.scopes.last_mut().expect("the outermost scope is never left")
    }

    /// Goes through what runs only where the condition came out like that.
    pub(super) fn where_defined<T>(
        &mut self,
        condition: &Expr<'t>,
        outcome: bool,
        inside: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let before = self.defined.len();
        defined_if(condition, outcome, &mut self.defined);
        let result = inside(self);
        self.defined.truncate(before);
        result
    }

    /// The names that the condition asks for as a whole may be `null`: the template knows what to do then.
    fn know_null(&mut self, condition: &Expr<'t>) {
        let mut names = Vec::new();
        nulls(condition, &mut names);
        for name in names.into_iter().filter(|name| !self.is_set(name)).collect::<Vec<_>>() {
            self.demands.add(name, Demand { required: false, nullable: true });
        }
    }

    fn for_loop(&mut self, each: &Spanned<ast::ForLoop<'t>>) -> Result<ast::ForLoop<'t>, Fault> {
        if each.recursive {
            return Err(self.forbidden(each.span(), "recursive loops are not allowed"));
        }
        let iter = wrapped(ITEMS, self.expr(&each.iter)?);
        let (target, filter_expr, body) = self.in_scope(|this| {
            let target = this.target(&each.target)?;
            let filter_expr = each.filter_expr.as_ref().map(|filter| this.expr(filter)).transpose()?;
            this.set("loop");
            Ok((target, filter_expr, this.statements(&each.body)?))
        })?;
        let else_body = self.statements(&each.else_body)?;
        Ok(ast::ForLoop { target, iter, filter_expr, recursive: false, body, else_body })
    }

    fn with_block(&mut self, with: &ast::WithBlock<'t>) -> Result<ast::WithBlock<'t>, Fault> {
        self.in_scope(|this| {
            let mut assignments = Vec::new();
            for (target, value) in &with.assignments {
                let value = this.expr(value)?;
                assignments.push((this.target(target)?, value));
            }
            Ok(ast::WithBlock { assignments, body: this.statements(&with.body)? })
        })
    }

    fn macro_(&mut self, macro_: &ast::Macro<'t>) -> Result<ast::Macro<'t>, Fault> {
        self.set(macro_.name);
        self.in_scope(|this| {
            let args = macro_.args.iter().map(|arg| this.target(arg)).collect::<Result<_, _>>()?;
            let defaults = this.exprs(&macro_.defaults)?;
            Ok(ast::Macro { name: macro_.name, args, defaults, body: this.statements(&macro_.body)? })
        })
    }

    /// What is assigned to: a name, or several.
    fn target(&mut self, target: &Expr<'t>) -> Result<Expr<'t>, Fault> {
        match target {
            Expr::Var(name) => {
                self.set(name.id);
                Ok(Expr::Var(Spanned::new(ast::Var { id: name.id }, name.span())))
            }
            Expr::List(list) => {
                let items = list.items.iter().map(|item| self.target(item)).collect::<Result<_, _>>()?;
                Ok(Expr::List(Spanned::new(ast::List { items }, list.span())))
            }
            other => Err(self.forbidden(other.span(), "only names can be set, no attributes")),
        }
    }

    fn exprs(&mut self, exprs: &[Expr<'t>]) -> Result<Vec<Expr<'t>>, Fault> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn optional(&mut self, expr: Option<&Expr<'t>>) -> Result<Option<Expr<'t>>, Fault> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    pub(super) fn expr(&mut self, expr: &Expr<'t>) -> Result<Expr<'t>, Fault> {
        let span = expr.span();
        Ok(match expr {
            Expr::Var(name) => {
                self.refer(name.id);
                Expr::Var(Spanned::new(ast::Var { id: name.id }, span))
            }
            Expr::Const(literal) => Expr::Const(Spanned::new(ast::Const { value: literal.value.clone() }, span)),
            Expr::UnaryOp(unary) => {
                let is_not = matches!(unary.op, UnaryOpKind::Not);
                let op = if is_not { UnaryOpKind::Not } else { UnaryOpKind::Neg };
                Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr: self.expr(&unary.expr)? }, span))
            }
            Expr::BinOp(binary) => self.binary(binary, span)?,
            Expr::Compare(_) => {
                return Err(self.forbidden(span, "comparisons cannot be chained: write `a < b and b < c`"));
            }
            Expr::IfExpr(choice) => {
                self.know_null(&choice.test_expr);
                let test_expr = self.expr(&choice.test_expr)?;
                let true_expr = self.where_defined(&choice.test_expr, true, |this| this.expr(&choice.true_expr))?;
                let false_expr =
                    self.where_defined(&choice.test_expr, false, |this| this.optional(choice.false_expr.as_ref()))?;
                Expr::IfExpr(Spanned::new(ast::IfExpr { test_expr, true_expr, false_expr }, span))
            }
            Expr::GetAttr(get) => {
                Expr::GetAttr(Spanned::new(ast::GetAttr { expr: self.expr(&get.expr)?, name: get.name }, span))
            }
            _ => guarded(self.slow(expr)?),
        })
    }

    /// The expressions that can be slow or large, not yet guarded.
    fn slow(&mut self, expr: &Expr<'t>) -> Result<Expr<'t>, Fault> {
        let span = expr.span();
        Ok(match expr {
            Expr::GetItem(get) => {
                let (expr, subscript_expr) = (self.expr(&get.expr)?, self.expr(&get.subscript_expr)?);
                Expr::GetItem(Spanned::new(ast::GetItem { expr, subscript_expr }, span))
            }
            Expr::Slice(slice) => {
                let node = ast::Slice {
                    expr: self.expr(&slice.expr)?,
                    start: self.optional(slice.start.as_ref())?,
                    stop: self.optional(slice.stop.as_ref())?,
                    step: self.optional(slice.step.as_ref())?,
                };
                Expr::Slice(Spanned::new(node, span))
            }
            Expr::List(list) => Expr::List(Spanned::new(ast::List { items: self.exprs(&list.items)? }, span)),
            Expr::Tuple(tuple) => Expr::Tuple(Spanned::new(ast::Tuple { items: self.exprs(&tuple.items)? }, span)),
            Expr::Map(map) => {
                let (keys, values) = (self.exprs(&map.keys)?, self.exprs(&map.values)?);
                Expr::Map(Spanned::new(ast::Map { keys, values }, span))
            }
            Expr::Filter(filter) => self.filter(filter, span)?,
            Expr::Test(test) => {
                check_test(test).map_err(|detail| self.forbidden(span, detail))?;
                self.know_null(expr);
                let asked = match &test.expr {
                    Expr::Var(name) if matches!(test.name, "defined" | "undefined") => self.asked(name),
                    other => self.expr(other)?,
                };
                Expr::Test(Spanned::new(ast::Test { name: test.name, expr: asked, args: self.args(&test.args)? }, span))
            }
            Expr::Call(call) => {
                check_call(call, &self.macros).map_err(|detail| self.forbidden(span, detail))?;
                // A name that is called is a macro or a function, no variable.
                let expr = match &call.expr {
                    Expr::Var(name) => Expr::Var(Spanned::new(ast::Var { id: name.id }, name.span())),
                    method => self.expr(method)?,
                };
                Expr::Call(Spanned::new(ast::Call { expr, args: self.args(&call.args)? }, span))
            }
            other => return Err(self.forbidden(span, format!("a {} is not allowed here", other.description()))),
        })
    }

    fn args(&mut self, args: &[CallArg<'t>]) -> Result<Vec<CallArg<'t>>, Fault> {
        args.iter()
            .map(|arg| match arg {
                CallArg::Pos(expr) => Ok(CallArg::Pos(self.expr(expr)?)),
                CallArg::Kwarg(name, expr) => Ok(CallArg::Kwarg(name, self.expr(expr)?)),
                CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => {
                    Err(self.forbidden(expr.span(), "`*` and `**` arguments are not allowed"))
                }
            })
            .collect()
    }

    /// A name is used: it is a variable unless the template has set it.
    fn refer(&mut self, name: &'t str) {
        if !self.is_set(name) {
            self.demands.add(name, Demand { required: !self.defined.contains(&name), nullable: false });
        }
    }
}
