//! Written answers over HTTP.

use actix_web::http::StatusCode;
use actix_web::{get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::{Context, Scope};
use crate::dialogue::actions::{self, Written};
use crate::dialogue::{Dialogue, WrittenAnswer, store};
use crate::kernel::{Cvr, Email, Fitting, Flaws, Id, text};
use crate::web::{Body, PathId, Problem, Reply, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(add_written_answer).service(list_written_answers);
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"company": "Firma ApS", "name": "Ane Holm", "email": "ane@firma.example", "answers": ["Det kan løses i dag med …"], "confidential": "Prisen er …"}))]
pub struct WrittenAnswerBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    company: String,
    #[serde(default)]
    cvr: Option<String>,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Where the receipt goes.
    email: String,
    /// As many texts as the notice has questions, in their order, each at most 20,000 characters; one text where it
    /// has none.
    answers: Vec<String>,
    /// What is not to be shown to others; at most 20,000 characters.
    #[serde(default)]
    confidential: Option<String>,
}
impl Fitting for WrittenAnswerBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.line("/company", &mut self.company, 1, 200);
        flaws.line("/name", &mut self.name, 1, 200);
        flaws.email("/email", &mut self.email);
        flaws.count("/answers", &self.answers, 1, 50);
        for (index, answer) in self.answers.iter_mut().enumerate() {
            flaws.prose(&format!("/answers/{index}"), answer, 0, 20_000);
        }
        if let Some(confidential) = &mut self.confidential {
            flaws.prose("/confidential", confidential, 0, 20_000);
        }
        if let Some(written) = self.cvr.take() {
            match Cvr::parse(&written) {
                Some(cvr) => self.cvr = Some(cvr.to_string()),
                None => flaws.add(
                    "/cvr",
                    "not_a_cvr_number",
                    text!("Det er ikke et gyldigt CVR-nummer", "This is not a valid CVR number"),
                ),
            }
        }
    }
}

impl WrittenAnswerBody {
    /// The answer, for whoever sends it in this request.
    ///
    /// # Errors
    /// None, once it was checked.
    pub fn written(self, context: &Context) -> Result<Written, Problem> {
        let Self { company, cvr, name, email, answers, confidential } = self;
        let email = Email::parse(&email).ok_or_else(|| Problem::internal(&"an unchecked address"))?;
        let confidential = confidential.filter(|words| !words.is_empty());
        let (language, network) = (context.language, context.network.clone());
        Ok(Written { company, cvr, name, email, answers, confidential, language, network })
    }
}

/// The receipt of a written answer.
#[derive(Serialize, ToSchema)]
struct Receipt {
    #[schema(value_type = String, format = "uuid")]
    id: Id<WrittenAnswer>,
    received_at: DateTime<Utc>,
    /// Received after the answer deadline.
    late: bool,
    /// SHA-256 of company, name, email, the answers and the confidential part, each followed by a zero byte.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    receipt: String,
}

/// Answers the questions of a notice in writing, without an account. A receipt comes by mail; what arrives after the
/// deadline is marked as late.
#[utoipa::path(tag = "dialogues", security(()), request_body = WrittenAnswerBody, responses((status = 201, body = Receipt)))]
#[post("/dialogues/{id}/answers")]
async fn add_written_answer(
    context: Context,
    id: PathId<Dialogue>,
    body: Body<WrittenAnswerBody>,
) -> Result<Reply<Receipt>, Problem> {
    let written = body.0.into_inner().written(&context)?;
    let (node, now) = (context.node.clone(), context.now);
    let answer = context.db.write(move |tx| actions::receive(tx, &node, now, id.0, written)).await?;
    let receipt =
        Receipt { id: answer.id, received_at: answer.received_at, late: answer.late, receipt: answer.receipt() };
    Ok(Reply::ok(receipt).status(StatusCode::CREATED))
}

/// A written answer, as staff see it.
#[derive(Serialize, ToSchema)]
struct WrittenAnswerView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<WrittenAnswer>,
    company: String,
    #[schema(required, nullable)]
    cvr: Option<String>,
    name: String,
    email: String,
    answers: Vec<String>,
    /// Not to be shown to others.
    #[schema(required, nullable)]
    confidential: Option<String>,
    received_at: DateTime<Utc>,
    late: bool,
    receipt: String,
}

/// The written answers to a dialogue.
#[derive(Serialize, ToSchema)]
struct WrittenAnswers {
    items: Vec<WrittenAnswerView>,
}

/// The written answers to a dialogue, in the order in which they came; for CO-PI's staff.
#[utoipa::path(tag = "dialogues", responses((status = 200, body = WrittenAnswers)))]
#[get("/dialogues/{id}/answers")]
async fn list_written_answers(context: Context, id: PathId<Dialogue>) -> Result<Reply<WrittenAnswers>, Problem> {
    context.caller.staff(Scope::DialoguesWrite)?;
    let now = context.now;
    let answers = context
        .db
        .read(move |connection| {
            let dialogue = super::visible(store::find(connection, id.0, now)?, true)?;
            Ok::<_, Problem>(store::written_answers(connection, dialogue.id)?)
        })
        .await?;
    let show = |answer: WrittenAnswer| WrittenAnswerView {
        receipt: answer.receipt(),
        id: answer.id,
        company: answer.company,
        cvr: answer.cvr,
        name: answer.name,
        email: answer.email,
        answers: answer.answers,
        confidential: answer.confidential,
        received_at: answer.received_at,
        late: answer.late,
    };
    Ok(Reply::ok(WrittenAnswers { items: answers.into_iter().map(show).collect() }))
}
