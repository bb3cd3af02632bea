//! Challenges over HTTP.

mod bulk;
mod sponsor;

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::{get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::lint::WarningView;
use super::store::{self, Filter, Reader};
use super::{
    Challenge, Description, IdeaQuestionView, Level, ReasonCode, Recognition, RecognitionBody, Stage, Status, Why,
    actions, idea_questions, warnings,
};
use crate::access::{Caller, Context, Role, Scope};
use crate::criteria::Call;
use crate::criteria::http::AssessmentView;
use crate::db::AnyConnection;
use crate::kernel::{Cpv, Fitting, Flaws, Id, Language, OrganisationId, PageRequest, text};
use crate::organisation::store::names;
use crate::outbox::{FactRow, HistoryView, Subject, history};
use crate::web::{Body, IfMatch, OptionalBody, Paging, Patch, PathId, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    // Before the paths with an id, which would take their names for one.
    bulk::routes(config);
    config
        .service(draft_challenge)
        .service(get_challenge)
        .service(change_challenge)
        .service(submit_challenge)
        .service(withdraw_challenge)
        .service(return_challenge)
        .service(approve_challenge)
        .service(decline_challenge)
        .service(recognise_challenge)
        .service(list_commitment_levels)
        .service(get_challenge_history);
    sponsor::routes(config);
}

/// The owner of a challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Owner)]
pub struct OwnerView {
    #[schema(value_type = String, format = "uuid")]
    pub id: OrganisationId,
    pub name: String,
}

/// What staff decided, or why the owner took it back.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Decision)]
struct DecisionView {
    by: String,
    at: DateTime<Utc>,
    #[schema(required, nullable)]
    reason: Option<String>,
    /// Whether it goes against the verdict.
    #[serde(rename = "override")]
    overridden: bool,
}

/// A challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Challenge)]
pub struct ChallengeView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Challenge>,
    status: Status,
    organisation: OwnerView,
    #[serde(flatten)]
    #[schema(inline)]
    description: Description,
    assessment: AssessmentView,
    /// What a reader would ask; warnings never block, but for CPR numbers.
    warnings: Vec<WarningView>,
    /// What to find out while it is an idea; with drafts and what was returned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    questions: Vec<IdeaQuestionView>,
    /// The decision that its status rests on.
    #[schema(required, nullable)]
    decision: Option<DecisionView>,
    /// The process that it is in.
    #[schema(required, nullable, format = "uuid")]
    process_id: Option<String>,
    #[schema(required, nullable)]
    submitted_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Other bodies that have it too; with a single challenge.
    #[serde(skip_serializing_if = "Option::is_none")]
    recognitions: Option<Vec<RecognitionView>>,
}

/// A body's word on another body's challenge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Recognition)]
struct RecognitionView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Recognition>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    organisation: String,
    #[serde(flatten)]
    body: RecognitionBody,
    /// What this level binds to.
    binds_to: String,
    said_by: String,
    said_at: DateTime<Utc>,
}

impl RecognitionView {
    fn of(said: Recognition, language: Language) -> Self {
        let Recognition { id, organisation_id, organisation, body, said_by, said_at } = said;
        let binds_to = body.level.meaning().to(language).to_owned();
        Self { id, organisation_id, organisation, body, binds_to, said_by, said_at }
    }
}

impl ChallengeView {
    fn of(challenge: Challenge, owners: &HashMap<OrganisationId, String>, language: Language) -> Self {
        let (by_at_why, process_id) = match challenge.stage.clone() {
            Stage::Draft | Stage::Submitted { .. } => (None, None),
            Stage::Returned { by, at, reason } | Stage::Declined { by, at, reason } => {
                (Some((by, at, Some(reason), false)), None)
            }
            Stage::Withdrawn { by, at, reason } => (Some((by, at, reason, false)), None),
            Stage::Approved(d) => (Some((d.by, d.at, d.reason, d.overridden)), None),
            Stage::Grouped { decision: d, process_id } => {
                (Some((d.by, d.at, d.reason, d.overridden)), Some(process_id))
            }
        };
        let owner = challenge.organisation_id;
        Self {
            id: challenge.id,
            status: challenge.stage.status(),
            organisation: OwnerView { id: owner, name: owners.get(&owner).cloned().unwrap_or_default() },
            assessment: challenge.assessment.view(language),
            warnings: warnings(&challenge.description).into_iter().map(|warning| warning.view(language)).collect(),
            questions: if matches!(challenge.stage, Stage::Draft | Stage::Returned { .. }) {
                idea_questions(&challenge.description, None).iter().map(|question| question.view(language)).collect()
            } else {
                Vec::new()
            },
            decision: by_at_why.map(|(by, at, reason, overridden)| DecisionView { by, at, reason, overridden }),
            process_id,
            submitted_at: challenge.submitted_at,
            created_at: challenge.created_at,
            updated_at: challenge.updated_at,
            description: challenge.description,
            recognitions: None,
        }
    }
}

