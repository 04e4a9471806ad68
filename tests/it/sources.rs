//! The sources of the product, for tests that hold its rules.
use std::path::{Path, PathBuf};

use syn::{Expr, ExprLit, Item, Lit, UseTree};

/// A source file.
pub(crate) struct Source {
    /// From the top of the workspace: `shared/src/prompts/service.rs`.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

impl Source {
    /// Its name, without the folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    /// What it says before its tests begin.
    pub(crate) fn code(&self) -> &str {
        self.text.split("#[cfg(test)]").next().unwrap()
    }

    /// Its items.
    pub(crate) fn items(&self) -> Vec<Item> {
        syn::parse_file(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path)).items
    }

    /// The modules of its own crate that it imports: `prompts` of `use crate::{app::App, prompts::Prompt}`.
    pub(crate) fn imports(&self) -> Vec<String> {
        let mut found = Vec::new();
        for item in self.items() {
            let Item::Use(import) = item else { continue };
            let UseTree::Path(path) = import.tree else { continue };
            if path.ident == "crate" {
                heads(&path.tree, &mut found);
            }
        }
        found
    }

    /// Its constants that hold text: name and text.
    pub(crate) fn text_constants(&self) -> Vec<(String, String)> {
        let constant = |item: Item| match item {
            Item::Const(constant) => match *constant.expr {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some((constant.ident.to_string(), text.value())),
                _ => None,
            },
            _ => None,
        };
        self.items().into_iter().filter_map(constant).collect()
    }

    /// May SQL stand here?
    pub(crate) fn may_hold_sql(&self) -> bool {
        matches!(self.name(), "repository.rs" | "ledger.rs" | "sqlite.rs" | "postgres.rs")
    }
}

fn heads(tree: &UseTree, found: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => found.push(path.ident.to_string()),
        UseTree::Name(name) => found.push(name.ident.to_string()),
        UseTree::Rename(rename) => found.push(rename.ident.to_string()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| heads(tree, found)),
        UseTree::Glob(_) => {}
    }
}

/// The top of the workspace.
pub(crate) fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust source below a folder.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![top().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned();
                found.push(Source { path, text });
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {folder}");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Every Rust source of the product, without its tests.
pub(crate) fn product() -> Vec<Source> {
    ["api/src", "worker/src", "shared/src"].into_iter().flat_map(sources).collect()
}
