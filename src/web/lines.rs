//! Streams of lines: bytes in, whole lines out, results back, and never more than a few lines in memory.
//!
//! A line that cannot be read is answered like any other and harms none: one that is too long is passed over without
//! being kept, one in another encoding is refused by itself, and a stream that breaks off says so at its end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::web::{Bytes, Payload};
use futures_core::Stream;
use serde::Serialize;
use tokio::sync::mpsc;
use utoipa::ToSchema;

use super::Problem;
use crate::kernel::{Flaw, Language, text};

/// The media type of a JSON value a line.
pub const NDJSON: &str = "application/x-ndjson";
/// The longest line that is taken, in bytes.
pub const MAX_LINE: usize = 1024 * 1024;
/// How many lines share one write.
const BATCH: usize = 100;
/// How many bytes of lines share one write at most.
const BATCH_BYTES: usize = 2 * MAX_LINE;
/// How many flaws of one line are told.
const MAX_FLAWS: usize = 10;
/// How many batches of results wait for a client that sends everything before it reads anything.
const PATIENCE: usize = 256;

/// One line of a stream, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1, empty lines too.
    pub number: u64,
    pub text: Result<String, Flaw>,
}

/// Cuts a stream into lines. CRLF and a byte order mark are taken off; empty lines are counted and passed over.
#[derive(Debug, Default)]
pub struct Lines {
    number: u64,
    pending: Vec<u8>,
    overflows: bool,
}

fn flaw(code: &'static str, text: crate::kernel::Text) -> Flaw {
    Flaw { pointer: String::new(), code, text }
}

impl Lines {
    /// Takes the next bytes, and gives the lines that are whole by now.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (head, rest) = bytes.split_at(end);
            self.keep(head);
            lines.extend(self.cut());
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
        lines
    }

    /// The end of the stream: its last line, which needs no line break, unless the stream broke off.
    #[must_use]
    pub fn end(mut self, whole: bool) -> Option<Line> {
        if !whole {
            let words = text!(
                "Filen blev afbrudt her. Linjerne før er behandlet; send resten igen",
                "The stream broke off here. The lines before were carried out; send the rest again"
            );
            return Some(Line { number: self.number + 1, text: Err(flaw("truncated", words)) });
        }
        if self.pending.is_empty() && !self.overflows { None } else { self.cut() }
    }

    fn keep(&mut self, part: &[u8]) {
        if self.overflows || self.pending.len() + part.len() > MAX_LINE {
            self.overflows = true;
            self.pending = Vec::new();
        } else {
            self.pending.extend_from_slice(part);
        }
    }

    fn cut(&mut self) -> Option<Line> {
        self.number += 1;
        let number = self.number;
        let mut bytes = mem::take(&mut self.pending);
        if mem::take(&mut self.overflows) {
            let words = text!("En linje må højst fylde 1 MiB", "A line may be at most 1 MiB");
            return Some(Line { number, text: Err(flaw("line_too_long", words)) });
        }
        if number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let text = String::from_utf8(bytes).map_err(|_| flaw("not_utf8", not_utf8()));
        let blank = text.as_ref().is_ok_and(|text| text.trim().is_empty());
        (!blank).then(|| Line { number, text: text.map(|text| text.trim_end_matches('\r').to_owned()) })
    }
}

/// What is said of a text in another encoding.
pub(crate) fn not_utf8() -> crate::kernel::Text {
    text!(
        "Teksten er ikke UTF-8 (måske ISO-8859-1); gem filen som UTF-8",
        "The text is not UTF-8 (perhaps ISO-8859-1); save the file as UTF-8"
    )
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineStatus {
    /// It was stored.
    Created,
    /// It would have been stored; this was a dry run.
    Valid,
    /// It was not, and nothing of it remains.
    Error,
}

/// What became of one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"line": 3, "status": "error", "errors": [{"pointer": "/title", "code": "required", "detail": "Feltet skal udfyldes"}]}))]
pub struct LineResult {
    /// Counted from 1, empty lines too.
    #[schema(minimum = 1)]
    pub line: u64,
    pub status: LineStatus,
    /// What it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, format = "uuid")]
    pub id: Option<String>,
    /// What is wrong with it; the first ten.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<LineFlaw>,
}

/// One thing that is wrong with a line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineFlaw {
    /// Where (RFC 6901); empty for the line as a whole.
    pub pointer: String,
    pub code: &'static str,
    pub detail: String,
}