/// One challenge as it is shown, with the bodies that recognise it.
fn show(
    connection: &mut AnyConnection,
    challenge: Challenge,
    language: Language,
) -> Result<(i64, ChallengeView), Problem> {
    let owners = names(connection, &[challenge.organisation_id])?;
    let said = store::recognitions(connection, challenge.id)?;
    let recognitions = Some(said.into_iter().map(|said| RecognitionView::of(said, language)).collect());
    let version = challenge.version;
    Ok((version, ChallengeView { recognitions, ..ChallengeView::of(challenge, &owners, language) }))
}

/// Several challenges as a list shows them.
///
/// # Errors
/// Those of the database.
pub fn show_all(
    connection: &mut AnyConnection,
    challenges: Vec<Challenge>,
    language: Language,
) -> Result<Vec<ChallengeView>, Problem> {
    let bodies: Vec<_> = challenges.iter().map(|challenge| challenge.organisation_id).collect();
    let owners = names(connection, &bodies)?;
    Ok(challenges.into_iter().map(|challenge| ChallengeView::of(challenge, &owners, language)).collect())
}

/// Who reads challenges: members their own and what others share, staff all but drafts.
///
/// # Errors
/// 401 for strangers, 403 for a key without the scope.
pub fn reader(caller: &Caller) -> Result<Reader, Problem> {
    let person = caller.person(Scope::ChallengesRead)?;
    match (person.role, person.organisation_id) {
        (Role::Facilitator | Role::Admin, _) => Ok(Reader::Staff),
        (_, Some(body)) => Ok(Reader::Body(body)),
        (_, None) => Err(Problem::unauthorized()),
    }
}

/// Registers a challenge as a draft of the caller's body, and assesses it.
#[utoipa::path(tag = "challenges", request_body = Description, responses((status = 201, body = ChallengeView)))]
#[post("/challenges")]
async fn draft_challenge(context: Context, body: Body<Description>) -> Result<Reply<ChallengeView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let (now, language) = (context.now, context.language);
    let drafted = context.db.write(move |tx| {
        let challenge = actions::draft(tx, now, member.organisation_id(), member.actor(), body.0)?;
        let owners = names(tx.connection, &[challenge.organisation_id])?;
        Ok::<_, Problem>((challenge, owners))
    });
    // Nobody has said anything of it yet, and its words are looked over while others write.
    let (challenge, owners) = drafted.await?;
    let version = challenge.version;
    let view = ChallengeView { recognitions: Some(Vec::new()), ..ChallengeView::of(challenge, &owners, language) };
    let location = format!("/api/v1/challenges/{}", view.id);
    Ok(Reply::created(view, location).tagged(version, language))
}

/// What a list of challenges may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    status: Option<Status>,
    #[param(value_type = Option<String>, format = "uuid")]
    organisation_id: Option<OrganisationId>,
    #[param(value_type = Option<String>, format = "uuid")]
    call_id: Option<Id<Call>>,
    theme: Option<String>,
    /// A CPV code, which covers its descendants.
    cpv: Option<String>,
    /// What is sought. The answer comes best first: challenges that speak of it in these or other words, in the other
    /// Nordic languages too, and with small slips forgiven; at most 200. With an `order` only challenges in which all
    /// the words stand, by change.
    q: Option<String>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// A list of challenges that somebody asked for.
pub enum Asked {
    /// By change.
    Listed(Filter, PageRequest),
    /// These words, best first; the filter narrows it.
    Sought(String, Filter, PageRequest),
}

/// The name of a search's list, which its cursors carry: their place is a rank.
pub const SEARCH: &str = "challenge?q";

impl ListQuery {
    /// What is asked.
    ///
    /// # Errors
    /// 422 for what is no code, or does not fit [`Paging`].
    pub fn asked(self) -> Result<Asked, Problem> {
        let ListQuery { status, organisation_id, call_id, theme, cpv, q, limit, cursor, order, since } = self;
        let not_a_code =
            || Problem::unfit("/cpv", "not_a_cpv_code", text!("Det er ikke en CPV-kode", "This is not a CPV code"));
        let cpv = cpv.map(|written| Cpv::parse(&written).ok_or_else(not_a_code)).transpose()?;
        let filter = Filter { status, organisation_id, call_id, theme, cpv, q: None };
        let is_search = order.is_none() && since.is_none();
        let paging = Paging { limit, cursor, order, since };
        match q.filter(|q| !q.trim().is_empty()) {
            Some(q) if is_search => Ok(Asked::Sought(q, filter, paging.of(SEARCH)?)),
            q => Ok(Asked::Listed(Filter { q, ..filter }, paging.of(store::LIST)?)),
        }
    }
}

