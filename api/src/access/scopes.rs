//! What each route of the contract asks for. A contract with a route that says nothing is refused when the router is built.
use std::collections::HashMap;

use axum::http::Method;
use serde_json::Value;
use shared::caller::Scope;
use utoipa::openapi::OpenApi;

/// What each route of the contract asks for.
pub(crate) struct Scopes(HashMap<(Method, String), Wanted>);

/// What a route asks for.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// Nothing.
    Nothing,
    /// A key with this scope.
    Key(Scope),
}

impl Scopes {
    /// As the contract says.
    ///
    /// # Panics
    ///
    /// If a route says nothing: nobody would know who may ask it.
    pub(crate) fn of(contract: &OpenApi) -> Self {
        let contract = serde_json::to_value(contract).expect("a contract is plain data");
        let operations = contract["paths"].as_object().into_iter().flatten().flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
        });
        let scope = |(path, method, operation): (&String, &String, &Value)| {
            let named =
                declared(operation).unwrap_or_else(|| panic!("{method} {path} does not say which scope it asks for"));
            let method =
                Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method of OpenAPI is one of HTTP");
            ((method, path.clone()), named)
        };
        Self(operations.map(scope).collect())
    }

    /// What a request asks for. What is not in the contract is a page about it, or not there.
    pub(super) fn wanted(&self, method: &Method, route: &str) -> Wanted {
        // As axum answers it.
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), route.to_owned())).copied().unwrap_or(Wanted::Nothing)
    }
}

/// None, if an operation does not say.
fn declared(operation: &Value) -> Option<Wanted> {
    let ways = operation["security"].as_array()?;
    let scopes: Vec<&str> =
        ways.iter().filter_map(|way| way["key"].as_array()).flatten().filter_map(Value::as_str).collect();
    match scopes.as_slice() {
        [] => Some(Wanted::Nothing),
        [only] => only.parse().ok().map(Wanted::Key),
        _ => None,
    }
}