impl LineFlaw {
    /// What is wrong, place by place; the first ten.
    #[must_use]
    pub fn all(problem: &Problem, language: Language) -> Vec<Self> {
        let told = |flaw: &Flaw| LineFlaw {
            pointer: flaw.pointer.clone(),
            code: flaw.code,
            detail: flaw.text.to(language).to_owned(),
        };
        let mut errors: Vec<LineFlaw> = problem.errors.iter().take(MAX_FLAWS).map(told).collect();
        if errors.is_empty() {
            errors.push(told(&Flaw { pointer: String::new(), code: problem.code, text: problem.detail.clone() }));
        }
        errors
    }
}

impl LineResult {
    /// The line was stored under this id.
    #[must_use]
    pub fn created(line: u64, id: String) -> Self {
        Self { line, status: LineStatus::Created, id: Some(id), errors: Vec::new() }
    }

    /// The line could have been stored.
    #[must_use]
    pub fn valid(line: u64) -> Self {
        Self { line, status: LineStatus::Valid, id: None, errors: Vec::new() }
    }

    /// The line was not stored, because of this.
    #[must_use]
    pub fn error(line: u64, problem: &Problem, language: Language) -> Self {
        if let Some(cause) = &problem.cause {
            tracing::error!(line, code = problem.code, %cause, "a line was not stored");
        }
        Self { line, status: LineStatus::Error, id: None, errors: LineFlaw::all(problem, language) }
    }

    /// The line was no line.
    #[must_use]
    pub fn unreadable(line: u64, flaw: Flaw, language: Language) -> Self {
        let mut flaws = crate::kernel::Flaws::default();
        flaws.0.push(flaw);
        Self::error(line, &flaws.into(), language)
    }

    /// As a line of the answer.
    #[must_use]
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// Lines waiting for a write that they share.
#[derive(Debug, Default)]
pub struct Batches {
    lines: VecDeque<Line>,
}

impl Batches {
    /// Adds lines.
    pub fn add(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.lines.extend(lines);
    }

