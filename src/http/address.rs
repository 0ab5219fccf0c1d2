//! From which address a request comes: the other end of the connection, or, if that is a proxy that the settings name,
//! who it says. Everybody can write `X-Forwarded-For`; only what a trusted proxy added to it counts.

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, Request},
};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// An extension of every request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Tells the request where it comes from.
pub fn found<B>(mut request: Request<B>, trusted: &[IpNet]) -> Request<B> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if let Some(peer) = peer {
        let address = client(peer, request.headers(), trusted);
        request.extensions_mut().insert(ClientAddress(address));
    }
    request
}

/// The last address on the way here that is no trusted proxy.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut address = peer.to_canonical();
    // What somebody wrote before it must not hide what a proxy added, whatever bytes it has.
    let way = headers.get_all("x-forwarded-for").iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let way: Vec<_> = way.collect();
    let way: Vec<&str> = way.iter().flat_map(|value| value.split(',')).collect();
    for hop in way.into_iter().rev() {
        if !is_trusted(&address) {
            break;
        }
        // What is no address was not written by a proxy of ours.
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        address = hop.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_what_trusted_proxies_say_counts() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        for (peer, forwarded, address) in [
            ("203.0.113.9", "", "203.0.113.9"),
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("::1", "2001:db8::5", "2001:db8::5"),
            ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "é, 198.51.100.1", "198.51.100.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_bytes(forwarded.as_bytes()).unwrap());
            assert_eq!(client(peer.parse().unwrap(), &headers, &trusted).to_string(), address, "{peer} {forwarded}");
        }
    }
}
