//! Rounds of comments over HTTP.

use actix_web::http::StatusCode;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{LetterView, require_inside, show};
use crate::access::{Context, Scope};
use crate::kernel::{Fitting, Flaws, Id, OrganisationId};
use crate::letter_of_intent::{Comment, LetterOfIntent, actions, store};
use crate::web::{Body, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config
        .service(open_letter_comments)
        .service(close_letter_comments)
        .service(add_letter_comment)
        .service(list_letter_comments)
        .service(resolve_letter_comment);
}

/// A comment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LetterComment)]
struct CommentView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Comment>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    organisation: String,
    /// The version of the text that it speaks of.
    number: i32,
    text: String,
    said_by: String,
    said_at: DateTime<Utc>,
    /// What was done with it.
    #[schema(required, nullable)]
    resolution: Option<String>,
    #[schema(required, nullable)]
    resolved_by: Option<String>,
    #[schema(required, nullable)]
    resolved_at: Option<DateTime<Utc>>,
}

impl From<Comment> for CommentView {
    fn from(comment: Comment) -> Self {
        let (resolution, resolved_by, resolved_at) = match comment.resolution {
            Some((words, by, at)) => (Some(words), Some(by), Some(at)),
            None => (None, None, None),
        };
        Self {
            id: comment.id,
            organisation_id: comment.organisation_id,
            organisation: comment.organisation,
            number: comment.number,
            text: comment.text,
            said_by: comment.said_by,
            said_at: comment.said_at,
            resolution,
            resolved_by,
            resolved_at,
        }
    }
}

/// Until when comments are taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommentRound, example = json!({"until": "2026-12-05T11:00:00Z"}))]
struct RoundBody {
    until: DateTime<Utc>,
}
impl Fitting for RoundBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.date("/until", Some(self.until.date_naive()));
    }
}

/// Opens a round of comments for the participants, or moves its end; by CO-PI's staff.
#[utoipa::path(tag = "letters", request_body = RoundBody, responses((status = 200, body = LetterView)))]
#[post("/letters-of-intent/{id}/comments/open")]
async fn open_letter_comments(
    context: Context,
    id: PathId<LetterOfIntent>,
    body: Body<RoundBody>,
) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let (now, until) = (context.now, body.0.until);
    let opened = context.db.write(move |tx| {
        let letter = actions::take_comments(tx, now, &staff, id.0, Some(until))?;
        show(tx.connection, letter, now)
    });
    Ok(Reply::ok(opened.await?))
}

/// Closes the round of comments; by CO-PI's staff.
#[utoipa::path(tag = "letters", responses((status = 200, body = LetterView)))]
#[post("/letters-of-intent/{id}/comments/close")]
async fn close_letter_comments(context: Context, id: PathId<LetterOfIntent>) -> Result<Reply<LetterView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let closed = context.db.write(move |tx| {
        let letter = actions::take_comments(tx, now, &staff, id.0, None)?;
        show(tx.connection, letter, now)
    });
    Ok(Reply::ok(closed.await?))
}

/// What somebody says of the draft, or staff of a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CommentBody, example = json!({"text": "Punkt 4 bør nævne drift."}))]
struct CommentBody {
    /// 1 to 4,000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
}
impl Fitting for CommentBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.kept_prose("/text", &mut self.text, 1, 4000);
    }
}

/// Comments on the draft while a round is open; by members of the participating bodies.
#[utoipa::path(tag = "letters", request_body = CommentBody, responses((status = 201, body = CommentView)))]
#[post("/letters-of-intent/{id}/comments")]
async fn add_letter_comment(
    context: Context,
    id: PathId<LetterOfIntent>,
    body: Body<CommentBody>,
) -> Result<Reply<CommentView>, Problem> {
    let member = context.caller.member(Scope::ProcessesWrite)?;
    let now = context.now;
    let said = context.db.write(move |tx| actions::comment(tx, now, &member, id.0, body.0.into_inner().text)).await?;
    Ok(Reply::ok(said.into()).status(StatusCode::CREATED))
}

/// The comments on a letter.
#[derive(Debug, Serialize, ToSchema)]
struct LetterComments {
    items: Vec<CommentView>,
}

/// What was said of a draft and what was done with it, oldest first; for participants and staff.
#[utoipa::path(tag = "letters", responses((status = 200, body = LetterComments)))]
#[get("/letters-of-intent/{id}/comments")]
async fn list_letter_comments(context: Context, id: PathId<LetterOfIntent>) -> Result<Reply<LetterComments>, Problem> {
    context.caller.person(Scope::ProcessesRead)?;
    let inside = context.clone();
    let comments = context
        .db
        .read(move |connection| {
            require_inside(connection, &inside, id.0)?;
            Ok::<_, Problem>(store::comments(connection, id.0)?)
        })
        .await?;
    Ok(Reply::ok(LetterComments { items: comments.into_iter().map(CommentView::from).collect() }))
}

/// Says what was done with a comment: taken in, or why not; by CO-PI's staff.
#[utoipa::path(tag = "letters", request_body = CommentBody, responses((status = 200, body = CommentView)))]
#[post("/letter-comments/{id}/resolve")]
async fn resolve_letter_comment(
    context: Context,
    id: PathId<Comment>,
    body: Body<CommentBody>,
) -> Result<Reply<CommentView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let now = context.now;
    let done = context.db.write(move |tx| actions::resolve(tx, now, &staff, id.0, body.0.into_inner().text)).await?;
    Ok(Reply::ok(done.into()))
}
