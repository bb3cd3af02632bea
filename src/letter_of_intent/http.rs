//! Letters of intent over HTTP.

mod comments;
mod pages;
mod signatories;
mod templates;

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse, Responder, get, patch, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::signatories::SignatoryView;
use super::{LetterOfIntent, Signatory, Status, Words, actions, store};
use crate::access::{Context, Scope};
use crate::db::AnyConnection;
use crate::kernel::{Fitting, Flaws, Id, Instant, Language, OrganisationId, text};
use crate::outbox::{HistoryView, Subject, history};
use crate::process::http::visible;
use crate::process::{self, Process};
use crate::web::{Body, IfMatch, OptionalBody, Patch, PathId, Prefers, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    // Before the paths with an id, which would take their names for one.
    pages::routes(config);
    templates::routes(config);
    config
        .service(draft_letter_of_intent)
        .service(list_letters_of_intent)
        .service(get_letter_of_intent)
        .service(get_letter_of_intent_document)
        .service(change_letter_of_intent)
        .service(renew_letter_of_intent)
        .service(send_letter_of_intent)
        .service(withdraw_letter_of_intent)
        .service(list_letter_versions)
        .service(get_letter_of_intent_history);
    comments::routes(config);
    signatories::routes(config);
}

/// A letter of intent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterOfIntent)]
struct LetterView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<LetterOfIntent>,
    #[schema(value_type = String, format = "uuid")]
    process_id: Id<Process>,
    status: Status,
    language: Language,
    /// The template that it was made from, and its version.
    #[schema(example = "letter-of-intent")]
    template: String,
    template_version: i32,
    /// The version of the text: 1, 2, 3 …
    number: i32,
    title: String,
    text: String,
    /// Of the title, an empty line, the text and a line break: what `…/document` gives.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// The organisations that the text names.
    #[schema(value_type = Vec<String>)]
    bodies: Vec<OrganisationId>,
    /// When the first body signed; from then on the text stays.
    #[schema(required, nullable)]
    frozen_at: Option<DateTime<Utc>>,
    /// Until when participants may comment.
    #[schema(required, nullable)]
    comments_until: Option<DateTime<Utc>>,
    #[schema(required, nullable)]
    withdrawn_reason: Option<String>,
    /// Who signs: to the public those who have signed, to participants and staff everybody who is named.
    signatories: Vec<SignatoryView>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    #[serde(skip)]
    version: i64,
}

/// Who reads a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Staff,
    Participant,
    /// Anybody: only letters that somebody has signed, and only signatures.
    Public,
}

/// The reader, if the letter may be seen: before the first signature by participants and staff alone.
fn reader(connection: &mut AnyConnection, context: &Context, letter: &LetterOfIntent) -> Result<Reader, Problem> {
    visible(connection, context, letter.process_id)?;
    if context.caller.is_staff() {
        return Ok(Reader::Staff);
    }
    if process::store::is_inside(connection, letter.process_id, context.caller.body())? {
        return Ok(Reader::Participant);
    }
    if letter.frozen_at.is_some() { Ok(Reader::Public) } else { Err(Problem::not_found()) }
}

fn view(letter: LetterOfIntent, signatories: Vec<Signatory>, reader: Reader, now: Instant) -> LetterView {
    let shown = |one: &Signatory| reader != Reader::Public || matches!(one.state.word(), "signed" | "withdrawn");
    LetterView {
        signatories: signatories
            .iter()
            .filter(|one| shown(one))
            .map(|one| SignatoryView::of(one, reader == Reader::Staff, now))
            .collect(),
        id: letter.id,
        process_id: letter.process_id,
        status: letter.status,
        language: letter.language,
        template: letter.template.0,
        template_version: letter.template.1,
        number: letter.document.number,
        sha256: letter.document.sha256(),
        title: letter.document.title,
        text: letter.document.text,
        bodies: letter.bodies,
        frozen_at: letter.frozen_at,
        comments_until: letter.comments_until,
        withdrawn_reason: letter.withdrawn_reason,
        created_at: letter.created_at,
        updated_at: letter.updated_at,
        version: letter.version,
    }
}

/// The letter as staff see it after a deed.
fn show(connection: &mut AnyConnection, letter: LetterOfIntent, now: Instant) -> Result<LetterView, Problem> {
    let signatories = store::signatories::of_letter(connection, letter.id)?;
    Ok(view(letter, signatories, Reader::Staff, now))
}

/// A letter to draft.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "da"}))]
struct DraftBody {
    /// The language of the text.
    language: Language,
    /// The key of a template; the built-in one when left out.
    #[serde(default)]
    #[schema(max_length = 60)]
    template: Option<String>,
}
impl Fitting for DraftBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if let Some(key) = &mut self.template {
            flaws.line("/template", key, 1, 60);
        }
    }
}

