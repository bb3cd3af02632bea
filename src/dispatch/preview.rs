//! What a filter would have brought, and what neighbouring codes would add.

use chrono::TimeDelta;

use super::Surroundings;
use crate::db::{AnyConnection, DbError};
use crate::dialogue::{self, Dialogue};
use crate::kernel::{Instant, Text};
use crate::reference::store::{Code, named};
use crate::subscription::{Filter, Hint, HintKind, Why, hints};

/// What a filter would have brought in the last 12 months.
pub struct Preview {
    /// Newest first, each with its reason.
    pub hits: Vec<(Dialogue, Why)>,
    /// Codes that would have added some, with their names where a list of them is loaded.
    pub hints: Vec<(Hint, Option<Text>)>,
}

/// Looks back 12 months from this moment.
///
/// # Errors
/// [`DbError`].
pub fn preview(connection: &mut AnyConnection, filter: &Filter, now: Instant) -> Result<Preview, DbError> {
    let mut surroundings = Surroundings::default();
    let (mut hits, mut missed) = (Vec::new(), Vec::new());
    for dialogue in dialogue::store::published_since(connection, now - TimeDelta::days(365), now)? {
        let notice = surroundings.notice_of(connection, &dialogue, &dialogue.notice)?;
        match filter.matches(&notice) {
            Some(why) => hits.push((dialogue, why)),
            None => missed.push(notice),
        }
    }
    let hints = hints(filter, &missed);
    let codes = |kind| {
        let of_kind = hints.iter().filter(move |hint| hint.kind == kind);
        of_kind.map(|hint| hint.code.clone()).collect::<Vec<_>>()
    };
    let names = named(connection, &codes(HintKind::Cpv), &codes(HintKind::Nuts))?;
    let name = |hint: &Hint| {
        let found = names.iter().find(|name| name.code == hint.code).cloned();
        found.map(|Code { label_da, label_en, .. }| Text { da: label_da, en: label_en })
    };
    let hints = hints.iter().map(|hint| (hint.clone(), name(hint))).collect();
    Ok(Preview { hits, hints })
}
