//! Outcomes over HTTP: what was realised against what was expected, as open data without persons.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, get, post};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::{Context, Scope};
use crate::kernel::csv::field;
use crate::kernel::{Fitting, Flaws, Id, Money, OrganisationId, Page, Quantity, text};
use crate::process::{self, Process};
use crate::spread::model::outcome::MONTHS;
use crate::spread::{Adoption, Figures, Outcome, OutcomeState, Report, Stage, Supplier, actions, store};
use crate::web::{Body, Paging, PathId, Problem, Query, Reply, Routes, csv, wants_csv};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(list_outcomes).service(report_outcome).service(report_outcome_for_body);
}

/// What a solution brought a body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Outcome)]
pub(super) struct OutcomeView {
    #[schema(value_type = String, format = "uuid")]
    id: Id<Outcome>,
    #[schema(value_type = String, format = "uuid")]
    process_id: Id<Process>,
    #[schema(value_type = String, format = "uuid")]
    organisation_id: OrganisationId,
    organisation: String,
    /// How many months after the purchase: 6, 12 or 24.
    #[schema(example = 12)]
    months: i32,
    expected: Figures,
    realised: Figures,
    stage: Stage,
    #[schema(required, nullable)]
    dropped_reason: Option<String>,
    #[schema(required, nullable)]
    supplier: Option<Supplier>,
    #[schema(required, nullable)]
    note: Option<String>,
    reported_at: DateTime<Utc>,
}

impl OutcomeView {
    pub(super) fn of((outcome, adoption): (Outcome, Adoption)) -> Result<Self, Problem> {
        let OutcomeState::Reported { report, reported_at, .. } = outcome.state else {
            return Err(Problem::internal(&"an outcome that was not reported"));
        };
        Ok(Self {
            id: outcome.id,
            process_id: adoption.process_id,
            organisation_id: adoption.organisation_id,
            organisation: adoption.organisation,
            months: outcome.months,
            expected: adoption.expected,
            realised: report.realised,
            stage: report.stage,
            dropped_reason: report.dropped_reason,
            supplier: report.supplier,
            note: report.note,
            reported_at,
        })
    }

    /// The columns of [`Self::csv_line`].
    const COLUMNS: &'static str = "process_id,organisation_id,organisation,months,stage,expected_hours_per_year,realised_hours_per_year,\
        expected_volume,realised_volume,volume_unit,expected_annual_value,realised_annual_value,currency,dropped_reason,\
        supplier,supplier_cvr,note,reported_at\r\n";

    fn csv_line(&self) -> String {
        let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
        let volume = |figures: &Figures| number(figures.volume.as_ref().map(|volume| volume.quantity));
        let value = |value: Option<Money>| value.map(|value| value.amount.to_string()).unwrap_or_default();
        let unit = |volume: &Option<Quantity>| volume.as_ref().map(|volume| volume.unit.clone());
        let money = self.realised.annual_value.or(self.expected.annual_value);
        let supplier =
            |part: fn(&Supplier) -> Option<&str>| self.supplier.as_ref().and_then(part).map(field).unwrap_or_default();
        let columns = [
            self.process_id.to_string(),
            self.organisation_id.to_string(),
            field(&self.organisation),
            self.months.to_string(),
            self.stage.word().to_owned(),
            number(self.expected.hours_saved_per_year),
            number(self.realised.hours_saved_per_year),
            volume(&self.expected),
            volume(&self.realised),
            field(&unit(&self.realised.volume).or(unit(&self.expected.volume)).unwrap_or_default()),
            value(self.expected.annual_value),
            value(self.realised.annual_value),
            money.map(|money| format!("{:?}", money.currency)).unwrap_or_default(),
            field(self.dropped_reason.as_deref().unwrap_or_default()),
            supplier(|supplier| Some(&supplier.name)),
            supplier(|supplier| supplier.cvr.as_deref()),
            field(self.note.as_deref().unwrap_or_default()),
            self.reported_at.to_rfc3339(),
        ];
        format!("{}\r\n", columns.join(","))
    }
}

/// What a list of outcomes may be narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    #[param(value_type = Option<String>, format = "uuid")]
    process_id: Option<Id<Process>>,
    /// Rows a page, 1 to 200; 50 when left out.
    limit: Option<i64>,
    cursor: Option<String>,
    /// `newest` (default) or `changed`: oldest change first.
    order: Option<String>,
    since: Option<String>,
}