/// Drafts a letter of intent from a template, with the bodies and figures of this moment; by CO-PI's staff.
#[utoipa::path(tag = "letters", request_body = DraftBody, responses((status = 201, body = LetterView)))]
#[post("/processes/{id}/letters-of-intent")]
async fn draft_letter_of_intent(
    context: Context,
    id: PathId<Process>,
    body: Body<DraftBody>,
) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let DraftBody { language, template } = body.0.into_inner();
    let drafted = context.db.write(move |tx| {
        let letter = actions::draft(tx, now, &staff, id.0, template, language)?;
        show(tx.connection, letter, now)
    });
    let view = drafted.await?;
    let (location, version) = (format!("/api/v1/letters-of-intent/{}", view.id), view.version);
    Ok(Reply::created(view, location).tagged(version, context.language))
}

/// The letters of a process.
#[derive(Debug, Serialize, ToSchema)]
struct LettersOfIntent {
    items: Vec<LetterView>,
}

/// The letters of intent of a process, the newest first; to the public those that somebody has signed.
#[utoipa::path(tag = "letters", security(()), responses((status = 200, body = LettersOfIntent)))]
#[get("/processes/{id}/letters-of-intent")]
async fn list_letters_of_intent(context: Context, id: PathId<Process>) -> Result<Reply<LettersOfIntent>, Problem> {
    let inside = context.clone();
    let items = context
        .db
        .read(move |connection| {
            visible(connection, &inside, id.0)?;
            let mut items = Vec::new();
            for letter in store::of_process(connection, id.0)? {
                if let Ok(reader) = reader(connection, &inside, &letter) {
                    let signatories = store::signatories::of_letter(connection, letter.id)?;
                    items.push(view(letter, signatories, reader, inside.now));
                }
            }
            Ok::<_, Problem>(items)
        })
        .await?;
    Ok(Reply::ok(LettersOfIntent { items }))
}

async fn seen(context: &Context, id: Id<LetterOfIntent>) -> Result<LetterView, Problem> {
    let inside = context.clone();
    context
        .db
        .read(move |connection| {
            let letter = actions::required(connection, id)?;
            let reader = reader(connection, &inside, &letter)?;
            let signatories = store::signatories::of_letter(connection, id)?;
            Ok(view(letter, signatories, reader, inside.now))
        })
        .await
}

/// One letter of intent, with who signed what and when: as JSON, as plain text by `Accept: text/plain`, or as a page for a
/// browser.
#[utoipa::path(tag = "letters", security(()), responses((status = 200, headers(("ETag")), content((LetterView = "application/json"),
    (String = "text/plain", example = "Fælles hensigtserklæring …"), (String = "text/html", example = "<!doctype html>")))))]
#[get("/letters-of-intent/{id}")]
async fn get_letter_of_intent(
    context: Context,
    id: PathId<LetterOfIntent>,
    prefers: Prefers,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let view = seen(&context, id.0).await?;
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/plain") {
        return Ok(plain(pages::prose(&view, context.language).text()));
    }
    let version = view.version;
    Ok(match prefers {
        Prefers::Html => pages::letter(&view, context.language).respond_to(&request),
        Prefers::Json => Reply::ok(view).tagged(version, context.language).respond_to(&request),
    })
}

fn plain(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header(("Cache-Control", "private, no-cache"))
        .insert_header(("Vary", "Accept-Language, Authorization, Accept"))
        .body(text)
}

/// The document alone, byte for byte what the SHA-256 is of: title, an empty line, text, a line break.
#[utoipa::path(tag = "letters", security(()), responses((status = 200, body = String, content_type = "text/plain", example = json!("Fælles hensigtserklæring\n\nVi vil …\n"))))]
#[get("/letters-of-intent/{id}/document")]
async fn get_letter_of_intent_document(context: Context, id: PathId<LetterOfIntent>) -> Result<HttpResponse, Problem> {
    let view = seen(&context, id.0).await?;
    Ok(plain(format!("{}\n\n{}\n", view.title, view.text)))
}

/// Changes the text, which becomes its next version; by CO-PI's staff, until the first signature. Those who have a link get
/// one to the new text.
#[utoipa::path(tag = "letters", request_body(content = Words, content_type = "application/merge-patch+json"), responses((status = 200, body = LetterView)))]
#[patch("/letters-of-intent/{id}")]
async fn change_letter_of_intent(
    context: Context,
    id: PathId<LetterOfIntent>,
    seen: IfMatch,
    patch: Patch,
) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (node, now) = (context.node.clone(), context.now);
    let changed = context.db.write(move |tx| {
        let letter = actions::change(tx, &node, now, &staff, id.0, &seen, &patch)?;
        show(tx.connection, letter, now)
    });
    let view = changed.await?;
    let version = view.version;
    Ok(Reply::ok(view).tagged(version, context.language))
}

