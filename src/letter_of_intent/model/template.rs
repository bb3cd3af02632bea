//! The template of a letter of intent: words with places in them, in both languages, in versions.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{Fitting, Flaws, Language, Money, Quantity, Text, figure, hours_text, text};
use crate::process::demand::Figures;

/// The key of the template that is built in.
pub const KEY: &str = "letter-of-intent";

/// The places that each part may have, in double braces.
const IN_TEXT: [&str; 5] = ["process", "summary", "bodies", "demand", "date"];
const IN_ADDENDUM: [&str; 6] = ["process", "body", "figures", "date", "frozen_on", "sha256"];
const IN_DECLARATION: [&str; 4] = ["process", "summary", "body", "date"];

/// What is told of a version of a template. Places stand in double braces: `{{process}}`, `{{summary}}`, `{{bodies}}` (a
/// line each with its figures), `{{demand}}` and `{{date}}` in the text; `{{body}}`, `{{figures}}`, `{{frozen_on}}` and `{{sha256}}`
/// besides in the addendum; `{{body}}` in the declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LetterTemplateBody, example = json!({"title_da": "Hensigtserklæring: {{process}}", "title_en": "Letter of intent: {{process}}",
    "text_da": "Vi vil løse det sammen.\n\n{{bodies}}", "text_en": "We intend to solve it together.\n\n{{bodies}}",
    "addendum_da": "{{body}} tiltræder erklæringen {{sha256}}.", "addendum_en": "{{body}} accedes to the letter {{sha256}}.",
    "declaration_da": "{{body}} støtter processen.", "declaration_en": "{{body}} supports the process."}))]
pub struct TemplateBody {
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title_da: String,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub title_en: String,
    /// 1 to 20,000 characters.
    #[schema(min_length = 1, max_length = 20_000)]
    pub text_da: String,
    /// 1 to 20,000 characters.
    #[schema(min_length = 1, max_length = 20_000)]
    pub text_en: String,
    /// What a body signs that comes after the text was frozen; it names the text by `{{sha256}}`.
    #[schema(min_length = 1, max_length = 6000)]
    pub addendum_da: String,
    #[schema(min_length = 1, max_length = 6000)]
    pub addendum_en: String,
    /// What a supporter signs.
    #[schema(min_length = 1, max_length = 6000)]
    pub declaration_da: String,
    #[schema(min_length = 1, max_length = 6000)]
    pub declaration_en: String,
}

impl Fitting for TemplateBody {
    fn fit(&mut self, flaws: &mut Flaws) {
        for (pointer, title) in [("/title_da", &mut self.title_da), ("/title_en", &mut self.title_en)] {
            flaws.line(pointer, title, 1, 200);
            check_places(pointer, title, &["process"], flaws);
        }
        let parts: [(&str, &mut String, usize, &[&str]); 6] = [
            ("/text_da", &mut self.text_da, 20_000, &IN_TEXT),
            ("/text_en", &mut self.text_en, 20_000, &IN_TEXT),
            ("/addendum_da", &mut self.addendum_da, 6000, &IN_ADDENDUM),
            ("/addendum_en", &mut self.addendum_en, 6000, &IN_ADDENDUM),
            ("/declaration_da", &mut self.declaration_da, 6000, &IN_DECLARATION),
            ("/declaration_en", &mut self.declaration_en, 6000, &IN_DECLARATION),
        ];
        for (pointer, part, most, places) in parts {
            flaws.prose(pointer, part, 1, most);
            check_places(pointer, part, places, flaws);
            if pointer.starts_with("/addendum") && !part.contains("{{sha256}}") {
                let words = text!("Tillægget skal nævne {{{{sha256}}}}", "The addendum must name {{{{sha256}}}}");
                flaws.add(pointer, "missing_place", words);
            }
        }
    }
}

fn check_places(pointer: &str, words: &str, known: &[&str], flaws: &mut Flaws) {
    for rest in words.split("{{").skip(1) {
        let place = rest.split("}}").next().unwrap_or_default();
        if !known.contains(&place) {
            let (place, known) = (place.chars().take(40).collect::<String>(), known.join(", "));
            let words = text!(
                "Pladsen {place} kendes ikke; kendte er {known}",
                "The place {place} is unknown; known are {known}"
            );
            flaws.add(pointer, "unknown_place", words);
        }
    }
}

/// One version of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LetterTemplate)]
pub struct Template {
    #[schema(example = "letter-of-intent")]
    pub key: String,
    pub version: i32,
    #[serde(flatten)]
    pub body: TemplateBody,
}

