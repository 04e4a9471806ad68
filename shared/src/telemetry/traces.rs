//! Spans for whoever collects them, by the protocol of OpenTelemetry (OTLP over HTTP, in protobuf).
use std::{fmt, time::Duration};

use anyhow::Context;
use async_trait::async_trait;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use tokio::runtime::Handle;

use crate::http::{Failure, Service};

/// A collector that is slower misses some spans; nobody waits for it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);

/// Collects spans, and sends them by the hundred. What is left is sent when it is dropped.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// For the collector at this address, as the service of this name.
    pub(super) fn to(collector: &str, service: &'static str) -> anyhow::Result<Self> {
        let http = Service::new(collector, EXPORT_TIMEOUT)?.with(CONTENT_TYPE, "application/x-protobuf")?;
        let client = Collector { http, runtime: Handle::current() };
        let endpoint = format!("{}/v1/traces", collector.trim_end_matches('/'));
        let exporter = SpanExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint);
        let exporter = exporter.with_timeout(EXPORT_TIMEOUT).build().context("cannot send traces")?;
        let resource = Resource::builder().with_service_name(service).build();
        Ok(Self(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build()))
    }

    pub(super) fn tracer(&self) -> SdkTracer {
        self.0.tracer("prompt-store")
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // It waits for a thread, which waits for this runtime.
        if let Err(error) = tokio::task::block_in_place(|| self.0.shutdown_with_timeout(EXPORT_TIMEOUT)) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Who collects, asked as every other service is. The thread that sends has no runtime of its own.
struct Collector {
    http: Service,
    runtime: Handle,
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let spans = request.into_body().to_vec();
        let sent = self.runtime.spawn(async move { http.post("/v1/traces", spans).await }).await?;
        let answer = sent.map_err(Failure::code)?;
        let mut response = Response::new(Bytes::from(answer.body));
        *response.status_mut() = answer.status;
        // What the collector has to say about itself is in protobuf too.
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        Ok(response)
    }
}