/// One challenge, with its assessment and who recognises it.
#[utoipa::path(tag = "challenges", responses((status = 200, body = ChallengeView, headers(("ETag")))))]
#[get("/challenges/{id}")]
async fn get_challenge(context: Context, id: PathId<Challenge>) -> Result<Reply<ChallengeView>, Problem> {
    let (reader, language) = (reader(&context.caller)?, context.language);
    let (version, view) = context
        .db
        .read(move |connection| {
            let found = store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            show(connection, found.ok_or_else(Problem::not_found)?, language)
        })
        .await?;
    Ok(Reply::ok(view).tagged(version, language))
}

/// Changes a draft or a returned challenge; by its owner.
#[utoipa::path(tag = "challenges", request_body(content = Description, content_type = "application/merge-patch+json"), responses((status = 200, body = ChallengeView)))]
#[patch("/challenges/{id}")]
async fn change_challenge(
    context: Context,
    id: PathId<Challenge>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<ChallengeView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    done(&context, move |tx| actions::change(tx, now, &member, id.0, &seen, &patch)).await
}

/// Does a deed on a challenge and shows how it stands then.
async fn done(
    context: &Context,
    deed: impl FnOnce(&mut crate::db::Tx<'_>) -> Result<Challenge, Problem> + Send + 'static,
) -> Result<Reply<ChallengeView>, Problem> {
    let language = context.language;
    let shown = context.db.write(move |tx| {
        let challenge = deed(tx)?;
        show(tx.connection, challenge, language)
    });
    let (version, view) = shown.await?;
    Ok(Reply::ok(view).tagged(version, language))
}

/// Hands a draft or a returned challenge to CO-PI; by its owner.
#[utoipa::path(tag = "challenges", responses((status = 200, body = ChallengeView)))]
#[post("/challenges/{id}/submit")]
async fn submit_challenge(context: Context, id: PathId<Challenge>) -> Result<Reply<ChallengeView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    done(&context, move |tx| actions::submit(tx, now, member.organisation_id(), member.actor(), id.0)).await
}

/// Why, where it need not be said.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Vi har fundet en løsning"}))]
struct WithdrawalBody {
    /// At most 2,000 characters.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
}
impl Fitting for WithdrawalBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
    }
}

/// Takes a challenge back; by its owner.
#[utoipa::path(tag = "challenges", request_body = Option<WithdrawalBody>, responses((status = 200, body = ChallengeView)))]
#[post("/challenges/{id}/withdraw")]
async fn withdraw_challenge(
    context: Context,
    id: PathId<Challenge>,
    body: OptionalBody<WithdrawalBody>,
) -> Result<Reply<ChallengeView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    let reason = body.0.and_then(|body| body.into_inner().reason).filter(|reason| !reason.is_empty());
    done(&context, move |tx| actions::withdraw(tx, now, &member, id.0, reason)).await
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Hvor mange medarbejdere går runderne?", "codes": ["time_savings"]}))]
struct ReasonBody {
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// What kind of reason it is, for those who count.
    #[serde(default)]
    #[schema(max_items = 10)]
    codes: Vec<ReasonCode>,
}
impl Fitting for ReasonBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
        flaws.count("/codes", &self.codes, 0, 10);
    }
}
impl From<ReasonBody> for Why {
    fn from(ReasonBody { reason, codes }: ReasonBody) -> Self {
        Self { reason, codes }
    }
}

/// Gives a challenge back to its owner with a question, by mail too; by CO-PI's staff.
#[utoipa::path(tag = "challenges", request_body = ReasonBody, responses((status = 200, body = ChallengeView)))]
#[post("/challenges/{id}/return")]
async fn return_challenge(
    context: Context,
    id: PathId<Challenge>,
    body: Body<ReasonBody>,
) -> Result<Reply<ChallengeView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let (now, node) = (context.now, context.node.clone());
    done(&context, move |tx| actions::send_back(tx, now, &node, &staff, id.0, body.0.into_inner().into())).await
}

/// Yes, and why where it goes against the verdict.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "Borgmesteren har bekræftet mundtligt", "override": true}))]
struct ApprovalBody {
    /// At most 2,000 characters; needed with `override`.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// Approve although the verdict is not met.
    #[serde(default, rename = "override")]
    overriding: bool,
}
impl Fitting for ApprovalBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(reason) = &mut self.reason {
            flaws.kept_prose("/reason", reason, 0, 2000);
        }
    }
}

