//! From where somebody signs in: exact enough to slow down guessing, and coarse enough to show.

use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr};

use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpRequest, dev, web};

use crate::access::store::Device;
use crate::web::{Node, Problem, frame};

/// From where a request comes.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    /// What tries are counted by: an IPv4 address, or the /64 network that one IPv6 customer has.
    pub(super) place: String,
    /// What the owner sees in the list of sessions.
    pub(super) device: Device,
}

impl FromRequest for Origin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let node = request.app_data::<web::Data<Node>>();
        let address = node.and_then(|node| frame::client_address(node, request));
        let agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        ready(Ok(Self::of(address, agent)))
    }
}

impl Origin {
    fn of(address: Option<IpAddr>, agent: &str) -> Self {
        let (place, network) = match address.map(|address| address.to_canonical()) {
            None => (String::new(), String::new()),
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                (address.to_string(), format!("{a}.{b}.{c}.0/24"))
            }
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                let site = |d| Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
                (site(d).to_string(), format!("{}/48", site(0)))
            }
        };
        Self { place, device: Device { name: device_name(agent), network } }
    }
}

/// Browsers by the word that gives them away; the first that is found counts, since each claims to be those below it.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A browser and its system, or the name of a program, in at most 40 characters; versions are nobody's business.
fn device_name(agent: &str) -> String {
    let named =
        |known: &[(&str, &'static str)]| known.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name);
    let program = agent.split(['/', ' ']).next().unwrap_or_default();
    let name = match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ => program.to_owned(),
    };
    name.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_a_few_words() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0";
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        let names = [firefox, edge, phone, "curl/8.5.0", "", "x".repeat(300).as_str()].map(device_name);
        assert_eq!(names[..5], ["Firefox, Linux", "Edge, Windows", "Safari, iPhone", "curl", ""]);
        assert_eq!(names[5].len(), 40);
    }

    #[test]
    fn a_network_is_shown_without_its_last_part() {
        let of = |address: &str| Origin::of(Some(address.parse().unwrap()), "");
        assert_eq!(
            (of("192.0.2.17").place.as_str(), of("192.0.2.17").device.network.as_str()),
            ("192.0.2.17", "192.0.2.0/24")
        );
        let six = of("2001:db8:1:2:3:4:5:6");
        assert_eq!((six.place.as_str(), six.device.network.as_str()), ("2001:db8:1:2::", "2001:db8:1::/48"));
        assert_eq!(of("::ffff:192.0.2.17").place, "192.0.2.17", "one address however it is written");
    }

    proptest::proptest! {
        #[test]
        fn no_browser_names_a_device_at_length(agent in ".{0,200}", known in "(Firefox|Windows|/| |Chrome){0,5}") {
            for agent in [agent, known] {
                let name = device_name(&agent);
                proptest::prop_assert!(name.chars().count() <= 40 && !name.contains(char::is_control));
            }
        }
    }
}
