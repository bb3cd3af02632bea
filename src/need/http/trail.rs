//! The way back: which needs stand behind a challenge, and so behind a process. Counts are for whoever sees the
//! challenge; the words are for the body alone.

use std::collections::BTreeSet;

use actix_web::get;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::triage::NeedView;
use crate::access::Context;
use crate::challenge::http::reader;
use crate::challenge::{self, Challenge};
use crate::db::AnyConnection;
use crate::kernel::{Id, OrganisationId};
use crate::need::{Estimate, actions, store};
use crate::web::{PathId, Problem, Reply};

/// The needs behind a challenge.
#[derive(Debug, Serialize, ToSchema)]
pub struct NeedsBehind {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    #[schema(example = "Natlige tilsyn vækker patienterne")]
    title: String,
    /// How many needs were gathered into it.
    pub needs: usize,
    /// How many departments they came from or were recognised by.
    departments: usize,
    /// How many other bodies said "det har vi også" to one of them.
    other_bodies: usize,
    /// Hours of work a year as the departments estimated them: the median of each, added up.
    #[schema(required, nullable)]
    hours_per_year: Option<f64>,
    /// When the first was left.
    #[schema(required, nullable)]
    first_left_at: Option<DateTime<Utc>>,
    /// When the last was left.
    #[schema(required, nullable)]
    last_left_at: Option<DateTime<Utc>>,
    /// The needs themselves, oldest first; for the body that gathered them.
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<NeedView>>,
}

/// What stands behind a challenge, with the words for `body` if it is the owner.
///
/// # Errors
/// Those of the database.
pub fn behind(
    connection: &mut AnyConnection,
    challenge: &Challenge,
    body: Option<OrganisationId>,
) -> Result<NeedsBehind, Problem> {
    let needs = store::behind(connection, &[challenge.id])?;
    let (voices, others) = actions::voices(connection, &needs)?;
    let estimate = Estimate::of(&voices);
    let bodies: BTreeSet<OrganisationId> = others.iter().map(|said| said.organisation_id).collect();
    let left: Vec<_> = needs.iter().map(|need| need.left_at).collect();
    let (count, own) = (needs.len(), body == Some(challenge.organisation_id));
    let items = if own { Some(NeedView::all(connection, needs)?) } else { None };
    Ok(NeedsBehind {
        challenge_id: challenge.id,
        title: challenge.description.title.clone(),
        needs: count,
        departments: estimate.departments,
        other_bodies: bodies.len(),
        hours_per_year: estimate.hours_per_year,
        first_left_at: left.iter().min().copied(),
        last_left_at: left.iter().max().copied(),
        items,
    })
}

/// The needs behind a challenge: counts for whoever sees it, and the words for the body that gathered them.
#[utoipa::path(tag = "needs", responses((status = 200, body = NeedsBehind)))]
#[get("/challenges/{id}/needs")]
pub(super) async fn list_challenge_needs(
    context: Context,
    id: PathId<Challenge>,
) -> Result<Reply<NeedsBehind>, Problem> {
    let (reader, body) = (reader(&context.caller)?, context.caller.body());
    let shown = context
        .db
        .read(move |connection| {
            let found = challenge::store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            behind(connection, &found.ok_or_else(Problem::not_found)?, body)
        })
        .await?;
    Ok(Reply::ok(shown))
}
