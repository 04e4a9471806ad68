//! Somebody who receives what the store sends, and answers as the test wants.
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The port it came from.
    pub port: u16,
    /// When it was there as a whole.
    pub at: Instant,
    /// The path it asked for.
    pub path: String,
    /// What was said with it.
    pub headers: HeaderMap,
    /// What was sent.
    pub body: Bytes,
}

impl Received {
    /// A header, as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header `{name}`")).to_str().unwrap()
    }

    /// The body, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Listens on a port of its own, until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that is content with everything.
    pub async fn start() -> Self {
        Self::answering(|_, _| StatusCode::NO_CONTENT).await
    }

    /// One that answers request number `n`, from 0, as the function says.
    pub async fn answering<R: IntoResponse>(answer: impl Fn(usize, &Received) -> R + Send + Sync + 'static) -> Self {
        Self::answering_later(move |n, request| {
            let response = answer(n, &request).into_response();
            async move { response }
        })
        .await
    }

    /// One that takes its time.
    pub async fn answering_later<F>(answer: impl Fn(usize, Received) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response> + Send,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, answer) = (Arc::clone(&received), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
            async move {
                let (parts, body) = request.into_parts();
                let ConnectInfo(from) = parts.extensions.get::<ConnectInfo<SocketAddr>>().unwrap();
                let (port, path) = (from.port(), parts.uri.path().to_owned());
                let body = to_bytes(body, usize::MAX).await.unwrap();
                let request = Received { port, at: Instant::now(), path, headers: parts.headers, body };
                let n = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request.clone());
                    kept.len() - 1
                };
                answer(n, request).await
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        Self { address, received, serving }
    }

    /// One that thinks about request number `n` for so long before it answers.
    pub async fn answering_after<R: IntoResponse>(
        think: impl Fn(usize) -> Duration + Send + Sync + 'static,
        answer: impl Fn(usize, &Received) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::answering_later(move |n, request| {
            let (time, response) = (think(n), answer(n, &request).into_response());
            async move {
                tokio::time::sleep(time).await;
                response
            }
        })
        .await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A URL of it.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// What came so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// How much that is.
    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
