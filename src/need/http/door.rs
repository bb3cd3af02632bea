//! The open door of an inbox, for programs: what it asks, leaving a need, saying "det har vi også".

use actix_web::{get, http::StatusCode, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Context;
use crate::db::AnyConnection;
use crate::kernel::privacy::{Trace, Warning, traces};
use crate::kernel::{Email, Fit, Fitting, Flaws, Id, Language, Network};
use crate::need::{HowOften, Inbox, Need, Recognition, Told, actions, store};
use crate::organisation;
use crate::web::{Body, Problem, Reply};

/// How many shared needs an inbox shows.
const MOST_SHARED: i64 = 10;

/// A shared need, as anybody at the inbox sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SharedHere {
    #[schema(value_type = String, format = "uuid")]
    pub id: Id<Need>,
    #[schema(example = "Vi går fire runder hver nat, og de fleste sover.")]
    pub what: String,
    /// How many departments and bodies said that they have it too.
    pub recognitions: usize,
}

/// An inbox, as anybody sees it who has its address.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NeedsInboxAtAddress)]
pub(super) struct Door {
    #[schema(example = "Behov på natten")]
    pub title: String,
    pub asks: String,
    /// Whose inbox it is.
    #[schema(example = "Bispebjerg og Frederiksberg Hospital")]
    pub organisation: String,
    pub language: Language,
    /// Whether it takes needs.
    pub open: bool,
    /// What others left there and the body shares: say "det har vi også" to it.
    pub shared: Vec<SharedHere>,
}

/// The door at an address.
///
/// # Errors
/// 404.
pub(super) fn door(connection: &mut AnyConnection, address: &str) -> Result<Door, Problem> {
    let inbox: Inbox = store::inbox_at(connection, address)?.ok_or_else(Problem::not_found)?;
    let needs = store::shared_in(connection, inbox.id, MOST_SHARED)?;
    let ids: Vec<_> = needs.iter().map(|need| need.id).collect();
    let said = store::recognitions(connection, &ids)?;
    let shared = needs.into_iter().map(|need| SharedHere {
        id: need.id,
        recognitions: said.get(&need.id).map_or(0, Vec::len),
        what: need.told.what,
    });
    let organisation = organisation::store::find(connection, inbox.organisation_id)?;
    Ok(Door {
        title: inbox.title,
        asks: inbox.asks,
        organisation: organisation.map(|body| body.body.name).unwrap_or_default(),
        language: inbox.language,
        open: inbox.open,
        shared: shared.collect(),
    })
}

/// What an inbox asks for, and what others left there that the body shares.
#[utoipa::path(tag = "needs", security(()), responses((status = 200, body = Door)))]
#[get("/needs-inboxes/at/{address}")]
pub(super) async fn get_needs_inbox_at(context: Context, address: web::Path<String>) -> Result<Reply<Door>, Problem> {
    Ok(Reply::ok(context.db.read(move |connection| door(connection, &address)).await?))
}

/// A need, and where to tell what becomes of it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNeed, example = json!({"what": "Vi går fire runder hver nat, og de fleste sover. Mange vågner, når døren går.",
    "how_often": {"times": 4.0, "per": "day", "minutes": 10.0, "people": 2}, "who": "patienter, nattevagter",
    "today": "Vi lister og bruger lommelygte.", "department": "Kirurgisk afdeling", "email": "nat@hospital.example"}))]
pub(super) struct NewNeed {
    /// What happens; 1 to 4,000 characters, with `who` and `today` together. No markup, no CPR number.
    #[schema(min_length = 1, max_length = 4000)]
    pub what: String,
    #[serde(default)]
    pub how_often: Option<HowOften>,
    /// Whom it troubles; at most 500 characters.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub who: String,
    /// What is done about it today; at most 4,000 characters.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub today: String,
    /// Where; at most 120 characters.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub department: String,
    /// To hear what becomes of it; nobody needs to give one.
    #[serde(default)]
    #[schema(format = "email")]
    pub email: Option<String>,
    /// The language of letters; the inbox's when left out.
    #[serde(default)]
    pub language: Option<Language>,
}

impl NewNeed {
    /// What is told of the need itself.
    pub fn told(&self) -> Told {
        Told {
            what: self.what.clone(),
            how_often: self.how_often,
            who: self.who.clone(),
            today: self.today.clone(),
            department: self.department.clone(),
        }
    }
}

