//! Sorting needs, by the body's own people: looked at, decided on together, gathered into challenges.

use std::collections::HashMap;

use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::follow::{ChallengeOfNeed, challenge_of};
use crate::access::{Context, Scope};
use crate::challenge::Challenge;
use crate::criteria::Call;
use crate::db::AnyConnection;
use crate::kernel::{Fitting, Flaws, Id, Page, text};
use crate::need::actions::{Decision, Gathering};
use crate::need::store::{self, Filter};
use crate::need::{Inbox, Need, Recognition, State, Told, actions};
use crate::outbox::{HistoryView, Subject, history};
use crate::web::{Body, IfMatch, Paging, Patch, PathId, Problem, Query, Reply};

/// How many needs a request may name.
const MOST_NAMED: usize = 500;

/// A need, as the body sees it where it was left.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Need)]
pub struct NeedView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Need>,
    #[schema(value_type = String, format = "uuid")]
    inbox_id: Id<Inbox>,
    #[serde(flatten)]
    #[schema(inline)]
    told: Told,
    /// new, seen, gathered, answered or set_aside.
    #[schema(example = "seen")]
    state: &'static str,
    /// Since when.
    since: DateTime<Utc>,
    /// Who brought it there; empty while it is new.
    by: String,
    /// The answer, or why it was set aside.
    #[schema(required, nullable)]
    reason: Option<String>,
    #[schema(required, nullable)]
    challenge: Option<ChallengeOfNeed>,
    /// Whether departments and other bodies see its words.
    shared: bool,
    /// Whether whoever left it gave an address and hears of it; the address itself is shown to nobody.
    followed: bool,
    /// Who has it too.
    recognitions: Vec<Recognition>,
    left_at: DateTime<Utc>,
}

impl NeedView {
    pub(super) fn of(need: Need, challenge: Option<ChallengeOfNeed>, recognitions: Vec<Recognition>) -> Self {
        let reason = match &need.state {
            State::Answered { answer: words } | State::SetAside { reason: words } => Some(words.clone()),
            State::New | State::Seen | State::Gathered { .. } => None,
        };
        Self {
            id: need.id,
            inbox_id: need.inbox_id,
            state: need.state.word(),
            since: need.state_at,
            by: need.state_by,
            reason,
            challenge,
            shared: need.shared,
            followed: need.email.is_some(),
            recognitions,
            left_at: need.left_at,
            told: need.told,
        }
    }

    /// Several needs.
    ///
    /// # Errors
    /// Those of the database.
    pub(super) fn all(connection: &mut AnyConnection, needs: Vec<Need>) -> Result<Vec<Self>, Problem> {
        let ids: Vec<_> = needs.iter().map(|need| need.id).collect();
        let mut said = store::recognitions(connection, &ids)?;
        let mut views = Vec::with_capacity(needs.len());
        let mut challenges: HashMap<Id<Challenge>, Option<ChallengeOfNeed>> = HashMap::new();
        for need in needs {
            let challenge = match need.state {
                State::Gathered { challenge_id } => match challenges.get(&challenge_id) {
                    Some(known) => known.clone(),
                    None => {
                        let found = challenge_of(connection, &need)?;
                        challenges.entry(challenge_id).or_insert(found).clone()
                    }
                },
                _ => None,
            };
            let recognitions = said.remove(&need.id).unwrap_or_default();
            views.push(Self::of(need, challenge, recognitions));
        }
        Ok(views)
    }
}

fn one(connection: &mut AnyConnection, need: Need) -> Result<(i64, NeedView), Problem> {
    let version = need.version;
    let challenge = challenge_of(connection, &need)?;
    let said = store::recognitions(connection, &[need.id])?.remove(&need.id).unwrap_or_default();
    Ok((version, NeedView::of(need, challenge, said)))
}

/// Where a need may stand.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NeedState)]
enum StateWord {
    New,
    Seen,
    Gathered,
    Answered,
    SetAside,
}

impl StateWord {
    fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Seen => "seen",
            Self::Gathered => "gathered",
            Self::Answered => "answered",
            Self::SetAside => "set_aside",
        }
    }
}

