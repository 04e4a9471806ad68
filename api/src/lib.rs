//! The HTTP door of Prompt Store. Every route is here.
mod access;
mod before_v2;
mod bodies;
pub mod commands;
pub mod config;
mod extract;
mod follow;
mod health;
mod json;
mod limits;
mod lines;
mod middleware;
mod openapi;
mod problem;
mod query;
mod routes;
mod yaml;

use std::sync::{Arc, OnceLock};

use axum::{
    Router, extract::FromRef, middleware::from_fn, middleware::from_fn_with_state, response::Redirect, routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use shared::App;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use access::Scopes;
use bodies::Room;
use config::Edge;
use limits::Limits;
use lines::{EXPORTS_AT_ONCE, IMPORTS_AT_ONCE};

pub use openapi::document;

/// Where the published contract is served.
const OPENAPI_PATH: &str = "/api/openapi.json";

/// What handlers may reach: the store, and what belongs to the door alone.
#[derive(Clone, FromRef)]
pub struct Door {
    app: App,
    edge: Arc<Edge>,
    metrics: PrometheusHandle,
    places: Arc<Semaphore>,
    #[from_ref(skip)]
    limits: Arc<Limits>,
    #[from_ref(skip)]
    room: Arc<Room>,
    #[from_ref(skip)]
    followers: Arc<Semaphore>,
    #[from_ref(skip)]
    imports: Arc<Semaphore>,
    #[from_ref(skip)]
    exports: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Door {
    /// A door to a store. Once `shutdown` is cancelled it says that it is not ready.
    #[must_use]
    pub fn new(app: App, edge: Edge, metrics: PrometheusHandle, shutdown: CancellationToken) -> Self {
        let places = Arc::new(Semaphore::new(edge.max_in_flight as usize));
        let followers = Arc::new(Semaphore::new(follow::FOLLOWERS_MAX));
        let [imports, exports] = [IMPORTS_AT_ONCE, EXPORTS_AT_ONCE].map(|most| Arc::new(Semaphore::new(most)));
        let (limits, room) = (Arc::new(Limits::of(&edge)), Arc::new(Room::new()));
        Self { app, edge: Arc::new(edge), limits, room, metrics, places, followers, imports, exports, shutdown }
    }
}

/// Every route of the contract, and the contract that follows from them.
fn contract() -> (Router<Door>, OpenApi) {
    OpenApiRouter::with_openapi(openapi::base())
        .nest("/api/v1/prompts", routes::prompts::router())
        .nest("/api/v1/prompts", routes::search::router())
        .nest("/api/v1/prompts", routes::serving::router())
        .nest("/api/v1/prompts", routes::versions::router())
        .nest("/api/v1/prompts", routes::relationships::of_prompts())
        .nest("/api/v1/prompts", routes::drift::router())
        .nest("/api/v1/prompts", routes::suggestions::router())
        .nest("/api/v1/prompts", routes::lifecycle::of_prompts())
        .nest("/api/v1/prompts", routes::refinement::of_prompts())
        .nest("/api/v1/refinement", routes::refinement::router())
        .nest("/api/v1/documents", routes::refinement::documents())
        .nest("/api/v1/lifecycle", routes::lifecycle::router())
        .nest("/api/v1/analytics", routes::analytics::router())
        .nest("/api/v1/ab-tests", routes::ab_tests::router())
        .nest("/api/v1/relationships", routes::relationships::router())
        .nest("/api/v1/bulk", routes::bulk::router())
        .nest("/api/v1/notifications", routes::notifications::router())
        .nest("/api/v1", routes::notifications::stream())
        .nest("/api/v1/webhooks", routes::webhooks::router())
        .nest("/api/v1/jobs", routes::jobs::router())
        .nest("/api/v1/cache", routes::cache::router())
        .nest("/api/v1/keys", routes::keys::router())
        .nest("/api/v1/audit", routes::audit::router())
        .merge(health::router())
        .merge(before_v2::router())
        .split_for_parts()
}

/// What the contract says each route asks for.
static SCOPES: OnceLock<Scopes> = OnceLock::new();

/// The whole service: the contract, the page that shows it, and what happens to every request.
pub fn router(door: Door) -> Router {
    middleware::count_from_zero();
    let (routes, openapi) = contract();
    let scopes = SCOPES.get_or_init(|| Scopes::of(&openapi));
    routes
        .route("/", get(|| async { Redirect::temporary("/docs/") }))
        .merge(SwaggerUi::new("/docs").url(OPENAPI_PATH, openapi))
        .fallback(middleware::not_found)
        .method_not_allowed_fallback(middleware::method_not_allowed)
        .layer(from_fn(middleware::identify))
        .layer(from_fn_with_state(door.clone(), middleware::limit))
        .layer(from_fn_with_state(door.clone(), middleware::receive))
        .layer(from_fn_with_state((door.clone(), scopes), middleware::admit))
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(from_fn(middleware::observe))
        .with_state(door)
}