impl Fitting for NewNeed {
    fn fit(&mut self, flaws: &mut Flaws) {
        let mut told = self.told();
        told.fit(flaws);
        let Told { what, how_often, who, today, department } = told;
        self.email = self.email.take().filter(|email| !email.trim().is_empty());
        if let Some(email) = &mut self.email {
            flaws.email("/email", email);
        }
        *self = Self { what, how_often, who, today, department, ..self.clone() };
    }
}

/// A need that was left.
#[derive(Debug, Serialize, ToSchema)]
struct NeedReceipt {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Need>,
    left_at: DateTime<Utc>,
    /// The page that shows what becomes of it, and erases it; whoever has the link may.
    #[schema(example = "https://skala.example/api/v1/needs/follow/HgGT8cJ6")]
    follow_url: String,
    /// What in the words points to a person; ask for it to be erased by `follow_url` and leave it again without.
    warnings: Vec<Warning>,
}

/// What in a need points to a person.
pub(super) fn personal(told: &Told) -> Vec<Trace> {
    traces(&told.words())
}

/// Leaves a need in the inbox, takes a knock at its door.
///
/// # Errors
/// 404, 409 when the inbox is closed or full, 429.
pub(super) async fn leave(
    context: &Context,
    network: &Network,
    address: String,
    new: Fit<NewNeed>,
) -> Result<Need, Problem> {
    context.knock(&format!("needs/{address}"), network)?;
    let told = Fit::check(new.told())?;
    let email = new.email.as_deref().and_then(Email::parse);
    let (node, now, language) = (context.node.clone(), context.now, new.language);
    context.db.write(move |tx| actions::leave(tx, &node, now, &address, told, email, language)).await
}

/// Leaves a need, without an account and, as one likes, without a name. At most 30 at once and 3 a minute from one network.
#[utoipa::path(tag = "needs", security(()), request_body = NewNeed, responses((status = 201, body = NeedReceipt)))]
#[post("/needs-inboxes/at/{address}/needs")]
pub(super) async fn leave_need(
    context: Context,
    network: Network,
    address: web::Path<String>,
    body: Body<NewNeed>,
) -> Result<Reply<NeedReceipt>, Problem> {
    let need = leave(&context, &network, address.into_inner(), body.0).await?;
    let receipt = NeedReceipt {
        id: need.id,
        left_at: need.left_at,
        follow_url: actions::follow_url(&context, need.id, context.now),
        warnings: Warning::all(personal(&need.told), context.language),
    };
    Ok(Reply::ok(receipt).status(StatusCode::CREATED).secret())
}

/// Which department has a shared need too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewNeedRecognitionHere, example = json!({"need_id": "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e", "department": "Medicinsk afdeling", "how_often": {"times": 3.0, "per": "day", "minutes": 15.0}}))]
struct RecognisedHere {
    #[schema(value_type = String, format = "uuid")]
    need_id: Id<Need>,
    /// 1 to 120 characters; the newest word of each department counts.
    #[schema(min_length = 1, max_length = 120)]
    department: String,
    #[serde(default)]
    how_often: Option<HowOften>,
}

impl Fitting for RecognisedHere {
    fn fit(&mut self, flaws: &mut Flaws) {
        flaws.open_prose("/department", &mut self.department, 1, 120);
        if let Some(how_often) = &self.how_often {
            how_often.check(flaws);
        }
    }
}

/// Says "det har vi også" for a department, at the inbox's own address and without an account.
#[utoipa::path(tag = "needs", security(()), request_body = RecognisedHere, responses((status = 201, body = Recognition)))]
#[post("/needs-inboxes/at/{address}/recognitions")]
pub(super) async fn recognise_need_at_inbox(
    context: Context,
    network: Network,
    address: web::Path<String>,
    body: Body<RecognisedHere>,
) -> Result<Reply<Recognition>, Problem> {
    let RecognisedHere { need_id, department, how_often } = body.0.into_inner();
    context.knock(&format!("needs/{address}"), &network)?;
    let now = context.now;
    let said =
        context.db.write(move |tx| actions::recognise_at(tx, now, &address, need_id, department, how_often)).await?;
    Ok(Reply::ok(said).status(StatusCode::CREATED))
}