/// The templates that are version 1 of themselves and need no row.
#[must_use]
pub fn built_in() -> Vec<Template> {
    let words = |words: &str| words.trim().to_owned();
    let body = TemplateBody {
        title_da: "Fælles hensigtserklæring: {{process}}".to_owned(),
        title_en: "Joint letter of intent: {{process}}".to_owned(),
        text_da: words(include_str!("../template/text.da.txt")),
        text_en: words(include_str!("../template/text.en.txt")),
        addendum_da: words(include_str!("../template/addendum.da.txt")),
        addendum_en: words(include_str!("../template/addendum.en.txt")),
        declaration_da: words(include_str!("../template/declaration.da.txt")),
        declaration_en: words(include_str!("../template/declaration.en.txt")),
    };
    vec![Template { key: KEY.to_owned(), version: 1, body }]
}

/// The words with each place filled. What is put in is not looked at for places again.
#[must_use]
pub fn render(words: &str, places: &[(&str, &str)]) -> String {
    let mut parts = words.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once("}}").unwrap_or((part, ""));
        out.push_str(places.iter().find(|(name, _)| *name == place).map_or("", |(_, filled)| filled));
        out.push_str(rest);
    }
    out
}

/// What a body wants, in words; that figures follow where it said none.
#[must_use]
pub fn figures(said: Option<&Figures>, language: Language) -> String {
    let mut parts = Vec::new();
    for Quantity { quantity, unit, year } in said.into_iter().flat_map(|said| &said.volumes) {
        let quantity = figure(quantity);
        let quantity = quantity.to(language);
        let year = year.map(|year| text!(" i {year}", " in {year}").to(language).to_owned()).unwrap_or_default();
        parts.push(format!("{quantity} {unit}{year}"));
    }
    if let Some(hours) = said.and_then(|said| said.hours) {
        let Text { da, en } = hours_text(hours.per_year);
        parts.push(text!("{da} frigivet om året", "{en} freed a year").to(language).to_owned());
    }
    if let Some(value) = said.and_then(|said| said.annual_value) {
        let value = money(value, language);
        parts.push(text!("{value} om året", "{value} a year").to(language).to_owned());
    }
    if let Some(value) = said.and_then(|said| said.option_value) {
        let value = money(value, language);
        parts.push(text!("option på op til {value}", "an option of up to {value}").to(language).to_owned());
    }
    if parts.is_empty() {
        return text!("tal følger", "figures follow").to(language).to_owned();
    }
    parts.join("; ")
}

fn money(Money { amount, currency }: Money, language: Language) -> String {
    let amount = figure(amount);
    let amount = amount.to(language);
    let note = text!("ekskl. moms", "excl. VAT");
    format!("{amount} {currency:?} {}", note.to(language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Fit;
    use crate::process::demand::Hours;

    #[test]
    fn the_built_in_template_is_fit() {
        for template in built_in() {
            assert_eq!(Fit::check(template.body.clone()).unwrap().into_inner(), template.body);
        }
    }

    #[test]
    fn a_place_that_nobody_fills_is_refused() {
        let mut body = built_in().remove(0).body;
        body.text_da = "Vi {{vil}} {{bodies".into();
        body.addendum_en = "We join.".into();
        let flaws = Fit::check(body).unwrap_err().0;
        let found: Vec<_> = flaws.iter().map(|flaw| (flaw.pointer.as_str(), flaw.code)).collect();
        assert_eq!(found, [("/text_da", "unknown_place"), ("/addendum_en", "missing_place")]);
    }

    #[test]
    fn what_is_put_in_stays_words() {
        assert_eq!(render("{{a}} og {{b}}.", &[("a", "{{b}}"), ("b", "to")]), "{{b}} og to.");
    }

    #[test]
    fn figures_are_written_as_the_language_writes_them() {
        let volumes = vec![
            Quantity { quantity: 1600.5, unit: "plejeboliger".into(), year: None },
            Quantity { quantity: 20.0, unit: "hjem".into(), year: Some(2028) },
        ];
        let hours = Some(Hours { per_year: 1.0, working_year: 1924.0 });
        let said = Figures { volumes, annual_value: Some(Money::dkk(2_000_000)), option_value: None, hours };
        assert_eq!(
            figures(Some(&said), Language::Da),
            "1.600,5 plejeboliger; 20 hjem i 2028; 1 time frigivet om året; 2.000.000 DKK ekskl. moms om året"
        );
        assert_eq!(
            figures(Some(&said), Language::En),
            "1,600.5 plejeboliger; 20 hjem in 2028; 1 hour freed a year; 2,000,000 DKK excl. VAT a year"
        );
        assert_eq!(figures(None, Language::Da), "tal følger");
    }
}
