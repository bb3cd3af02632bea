//! The EU's thresholds, as an operator loads them: per period of two years, kind of authority and kind of purchase.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::{Authority, Nature};
use super::store;
use crate::db::Tx;
use crate::kernel::{Currency, Flaw, Flaws, csv, text};
use crate::web::Problem;

/// Whom a threshold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdAuthority {
    State,
    SubCentral,
    Utility,
    Concession,
    All,
}

/// What a threshold is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ThresholdCategory {
    SuppliesAndServices,
    Services,
    LightServices,
    Works,
    Lots,
    Concessions,
}

impl ThresholdAuthority {
    /// The words of the list, by how they begin, and the word that stands in the database.
    const WORDS: [(Self, &'static str, &'static str); 5] = [
        (Self::State, "statslig", "state"),
        (Self::SubCentral, "regional", "sub_central"),
        (Self::Utility, "forsyningsvirksomhed", "utility"),
        (Self::Concession, "koncession", "concession"),
        (Self::All, "alle", "all"),
    ];

    fn read(written: &str) -> Option<Self> {
        let written = written.to_lowercase();
        Self::WORDS.iter().find(|(_, begins, _)| written.starts_with(begins)).map(|(one, ..)| *one)
    }

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(one, ..)| *one == self).map_or("", |(.., word)| word)
    }

    /// The authority of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(.., known)| *known == word).map(|(one, ..)| *one)
    }
}

impl ThresholdCategory {
    const WORDS: [(Self, &'static str, &'static str); 6] = [
        (Self::SuppliesAndServices, "varer og tjenesteydelser", "supplies_and_services"),
        (Self::Services, "tjenesteydelser", "services"),
        (Self::LightServices, "light-regime", "light_services"),
        (Self::Works, "bygge- og anlægsarbejder", "works"),
        (Self::Lots, "delydelser", "lots"),
        (Self::Concessions, "koncessionskontrakter", "concessions"),
    ];

    fn read(written: &str) -> Option<Self> {
        let written = written.to_lowercase();
        Self::WORDS.iter().find(|(_, begins, _)| written.starts_with(begins)).map(|(one, ..)| *one)
    }

    /// The word that stands in the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(one, ..)| *one == self).map_or("", |(.., word)| word)
    }

    /// The category of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(.., known)| *known == word).map(|(one, ..)| *one)
    }
}

/// One threshold, excluding VAT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"first_year": 2024, "last_year": 2025, "authority": "sub_central", "category": "supplies_and_services",
    "eur": 221_000, "dkk": 1_644_638, "basis": "quoted"}))]
pub struct Threshold {
    pub first_year: i32,
    pub last_year: i32,
    pub authority: ThresholdAuthority,
    pub category: ThresholdCategory,
    /// In euro; null where the list has no figure.
    #[schema(required, nullable)]
    pub eur: Option<i64>,
    /// In Danish kroner; null where the list has no figure.
    #[schema(required, nullable)]
    pub dkk: Option<i64>,
    /// How the list came to the figure.
    pub basis: String,
}

impl Threshold {
    /// The figure in this currency; none is converted.
    #[must_use]
    pub fn amount_in(&self, currency: Currency) -> Option<i64> {
        match currency {
            Currency::DKK => self.dkk,
            Currency::EUR => self.eur,
            Currency::NOK | Currency::SEK => None,
        }
    }

    /// Whether this is the threshold of such a purchase.
    #[must_use]
    pub fn is_for(&self, year: i32, authority: Authority, nature: Nature) -> bool {
        let of_authority = match self.authority {
            ThresholdAuthority::All => authority != Authority::Unknown,
            ThresholdAuthority::State => authority == Authority::State,
            ThresholdAuthority::SubCentral => authority == Authority::SubCentral,
            ThresholdAuthority::Utility => authority == Authority::Utility,
            ThresholdAuthority::Concession => false,
        };
        let of_nature = match self.category {
            ThresholdCategory::SuppliesAndServices => matches!(nature, Nature::Supplies | Nature::Services),
            ThresholdCategory::Services => nature == Nature::Services,
            ThresholdCategory::LightServices => nature == Nature::LightServices,
            ThresholdCategory::Works => nature == Nature::Works,
            ThresholdCategory::Lots | ThresholdCategory::Concessions => false,
        };
        (self.first_year..=self.last_year).contains(&year) && of_authority && of_nature
    }
}

