//! An existing list of subscribers, taken over with the consent that is on record for each.
//!
//! CSV (RFC 4180) with a first line of names: `email,language,frequency,cpv,nuts,themes,consent_text,consent_at,
//! consent_source`; lists inside a field are separated by spaces.

use chrono::{DateTime, NaiveDate};

use super::{Consent, Filter, Frequency, State, Subscription, SubscriptionBody, store};
use crate::db::Tx;
use crate::kernel::{Email, Fit, Flaws, Id, Instant, Language, csv};
use crate::outbox::{Actor, Fact, Subject, record};
use crate::web::Problem;

/// One line of the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its place in the file, from 1; the names are line 1.
    pub number: u64,
    /// Who is to be subscribed, or what is wrong with the line.
    pub wish: Result<Wish, String>,
}

/// Somebody on the list.
#[derive(Clone, Debug)]
pub struct Wish {
    email: Email,
    body: SubscriptionBody,
    consent: Consent,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Added,
    /// The address has the same subscription already.
    Known,
    /// The address left this subscription; a list does not bring it back.
    Left,
}

/// Reads the list.
///
/// # Errors
/// When the first line does not name the columns.
pub fn read(text: &str) -> Result<Vec<Line>, Flaws> {
    let required = ["email", "consent_text", "consent_at", "consent_source"];
    let rows = csv::read(text, &required, &["language", "frequency", "cpv", "nuts", "themes"])?;
    let line = |(number, row): csv::Row| {
        let wish = row.map_err(|flaw| flaw.text.en).and_then(|row| {
            let field = |name: &str| {
                let found = row.iter().find(|(column, _)| column == name);
                found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
            };
            wish(&field)
        });
        Line { number, wish }
    };
    Ok(rows.into_iter().map(line).collect())
}

fn wish(field: &dyn Fn(&str) -> String) -> Result<Wish, String> {
    let email = Email::parse(&field("email")).ok_or_else(|| "email: not an address".to_owned())?;
    let language = match field("language").as_str() {
        "" => Language::Da,
        tag => Language::from_tag(tag).ok_or("language: da or en")?,
    };
    let frequency = match field("frequency").as_str() {
        "" => Frequency::Immediate,
        word => Frequency::from_word(word).ok_or("frequency: immediate, daily or weekly")?,
    };
    let list = |name| field(name).split_whitespace().map(str::to_owned).collect();
    let filter = Filter { cpv: list("cpv"), nuts: list("nuts"), themes: list("themes"), ..Filter::default() };
    let body = Fit::check(SubscriptionBody { language, frequency, filter });
    let body = body.map_err(|flaws| {
        let flaws = flaws.0.iter().map(|flaw| format!("{}: {}", flaw.pointer, flaw.text.en));
        flaws.collect::<Vec<_>>().join("; ")
    })?;
    let (text, source) = (field("consent_text"), field("consent_source"));
    if text.is_empty() || source.is_empty() {
        return Err("consent_text and consent_source: the consent must be on record".to_owned());
    }
    let at = moment(&field("consent_at"))
        .ok_or("consent_at: a date or a time, as 2025-03-01 or 2025-03-01T12:00:00+01:00")?;
    Ok(Wish { email, body: body.into_inner(), consent: Consent { text, at, source } })
}

fn moment(written: &str) -> Option<Instant> {
    let day = || NaiveDate::parse_from_str(written, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|at| at.and_utc());
    DateTime::parse_from_rfc3339(written).ok().map(|at| at.to_utc()).or_else(day)
}

/// Takes one line over: it counts as confirmed, by the consent on record.
///
/// # Errors
/// Those of the database, and a consent that lies in the future.
pub fn take(tx: &mut Tx<'_>, now: Instant, wish: Wish) -> Result<Taken, Problem> {
    let Wish { email, body, consent } = wish;
    let known = store::of_address(tx.connection, &email)?;
    if let Some(same) = known.into_iter().find(|one| one.body.filter == body.filter) {
        return match same.state {
            State::Confirmed { .. } => Ok(Taken::Known),
            State::Unsubscribed { .. } => Ok(Taken::Left),
            State::Unconfirmed => {
                let confirmed =
                    Subscription { body, consent, ..same }.in_state(State::Confirmed { confirmed_at: now }, now);
                store::update(tx, &confirmed)?;
                Ok(Taken::Added)
            }
        };
    }
    let subscription = Subscription {
        id: Id::made_at(now),
        email,
        body,
        state: State::Confirmed { confirmed_at: now },
        consent,
        created_at: now,
        updated_at: now,
        version: 1,
    };
    store::insert(tx, &subscription)?;
    record(tx, Fact::new(Subject::Subscription, subscription.id, "imported", Actor::service(), now))?;
    Ok(Taken::Added)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "email,language,frequency,cpv,nuts,themes,consent_text,consent_at,consent_source\r\n\
        ane@firma.dk,da,daily,33000000 45000000-7,DK03,,\"Ja, gerne\",2025-03-01,messe\r\n\
        ,da,daily,,,,Ja,2025-03-01,messe\r\n\
        bo@firma.dk,en,,,,,,2025-03-01,messe\r\n\
        eva@firma.dk,,,,,,\"Ja\nog tak\",2025-03-01T12:00:00+01:00,web\r\n";

    #[test]
    fn each_line_is_read_or_says_what_is_wrong_with_it() {
        let lines = read(LIST).unwrap();
        let wishes: Vec<_> = lines.iter().map(|line| (line.number, line.wish.is_ok())).collect();
        assert_eq!(wishes, [(2, true), (3, false), (4, false), (5, true)]);
        let first = lines[0].wish.clone().unwrap();
        assert_eq!(first.body.filter.cpv, ["33000000", "45000000"]);
        assert_eq!(first.consent.text, "Ja, gerne");
        let last = lines[3].wish.clone().unwrap();
        assert_eq!(
            (last.consent.text.as_str(), last.consent.at.to_rfc3339().as_str()),
            ("Ja\nog tak", "2025-03-01T11:00:00+00:00")
        );
    }

    #[test]
    fn a_list_without_consent_is_refused_whole() {
        let flaws = read("email,cpv\na@b.dk,\n").unwrap_err();
        assert_eq!(flaws.0[0].pointer, "/consent_text");
        assert!(read("").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_list_breaks_the_reader(text in ".{0,100}", cells in "[a-z@.,;\"\n 0-9:TZ-]{0,120}") {
            let _ = read(&text);
            let listed = format!("email,language,frequency,cpv,nuts,themes,consent_text,consent_at,consent_source\n{cells}");
            proptest::prop_assert!(read(&listed).unwrap().len() <= cells.lines().count() + 1);
        }

        #[test]
        fn a_moment_is_read_again_as_it_is_written(seconds in -60_000_000_000_i64..60_000_000_000, text in ".{0,30}") {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            proptest::prop_assert_eq!(moment(&at.to_rfc3339()), Some(at));
            let _ = moment(&text);
        }
    }
}
