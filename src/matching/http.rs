//! Matching over HTTP: what a challenge is like, and how a description stands before it is registered.

use std::sync::Arc;

use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;

use super::live::{Likeness, Live};
use crate::access::{Caller, Context};
use crate::challenge::http::{OwnerView, reader};
use crate::challenge::store::Reader;
use crate::challenge::{self, Challenge, Description, WarningView, actions, warnings};
use crate::criteria::http::AssessmentView;
use crate::db::AnyConnection;
use crate::kernel::{Id, Language, text};
use crate::organisation::store::names;
use crate::web::{Body, PathId, Problem, Query, Reply};

/// Mounts the slice.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(check_challenge).service(list_matches);
}

/// A challenge, where only its name is shown.
#[derive(Debug, Serialize, ToSchema)]
struct ChallengeName {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Challenge>,
    title: String,
    organisation: OwnerView,
}

/// Why two needs match.
#[derive(Debug, Serialize, ToSchema)]
struct MatchReason {
    /// `concept`, `related_concept`, `words`, `users`, `cpv` or `theme`.
    #[schema(example = "concept")]
    kind: &'static str,
    #[schema(example = "begge handler om natlige tilsyn")]
    text: String,
}

/// A challenge that expresses a like need.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatchView {
    challenge: ChallengeName,
    /// How likely it is the same need, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.87)]
    score: f64,
    reasons: Vec<MatchReason>,
}

/// Like challenges, best first.
#[derive(Debug, Serialize, ToSchema)]
struct Matches {
    items: Vec<MatchView>,
}

/// Puts names to likenesses; what the reader may not see is left out.
fn show(
    connection: &mut AnyConnection,
    likenesses: Vec<Likeness>,
    reader: Reader,
    language: Language,
) -> Result<Vec<MatchView>, Problem> {
    let ids: Vec<_> = likenesses.iter().map(|likeness| likeness.challenge).collect();
    let challenges = challenge::store::find_all(connection, &ids)?;
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let names = names(connection, &bodies)?;
    let view = |likeness: Likeness| {
        let found = challenges.iter().find(|c| c.id == likeness.challenge && reader.sees(c))?;
        let reason = |reason: super::explain::Reason| MatchReason {
            kind: reason.kind.name(),
            text: match language {
                Language::Da => reason.danish,
                Language::En => reason.english,
            },
        };
        let owner = found.organisation_id;
        Some(MatchView {
            challenge: ChallengeName {
                id: found.id,
                title: found.description.title.clone(),
                organisation: OwnerView { id: owner, name: names.get(&owner).cloned().unwrap_or_default() },
            },
            // Three decimals: more would look like knowledge.
            score: (f64::from(likeness.score) * 1000.0).round() / 1000.0,
            reasons: likeness.reasons.into_iter().map(reason).collect(),
        })
    };
    Ok(likenesses.into_iter().filter_map(view).collect())
}

/// How a description stands before it is registered.
#[derive(Debug, Serialize, ToSchema)]
struct CheckView {
    assessment: AssessmentView,
    warnings: Vec<WarningView>,
    /// Who else has it, for those who are signed in: challenges are shared among public bodies.
    similar: Vec<MatchView>,
}

/// Checks a description against its criteria without storing anything: the verdict, what a reader would ask, and who
/// else has it.
#[utoipa::path(tag = "challenges", security((), ("bearer" = [])), request_body = Description, responses((status = 200, body = CheckView)))]
#[post("/challenges/check")]
async fn check_challenge(
    context: Context,
    live: web::Data<Arc<Live>>,
    body: Body<Description>,
) -> Result<Reply<CheckView>, Problem> {
    let (now, language, owner) = (context.now, context.language, context.caller.body());
    let reader = match &context.caller {
        Caller::Anonymous => None,
        caller => Some(reader(caller)?),
    };
    let told = body.0;
    let view = context
        .db
        .read(move |connection| {
            let assessment = actions::assess(connection, now, owner, &told, &[])?;
            let similar = match reader {
                None => Vec::new(),
                Some(reader) => {
                    let likenesses = live.like(connection, &told, None, 5)?;
                    show(connection, likenesses, reader, language)?
                }
            };
            let warnings = warnings(&told).iter().map(|warning| warning.view(language)).collect();
            Ok::<_, Problem>(CheckView { assessment: assessment.view(language), warnings, similar })
        })
        .await?;
    Ok(Reply::ok(view))
}

/// How many matches are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct MatchQuery {
    /// 1 to 50; 10 when left out.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// The challenges that express a like need, best first, each with why.
#[utoipa::path(tag = "challenges", params(MatchQuery), responses((status = 200, body = Matches)))]
#[get("/challenges/{id}/matches")]
async fn list_matches(
    context: Context,
    live: web::Data<Arc<Live>>,
    id: PathId<Challenge>,
    query: Query<MatchQuery>,
) -> Result<Reply<Matches>, Problem> {
    let (reader, language) = (reader(&context.caller)?, context.language);
    let limit = query.0.limit.unwrap_or(10);
    if !(1..=50).contains(&limit) {
        let detail = text!("limit skal ligge mellem 1 og 50", "limit must lie between 1 and 50");
        return Err(Problem::unfit("/limit", "out_of_range", detail));
    }
    let items = context
        .db
        .read(move |connection| {
            let found = challenge::store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            let challenge = found.ok_or_else(Problem::not_found)?;
            let likenesses = live.like(connection, &challenge.description, Some(id.0), limit)?;
            show(connection, likenesses, reader, language)
        })
        .await?;
    Ok(Reply::ok(Matches { items }))
}
