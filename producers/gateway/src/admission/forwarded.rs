//! Whose request it is when proxies stand in between.
//!
//! Each proxy appends the address it was called from to a list in a header, so only the right end of the list, written by proxies of
//! ours, is true. It is read from the right for as long as it names proxies of ours; the first other address is the client's. Whatever
//! a client writes is further left. Only the one header that our proxies write is looked at: the other one is the client's to forge.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::http::header::{FORWARDED, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

/// The most entries looked at, from the right: proxies of ours in a row.
const MAX_HOPS: usize = 16;
/// Networks of proxies, at most.
const MAX_NETWORKS: usize = 64;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The header that our proxies write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Forwarding {
    /// `X-Forwarded-For`: addresses, with commas between.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239): elements with a `for=`.
    Forwarded,
}

impl FromStr for Forwarding {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err(()),
        }
    }
}

/// The proxies that are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proxies {
    networks: Vec<IpNet>,
    header: Forwarding,
}

impl Proxies {
    /// Proxies in `networks`, addresses or CIDRs with commas between, which write `header`.
    ///
    /// # Errors
    /// When one of them is no network, or there are more than 64.
    pub fn parse(networks: &str, header: Forwarding) -> Result<Self, String> {
        let mut parsed = Vec::new();
        for text in networks.split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            parsed.push(network.map_err(|_| format!("{text:?} is no address and no network"))?);
        }
        if parsed.len() > MAX_NETWORKS {
            return Err(format!("more than {MAX_NETWORKS} networks"));
        }
        Ok(Self { networks: parsed, header })
    }

    /// Whether `address` is a proxy of ours.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that came from `peer`.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.has(client) {
            return client;
        }
        for hop in self.hops(headers).into_iter().take(MAX_HOPS) {
            // What is no address was not written by a proxy of ours: the last one that was counts.
            let Some(address) = hop else { break };
            client = address;
            if !self.has(client) {
                break;
            }
        }
        client
    }

    /// The list's entries from the right.
    fn hops(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            Forwarding::XForwardedFor => (X_FORWARDED_FOR, address_of),
            Forwarding::Forwarded => (FORWARDED, for_of),
        };
        // Each entry is read by itself: whatever bytes a client put to the left of our proxies' words does not spoil these.
        let read = |entry: &[u8]| std::str::from_utf8(entry.trim_ascii()).ok().and_then(read);
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b',')).take(MAX_HOPS).map(read).collect()
    }
}

/// `192.0.2.7`, `192.0.2.7:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address_of(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

/// The address of `for=192.0.2.7;proto=https` or `for="[2001:db8::1]:80"`.
fn for_of(element: &str) -> Option<IpAddr> {
    let pair = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then(|| value.trim_matches('"').to_owned())
    };
    element.split(';').find_map(pair).and_then(|value| address_of(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &Proxies, peer: &str, lines: &[(&str, &str)]) -> String {
        let lines: Vec<(&str, &[u8])> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        client_of_bytes(proxies, peer, &lines)
    }

    fn client_of_bytes(proxies: &Proxies, peer: &str, lines: &[(&str, &[u8])]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn without_a_proxy_of_ours_nothing_is_believed() {
        let none = Proxies::default();
        let forged = [("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4"), ("x-real-ip", "1.2.3.4")];
        assert_eq!(client(&none, "192.0.2.7", &forged), "192.0.2.7");
        let ours = Proxies::parse("10.0.0.0/8", Forwarding::XForwardedFor).unwrap();
        assert_eq!(client(&ours, "192.0.2.7", &forged), "192.0.2.7", "it did not come through a proxy of ours");
    }

    #[test]
    fn the_list_is_read_from_the_right_past_our_proxies() {
        let ours = Proxies::parse("10.0.0.0/8, 2001:db8:f::/48, 198.51.100.9", Forwarding::XForwardedFor).unwrap();
        let one = |list| client(&ours, "10.0.0.1", &[("x-forwarded-for", list)]);
        assert_eq!(one("192.0.2.7"), "192.0.2.7");
        assert_eq!(one("1.2.3.4, 192.0.2.7, 198.51.100.9, 10.9.9.9"), "192.0.2.7", "1.2.3.4 is what the client wrote");
        assert_eq!(one("1.2.3.4, 10.0.0.2"), "1.2.3.4", "the proxy's own word");
        assert_eq!(one("192.0.2.7:4711"), "192.0.2.7");
        assert_eq!(one("[2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(one("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(one(""), "10.0.0.1");
        assert_eq!(one("192.0.2.7, nonsense"), "10.0.0.1", "no proxy of ours wrote that");
        let lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client(&ours, "2001:db8:f::1", &lines), "192.0.2.7", "lines are one list");
        assert_eq!(
            client(&ours, "10.0.0.1", &[("forwarded", "for=1.2.3.4")]),
            "10.0.0.1",
            "our proxies write the other"
        );
    }

    #[test]
    fn a_forwarded_header_is_read_when_our_proxies_write_it() {
        let ours = Proxies::parse("10.0.0.0/8", Forwarding::Forwarded).unwrap();
        let one = |list| client(&ours, "10.0.0.1", &[("forwarded", list), ("x-forwarded-for", "1.2.3.4")]);
        assert_eq!(one("for=1.1.1.1, For=192.0.2.7;proto=https;by=10.0.0.2"), "192.0.2.7");
        assert_eq!(one("for=\"[2001:db8::1]:4711\""), "2001:db8::1");
        assert_eq!(one("for=unknown"), "10.0.0.1");
        assert_eq!(one("proto=https"), "10.0.0.1");
    }

    #[test]
    fn bytes_that_are_no_text_spoil_their_own_entry_only() {
        let ours = Proxies::parse("10.0.0.0/8", Forwarding::XForwardedFor).unwrap();
        let one = |line: &[u8]| client_of_bytes(&ours, "10.0.0.1", &[("x-forwarded-for", line)]);
        assert_eq!(one(b"\xff, 192.0.2.7"), "192.0.2.7");
        assert_eq!(one(b"192.0.2.7, \xff, 10.0.0.2"), "10.0.0.2", "no proxy of ours wrote that");
        let ours = Proxies::parse("10.0.0.0/8", Forwarding::Forwarded).unwrap();
        let line: &[u8] = b"for=\xff, for=192.0.2.7";
        assert_eq!(client_of_bytes(&ours, "10.0.0.1", &[("forwarded", line)]), "192.0.2.7");
    }

    #[test]
    fn an_endless_list_is_looked_at_for_so_far_only() {
        let ours = Proxies::parse("10.0.0.0/8", Forwarding::XForwardedFor).unwrap();
        let long = format!("192.0.2.7{}", ", 10.0.0.2".repeat(1_000));
        assert_eq!(client(&ours, "10.0.0.1", &[("x-forwarded-for", &long)]), "10.0.0.2");
    }

    #[test]
    fn what_is_no_network_is_named() {
        assert!(Proxies::parse("10.0.0.0/8,proxy", Forwarding::default()).unwrap_err().contains("proxy"));
        assert_eq!(Proxies::parse(" ", Forwarding::default()), Ok(Proxies::default()));
        assert!(Proxies::parse(&"10.0.0.1,".repeat(65), Forwarding::default()).is_err());
    }
}
