//! Events as a calendar (RFC 5545) that keeps itself up to date: an event keeps its UID, every change of it counts up
//! SEQUENCE, and what is dropped or cancelled stays in the calendar as cancelled.

use chrono::offset::LocalResult;
use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Europe::Copenhagen;

use crate::dialogue::{Event, Version, VersionKind};
use crate::kernel::{Instant, copenhagen};

/// An event through all versions of its dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    /// As it stood last.
    pub(super) event: Event,
    /// How often it changed.
    pub(super) sequence: u32,
    pub(super) changed_at: Instant,
    pub(super) cancelled: bool,
}

/// The events of all versions, oldest version first.
pub(super) fn meetings(versions: &[Version]) -> Vec<Meeting> {
    let mut all: Vec<Meeting> = Vec::new();
    for version in versions {
        let at = version.published_at;
        let ends_all = version.kind == VersionKind::Cancellation;
        for event in &version.notice.events {
            match all.iter_mut().find(|known| known.event.id == event.id) {
                Some(known) if !known.event.meets_as(event) || known.cancelled => {
                    let sequence = known.sequence + 1;
                    *known = Meeting { event: event.clone(), sequence, changed_at: at, cancelled: false };
                }
                Some(known) => known.event = event.clone(),
                None => all.push(Meeting { event: event.clone(), sequence: 0, changed_at: at, cancelled: false }),
            }
        }
        let stays = |known: &Meeting| version.notice.events.iter().any(|event| event.id == known.event.id);
        for known in &mut all {
            let over = known.event.ends_at <= at;
            if !known.cancelled && !over && (ends_all || !stays(known)) {
                known.sequence += 1;
                known.changed_at = at;
                known.cancelled = true;
            }
        }
    }
    all
}

/// A calendar, line by line.
pub(super) struct Calendar(String);

impl Calendar {
    /// A calendar without events, and the rules of Danish clocks.
    pub(super) fn new(name: &str) -> Self {
        let mut calendar = Self(String::new());
        for line in
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//CO-PI//Skala//DA", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
        {
            calendar.line(line);
        }
        calendar.text("X-WR-CALNAME", name);
        for line in [
            "BEGIN:VTIMEZONE",
            "TZID:Europe/Copenhagen",
            "BEGIN:DAYLIGHT",
            "TZOFFSETFROM:+0100",
            "TZOFFSETTO:+0200",
            "TZNAME:CEST",
            "DTSTART:19960331T020000",
            "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
            "END:DAYLIGHT",
            "BEGIN:STANDARD",
            "TZOFFSETFROM:+0200",
            "TZOFFSETTO:+0100",
            "TZNAME:CET",
            "DTSTART:19961027T030000",
            "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
            "END:STANDARD",
            "END:VTIMEZONE",
        ] {
            calendar.line(line);
        }
        calendar
    }

    /// One meeting; `host` makes its UID nobody else's.
    pub(super) fn meeting(&mut self, meeting: &Meeting, host: &str, page: &str, about: &str) {
        let Meeting { event, sequence, changed_at, cancelled } = meeting;
        let id = event.id.map(|id| id.to_string()).unwrap_or_default();
        self.line("BEGIN:VEVENT");
        self.line(&format!("UID:{id}@{host}"));
        self.line(&format!("DTSTAMP:{}", utc(*changed_at)));
        self.line(&format!("LAST-MODIFIED:{}", utc(*changed_at)));
        self.line(&format!("SEQUENCE:{sequence}"));
        self.line(&format!("DTSTART{}", local(event.starts_at)));
        self.line(&format!("DTEND{}", local(event.ends_at)));
        self.text("SUMMARY", &event.title);
        if let Some(place) = event.place.as_ref().or(event.url.as_ref()) {
            self.text("LOCATION", place);
        }
        self.text("DESCRIPTION", about);
        self.line(&format!("URL:{page}"));
        self.line(if *cancelled { "STATUS:CANCELLED" } else { "STATUS:CONFIRMED" });
        self.line("END:VEVENT");
    }

    /// The whole of it.
    pub(super) fn finish(mut self) -> String {
        self.line("END:VCALENDAR");
        self.0
    }

    fn text(&mut self, name: &str, words: &str) {
        self.line(&format!("{name}:{}", escaped(words)));
    }

