//! Where requests may go: which URLs, which names, and which of the addresses that a name has.
use std::{net::IpAddr, str::FromStr, sync::Once};

use ipnet::IpNet;
use url::{Host, Url};

use super::addresses::{is_metadata, is_public, lies_in};
use crate::error::Violation;

const URL_BYTES_MAX: usize = 2048;
/// Names under which clouds tell a machine who it is.
const METADATA_NAMES: [&str; 4] = ["metadata", "metadata.google.internal", "metadata.goog", "instance-data"];

/// An internal target that somebody has allowed: a host by its name, or a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// `receiver.internal`, at whatever address.
    Host(String),
    /// `10.1.0.0/16`, or a single address.
    Range(IpNet),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(range) = bare.parse() {
            return Ok(Self::Range(range));
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Range(address.into()));
        }
        match Host::parse(text) {
            Ok(Host::Domain(name)) if !name.contains('/') => Ok(Self::Host(plain(&name).to_owned())),
            _ => Err("it must be host names, addresses or ranges like 10.1.0.0/16, with commas between".to_owned()),
        }
    }
}

/// Whoever is here decides where requests may go.
#[derive(Debug)]
pub(super) struct Targets {
    hosts: Vec<String>,
    ranges: Vec<IpNet>,
    /// This machine is a target too: in development receivers run beside the store.
    loopback: bool,
}

impl Targets {
    pub(super) fn new(allowed: &[Allowed], loopback: bool) -> Self {
        let (mut hosts, mut ranges) = (Vec::new(), Vec::new());
        for allowed in allowed {
            match allowed {
                Allowed::Host(name) => hosts.push(name.clone()),
                Allowed::Range(range) => ranges.push(*range),
            }
        }
        Self { hosts, ranges, loopback }
    }

    /// Reads a URL, if requests may go there as far as it can be told without asking for addresses. Whatever it
    /// says must be plain to see: no user, no other spelling of an address, no letters that look like others.
    pub(super) fn read(&self, text: &str) -> Result<Url, Violation> {
        let refuse = |code, detail: &str| Err(Violation::new("/url", code, detail));
        if text.len() > URL_BYTES_MAX {
            return refuse("too-long", "`url` must have at most 2048 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return refuse("url", "`url` must be visible ASCII; write other names in their `xn--` form");
        }
        let Ok(url) = Url::parse(text) else {
            return refuse("url", "`url` must be an address like https://example.com/hook");
        };
        let authority = text.split(['/', '?', '#']).nth(2).unwrap_or_default();
        if !matches!(url.scheme(), "https" | "http") || authority.is_empty() || text.contains('\\') {
            return refuse("url", "`url` must begin with https:// and a host");
        }
        if authority.contains('@') {
            return refuse("url", "`url` must not hold a user or password");
        }
        match url.host() {
            None => refuse("url", "`url` must have a host"),
            Some(_) if !self.may_go(&url) => {
                refuse("target-not-allowed", "`url` leads to a machine, port or scheme that requests may not go to")
            }
            Some(_) => Ok(url),
        }
    }

    /// May requests go there? Of a name that is only known once its addresses are.
    fn may_go(&self, url: &Url) -> bool {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else { return false };
        match host {
            Host::Ipv4(address) => self.may_reach_literal(url, address.into(), port),
            Host::Ipv6(address) => self.may_reach_literal(url, address.into(), port),
            Host::Domain(name) => {
                let name = plain(name);
                if METADATA_NAMES.contains(&name) {
                    return false;
                }
                if self.hosts.iter().any(|host| host == name) || (self.loopback && is_local(name)) {
                    return true;
                }
                !is_local(name) && is_usual(url, port)
            }
        }
    }

    fn may_reach_literal(&self, url: &Url, address: IpAddr, port: u16) -> bool {
        self.may_reach("", address) && (!is_public(address) || lies_in(address, &self.ranges) || is_usual(url, port))
    }

    /// May a request for the host `name` go to this address?
    pub(super) fn may_reach(&self, name: &str, address: IpAddr) -> bool {
        if is_metadata(address) {
            return false;
        }
        if is_public(address) || lies_in(address, &self.ranges) || self.hosts.iter().any(|host| host == plain(name)) {
            return true;
        }
        let is_local = self.loopback && address.to_canonical().is_loopback();
        if is_local {
            say_once();
        }
        is_local
    }
}

fn say_once() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::info!("requests may go to this machine itself, as PROMPT_STORE_ENV is development");
    });
}

/// Without the dot that ends the names of the whole world.
fn plain(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// What the public internet is asked for: encrypted, at its own port.
fn is_usual(url: &Url, port: u16) -> bool {
    url.scheme() == "https" && port == 443
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(allowed: &[&str], loopback: bool) -> Targets {
        Targets::new(&allowed.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>(), loopback)
    }

    #[test]
    fn the_public_internet_is_asked_over_https_at_its_own_port() {
        let targets = targets(&[], false);
        for url in
            ["https://example.com", "https://example.com:443/a?b=c", "https://1.1.1.1/", "https://[2606:4700::1]/"]
        {
            assert!(targets.read(url).is_ok(), "{url}");
        }
        for url in ["http://example.com/", "https://example.com:22/", "https://example.com:8443/", "http://1.1.1.1/"] {
            assert_eq!(targets.read(url).unwrap_err().code, "target-not-allowed", "{url}");
        }
    }

    #[test]
    fn what_is_allowed_may_be_internal_at_any_port_and_unencrypted() {
        let targets = targets(&["hooks.internal", "10.1.0.0/16", "fd12::/64", "169.254.0.0/16", "metadata"], false);
        for url in
            ["http://hooks.internal:8080/", "http://HOOKS.internal./", "http://10.1.2.3:9/", "http://[fd12::1]:80/"]
        {
            assert!(targets.read(url).is_ok(), "{url}");
        }
        for url in ["http://10.2.0.1/", "http://other.internal/", "http://169.254.169.254/", "http://metadata/"] {
            assert!(targets.read(url).is_err(), "{url}");
        }
        assert!(targets.may_reach("hooks.internal", "192.168.0.1".parse().unwrap()));
        assert!(
            !targets.may_reach("hooks.internal", "169.254.169.254".parse().unwrap()),
            "never where secrets are told"
        );
        assert!(!targets.may_reach("other", "192.168.0.1".parse().unwrap()));
    }

    #[test]
    fn in_development_this_machine_is_a_target_and_no_other_internal_one() {
        let targets = targets(&[], true);
        for url in ["http://127.0.0.1:9000/x", "http://localhost:1/", "http://[::1]:8/", "http://a.localhost/"] {
            assert!(targets.read(url).is_ok(), "{url}");
        }
        for url in ["http://0.0.0.0:9000/", "http://10.0.0.1/", "http://192.168.1.1/", "http://[::]/"] {
            assert!(targets.read(url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_may_be_allowed_is_a_name_an_address_or_a_range() {
        for text in ["a.example", "10.0.0.0/8", "10.0.0.1", "::1", "[::1]", "fd00::/8"] {
            assert!(text.parse::<Allowed>().is_ok(), "{text}");
        }
        for text in ["", "a b", "10.0.0.0/99", "http://a", "a/b", "a:80"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
    }
}
