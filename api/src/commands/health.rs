//! `prompt-store health`: for containers that have no curl.
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use shared::{http, start::Failure};

use super::say;
use crate::config::Edge;

const DEADLINE: Duration = Duration::from_secs(5);

pub(super) async fn run(edge: &Edge) -> Result<(), Failure> {
    // Whoever listens everywhere is asked on this machine.
    let host = match edge.host {
        IpAddr::V4(host) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host,
    };
    let url = format!("http://{}/health/ready", std::net::SocketAddr::new(host, edge.port));
    let client = http::client(DEADLINE).map_err(|error| Failure::Internal(format!("{error:#}")))?;
    match client.get(&url).send().await {
        Ok(response) if response.status().is_success() => {
            say("ready");
            Ok(())
        }
        Ok(response) => Err(Failure::Refused(format!("{url} answers {}: not ready", response.status()))),
        Err(_) => Err(Failure::Refused(format!("{url} does not answer"))),
    }
}