/// What a list of needs may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(value_type = Option<String>, format = "uuid")]
    inbox_id: Option<Id<Inbox>>,
    #[param(inline)]
    state: Option<StateWord>,
    /// The challenge that they were gathered into.
    #[param(value_type = Option<String>, format = "uuid")]
    challenge_id: Option<Id<Challenge>>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// The needs that were left with the caller's body.
#[utoipa::path(tag = "needs", params(ListQuery), responses((status = 200, body = Page<NeedView>)))]
#[get("/needs")]
pub(super) async fn list_needs(context: Context, query: Query<ListQuery>) -> Result<Reply<Page<NeedView>>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let Query(ListQuery { inbox_id, state, challenge_id, limit, cursor, order, since }) = query;
    let request = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let filter = Filter { inbox_id, state: state.map(StateWord::word), challenge_id };
    let page = context.db.read(move |connection| {
        let Page { items, next } = store::list(connection, body, &filter, &request)?;
        Ok::<_, Problem>(Page { items: NeedView::all(connection, items)?, next })
    });
    Ok(Reply::page(page.await?))
}

/// One need of the caller's body.
#[utoipa::path(tag = "needs", responses((status = 200, body = NeedView, headers(("ETag")))))]
#[get("/needs/{id}")]
pub(super) async fn get_need(context: Context, id: PathId<Need>) -> Result<Reply<NeedView>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let found = context.db.read(move |connection| {
        let need = actions::own(connection, body, id.0)?;
        one(connection, need)
    });
    let (version, view) = found.await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// What can be changed of a need.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NeedChange, example = json!({"what": "En beboer vågner, når døren går.", "shared": true}))]
#[expect(dead_code, reason = "only says what the patch may hold; it is applied to what was told")]
struct ChangeBody {
    #[serde(flatten)]
    #[schema(inline)]
    told: Told,
    /// Whether departments and other bodies see its words.
    shared: bool,
}

/// Changes the words of a need, as to take out what points to a person, or shares it with departments and other bodies.
/// The words before are not kept.
#[utoipa::path(tag = "needs", request_body(content = ChangeBody, content_type = "application/merge-patch+json"), responses((status = 200, body = NeedView)))]
#[patch("/needs/{id}")]
pub(super) async fn change_need(
    context: Context,
    id: PathId<Need>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<NeedView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    let changed = context.db.write(move |tx| {
        let need = actions::change(tx, now, &member, id.0, &seen, patch)?;
        one(tx.connection, need)
    });
    let (version, view) = changed.await?;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// Who did what to a need, when and why; oldest first.
#[utoipa::path(tag = "needs", responses((status = 200, body = HistoryView)))]
#[get("/needs/{id}/history")]
pub(super) async fn get_need_history(context: Context, id: PathId<Need>) -> Result<Reply<HistoryView>, Problem> {
    let body = context.caller.member(Scope::ChallengesRead)?.organisation_id();
    let items = context.db.read(move |connection| {
        actions::own(connection, body, id.0)?;
        Ok::<_, Problem>(history(connection, Subject::Need, id.0)?)
    });
    Ok(Reply::ok(HistoryView { items: items.await? }))
}

/// What to do with needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NeedVerb)]
enum Verb {
    /// They were looked at, or are taken up again.
    See,
    Answer,
    SetAside,
}

/// A decision on needs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedDecision, example = json!({"need_ids": ["0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e"], "decision": "answer", "words": "Dørene får nye pakninger i marts."}))]
struct DecisionBody {
    /// 1 to 500.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 500)]
    need_ids: Vec<Id<Need>>,
    decision: Verb,
    /// The answer, or why they are set aside: 1 to 2,000 characters, which those who left an address read.
    #[serde(default)]
    #[schema(max_length = 2000)]
    words: String,
}

impl Fitting for DecisionBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        each_once(&mut self.need_ids, flaws);
        flaws.kept_prose("/words", &mut self.words, usize::from(self.decision != Verb::See), 2000);
    }
}

fn each_once(ids: &mut Vec<Id<Need>>, flaws: &mut Flaws) {
    flaws.count("/need_ids", ids, 1, MOST_NAMED);
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
}