/// Approves a challenge; by CO-PI's staff. Against the verdict it takes `"override": true` and a reason.
#[utoipa::path(tag = "challenges", request_body = ApprovalBody, responses((status = 200, body = ChallengeView)))]
#[post("/challenges/{id}/approve")]
async fn approve_challenge(
    context: Context,
    id: PathId<Challenge>,
    body: Body<ApprovalBody>,
) -> Result<Reply<ChallengeView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let (now, node) = (context.now, context.node.clone());
    let ApprovalBody { reason, overriding } = body.0.into_inner();
    let reason = reason.filter(|reason| !reason.is_empty());
    done(&context, move |tx| actions::approve(tx, now, &node, &staff, id.0, reason, overriding)).await
}

/// Says no to a challenge, and why; by CO-PI's staff.
#[utoipa::path(tag = "challenges", request_body = ReasonBody, responses((status = 200, body = ChallengeView)))]
#[post("/challenges/{id}/decline")]
async fn decline_challenge(
    context: Context,
    id: PathId<Challenge>,
    body: Body<ReasonBody>,
) -> Result<Reply<ChallengeView>, Problem> {
    let staff = context.caller.staff(Scope::ChallengesWrite)?;
    let (now, node) = (context.now, context.node.clone());
    done(&context, move |tx| actions::decline(tx, now, &node, &staff, id.0, body.0.into_inner().into())).await
}

/// "Det har vi også": the caller's body says that it has the challenge too, with its own figures. A new word replaces
/// the one before it.
#[utoipa::path(tag = "challenges", request_body = RecognitionBody, responses((status = 201, body = RecognitionView)))]
#[post("/challenges/{id}/recognitions")]
async fn recognise_challenge(
    context: Context,
    id: PathId<Challenge>,
    body: Body<RecognitionBody>,
) -> Result<Reply<RecognitionView>, Problem> {
    let member = context.caller.member(Scope::ChallengesWrite)?;
    let now = context.now;
    let said = context.db.write(move |tx| actions::recognise(tx, now, &member, id.0, body.0)).await?;
    Ok(Reply::ok(RecognitionView::of(said, context.language)).status(StatusCode::CREATED))
}

/// Who did what to a challenge, when and why, with what was before and after; oldest first. A body's words before it handed
/// the challenge in are its own: of those, others see only which fields were changed.
#[utoipa::path(tag = "challenges", responses((status = 200, body = HistoryView)))]
#[get("/challenges/{id}/history")]
async fn get_challenge_history(context: Context, id: PathId<Challenge>) -> Result<Reply<HistoryView>, Problem> {
    let reader = reader(&context.caller)?;
    let items = context
        .db
        .read(move |connection| {
            let found = store::find(connection, id.0)?.filter(|challenge| reader.sees(challenge));
            let challenge = found.ok_or_else(Problem::not_found)?;
            let mut items = history(connection, Subject::Challenge, id.0)?;
            if reader != Reader::Body(challenge.organisation_id) {
                keep_private_words(&mut items, reader);
            }
            Ok::<_, Problem>(items)
        })
        .await?;
    Ok(Reply::ok(HistoryView { items }))
}

/// Takes out of a history what only the owner wrote and read: for staff until the challenge was handed in, for other
/// bodies ever.
fn keep_private_words(items: &mut [FactRow], reader: Reader) {
    let mut shared = false;
    for item in items {
        shared |= item.deed == "submitted" && reader == Reader::Staff;
        if item.deed == "changed" && !shared {
            let fields = |side: &str| item.data.get(side).and_then(serde_json::Value::as_object).into_iter().flatten();
            let mut names: Vec<&String> = fields("before").chain(fields("after")).map(|(name, _)| name).collect();
            names.sort_unstable();
            names.dedup();
            item.data = serde_json::json!({"fields": names, "assessment": item.data.get("assessment")});
        }
    }
}

/// One step of the ladder.
#[derive(Debug, Serialize, ToSchema)]
struct LevelView {
    level: Level,
    /// 0 is out, 5 is bound.
    rank: usize,
    /// What it binds a body to.
    meaning: String,
}

/// The ladder, from out to bound.
#[derive(Debug, Serialize, ToSchema)]
struct Levels {
    items: Vec<LevelView>,
}

/// How far a body can go with a challenge or a process, and what each step binds it to.
#[utoipa::path(tag = "challenges", security(()), responses((status = 200, body = Levels)))]
#[get("/commitment-levels")]
async fn list_commitment_levels(context: Context) -> Reply<Levels> {
    let language = context.language;
    let view =
        |(rank, level): (usize, Level)| LevelView { level, rank, meaning: level.meaning().to(language).to_owned() };
    Reply::ok(Levels { items: Level::ALL.into_iter().enumerate().map(view).collect() })
}
