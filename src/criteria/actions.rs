//! Making a new version of a criteria set, and announcing a call.

use super::{Call, CallBody, CriteriaSet, CriteriaSetBody, store};
use crate::access::{Admin, Staff};
use crate::db::Tx;
use crate::kernel::{Fit, Id, Instant, text};
use crate::outbox::{Fact, Subject, record};
use crate::web::Problem;

/// Adds the next version of a set, or the first of a new one. Assessments made before keep theirs.
///
/// # Errors
/// Those of the database.
pub fn add_version(
    tx: &mut Tx<'_>,
    now: Instant,
    admin: &Admin,
    key: &str,
    body: Fit<CriteriaSetBody>,
) -> Result<CriteriaSet, Problem> {
    let version = store::newest(tx.connection, key)?.map_or(1, |set| set.version + 1);
    let set = CriteriaSet { key: key.to_owned(), version, body: body.into_inner() };
    store::insert_version(tx, &set, now)?;
    let mut fact = Fact::new(Subject::CriteriaSet, Id::<CriteriaSet>::made_at(now), "versioned", admin.actor(), now);
    fact.subject_id = key.to_owned();
    record(tx, fact.with(serde_json::json!({"version": version})))?;
    Ok(set)
}

/// Announces a call.
///
/// # Errors
/// 422 for an unknown criteria set.
pub fn announce(tx: &mut Tx<'_>, now: Instant, staff: &Staff, body: Fit<CallBody>) -> Result<Call, Problem> {
    if store::newest(tx.connection, &body.criteria_set)?.is_none() {
        let detail = text!("Kriteriesættet findes ikke", "The criteria set does not exist");
        return Err(Problem::unfit("/criteria_set", "unknown", detail));
    }
    let call = Call { id: Id::made_at(now), body: body.into_inner(), created_at: now };
    store::insert_call(tx, &call)?;
    record(tx, Fact::new(Subject::Call, call.id, "announced", staff.actor(), now))?;
    Ok(call)
}
