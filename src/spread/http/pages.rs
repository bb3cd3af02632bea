//! The page behind the link in the mail that asks what a solution brought. Showing it changes nothing; its button POSTs.

use actix_web::{get, post, web};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::access::Context;
use crate::kernel::{Currency, Fit, Flaws, Language, Money, Quantity, Text, text};
use crate::mail::Prose;
use crate::spread::actions::{self, AskedFor};
use crate::spread::{Figures, Report, Stage, Supplier};
use crate::web::{Field, HtmlPage, Problem, Routes};

pub(super) fn routes(config: &mut impl Routes) {
    config.service(show_outcome_report).service(press_outcome_report);
}

/// The page behind the link in the mail; shows what was expected and asks what was realised.
#[utoipa::path(tag = "spread", security(()), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html")))]
#[get("/outcomes/report/{token}")]
async fn show_outcome_report(context: Context, token: web::Path<String>) -> Result<HtmlPage, Problem> {
    let token = token.into_inner();
    let shown =
        asked_for(&context, token.clone()).await.map(|asked| form(&asked, &token, &ReportForm::of(&asked), None));
    HtmlPage::of(shown, context.language)
}

async fn asked_for(context: &Context, token: String) -> Result<AskedFor, Problem> {
    let (node, now) = (context.node.clone(), context.now);
    context.db.read(move |connection| actions::asked_for(connection, &node, now, &token)).await
}

/// What the page's button sends: numbers as people write them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = OutcomeForm)]
struct ReportForm {
    stage: String,
    #[serde(rename = "realised.hours_saved_per_year")]
    hours: String,
    #[serde(rename = "realised.volume.quantity")]
    volume: String,
    #[serde(rename = "realised.volume.unit")]
    unit: String,
    #[serde(rename = "realised.annual_value.amount")]
    value: String,
    dropped_reason: String,
    #[serde(rename = "supplier.name")]
    supplier: String,
    #[serde(rename = "supplier.cvr")]
    cvr: String,
    note: String,
}

/// What the page's button does: takes the report. What cannot be used comes back with what was written.
#[utoipa::path(tag = "spread", security(()), request_body(content = ReportForm, content_type = "application/x-www-form-urlencoded"), responses((status = 200, body = String, content_type = "text/html"), (status = 410, body = String, content_type = "text/html"), (status = 422, body = String, content_type = "text/html")))]
#[post("/outcomes/report/{token}")]
async fn press_outcome_report(
    context: Context,
    token: web::Path<String>,
    written: web::Form<ReportForm>,
) -> Result<HtmlPage, Problem> {
    let token = token.into_inner();
    HtmlPage::of(press(&context, token, written.into_inner()).await, context.language)
}

async fn press(context: &Context, token: String, written: ReportForm) -> Result<HtmlPage, Problem> {
    let asked = asked_for(context, token.clone()).await?;
    let report = match written.read() {
        Ok(report) => report,
        Err(flaws) => return Ok(form(&asked, &token, &written, Some(&flaws.into()))),
    };
    let (node, now, language) = (context.node.clone(), context.now, language(&asked));
    context.db.write(move |tx| actions::report(tx, &node, now, &token, report)).await?;
    let words = text!(
        "Tak. Svaret er offentligt sammen med de andres. Skriv til CO-PI, hvis noget skal rettes.",
        "Thank you. The answer is published with those of the others. Write to CO-PI if something must be mended."
    );
    let title = text!("Svaret er modtaget", "The answer is received");
    Ok(HtmlPage::new(language, title.to(language), &Prose::default().paragraph(words.to(language))))
}

fn language(asked: &AskedFor) -> Language {
    asked.adoption.contact.as_ref().map(|contact| contact.language).unwrap_or_default()
}