    /// The next batch: a full one, or at the end whatever is left.
    pub fn next(&mut self, end: bool) -> Option<Vec<Line>> {
        let mut bytes = 0;
        let size = |line: &Line| line.text.as_ref().map_or(0, String::len);
        let room = |line: &&Line| {
            bytes += size(line);
            bytes <= BATCH_BYTES
        };
        let fitting = self.lines.iter().take(BATCH).take_while(room).count().max(1);
        let full = fitting == BATCH || fitting < self.lines.len();
        (!self.lines.is_empty() && (full || end)).then(|| self.lines.drain(..fitting).collect())
    }
}

/// Answers a stream of lines with a stream of results, batch by batch, while it is still coming.
pub fn answer<F, W>(mut payload: Payload, mut work: F) -> HttpResponse
where
    F: FnMut(Vec<Line>) -> W + 'static,
    W: Future<Output = Vec<LineResult>>,
{
    let (results, outgoing) = mpsc::channel(PATIENCE);
    actix_web::rt::spawn(async move {
        let (mut lines, mut batches) = (Lines::default(), Batches::default());
        let whole = loop {
            match poll_fn(|context| Pin::new(&mut payload).poll_next(context)).await {
                Some(Ok(bytes)) => batches.add(lines.feed(&bytes)),
                Some(Err(_)) => break false,
                None => break true,
            }
            while let Some(batch) = batches.next(false) {
                // Whoever no longer listens wants no more either.
                if results.send(Ok(written(&work(batch).await))).await.is_err() {
                    return;
                }
            }
        };
        batches.add(lines.end(whole));
        while let Some(batch) = batches.next(true) {
            if results.send(Ok(written(&work(batch).await))).await.is_err() {
                return;
            }
        }
    });
    streamed(NDJSON, outgoing)
}

fn written(results: &[LineResult]) -> Bytes {
    results.iter().map(LineResult::written).collect::<String>().into()
}

/// Answers with lines that are read a page at a time: the first is there already, so that a database that is away is a
/// problem and no empty file; each comes with the place after which the next begins, or with none.
pub fn pages<P, F, W>(kind: &'static str, (mut lines, mut place): (String, Option<P>), mut next: F) -> HttpResponse
where
    P: 'static,
    F: FnMut(P) -> W + 'static,
    W: Future<Output = Result<(String, Option<P>), Problem>>,
{
    let (sender, outgoing) = mpsc::channel(PATIENCE);
    actix_web::rt::spawn(async move {
        loop {
            if sender.send(Ok(Bytes::from(lines))).await.is_err() {
                return;
            }
            let Some(after) = place else { return };
            (lines, place) = match next(after).await {
                Ok(page) => page,
                Err(problem) => {
                    tracing::error!(cause = ?problem.cause, "an export broke off");
                    sender.send(Err(io::Error::other("the database does not answer"))).await.ok();
                    return;
                }
            };
        }
    });
    streamed(kind, outgoing)
}

/// An answer that is written while it is being made; an error breaks it off, so that nobody takes it for whole.
fn streamed(kind: &'static str, outgoing: mpsc::Receiver<io::Result<Bytes>>) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).insert_header(("Cache-Control", "private, no-cache")).body(Outgoing(outgoing))
}

struct Outgoing(mpsc::Receiver<io::Result<Bytes>>);

impl MessageBody for Outgoing {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        self.0.poll_recv(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunks: &[&[u8]], whole: bool) -> Vec<(u64, Result<String, &'static str>)> {
        let mut lines = Lines::default();
        let mut found: Vec<Line> = chunks.iter().flat_map(|chunk| lines.feed(chunk)).collect();
        found.extend(lines.end(whole));
        found.into_iter().map(|line| (line.number, line.text.map_err(|flaw| flaw.code))).collect()
    }

    #[test]
    fn a_stream_is_cut_at_its_line_breaks_wherever_its_parts_end() {
        let ok = |number, text: &str| (number, Ok(text.to_owned()));
        assert_eq!(
            read(&[b"{\"a\"", b":1}\n{", b"}\r\n\n \r\n{}"], true),
            [ok(1, "{\"a\":1}"), ok(2, "{}"), ok(5, "{}")]
        );
        assert_eq!(read(&[b"\xef\xbb", b"\xbf{}\n"], true), [ok(1, "{}")], "a byte order mark is no part of the line");
        assert_eq!(read(&[], true), []);
    }

    #[test]
    fn a_line_that_is_none_harms_no_other() {
        let long = vec![b'x'; 2 * MAX_LINE];
        assert_eq!(read(&[b"{}\n", &long, b"x\n{}\n"], true)[1..], [(2, Err("line_too_long")), (3, Ok("{}".into()))]);
        assert_eq!(read(&[b"\xe6\n{}"], true), [(1, Err("not_utf8")), (2, Ok("{}".into()))]);
        assert_eq!(read(&[b"{}\n{\"a"], false), [(1, Ok("{}".into())), (2, Err("truncated"))]);
    }

    #[test]
    fn what_was_cut_is_not_kept() {
        let mut lines = Lines::default();
        let cut: usize = (0..10).map(|_| lines.feed("{\"title\": \"x\"}\n".repeat(1000).as_bytes()).len()).sum();
        assert_eq!((cut, lines.pending.as_slice(), lines.pending.capacity()), (10_000, &b""[..], 0));
        lines.feed(b"{}\n{\"half");
        assert_eq!(lines.pending, b"{\"half");
        assert!(lines.pending.capacity() < 64, "{}", lines.pending.capacity());
        lines.feed(&vec![b'x'; 2 * MAX_LINE]);
        assert_eq!(lines.pending.capacity(), 0, "one that is too long is not kept either");
    }

    #[test]
    fn batches_are_full_until_the_end() {
        let mut batches = Batches::default();
        batches.add((1..=250).map(|number| Line { number, text: Ok("{}".into()) }));
        let sizes =
            |batches: &mut Batches, end| std::iter::from_fn(|| batches.next(end).map(|b| b.len())).collect::<Vec<_>>();
        assert_eq!(sizes(&mut batches, false), [100, 100]);
        assert_eq!(sizes(&mut batches, true), [50]);
    }

    proptest::proptest! {
        #[test]
        fn lines_are_the_same_wherever_the_stream_is_cut(bytes in "[a{}\n\r\u{feff}æ]{0,60}", raw in proptest::collection::vec(0_u8.., 0..40), size in 1_usize..20) {
            for bytes in [bytes.into_bytes(), raw] {
                let parts: Vec<&[u8]> = bytes.chunks(size).collect();
                let whole = read(&[&bytes], true);
                let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
                proptest::prop_assert_eq!(read(&parts, true), whole.clone());
                proptest::prop_assert!(whole.len() <= breaks + 1);
            }
        }
    }
}
