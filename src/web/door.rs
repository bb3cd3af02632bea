//! Doors that anybody may knock at without an account. Each takes only so many knocks from one network, so that
//! nobody can fill what lies behind it; a ward full of people behind one address still gets in.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, dev, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::{Node, Problem, frame};
use crate::kernel::{Network, text};

/// How often a network may knock at a door in a minute, over time.
const A_MINUTE: u32 = 3;
/// How many knocks a network may save up.
const AT_ONCE: u32 = 30;

/// Who knocked where, and how often.
pub(super) type Doors = DefaultKeyedRateLimiter<(String, Network)>;

pub(super) fn doors() -> Doors {
    let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    RateLimiter::keyed(Quota::per_minute(number(A_MINUTE)).allow_burst(number(AT_ONCE)))
}

impl FromRequest for Network {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let node = request.app_data::<web::Data<Node>>();
        let address = node.and_then(|node| frame::client_address(node, request));
        std::future::ready(Ok(Self::of(address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()))))
    }
}

impl Node {
    /// Counts a knock at this door.
    ///
    /// # Errors
    /// 429 when the network knocked too often: more than 30 times at once, or 3 times a minute for long.
    pub fn knock(&self, door: &str, network: &Network) -> Result<(), Problem> {
        let Err(not_until) = self.doors.check_key(&(door.to_owned(), network.clone())) else { return Ok(()) };
        if self.doors.len() > 10_000 {
            self.doors.retain_recent();
        }
        let seconds = not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1;
        let detail = text!(
            "Der kommer for meget herfra lige nu. Vent {seconds} sekund(er), og prøv igen",
            "Too much comes from here right now. Wait {seconds} second(s) and try again"
        );
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        Err(Problem { retry_after: Some(seconds), ..problem })
    }
}
