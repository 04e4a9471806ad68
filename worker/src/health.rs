//! How this worker is, for orchestrators and Prometheus.
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use shared::{App, health, start::Failure, telemetry};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use worker::server::{self, Bounds};

/// Only orchestrators and Prometheus ask.
const BOUNDS: Bounds = Bounds { header_timeout: Duration::from_secs(10), connections: 64 };

pub(crate) async fn listen(host: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), Failure> {
    let wanted = SocketAddr::new(host, port);
    let cannot = |error: std::io::Error| {
        Failure::Address(format!(
            "cannot listen on {wanted}: {error}; set PROMPT_STORE_WORKER_PORT, 0 picks a free one"
        ))
    };
    let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

pub(crate) async fn serve(listener: TcpListener, app: App, metrics: PrometheusHandle, shutdown: CancellationToken) {
    let (stopping, counted, asked) = (shutdown.clone(), app.clone(), app);
    let ready = move || async move {
        let app = asked;
        let ready = !stopping.is_cancelled() && health::is_database_well(&app).await;
        let (status, word) = match ready {
            true => (StatusCode::OK, "ready"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
        };
        (status, Json(json!({ "status": word, "degraded": health::degraded(&app).await })))
    };
    let numbers = move || async move {
        let numbers = telemetry::render(&counted, &metrics).await;
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], numbers).into_response()
    };
    let router = Router::new()
        .route("/health/live", get(|| async { Json(json!({ "status": "live" })) }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(numbers));
    server::serve(listener, router, BOUNDS, shutdown).await;
}
