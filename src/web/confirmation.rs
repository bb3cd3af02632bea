//! Letters that ask somebody to confirm something, as far as they may go out.

use actix_web::http::StatusCode;

use super::Problem;
use crate::db::Tx;
use crate::kernel::{Email, Instant, Network, text};
use crate::post::store;

/// Whether this address may be asked to confirm something. Where it may not, nobody is told: the answer must be the
/// same for every address.
///
/// # Errors
/// 429 for a network that asked for too many, whoever they go to.
pub fn may_ask_to_confirm(
    tx: &mut Tx<'_>,
    email: &Email,
    network: Option<&Network>,
    now: Instant,
) -> Result<bool, Problem> {
    let within = network.map_or(Ok(true), |network| store::may_cause_confirmation(tx, network, now))?;
    if !within {
        let detail = text!(
            "Der er bedt om for mange bekræftelser fra dit netværk. Prøv igen om en time",
            "Too many confirmations were asked for from your network. Try again in an hour"
        );
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_confirmations", detail);
        return Err(Problem { retry_after: Some(3600), ..problem });
    }
    Ok(store::may_be_asked(tx, email, now)?)
}