fn form(asked: &AskedFor, token: &str, written: &ReportForm, refused: Option<&Problem>) -> HtmlPage {
    let language = language(asked);
    let say = |text: Text| text.to(language).to_owned();
    let AskedFor { outcome, adoption, process } = asked;
    let months = outcome.months;
    let prose = Prose::default()
        .fact(say(text!("Proces", "Process")), &process.body.title)
        .fact(say(text!("Organisation", "Organisation")), &adoption.organisation)
        .fact(say(text!("Efter købet", "After the purchase")), say(text!("{months} måneder", "{months} months")));
    let expected = adoption.expected.words();
    let prose = expected
        .iter()
        .fold(prose, |prose, words| prose.fact(say(text!("I forventede", "You expected")), words.to(language)))
        .paragraph(say(text!(
            "Svaret bliver offentligt. Skriv ingen navne eller CPR-numre. Lad et felt stå tomt, hvis I ikke ved det.",
            "The answer is published. Write no names or CPR numbers. Leave a field empty if you do not know."
        )));
    let title = say(text!("Hvad kom der ud af det?", "What came of it?"));
    let page = HtmlPage::new(language, title, &prose);
    let page = match refused {
        Some(problem) => page.refused(problem),
        None => page,
    };
    let stages: Vec<(&str, String)> =
        Stage::ALL.into_iter().skip(1).map(|stage| (stage.word(), say(stage.words()))).collect();
    let stages: Vec<(&str, &str)> = stages.iter().map(|(word, words)| (*word, words.as_str())).collect();
    let labels = [
        text!("Hvor langt er I?", "How far have you come?"),
        text!("Timer frigjort om året", "Hours freed a year"),
        text!("Hvor mange bruger den (antal)", "How many use it (number)"),
        text!("… af hvad", "… of what"),
        text!("Kroner om året, uden moms", "Kroner a year, excluding VAT"),
        text!("Hvorfor blev den droppet? (kun hvis den er)", "Why was it dropped? (only if it was)"),
        text!("Leverandør", "Supplier"),
        text!("Leverandørens CVR-nummer", "The supplier's CVR number"),
        text!("Hvad bør andre vide?", "What should others know?"),
    ]
    .map(say);
    let [stage, hours, volume, unit, value, dropped, supplier, cvr, note] = &labels;
    let fields = [
        Field::Choice { name: "stage", label: stage, options: &stages, chosen: &written.stage },
        Field::Number { name: "realised.hours_saved_per_year", label: hours, value: &written.hours },
        Field::Number { name: "realised.volume.quantity", label: volume, value: &written.volume },
        Field::Line { name: "realised.volume.unit", label: unit, value: &written.unit },
        Field::Number { name: "realised.annual_value.amount", label: value, value: &written.value },
        Field::Area { name: "dropped_reason", label: dropped, value: &written.dropped_reason, most: 2000 },
        Field::Line { name: "supplier.name", label: supplier, value: &written.supplier },
        Field::Line { name: "supplier.cvr", label: cvr, value: &written.cvr },
        Field::Area { name: "note", label: note, value: &written.note, most: 4000 },
    ];
    page.form(&format!("/api/v1/outcomes/report/{token}"), &fields, &say(text!("Send svaret", "Send the answer")))
}

impl ReportForm {
    /// The empty form: only what is known already is filled in.
    fn of(asked: &AskedFor) -> Self {
        let stage = asked.adoption.stage().map(|entry| entry.stage.word()).unwrap_or_default();
        let unit = asked.adoption.expected.volume.as_ref().map(|volume| volume.unit.clone());
        Self { stage: stage.to_owned(), unit: unit.unwrap_or_default(), ..Self::default() }
    }

    fn read(&self) -> Result<Fit<Report>, Flaws> {
        let mut flaws = Flaws::default();
        let mut number = |pointer: &str, written: &str| {
            let read = number(written);
            if read.is_none() && !written.trim().is_empty() {
                flaws.add(pointer, "not_a_number", text!("Skriv et tal, fx 1.924", "Write a number, e.g. 1924"));
            }
            read
        };
        let hours_saved_per_year = number("/realised/hours_saved_per_year", &self.hours);
        let quantity = number("/realised/volume/quantity", &self.volume);
        let amount = number("/realised/annual_value/amount", &self.value);
        let unit = self.unit.trim();
        let unit = if unit.is_empty() { "stk." } else { unit }.to_owned();
        let filled = |written: &String| Some(written.trim().to_owned()).filter(|written| !written.is_empty());
        let report = Report {
            stage: Stage::from_word(&self.stage).unwrap_or(Stage::Planned),
            realised: Figures {
                hours_saved_per_year,
                volume: quantity.map(|quantity| Quantity { quantity, unit, year: None }),
                annual_value: amount.map(|amount| Money { amount: whole(amount), currency: Currency::DKK }),
            },
            dropped_reason: filled(&self.dropped_reason),
            supplier: filled(&self.supplier).map(|name| Supplier { name, cvr: filled(&self.cvr) }),
            note: filled(&self.note),
        };
        if self.supplier.trim().is_empty() && !self.cvr.trim().is_empty() {
            let words = text!("Skriv også leverandørens navn", "Name the supplier as well");
            flaws.add("/supplier/name", "required", words);
        }
        match Fit::check(report) {
            Ok(report) if flaws.0.is_empty() => Ok(report),
            Ok(_) => Err(flaws),
            Err(more) => {
                flaws.0.extend(more.0);
                Err(flaws)
            }
        }
    }
}

/// A number as people here write it: `1.924`, `1 924,5`, `1924.5`.
fn number(written: &str) -> Option<f64> {
    let written: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    let thousands = written.split('.').skip(1).all(|part| part.len() == 3) && written.contains('.');
    let plain = if written.contains(',') || thousands { written.replace('.', "").replace(',', ".") } else { written };
    plain.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The whole kroner of an amount; what no amount can be is beyond every bound and is refused there.
fn whole(amount: f64) -> i64 {
    format!("{amount:.0}").parse().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_danes_write_them() {
        for (written, wanted) in [
            ("1.924", Some(1924.0)),
            ("1 924,5", Some(1924.5)),
            ("1924.5", Some(1924.5)),
            ("1.234.567", Some(1_234_567.0)),
            ("12", Some(12.0)),
            ("mange", None),
            ("", None),
            ("inf", None),
        ] {
            assert_eq!(number(written), wanted, "{written}");
        }
        assert_eq!((whole(900_000.4), whole(1e300)), (900_000, i64::MAX));
    }
}
