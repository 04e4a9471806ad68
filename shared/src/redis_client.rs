//! The address of Redis as the settings give it, in the clear or behind TLS, and what is wrong with it.
use std::path::Path;

use anyhow::{Context, bail, ensure};
use redis::{Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, RedisError, TlsCertificates};

use crate::{config::Settings, http};

/// Refuses a text that is no address of Redis.
pub(crate) fn check_url(url: &str) -> Result<(), String> {
    let address = url.into_connection_info().map_err(|_| {
        "it must be an address like redis://localhost:6379, or rediss://redis.internal:6379 for TLS".to_owned()
    })?;
    match address.addr() {
        ConnectionAddr::TcpTls { insecure: true, .. } => {
            Err("`#insecure` would let anybody pass for this Redis; name its authority in PROMPT_STORE_REDIS_CA_FILE"
                .to_owned())
        }
        _ => Ok(()),
    }
}

/// Who connects to the Redis that the settings name; nothing, where they name none. Nobody is asked yet.
pub fn open(settings: &Settings) -> anyhow::Result<Option<Client>> {
    let Some(url) = settings.redis_url() else { return Ok(None) };
    let files = [&settings.redis_ca_file, &settings.redis_cert_file, &settings.redis_key_file];
    let names = ["PROMPT_STORE_REDIS_CA_FILE", "PROMPT_STORE_REDIS_CERT_FILE", "PROMPT_STORE_REDIS_KEY_FILE"];
    let address = url.into_connection_info().context("REDIS_URL is not an address of Redis")?;
    if !matches!(address.addr(), ConnectionAddr::TcpTls { .. }) {
        if let Some((_, name)) = files.iter().zip(names).find(|(file, _)| file.is_some()) {
            bail!("{name} is set, and REDIS_URL does not ask for TLS; write rediss:// for redis://");
        }
        return Ok(Some(Client::open(address)?));
    }
    http::use_ring();
    let root_cert = read(settings.redis_ca_file.as_deref(), names[0])?;
    let client_cert = read(settings.redis_cert_file.as_deref(), names[1])?;
    let client_key = read(settings.redis_key_file.as_deref(), names[2])?;
    let client_tls = match (client_cert, client_key) {
        (Some(client_cert), Some(client_key)) => Some(ClientTlsConfig { client_cert, client_key }),
        (None, None) => None,
        _ => bail!("{} and {} belong together: set both or none", names[1], names[2]),
    };
    let has_certificate = root_cert.as_ref().is_none_or(|pem| pem.windows(17).any(|part| part == b"BEGIN CERTIFICATE"));
    ensure!(has_certificate, "{}: it holds no certificate in PEM form", names[0]);
    let certificates = TlsCertificates { client_tls, root_cert };
    Ok(Some(Client::build_with_tls(address, certificates).context("the certificates for Redis cannot be used")?))
}

fn read(file: Option<&Path>, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
    let read = |file: &Path| std::fs::read(file).with_context(|| format!("{name}: cannot read `{}`", file.display()));
    file.map(read).transpose()
}

/// Why Redis cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum CannotConnect {
    /// It does not answer now.
    #[error("it does not answer ({0})")]
    Away(String),
    /// It stays so until somebody changes a setting.
    #[error("{0}")]
    Setting(String),
}

impl From<RedisError> for CannotConnect {
    fn from(error: RedisError) -> Self {
        let text = error.to_string();
        match way_out(&text) {
            Some(way) => Self::Setting(format!("{text}; {way}")),
            None => Self::Away(text),
        }
    }
}

fn way_out(text: &str) -> Option<&'static str> {
    let way = if text.contains("invalid peer certificate") {
        "nobody known here vouches for its certificate, or it is for another name: PROMPT_STORE_REDIS_CA_FILE names the file \
         of an authority of your own"
    } else if text.contains("received corrupt message") || text.contains("InvalidContentType") {
        "it does not speak TLS there: write redis:// in REDIS_URL, or the port for TLS"
    } else if text.contains("CertificateRequired") || text.contains("certificate required") {
        "it wants a certificate of ours: PROMPT_STORE_REDIS_CERT_FILE and PROMPT_STORE_REDIS_KEY_FILE"
    } else if ["WRONGPASS", "NOAUTH", "AuthenticationFailed", "authentication failed"]
        .iter()
        .any(|it| text.contains(it))
    {
        "correct user and password in REDIS_URL: redis://user:password@host:6379"
    } else {
        return None;
    };
    Some(way)
}
