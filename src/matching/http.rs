//! Matching over HTTP: what a challenge is like, and how a description stands before it is registered.

use std::collections::HashSet;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{get, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::actions as verdicts;
use super::likely::{self, Like};
use super::live::{Likeness, Live};
use super::verdict::{Said, VerdictBody};
use crate::access::{Caller, Context, Role, Scope};
use crate::challenge::actions::Support;
use crate::challenge::http::{Asked, ChallengeView, ListQuery, OwnerView, SEARCH, reader, show_all};
use crate::challenge::store::{Filter, Reader};
use crate::challenge::{
    self, Challenge, Description, IdeaQuestionView, Likes, WarningView, actions, idea_questions, warnings,
};
use crate::criteria::http::AssessmentView;
use crate::db::AnyConnection;
use crate::kernel::{Cursor, Direction, Id, Language, Page, PageRequest, copenhagen, text};
use crate::organisation::store::{existing, names};
use crate::web::{Body, PathId, Problem, Query, Reply, Routes};

/// Like challenges that say something of who else has a need.
const MOST_LIKE: usize = 30;

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config
        .service(check_challenge)
        .service(list_challenges)
        .service(list_matches)
        .service(judge_match)
        .service(list_likely_bodies);
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
    /// How likely it is the same need, 0 to 1; with a verdict 1 for `same`, 0.5 for `related`, 0 for `different`.
    #[schema(minimum = 0, maximum = 1, example = 0.87)]
    score: f64,
    reasons: Vec<MatchReason>,
    /// What somebody said of the two; it stands in the score's place.
    #[schema(required, nullable)]
    verdict: Option<Said>,
}

/// Like challenges, best first.
#[derive(Debug, Serialize, ToSchema)]
struct Matches {
    items: Vec<MatchView>,
}

/// Puts names to likenesses; what the reader may not see is left out.
///
/// # Errors
/// Those of the database.
pub fn show(
    connection: &mut AnyConnection,
    likenesses: Vec<(Likeness, Option<Said>)>,
    reader: Reader,
    language: Language,
) -> Result<Vec<MatchView>, Problem> {
    let ids: Vec<_> = likenesses.iter().map(|(likeness, _)| likeness.challenge).collect();
    let challenges = challenge::store::find_all(connection, &ids)?;
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let names = names(connection, &bodies)?;
    let view = |(likeness, verdict): (Likeness, Option<Said>)| {
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
            verdict,
        })
    };
    Ok(likenesses.into_iter().filter_map(view).collect())
}

/// Lets a question about likeness wait where a node has just started and still reads what there is.
///
/// # Errors
/// 503 when that takes too long to wait for.
pub async fn filled(context: &Context, live: &Live) -> Result<(), Problem> {
    if context.db.in_time(live.filled()).await.is_some() {
        return Ok(());
    }
    let detail = text!(
        "Skala er lige startet og er ved at læse udfordringerne, så den kan endnu ikke sige, hvilke der ligner. Prøv igen om lidt",
        "Skala has just started and is reading the challenges, so it cannot tell yet which are alike. Try again in a moment"
    );
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "matching_not_ready", detail);
    Err(Problem { retry_after: Some(10), ..problem })
}

/// How a description stands before it is registered.
#[derive(Debug, Serialize, ToSchema)]
struct CheckView {
    assessment: AssessmentView,
    warnings: Vec<WarningView>,
    /// What the OPI guide asks of an idea, with what the matching knows of the answer for those who are signed in.
    questions: Vec<IdeaQuestionView>,
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
    if reader.is_some() {
        filled(&context, &live).await?;
    }
    let told = body.0;
    let view = context
        .db
        .read(move |connection| {
            let assessment = actions::assess(connection, now, owner, &told, &Support::default())?;
            let similar = match reader {
                None => Vec::new(),
                Some(reader) => {
                    let likenesses = live.like(connection, &told, None, 5)?;
                    let unsaid = likenesses.into_iter().map(|likeness| (likeness, None));
                    show(connection, unsaid.collect(), reader, language)?
                }
            };
            let warnings = warnings(&told).into_iter().map(|warning| warning.view(language)).collect();
            let others = similar.iter().map(|one| one.challenge.organisation.id).filter(|body| Some(*body) != owner);
            let others: Vec<_> = others.collect();
            let bodies = others.iter().collect::<HashSet<_>>().len();
            let likes = Likes { challenges: others.len(), bodies };
            let questions = idea_questions(&told, Some(likes)).iter().map(|question| question.view(language)).collect();
            Ok::<_, Problem>(CheckView { assessment: assessment.view(language), warnings, questions, similar })
        })
        .await?;
    Ok(Reply::ok(view))
}

