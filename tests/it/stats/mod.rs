//! The statistics give the numbers of independent programs, hold at the edges, and keep their promises in simulation.
mod cases;
mod drifts;
mod edges;
mod experiments;
mod simulations;
mod small_samples;

use serde_json::Value;

/// The inputs of a case, read by name.
#[derive(Clone, Copy)]
struct Inputs<'v>(&'v Value);

impl<'v> Inputs<'v> {
    fn get(self, name: &str) -> &'v Value {
        &self.0[name]
    }

    #[track_caller]
    fn f(self, name: &str) -> f64 {
        self.get(name).as_f64().unwrap_or_else(|| panic!("no number `{name}`"))
    }

    #[track_caller]
    fn u(self, name: &str) -> u64 {
        self.get(name).as_u64().unwrap_or_else(|| panic!("no count `{name}`"))
    }

    #[track_caller]
    fn text(self, name: &str) -> &'v str {
        self.get(name).as_str().unwrap_or_else(|| panic!("no text `{name}`"))
    }

    #[track_caller]
    fn list(self, name: &str) -> Vec<f64> {
        self.items(name).iter().map(|item| item.as_f64().unwrap()).collect()
    }

    #[track_caller]
    fn counts(self, name: &str) -> Vec<u64> {
        self.items(name).iter().map(|item| item.as_u64().unwrap()).collect()
    }

    #[track_caller]
    fn items(self, name: &str) -> &'v [Value] {
        self.get(name).as_array().unwrap_or_else(|| panic!("no list `{name}`"))
    }
}
