//! Routes over HTTP.

use actix_web::post;
use chrono::Datelike;
use serde::Serialize;
use utoipa::ToSchema;

use super::model::advise;
use super::{Question, Questions, RouteAdvice, Threshold, Verdict, YesNo, store};
use crate::access::Context;
use crate::db::DbError;
use crate::kernel::{Language, Text, copenhagen, text};
use crate::web::{Body, Problem, Reply, Routes};

/// Mounts the slice.
pub fn routes(config: &mut impl Routes) {
    config.service(check_routes);
}

/// Something that is not known.
#[derive(Debug, Serialize, ToSchema)]
struct Missing {
    question: Question,
    #[schema(example = "Hvem ejer resultaterne?")]
    text: String,
}

/// A way to develop or buy, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Route)]
struct RouteView {
    #[schema(example = "innovation_partnership")]
    route: &'static str,
    #[schema(example = "Innovationspartnerskab")]
    title: String,
    verdict: Verdict,
    /// What it rests on.
    #[schema(example = "Udbudsloven §§ 73-79")]
    provision: String,
    speaks_for: Vec<String>,
    speaks_against: Vec<String>,
    /// What must be known before the verdict can be another.
    missing: Vec<Missing>,
}

/// The routes, candidates first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RouteAdvice)]
struct AdviceView {
    routes: Vec<RouteView>,
    /// Whether the value reaches the threshold.
    reaches_threshold: YesNo,
    /// The figure that the value was held against; null where none is loaded.
    #[schema(required, nullable)]
    threshold: Option<Threshold>,
    /// What would decide more.
    missing: Vec<Missing>,
    /// What this is worth.
    #[schema(example = "Det er vejledning, ikke juridisk rådgivning.")]
    guidance: String,
}

fn guidance() -> Text {
    text!(
        "Det er vejledning, ikke juridisk rådgivning: den bygger kun på svarene og på udbudsloven (lov nr. 1564 af 15. december 2015 med senere ændringer). Spørg indkøbsafdelingen, før I vælger.",
        "This is guidance, not legal advice: it rests on the answers alone and on udbudsloven (act no. 1564 of 15 December 2015 as amended). Ask your procurement department before you choose."
    )
}

/// Which routes may lead from a need to something new: what speaks for and against each, and what it rests on. Nothing
/// is stored. What is left out is unknown, and an unknown answer never decides.
#[utoipa::path(tag = "routes", security(()), request_body = Questions, responses((status = 200, body = AdviceView)))]
#[post("/routes/check")]
async fn check_routes(context: Context, body: Body<Questions>) -> Result<Reply<AdviceView>, Problem> {
    let asked = body.0.into_inner();
    let year = asked.begins_on.unwrap_or_else(|| copenhagen(context.now).date_naive()).year();
    let found = context.db.read(move |connection| store::find(connection, year, asked.authority, asked.nature)).await;
    let threshold = found.map_err(|error: DbError| Problem::from(error))?;
    let advice = advise(&asked, threshold.as_ref());
    let language = context.language;
    Ok(Reply::ok(AdviceView {
        routes: advice.routes.into_iter().map(|route| view(route, language)).collect(),
        reaches_threshold: advice.reaches_threshold,
        threshold,
        missing: missing(&advice.missing, language),
        guidance: guidance().to(language).to_owned(),
    }))
}

fn view(route: RouteAdvice, language: Language) -> RouteView {
    let say = |texts: &[Text]| texts.iter().map(|text| text.to(language).to_owned()).collect();
    RouteView {
        route: route.key,
        title: route.title.to(language).to_owned(),
        verdict: route.verdict,
        provision: route.provision.to(language).to_owned(),
        speaks_for: say(&route.speaks_for),
        speaks_against: say(&route.speaks_against),
        missing: missing(&route.missing, language),
    }
}

fn missing(questions: &[Question], language: Language) -> Vec<Missing> {
    let show = |question: &Question| Missing { question: *question, text: question.words().to(language).to_owned() };
    questions.iter().map(show).collect()
}
