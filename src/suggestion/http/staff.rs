//! Suggestions on CO-PI's desk: beside their likely twins, and from there to a body or aside.

use std::sync::Arc;

use actix_web::{get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Context, Scope};
use crate::challenge::http::{OwnerView, reader};
use crate::challenge::store::Reader;
use crate::challenge::{self, Challenge, Description};
use crate::criteria::Call;
use crate::db::AnyConnection;
use crate::kernel::{Email, Fitting, Flaws, Id, Language, OrganisationId, Page};
use crate::matching::http::{MatchView, filled, show as show_matches};
use crate::matching::live::{Live, shelved};
use crate::matching::need::Need;
use crate::organisation::store::names;
use crate::suggestion::store::{self, Filter};
use crate::suggestion::{State, Suggestion, Told, actions};
use crate::web::{Body, Paging, PathId, Problem, Query, Reply};

/// How many of a call's suggestions are compared with one: the newest.
const MOST_COMPARED: i64 = 500;
/// How many twins are shown of each kind.
const MOST_TWINS: usize = 5;
/// What is less likely than this to be the same is no twin.
const LEAST: f32 = 0.2;

/// A suggestion.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallSuggestion)]
pub(super) struct SuggestionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Suggestion>,
    #[schema(value_type = String, format = "uuid")]
    call_id: Id<Call>,
    #[serde(flatten)]
    #[schema(inline)]
    told: Told,
    /// waiting, invited, accepted or set_aside.
    #[schema(example = "waiting")]
    state: &'static str,
    /// Since when.
    since: DateTime<Utc>,
    /// Why it was set aside.
    #[schema(required, nullable)]
    reason: Option<String>,
    /// The body that is invited, or owns it.
    #[schema(required, nullable)]
    organisation: Option<OwnerView>,
    /// What it became.
    #[schema(value_type = Option<String>, required, nullable, format = "uuid")]
    challenge_id: Option<Id<Challenge>>,
    left_at: DateTime<Utc>,
}

/// Several suggestions.
fn views(connection: &mut AnyConnection, suggestions: Vec<Suggestion>) -> Result<Vec<SuggestionView>, Problem> {
    let body = |state: &State| match state {
        State::Invited { organisation_id } | State::Accepted { organisation_id, .. } => Some(*organisation_id),
        _ => None,
    };
    let bodies: Vec<OrganisationId> = suggestions.iter().filter_map(|one| body(&one.state)).collect();
    let names = names(connection, &bodies)?;
    let view = |one: Suggestion| SuggestionView {
        id: one.id,
        call_id: one.call_id,
        state: one.state.word(),
        since: one.state_at,
        organisation: body(&one.state).map(|id| OwnerView { id, name: names.get(&id).cloned().unwrap_or_default() }),
        challenge_id: match &one.state {
            State::Accepted { challenge_id, .. } => Some(*challenge_id),
            _ => None,
        },
        reason: match one.state {
            State::SetAside { reason } => Some(reason),
            _ => None,
        },
        left_at: one.left_at,
        told: one.told,
    };
    Ok(suggestions.into_iter().map(view).collect())
}

/// The word for a state that staff see.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SuggestionState)]
pub(super) enum StateWord {
    Waiting,
    Invited,
    Accepted,
    SetAside,
}

impl StateWord {
    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Invited => "invited",
            Self::Accepted => "accepted",
            Self::SetAside => "set_aside",
        }
    }
}

/// What a list of suggestions may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    #[param(value_type = Option<String>, format = "uuid")]
    call_id: Option<Id<Call>>,
    #[param(inline)]
    state: Option<StateWord>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// What was suggested to calls and confirmed; for CO-PI's staff.
