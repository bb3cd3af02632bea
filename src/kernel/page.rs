//! Pages of a list that is read by its order of change, with opaque cursors.
//!
//! Every write transaction draws one number from the database's change counter, in the order in which
//! transactions commit. A list ordered by that number and the id can be read on from any place without
//! missing or repeating a row, however many are written meanwhile.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use utoipa::ToSchema;

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The latest change first: for people.
    #[default]
    NewestFirst,
    /// The oldest change first: for programs that follow along.
    OldestFirst,
}

/// A place in a list: after the row with this change number and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub changed: i64,
    pub id: String,
}

impl Cursor {
    /// The cursor as clients see it, bound to the list it belongs to.
    #[must_use]
    pub fn seal(&self, list: &str, direction: Direction) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", Self::list_key(list, direction), self.changed, self.id))
    }

    /// Reads a cursor of the list; `None` when it is mutilated or another list's.
    #[must_use]
    pub fn open(written: &str, list: &str, direction: Direction) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(written).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let mut parts = text.splitn(3, ':');
        let (key, changed, id) = (parts.next()?, parts.next()?, parts.next()?);
        let known = key == Self::list_key(list, direction)
            && id.len() <= 36
            && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        Some(Self { changed: changed.parse().ok()?, id: id.to_owned() }).filter(|_| known)
    }

    fn list_key(list: &str, direction: Direction) -> String {
        match direction {
            Direction::NewestFirst => format!("{list}-"),
            Direction::OldestFirst => format!("{list}+"),
        }
    }
}

/// What a client asks of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many rows, 1 to 200.
    pub limit: i64,
    pub direction: Direction,
    pub after: Option<Cursor>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last. In the feed (`order=changed`) it is never null
    /// once a row was seen: keep it and ask again later.
    #[schema(required, nullable)]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of up to `limit + 1` rows that were read: the one too many only says that there is more.
    pub fn of(list: &str, request: &PageRequest, mut rows: Vec<T>, place: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let seal = |cursor: &Cursor| cursor.seal(list, request.direction);
        let last = rows.last().map(|row| seal(&place(row)));
        let next = match request.direction {
            Direction::NewestFirst => last.filter(|_| more),
            Direction::OldestFirst => last.or_else(|| request.after.as_ref().map(seal)),
        };
        Self { items: rows, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }

    /// The same page of something else, unless one of its rows cannot be.
    ///
    /// # Errors
    /// The first row's.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page { items: self.items.into_iter().map(change).collect::<Result<_, E>>()?, next: self.next })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NewestFirst => "newest",
            Self::OldestFirst => "changed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: i64) -> Cursor {
        Cursor { changed: number, id: "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e".into() }
    }

    #[test]
    fn a_cursor_opens_only_the_list_it_was_made_for() {
        let sealed = row(7).seal("challenge", Direction::NewestFirst);
        assert_eq!(Cursor::open(&sealed, "challenge", Direction::NewestFirst), Some(row(7)));
        assert_eq!(Cursor::open(&sealed, "process", Direction::NewestFirst), None);
        assert_eq!(Cursor::open(&sealed, "challenge", Direction::OldestFirst), None);
        assert_eq!(Cursor::open("ødelagt", "challenge", Direction::NewestFirst), None);
    }

    #[test]
    fn the_last_page_has_no_next_but_a_feed_keeps_its_place() {
        let request = |direction| PageRequest { limit: 2, direction, after: None };
        let newest = request(Direction::NewestFirst);
        assert!(Page::of("x", &newest, vec![row(3), row(2), row(1)], Clone::clone).next.is_some());
        assert_eq!(Page::of("x", &newest, vec![row(3), row(2)], Clone::clone).next, None);
        assert!(Page::of("x", &request(Direction::OldestFirst), vec![row(1)], Clone::clone).next.is_some());
    }

    proptest::proptest! {
        #[test]
        fn a_cursor_says_again_what_it_was_made_of_and_no_text_breaks_its_reader(changed: i64, id in "[0-9a-f-]{0,36}", text in ".{0,60}") {
            let cursor = Cursor { changed, id };
            let sealed = cursor.seal("challenge", Direction::OldestFirst);
            proptest::prop_assert_eq!(Cursor::open(&sealed, "challenge", Direction::OldestFirst), Some(cursor));
            for written in [text.clone(), URL_SAFE_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(format!("challenge+:{text}"))] {
                let opened = Cursor::open(&written, "challenge", Direction::OldestFirst);
                proptest::prop_assert!(opened.is_none_or(|cursor| cursor.id.len() <= 36));
            }
        }
    }
}