/// The challenges that the caller may see: a body its own and what others share, staff all but drafts. With `q` those
/// that speak of it, best first.
#[utoipa::path(tag = "challenges", params(ListQuery), responses((status = 200, body = Page<ChallengeView>)))]
#[get("/challenges")]
async fn list_challenges(
    context: Context,
    live: web::Data<Arc<Live>>,
    query: Query<ListQuery>,
) -> Result<Reply<Page<ChallengeView>>, Problem> {
    let (reader, language) = (reader(&context.caller)?, context.language);
    let asked = query.0.asked()?;
    if matches!(asked, Asked::Sought(..)) {
        filled(&context, &live).await?;
    }
    let page = context
        .db
        .read(move |connection| {
            let Page { items, next } = match asked {
                Asked::Listed(filter, request) => challenge::store::list(connection, reader, &filter, &request)?,
                Asked::Sought(q, filter, request) => seek(connection, &live, reader, (q, filter), &request)?,
            };
            Ok::<_, Problem>(Page { items: show_all(connection, items, language)?, next })
        })
        .await?;
    Ok(Reply::page(page))
}

/// Challenges a search answers with at most.
const MOST_FOUND: usize = 200;

/// One page of a search: what speaks of it in meaning, and what has its words to the letter (drafts of the reader's
/// own among them), best first.
fn seek(
    connection: &mut AnyConnection,
    live: &Live,
    reader: Reader,
    (q, filter): (String, Filter),
    request: &PageRequest,
) -> Result<Page<Challenge>, Problem> {
    let in_meaning = live.find(connection, &q, MOST_FOUND)?;
    let ids: Vec<Id<Challenge>> = in_meaning.iter().map(|(id, _)| *id).collect();
    let mut found = challenge::store::passing(connection, reader, &filter, &ids)?;
    let all = i64::try_from(MOST_FOUND).unwrap_or(i64::MAX);
    let newest = PageRequest { limit: all, direction: Direction::NewestFirst, after: None };
    let literal = challenge::store::list(connection, reader, &Filter { q: Some(q), ..filter }, &newest)?;
    let is_literal: HashSet<Id<Challenge>> = literal.items.iter().map(|challenge| challenge.id).collect();
    found.extend(literal.items.into_iter().filter(|challenge| !ids.contains(&challenge.id)));
    let score = |challenge: &Challenge| {
        let in_meaning = in_meaning.iter().find(|(id, _)| *id == challenge.id).map_or(0.0, |(_, score)| *score);
        in_meaning.max(if is_literal.contains(&challenge.id) { 1.0 } else { 0.0 })
    };
    // Within a score the engine's order stands; what only the letters found comes after it, newest first.
    let place = |challenge: &Challenge| ids.iter().position(|id| *id == challenge.id).unwrap_or(usize::MAX);
    found.sort_by(|a, b| score(b).total_cmp(&score(a)).then_with(|| place(a).cmp(&place(b))));
    found.truncate(MOST_FOUND);
    let skipped = request.after.as_ref().map_or(0, |cursor| cursor.changed);
    let rows = found.into_iter().zip(1..).skip(usize::try_from(skipped).unwrap_or(0));
    let at = |(challenge, rank): &(Challenge, i64)| Cursor { changed: *rank, id: challenge.id.to_string() };
    Ok(Page::of(SEARCH, request, rows.collect(), at).map(|(challenge, _)| challenge))
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

impl MatchQuery {
    fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(10);
        if (1..=50).contains(&limit) {
            return Ok(limit);
        }
        let detail = text!("limit skal ligge mellem 1 og 50", "limit must lie between 1 and 50");
        Err(Problem::unfit("/limit", "out_of_range", detail))
    }
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
    let limit = query.0.limit()?;
    filled(&context, &live).await?;
    let items = context
        .db
        .read(move |connection| {
            let found = challenge::store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            let challenge = found.ok_or_else(Problem::not_found)?;
            let likenesses = live.like_stored(connection, &challenge, limit)?;
            let mut shown = show(connection, likenesses, reader, language)?;
            shown.truncate(limit);
            Ok::<_, Problem>(shown)
        })
        .await?;
    Ok(Reply::ok(Matches { items }))
}