#[utoipa::path(tag = "suggestions", params(ListQuery), responses((status = 200, body = Page<SuggestionView>)))]
#[get("/suggestions")]
pub(super) async fn list_suggestions(
    context: Context,
    query: Query<ListQuery>,
) -> Result<Reply<Page<SuggestionView>>, Problem> {
    context.caller.staff(Scope::ChallengesRead)?;
    let Query(ListQuery { call_id, state, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let filter = Filter { call_id, state: state.map(StateWord::word) };
    let page = context.db.read(move |connection| {
        let Page { items, next } = store::list(connection, &filter, &request)?;
        Ok::<_, Problem>(Page { items: views(connection, items)?, next })
    });
    Ok(Reply::page(page.await?))
}

/// A suggestion to the same call that is likely the same.
#[derive(Debug, Serialize, ToSchema)]
struct SuggestionTwin {
    suggestion: SuggestionView,
    /// How likely it is the same, 0 to 1.
    #[schema(minimum = 0, maximum = 1, example = 0.71)]
    score: f32,
}

/// A suggestion, with what is likely the same.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SuggestionWithTwins {
    #[serde(flatten)]
    #[schema(inline)]
    suggestion: SuggestionView,
    /// Challenges that bodies share, best first.
    similar_challenges: Vec<MatchView>,
    /// Suggestions to the same call, best first; for CO-PI's staff.
    similar_suggestions: Vec<SuggestionTwin>,
}

/// One suggestion with its likely twins; for CO-PI's staff, and for the body that is invited or owns it.
#[utoipa::path(tag = "suggestions", responses((status = 200, body = SuggestionWithTwins, headers(("ETag")))))]
#[get("/suggestions/{id}")]
pub(super) async fn get_suggestion(
    context: Context,
    live: web::Data<Arc<Live>>,
    id: PathId<Suggestion>,
) -> Result<Reply<SuggestionWithTwins>, Problem> {
    let (reader, language) = (reader(&context.caller)?, context.language);
    filled(&context, &live).await?;
    let found = context.db.read(move |connection| {
        let suggestion = actions::confirmed(connection, id.0)?;
        let theirs = |body| match suggestion.state {
            State::Invited { organisation_id } | State::Accepted { organisation_id, .. } => organisation_id == body,
            _ => false,
        };
        if matches!(reader, Reader::Body(body) if !theirs(body)) {
            return Err(Problem::not_found());
        }
        let version = suggestion.version;
        with_twins(connection, &live, suggestion, reader, language).map(|view| (version, view))
    });
    let (version, view) = found.await?;
    Ok(Reply::ok(view).tagged(version, language))
}

fn with_twins(
    connection: &mut AnyConnection,
    live: &Live,
    suggestion: Suggestion,
    reader: Reader,
    language: Language,
) -> Result<SuggestionWithTwins, Problem> {
    let told = Description {
        affected_users: suggestion.told.who.clone(),
        language: suggestion.language.tag().to_owned(),
        ..Description::of(String::new(), suggestion.told.what.clone())
    };
    let likenesses = live.like(connection, &told, None, MOST_TWINS)?;
    let unsaid = likenesses.into_iter().map(|likeness| (likeness, None)).collect();
    let similar_challenges = show_matches(connection, unsaid, reader, language)?;
    let similar_suggestions = match reader {
        Reader::Staff => twins(connection, &suggestion)?,
        Reader::Body(_) => Vec::new(),
    };
    let own = views(connection, vec![suggestion])?.into_iter().next();
    let own = own.ok_or_else(|| Problem::internal(&"a suggestion without a view"))?;
    Ok(SuggestionWithTwins { suggestion: own, similar_challenges, similar_suggestions })
}

fn twins(connection: &mut AnyConnection, suggestion: &Suggestion) -> Result<Vec<SuggestionTwin>, Problem> {
    let mut others = store::of_call(connection, suggestion.call_id, MOST_COMPARED)?;
    if others.iter().all(|other| other.id != suggestion.id) {
        others.push(suggestion.clone());
    }
    let need = |one: &Suggestion| Need::from_text(&one.told.what, None);
    let index = shelved(others.iter().map(|other| (other.id, need(other))))?;
    let mut twins = Vec::new();
    for found in index.like(&suggestion.id, MOST_TWINS) {
        let twin = others.iter().find(|other| other.id == found.key && found.score >= LEAST);
        let view = views(connection, twin.cloned().into_iter().collect())?.pop();
        twins.extend(
            view.map(|suggestion| SuggestionTwin { suggestion, score: (found.score * 1000.0).round() / 1000.0 }),
        );
    }
    Ok(twins)
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestionInvitation, example = json!({"organisation_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "note": "I nævnte det selv på mødet i Odense."}))]
pub(super) struct InviteBody {
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    /// Whom to write to; the body's people with an account when left out.
    #[serde(default)]
    #[schema(format = "email")]
    email: Option<String>,
    /// Some words to the body; at most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
    /// The language of the letter; Danish when left out.
    #[serde(default)]
    language: Language,
}

impl Fitting for InviteBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(email) = &mut self.email {
            flaws.email("/email", email);
        }
        flaws.kept_prose("/note", &mut self.note, 0, 2000);
    }
}

async fn one(context: &Context, suggestion: Result<Suggestion, Problem>) -> Result<Reply<SuggestionView>, Problem> {
    let suggestion = suggestion?;
    let version = suggestion.version;
    let view = context.db.read(move |connection| views(connection, vec![suggestion])).await?.pop();
    let view = view.ok_or_else(|| Problem::internal(&"a suggestion without a view"))?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// Invites a body to own a suggestion, by mail with a link that answers; by CO-PI's staff. A new invitation overtakes the one
/// before.
#[utoipa::path(tag = "suggestions", request_body = InviteBody, responses((status = 200, body = SuggestionView)))]
#[post("/suggestions/{id}/invite")]
pub(super) async fn invite_to_suggestion(
    context: Context,
    id: PathId<Suggestion>,
    body: Body<InviteBody>,
) -> Result<Reply<SuggestionView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let InviteBody { organisation_id, email, note, language } = body.0.into_inner();
    let email = email.as_deref().and_then(Email::parse);
    let (node, now) = (context.node.clone(), context.now);
    let invited = context
        .db
        .write(move |tx| actions::invite(tx, &node, now, &staff, id.0, organisation_id, (email, &note, language)))
        .await;
    one(&context, invited).await
}

/// Why CO-PI does not go on with it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuggestionSetAside, example = json!({"reason": "Det er løst: borgerens indlæggelse vises nu i kørelisten."}))]
pub(super) struct SetAsideBody {
    /// 1 to 2,000 characters; whoever suggested it reads them.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

impl Fitting for SetAsideBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Sets a suggestion aside; by CO-PI's staff. Whoever made it hears why.
#[utoipa::path(tag = "suggestions", request_body = SetAsideBody, responses((status = 200, body = SuggestionView)))]
#[post("/suggestions/{id}/set-aside")]
pub(super) async fn set_suggestion_aside(
    context: Context,
    id: PathId<Suggestion>,
    body: Body<SetAsideBody>,
) -> Result<Reply<SuggestionView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let (now, reason) = (context.now, body.0.into_inner().reason);
    let aside = context.db.write(move |tx| actions::set_aside(tx, now, &staff, id.0, reason)).await;
    one(&context, aside).await
}

/// Suggestions.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ChallengeSuggestions {
    items: Vec<SuggestionView>,
}

/// The suggestions that a challenge grew from, for whoever sees the challenge.
#[utoipa::path(tag = "suggestions", responses((status = 200, body = ChallengeSuggestions)))]
#[get("/challenges/{id}/suggestions")]
pub(super) async fn list_challenge_suggestions(
    context: Context,
    id: PathId<Challenge>,
) -> Result<Reply<ChallengeSuggestions>, Problem> {
    let reader = reader(&context.caller)?;
    let items = context.db.read(move |connection| {
        let found = challenge::store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
        found.ok_or_else(Problem::not_found)?;
        let grown_from = store::behind(connection, id.0)?;
        views(connection, grown_from)
    });
    Ok(Reply::ok(ChallengeSuggestions { items: items.await? }))
}