    /// One line, folded so that no part of it is longer than 75 octets (§ 3.1), between characters.
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for c in line.chars() {
            if length + c.len_utf8() > 75 {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(c);
            length += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// Words as a TEXT value (§ 3.3.11).
fn escaped(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' | ';' | ',' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

fn utc(at: Instant) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// On Danish clocks; in UTC in the hour that they show twice, where a local time would not say which.
fn local(at: Instant) -> String {
    let clock: NaiveDateTime = copenhagen(at).naive_local();
    match Copenhagen.from_local_datetime(&clock) {
        LocalResult::Single(_) => format!(";TZID=Europe/Copenhagen:{}", clock.format("%Y%m%dT%H%M%S")),
        _ => format!(":{}", utc(at)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialogue::Notice;
    use crate::kernel::Id;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn event(number: u8, place: &str) -> Event {
        let id = Id::<Event>::from_bytes([number; 16]);
        serde_json::from_value(serde_json::json!({"id": id, "kind": "conference", "title": "Møde; ét, to",
            "starts_at": "2027-01-12T09:00:00Z", "ends_at": "2027-01-12T12:00:00Z", "place": place}))
        .unwrap()
    }

    fn version(number: i32, kind: VersionKind, events: Vec<Event>) -> Version {
        let notice: Notice = serde_json::from_value(serde_json::json!({"title": "T", "description": "D",
            "nature": "supplies", "answer_deadline": "2027-01-29T11:00:00Z", "contact": "Mette"}))
        .unwrap();
        Version {
            id: Id::from_bytes([1; 16]),
            dialogue_id: Id::from_bytes([2; 16]),
            number,
            kind,
            notice: Notice { events, ..notice },
            words: None,
            published_at: at("2026-11-22T08:00:00Z") + chrono::TimeDelta::hours(number.into()),
            published_by: String::new(),
        }
    }

    #[test]
    fn an_event_counts_its_changes_and_stays_as_cancelled() {
        use VersionKind::{Cancellation, Notice};
        let more_seats = Event { seats: Some(80), ..event(1, "Odense") };
        let versions = [
            version(1, Notice, vec![event(1, "Odense"), event(2, "Vejle")]),
            version(2, Notice, vec![more_seats.clone(), event(2, "Vejle")]),
            version(3, Notice, vec![Event { place: Some("Ribe".into()), ..more_seats }]),
        ];
        let told = |versions: &[Version]| {
            meetings(versions).iter().map(|one| (one.sequence, one.cancelled)).collect::<Vec<_>>()
        };
        assert_eq!(told(&versions[..2]), [(0, false), (0, false)], "seats are nobody's calendar");
        assert_eq!(told(&versions), [(1, false), (1, true)]);
        let mut ended = versions.to_vec();
        ended.push(version(4, Cancellation, versions[2].notice.events.clone()));
        assert_eq!(told(&ended), [(2, true), (1, true)]);
    }

    #[test]
    fn a_meeting_is_written_as_calendars_read_it() {
        let mut calendar = Calendar::new("Møder");
        let meeting =
            Meeting { event: event(1, "Odense"), sequence: 2, changed_at: at("2026-11-22T08:00:00Z"), cancelled: true };
        calendar.meeting(&meeting, "skala.dk", "https://skala.dk/dialogues/1", "Linje\nto");
        let calendar = calendar.finish();
        for line in [
            "UID:01010101-0101-0101-0101-010101010101@skala.dk\r\n",
            "SEQUENCE:2\r\n",
            "DTSTART;TZID=Europe/Copenhagen:20270112T100000\r\n",
            "SUMMARY:Møde\\; ét\\, to\r\n",
            "DESCRIPTION:Linje\\nto\r\n",
            "STATUS:CANCELLED\r\n",
        ] {
            assert!(calendar.contains(line), "{line}\n{calendar}");
        }
    }

    #[test]
    fn the_hour_that_danish_clocks_show_twice_is_written_in_utc() {
        assert_eq!(local(at("2026-10-25T00:30:00Z")), ":20261025T003000Z");
        assert_eq!(local(at("2026-10-25T01:30:00Z")), ":20261025T013000Z");
        assert_eq!(local(at("2026-10-25T02:00:00Z")), ";TZID=Europe/Copenhagen:20261025T030000");
        assert_eq!(local(at("2027-03-28T01:00:00Z")), ";TZID=Europe/Copenhagen:20270328T030000");
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_75_octets_and_unfolding_gives_back_what_was_said(words in "[ -~æøåÆØÅ\u{1f600}\n]{0,300}") {
            let mut calendar = Calendar(String::new());
            calendar.text("SUMMARY", &words);
            prop_assert!(calendar.0.split("\r\n").all(|line| line.len() <= 75));
            let unfolded = calendar.0.replace("\r\n ", "");
            let expected = format!("SUMMARY:{}\r\n", escaped(&words));
            prop_assert_eq!(unfolded, expected);
        }
    }
}