/// What solutions brought the bodies that took them over, against what was expected, of every public process; as JSON, or as CSV by
/// `Accept: text/csv`, a page at a time (the header `Link` leads to the next).
#[utoipa::path(tag = "spread", security(()), params(ListQuery), responses((status = 200, content((Page<OutcomeView> = "application/json"),
    (String = "text/csv", example = "process_id,organisation_id,organisation,months,stage\r\n")))))]
#[get("/outcomes")]
async fn list_outcomes(
    context: Context,
    query: Query<ListQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let Query(ListQuery { process_id, limit, cursor, order, since }) = query;
    let paging = Paging { limit, cursor, order, since }.of(store::LIST)?;
    let page = context.db.read(move |connection| {
        let hidden = process::store::hidden(connection)?;
        Ok::<_, Problem>(store::reported(connection, process_id, &hidden, &paging)?)
    });
    let page = page.await?.try_map(OutcomeView::of)?;
    if !wants_csv(&request) {
        return Ok(Reply::page(page).respond_to(&request));
    }
    let lines: String = page.items.iter().map(OutcomeView::csv_line).collect();
    let text = format!("{}{lines}", OutcomeView::COLUMNS);
    let next = Reply::page(Page { items: Vec::<()>::new(), next: page.next }).respond_to(&request);
    let mut response = csv(text);
    if let Some(link) = next.headers().get("Link") {
        response.headers_mut().insert(actix_web::http::header::LINK, link.clone());
    }
    Ok(response)
}

/// A report by the link in the mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"token": "KQGT8cJ6Xnwx", "report": {"stage": "in_use", "realised": {"hours_saved_per_year": 1800.0}}}))]
struct ReportByLink {
    token: String,
    report: Report,
}

impl Fitting for ReportByLink {
    fn fit(&mut self, flaws: &mut Flaws) {
        let mut below = Flaws::default();
        self.report.fit(&mut below);
        for flaw in below.0 {
            flaws.add(&format!("/report{}", flaw.pointer), flaw.code, flaw.text);
        }
    }
}

/// Says what was realised, by the link in the mail, which works once.
#[utoipa::path(tag = "spread", security(()), request_body = ReportByLink, responses((status = 201, body = OutcomeView), (status = 410, description = "The link has expired, was used or was altered.")))]
#[post("/outcomes/report")]
async fn report_outcome(context: Context, body: Body<ReportByLink>) -> Result<Reply<OutcomeView>, Problem> {
    let ReportByLink { token, report } = body.0.into_inner();
    let report = crate::kernel::Fit::check(report)?;
    let (node, now) = (context.node.clone(), context.now);
    let done = context.db.write(move |tx| actions::report(tx, &node, now, &token, report)).await?;
    Ok(Reply::ok(OutcomeView::of(done)?).status(StatusCode::CREATED))
}

/// A report on behalf of a body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"months": 12, "report": {"stage": "ended", "dropped_reason": "Den blev for dyr i drift."}}))]
struct ReportForBody {
    /// 6, 12 or 24.
    months: i32,
    report: Report,
}

impl Fitting for ReportForBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        if !MONTHS.contains(&self.months) {
            let words = text!("Der spørges efter 6, 12 og 24 måneder", "The terms are 6, 12 and 24 months");
            flaws.add("/months", "unknown_value", words);
        }
        let mut below = Flaws::default();
        self.report.fit(&mut below);
        for flaw in below.0 {
            flaws.add(&format!("/report{}", flaw.pointer), flaw.code, flaw.text);
        }
    }
}

/// Writes down what was realised on behalf of a body, or mends what it said; by CO-PI's staff.
#[utoipa::path(tag = "spread", request_body = ReportForBody, responses((status = 201, body = OutcomeView)))]
#[post("/adoptions/{id}/outcomes")]
async fn report_outcome_for_body(
    context: Context,
    id: PathId<Adoption>,
    body: Body<ReportForBody>,
) -> Result<Reply<OutcomeView>, Problem> {
    let staff = context.caller.staff(Scope::ProcessesWrite)?;
    let ReportForBody { months, report } = body.0.into_inner();
    let report = crate::kernel::Fit::check(report)?;
    let now = context.now;
    let done = context.db.write(move |tx| actions::report_for(tx, now, &staff, id.0, months, report)).await?;
    Ok(Reply::ok(OutcomeView::of(done)?).status(StatusCode::CREATED))
}