/// Says whether two challenges are the same need, belong beside each other, or are different, and why; by the owner of
/// either or by CO-PI's staff. It stands in the score's place for these two, until somebody says otherwise.
#[utoipa::path(tag = "challenges", request_body = VerdictBody, responses((status = 201, body = Said)))]
#[post("/challenges/{id}/matches/{other_id}/verdict")]
async fn judge_match(
    context: Context,
    id: PathId<Challenge>,
    path: web::Path<(String, String)>,
    body: Body<VerdictBody>,
) -> Result<Reply<Said>, Problem> {
    let person = context.caller.person(Scope::ChallengesWrite)?.clone();
    let reader = match (person.role, person.organisation_id) {
        (Role::Facilitator | Role::Admin, _) => Reader::Staff,
        (_, Some(body)) => Reader::Body(body),
        (_, None) => return Err(Problem::unauthorized()),
    };
    let other: Id<Challenge> = path.1.parse().map_err(|_| Problem::not_found())?;
    let body = body.0.into_inner();
    let now = context.now;
    let said = context.db.write(move |tx| verdicts::judge(tx, now, (&person, reader), (id.0, other), body)).await?;
    Ok(Reply::ok(said).status(StatusCode::CREATED))
}

/// A body that probably has the need.
#[derive(Debug, Serialize, ToSchema)]
struct LikelyBody {
    organisation: OwnerView,
    /// How likely it has the need, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.74)]
    score: f32,
    reasons: Vec<LikelyReason>,
}

/// Why a body probably has the need.
#[derive(Debug, Serialize, ToSchema)]
struct LikelyReason {
    /// `registered`, `recognised`, `kind` or `region`.
    #[schema(example = "registered")]
    kind: &'static str,
    #[schema(example = "har selv registreret »Tilsyn om natten«")]
    text: String,
}

/// Bodies that probably have the need, most likely first.
#[derive(Debug, Serialize, ToSchema)]
struct LikelyBodies {
    items: Vec<LikelyBody>,
}

/// Who else probably has this: bodies by what they registered, recognised and are, each with why. The owner and those
/// who already recognised it are left out.
#[utoipa::path(tag = "challenges", params(MatchQuery), responses((status = 200, body = LikelyBodies)))]
#[get("/challenges/{id}/likely-bodies")]
async fn list_likely_bodies(
    context: Context,
    live: web::Data<Arc<Live>>,
    id: PathId<Challenge>,
    query: Query<MatchQuery>,
) -> Result<Reply<LikelyBodies>, Problem> {
    let (reader, language, limit) = (reader(&context.caller)?, context.language, query.0.limit()?);
    let today = copenhagen(context.now).date_naive();
    filled(&context, &live).await?;
    let likely = context
        .db
        .read(move |connection| {
            let found = challenge::store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            let asked = found.ok_or_else(Problem::not_found)?;
            let likenesses = live.like_stored(connection, &asked, MOST_LIKE)?;
            let scores: Vec<_> = likenesses.iter().map(|(likeness, _)| (likeness.challenge, likeness.score)).collect();
            let ids: Vec<_> = scores.iter().map(|(id, _)| *id).collect();
            let mut likes = Vec::new();
            for challenge in challenge::store::find_all(connection, &ids)? {
                let score = scores.iter().find(|(id, _)| *id == challenge.id).map_or(0.0, |(_, score)| *score);
                if score > 0.0 && challenge.stage.status().is_shared() {
                    let recognitions = challenge::store::recognitions(connection, challenge.id)?;
                    likes.push(Like { challenge, score, recognitions });
                }
            }
            let known = challenge::store::recognitions(connection, id.0)?;
            let mut likely = likely::bodies(&asked, &known, &likes, &existing(connection, today)?);
            likely.truncate(limit);
            Ok::<_, Problem>(likely)
        })
        .await?;
    let items = likely.into_iter().map(|body| LikelyBody {
        organisation: OwnerView { id: body.organisation_id, name: body.name },
        score: body.score,
        reasons: body
            .evidence
            .into_iter()
            .map(|evidence| LikelyReason { kind: evidence.kind, text: evidence.text.to(language).to_owned() })
            .collect(),
    });
    Ok(Reply::ok(LikelyBodies { items: items.collect() }))
}
