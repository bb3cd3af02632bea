//! Templates of letters of intent over HTTP.

use actix_web::{get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::{Context, Scope};
use crate::kernel::text;
use crate::letter_of_intent::{Template, TemplateBody, actions, store};
use crate::web::{Body, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(list_letter_templates).service(add_letter_template_version);
}

/// Templates.
#[derive(Debug, Serialize, ToSchema)]
struct LetterTemplates {
    items: Vec<Template>,
}

/// Every version of every template for letters of intent, by key and then the newest first.
#[utoipa::path(tag = "letters", security(()), responses((status = 200, body = LetterTemplates)))]
#[get("/letter-templates")]
async fn list_letter_templates(context: Context) -> Result<Reply<LetterTemplates>, Problem> {
    Ok(Reply::ok(LetterTemplates { items: context.db.read(store::templates).await? }))
}

/// Adds the next version of a template, or the first of a new one; by CO-PI's staff. Letters made before keep theirs.
#[utoipa::path(tag = "letters", request_body = TemplateBody, responses((status = 201, body = Template)))]
#[post("/letter-templates/{key}/versions")]
async fn add_letter_template_version(
    context: Context,
    key: web::Path<String>,
    body: Body<TemplateBody>,
) -> Result<Reply<Template>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let key = key.into_inner();
    let sound =
        (1..=60).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !sound {
        let detail = text!("En nøgle er små bogstaver, cifre og -", "A key is small letters, digits and -");
        return Err(Problem::unfit("", "not_a_key", detail));
    }
    let now = context.now;
    let added = context.db.write(move |tx| actions::add_template_version(tx, now, &staff, &key, body.0)).await?;
    Ok(Reply::created(added, "/api/v1/letter-templates".to_owned()))
}
