//! The network that a request came from, as far as one household or office can be told by it.

use std::fmt;
use std::net::IpAddr;

/// An IPv4 network of 256 addresses (/24), or what one site has of IPv6 at most (/48, RFC 6177).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network(String);

impl Network {
    /// The network of this address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}::/48")
            }
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network_and_strangers_do_not() {
        let of = |address: &str| Network::of(address.parse().unwrap()).to_string();
        assert_eq!(of("203.0.113.7"), "203.0.113.0/24");
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.7"));
        assert_ne!(of("203.0.114.7"), of("203.0.113.7"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
        assert_ne!(of("2001:db8:2::7"), of("2001:db8:1::7"));
    }
}