/// Makes the text from its template anew, with the bodies and figures of now; by CO-PI's staff, until the first signature.
#[utoipa::path(tag = "letters", responses((status = 200, body = LetterView)))]
#[post("/letters-of-intent/{id}/renew")]
async fn renew_letter_of_intent(context: Context, id: PathId<LetterOfIntent>) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (node, now) = (context.node.clone(), context.now);
    let renewed = context.db.write(move |tx| {
        let letter = actions::renew(tx, &node, now, &staff, id.0)?;
        show(tx.connection, letter, now)
    });
    Ok(Reply::ok(renewed.await?))
}

/// Until when.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SigningDeadline, example = json!({"until": "2026-12-20T11:00:00Z"}))]
pub(super) struct UntilBody {
    /// Until when the links are good, at most 180 days ahead; 30 days when left out.
    #[serde(default)]
    pub(super) until: Option<DateTime<Utc>>,
}
impl Fitting for UntilBody {
    fn fit(&mut self, _: &mut Flaws) {}
}

/// Sends the letter out for signature; by CO-PI's staff. Each signatory gets a link that is for exactly this text.
#[utoipa::path(tag = "letters", request_body = Option<UntilBody>, responses((status = 200, body = LetterView)))]
#[post("/letters-of-intent/{id}/send")]
async fn send_letter_of_intent(
    context: Context,
    id: PathId<LetterOfIntent>,
    body: OptionalBody<UntilBody>,
) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (node, now) = (context.node.clone(), context.now);
    let until = body.0.and_then(|body| body.until);
    let sent = context.db.write(move |tx| {
        let letter = actions::send(tx, &node, now, &staff, id.0, until)?;
        show(tx.connection, letter, now)
    });
    Ok(Reply::ok(sent.await?))
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawalReason, example = json!({"reason": "Byrådet vil se tallene igen."}))]
pub(super) struct WhyBody {
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2000)]
    pub(super) reason: String,
}
impl Fitting for WhyBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/reason", &mut self.reason, 1, 2000);
    }
}

/// Takes the letter back; by CO-PI's staff. Links open nothing any more, and those who were asked or have signed are told.
#[utoipa::path(tag = "letters", request_body = WhyBody, responses((status = 200, body = LetterView)))]
#[post("/letters-of-intent/{id}/withdraw")]
async fn withdraw_letter_of_intent(
    context: Context,
    id: PathId<LetterOfIntent>,
    body: Body<WhyBody>,
) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (node, now) = (context.node.clone(), context.now);
    let withdrawn = context.db.write(move |tx| {
        let letter = actions::withdraw(tx, &node, now, &staff, id.0, body.0.into_inner().reason)?;
        show(tx.connection, letter, now)
    });
    Ok(Reply::ok(withdrawn.await?))
}

/// A version that the text had.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterVersion)]
struct VersionView {
    /// 1, 2, 3 …
    number: i32,
    title: String,
    text: String,
    sha256: String,
    written_by: String,
    written_at: DateTime<Utc>,
}

/// The versions of a text.
#[derive(Debug, Serialize, ToSchema)]
struct LetterVersions {
    items: Vec<VersionView>,
}

/// Every version that the text had, the newest first; for participants and staff.
#[utoipa::path(tag = "letters", responses((status = 200, body = LetterVersions)))]
#[get("/letters-of-intent/{id}/versions")]
async fn list_letter_versions(context: Context, id: PathId<LetterOfIntent>) -> Result<Reply<LetterVersions>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let inside = context.clone();
    let versions = context
        .db
        .read(move |connection| {
            require_inside(connection, &inside, id.0)?;
            Ok::<_, Problem>(store::versions(connection, id.0)?)
        })
        .await?;
    let show = |one: store::Written| VersionView {
        number: one.document.number,
        sha256: one.document.sha256(),
        title: one.document.title,
        text: one.document.text,
        written_by: one.by,
        written_at: one.at,
    };
    Ok(Reply::ok(LetterVersions { items: versions.into_iter().map(show).collect() }))
}

/// Lets only participants and staff on.
fn require_inside(connection: &mut AnyConnection, context: &Context, id: Id<LetterOfIntent>) -> Result<(), Problem> {
    let letter = actions::required(connection, id)?;
    if reader(connection, context, &letter)? == Reader::Public {
        let detail = text!("Det kan kun deltagerne se", "Only participants see this");
        return Err(Problem::forbidden(detail));
    }
    Ok(())
}

/// Who did what to a letter, when and why; for participants and staff.
#[utoipa::path(tag = "letters", responses((status = 200, body = HistoryView)))]
#[get("/letters-of-intent/{id}/history")]
async fn get_letter_of_intent_history(
    context: Context,
    id: PathId<LetterOfIntent>,
) -> Result<Reply<HistoryView>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let inside = context.clone();
    let items = context
        .db
        .read(move |connection| {
            require_inside(connection, &inside, id.0)?;
            Ok::<_, Problem>(history(connection, Subject::LetterOfIntent, id.0)?)
        })
        .await?;
    Ok(Reply::ok(HistoryView { items }))
}