/// Replaces the list of thresholds by that of a file with the columns period (`2024-2025`), authority, category, eur,
/// dkk_ex_vat and basis; returns how many there are.
///
/// # Errors
/// 422 for a missing or unknown column, and for each line that is none or stands there twice.
pub fn load(tx: &mut Tx<'_>, file: &str) -> Result<usize, Problem> {
    let rows = csv::read(file, &["period", "authority", "category", "eur", "dkk_ex_vat"], &["basis"])?;
    let (mut thresholds, mut seen, mut flaws) = (Vec::new(), std::collections::HashSet::new(), Flaws::default());
    for (line, row) in rows {
        match row.and_then(|row| read(&row)) {
            Ok(one) if seen.insert((one.first_year, one.authority, one.category)) => thresholds.push(one),
            Ok(_) => flaws.add(&format!("/{line}"), "twice", text!("Linjen står to gange", "The line is there twice")),
            Err(flaw) => flaws.add(&format!("/{line}{}", flaw.pointer), flaw.code, flaw.text),
        }
    }
    if !flaws.0.is_empty() {
        return Err(flaws.into());
    }
    store::replace(tx, &thresholds)?;
    Ok(thresholds.len())
}

fn read(row: &[(String, String)]) -> Result<Threshold, Flaw> {
    let field = |wanted: &str| {
        row.iter().find(|(column, _)| column == wanted).map(|(_, value)| value.trim()).unwrap_or_default()
    };
    let flaw = |place: &str, code, text| Flaw { pointer: format!("/{place}"), code, text };
    let years = field("period").split_once('-').and_then(|(first, last)| {
        let years: (i32, i32) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (years.0 <= years.1 && (1900..=9999).contains(&years.0) && years.1 <= 9999).then_some(years)
    });
    let (first_year, last_year) = years.ok_or_else(|| {
        flaw(
            "period",
            "not_a_period",
            text!("En periode er to år, fx 2024-2025", "A period is two years, e.g. 2024-2025"),
        )
    })?;
    let unknown = || text!("Ordet kendes ikke", "The word is unknown");
    let authority = ThresholdAuthority::read(field("authority"));
    let category = ThresholdCategory::read(field("category"));
    let amount = |column: &str| match field(column) {
        "" => Ok(None),
        written => {
            let amount = written.parse().ok().filter(|amount: &i64| *amount > 0);
            let not_one = || text!("Et beløb er et helt tal over 0", "An amount is a whole number above 0");
            amount.map(Some).ok_or_else(|| flaw(column, "not_an_amount", not_one()))
        }
    };
    Ok(Threshold {
        first_year,
        last_year,
        authority: authority.ok_or_else(|| flaw("authority", "unknown_value", unknown()))?,
        category: category.ok_or_else(|| flaw("category", "unknown_value", unknown()))?,
        eur: amount("eur")?,
        dkk: amount("dkk_ex_vat")?,
        basis: field("basis").chars().take(200).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn no_line_of_thresholds_breaks_the_reader(period in "([0-9]{1,5}-[0-9]{1,5}|.{0,12})", words in "(Statslig|Regional|Varer og tjenesteydelser|.{0,12})", amount in "(-?[0-9]{0,22}|.{0,8})") {
            let row = [("period", &period), ("authority", &words), ("category", &words), ("eur", &amount), ("basis", &words)];
            let row: Vec<_> = row.into_iter().map(|(column, value)| (column.to_owned(), value.clone())).collect();
            if let Ok(one) = read(&row) {
                proptest::prop_assert!(one.first_year <= one.last_year && one.eur.is_none_or(|eur| eur > 0));
            }
        }

        #[test]
        fn every_word_is_read_as_what_it_stands_for(place in 0_usize..5, other in 0_usize..6) {
            let (authority, _, word) = ThresholdAuthority::WORDS[place];
            let (category, _, kind) = ThresholdCategory::WORDS[other];
            proptest::prop_assert_eq!((authority.word(), ThresholdAuthority::from_word(word)), (word, Some(authority)));
            proptest::prop_assert_eq!((category.word(), ThresholdCategory::from_word(kind)), (kind, Some(category)));
        }
    }
}
