//! The harness's own hosts: they hear each other, and one that is cut off hears nobody.
use std::time::Duration;

use support::{Hosts, PostgresServer, RedisServer, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Asks Redis whether it is there. Nothing, if it does not say within a second.
async fn ping(url: String) -> Option<String> {
    let ask = async {
        let client = redis::Client::open(url).ok()?;
        let mut connection = client.get_multiplexed_async_connection().await.ok()?;
        redis::cmd("PING").query_async::<String>(&mut connection).await.ok()
    };
    timeout(Duration::from_secs(1), ask).await.ok().flatten()
}

/// Asks PostgreSQL whether it speaks TLS, which it answers before anything else.
async fn speaks_tls(address: String) -> Option<u8> {
    let ask = async {
        let mut connection = TcpStream::connect(address).await.ok()?;
        connection.write_all(&[0, 0, 0, 8, 4, 210, 22, 47]).await.ok()?;
        connection.read_u8().await.ok()
    };
    timeout(Duration::from_secs(1), ask).await.ok().flatten()
}

#[tokio::test]
async fn a_host_that_is_cut_off_hears_nobody_until_it_joins_again() {
    let Some(hosts) = Hosts::new(&["server", "client"]) else { return };
    let (server, client) = (hosts.get("server"), hosts.get("client"));
    let redis = RedisServer::start_on(server);
    let url = redis.url();
    let ask = async || {
        let url = url.clone();
        client.run(async move || ping(url).await).await
    };
    assert_eq!(ask().await.as_deref(), Some("PONG"));
    assert_eq!(ping(url.clone()).await, None, "it is not on the network of this machine");

    for host in [server, client] {
        host.cut();
        assert_eq!(ask().await, None);
        host.join();
        until("it is heard again", ask).await;
    }
}

#[tokio::test]
async fn a_database_on_a_host_hears_the_others() {
    let Some(hosts) = Hosts::new(&["database", "client"]) else { return };
    let postgres = PostgresServer::start_on(hosts.get("database"), &["ssl=on"]);
    let address = format!("{}:{}", hosts.get("database").address(), postgres.port());

    let answer = hosts.get("client").run(async move || speaks_tls(address).await).await;

    assert_eq!(answer, Some(b'S'), "{}", postgres.log());
}
