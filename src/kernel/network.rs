//! The network that a request came from, as far as one household or office can be told by it.

use std::fmt;
use std::net::IpAddr;

/// An IPv4 network of 256 addresses (/24), or the IPv6 network that one customer gets (/64, RFC 6177).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Network(String);

impl Network {
    /// The network of this address; none for the machine's own, which is a script of the operator or a proxy that
    /// nobody declared.
    #[must_use]
    pub fn of(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        if address.is_loopback() {
            return None;
        }
        Some(Self(match address {
            IpAddr::V4(address) => {
                let [a, b, c, _] = address.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        }))
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
    fn neighbours_share_a_network_and_the_machine_itself_has_none() {
        let of = |address: &str| Network::of(address.parse().unwrap()).map(|network| network.to_string());
        assert_eq!(of("203.0.113.7").as_deref(), Some("203.0.113.0/24"));
        assert_eq!(of("::ffff:203.0.113.9"), of("203.0.113.7"));
        assert_eq!(of("2001:db8:1:2:3:4:5:6").as_deref(), Some("2001:db8:1:2::/64"));
        assert_ne!(of("2001:db8:1:3::1"), of("2001:db8:1:2::1"));
        assert_eq!((of("127.0.0.1"), of("::1")), (None, None));
    }
}