/// The needs that were decided on.
#[derive(Debug, Serialize, ToSchema)]
struct DecidedNeeds {
    items: Vec<NeedView>,
}

/// Decides on needs of the caller's body, all or none: looked at, answered, or set aside. Those who left an address hear of it.
#[utoipa::path(tag = "needs", request_body = DecisionBody, responses((status = 200, body = DecidedNeeds)))]
#[post("/needs/decisions")]
pub(super) async fn decide_needs(context: Context, body: Body<DecisionBody>) -> Result<Reply<DecidedNeeds>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let DecisionBody { need_ids, decision, words } = body.0.into_inner();
    let decision = match decision {
        Verb::See => Decision::See,
        Verb::Answer => Decision::Answer(words),
        Verb::SetAside => Decision::SetAside(words),
    };
    let (node, now) = (context.node.clone(), context.now);
    let decided = context.db.write(move |tx| {
        let needs = actions::decide(tx, &node, now, &member, &need_ids, &decision)?;
        NeedView::all(tx.connection, needs)
    });
    Ok(Reply::ok(DecidedNeeds { items: decided.await? }))
}

/// Needs that become one challenge: a new draft with a title, or one that is being written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedGathering, example = json!({"need_ids": ["0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4f"], "title": "Natlige tilsyn vækker patienterne", "theme": "velfærdsteknologi"}))]
struct GatheringBody {
    /// 1 to 500.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 500)]
    need_ids: Vec<Id<Need>>,
    /// Of the new challenge; 1 to 200 characters. Left out when `challenge_id` is given.
    #[serde(default)]
    #[schema(max_length = 200)]
    title: String,
    /// Of the new challenge; at most 80 characters.
    #[serde(default)]
    #[schema(max_length = 80)]
    theme: String,
    /// The call that the new challenge answers.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    call_id: Option<Id<Call>>,
    /// A challenge of the body that is still being written: it keeps its words and gets these needs behind it.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    challenge_id: Option<Id<Challenge>>,
}

impl Fitting for GatheringBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        each_once(&mut self.need_ids, flaws);
        flaws.line("/title", &mut self.title, usize::from(self.challenge_id.is_none()), 200);
        flaws.line("/theme", &mut self.theme, 0, 80);
        let more = !self.title.is_empty() || !self.theme.is_empty() || self.call_id.is_some();
        if self.challenge_id.is_some() && more {
            let detail = text!(
                "En udfordring, der allerede findes, beholder sine ord",
                "A challenge that is there already keeps its words"
            );
            flaws.add("/challenge_id", "with_more", detail);
        }
    }
}

/// Where the needs went.
#[derive(Debug, Serialize, ToSchema)]
struct GatheredNeeds {
    #[schema(value_type = String, format = "uuid")]
    challenge_id: Id<Challenge>,
    title: String,
    /// How many needs stand behind it now.
    needs: usize,
}

/// Gathers needs of the caller's body into one challenge. A new draft is filled in from what they tell: the problem in their
/// words, hours a year and scale from their figures, as an estimate. Those who left an address hear of it.
#[utoipa::path(tag = "needs", request_body = GatheringBody, responses((status = 201, body = GatheredNeeds)))]
#[post("/needs/gather")]
pub(super) async fn gather_needs(context: Context, body: Body<GatheringBody>) -> Result<Reply<GatheredNeeds>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let GatheringBody { need_ids, title, theme, call_id, challenge_id } = body.0.into_inner();
    let into = challenge_id.map_or(Gathering::Draft { title, theme, call_id }, Gathering::Into);
    let (node, now) = (context.node.clone(), context.now);
    let gathered = context.db.write(move |tx| {
        let challenge = actions::gather(tx, &node, now, &member, &need_ids, into)?;
        let needs = store::behind(tx.connection, &[challenge.id])?.len();
        Ok::<_, Problem>(GatheredNeeds { challenge_id: challenge.id, title: challenge.description.title, needs })
    });
    let gathered = gathered.await?;
    let location = format!("/api/v1/challenges/{}", gathered.challenge_id);
    Ok(Reply::created(gathered, location))
}
