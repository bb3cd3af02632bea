//! The words of a letter, written once: the same blocks become plain text and HTML, so the two never differ.
//!
//! What thousands of letters say alike is spelled out once for all of them ([`Prose::for_many`]): what is said to one
//! comes after it, and nothing shows the seam.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// What a letter says, block by block.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Block>", into = "Vec<Block>")]
pub struct Prose {
    common: Option<Arc<Common>>,
    own: Vec<Block>,
}

/// What many letters begin with.
#[derive(Debug)]
struct Common {
    blocks: Vec<Block>,
    text: Spelled,
    html: Spelled,
}

/// Whole lines, and how they are spelled for mail servers, once somebody asked.
#[derive(Debug)]
pub(super) struct Spelled {
    pub(super) words: String,
    for_servers: OnceLock<String>,
}

impl Spelled {
    fn new(words: String) -> Self {
        Self { words, for_servers: OnceLock::new() }
    }

    /// The spelling for servers, found by `spell` the first time.
    pub(super) fn for_servers(&self, spell: impl FnOnce(&str) -> String) -> &str {
        self.for_servers.get_or_init(|| spell(&self.words))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Block {
    Heading(String),
    Paragraph(String),
    /// A name and what it is, on one line.
    Fact(String, String),
    Item(String),
    /// Words and the address behind them.
    Link(String, String),
    /// Small print below a rule.
    Small(String),
}

impl Prose {
    /// A heading.
    #[must_use]
    pub fn heading(self, words: impl Into<String>) -> Self {
        self.with(Block::Heading(words.into()))
    }

    /// A paragraph; its line breaks are kept.
    #[must_use]
    pub fn paragraph(self, words: impl Into<String>) -> Self {
        self.with(Block::Paragraph(words.into()))
    }

    /// A fact: `name: what`.
    #[must_use]
    pub fn fact(self, name: impl Into<String>, what: impl Into<String>) -> Self {
        self.with(Block::Fact(name.into(), what.into()))
    }

    /// One item of a list.
    #[must_use]
    pub fn item(self, words: impl Into<String>) -> Self {
        self.with(Block::Item(words.into()))
    }

    /// A link on a line of its own.
    #[must_use]
    pub fn link(self, words: impl Into<String>, url: impl Into<String>) -> Self {
        self.with(Block::Link(words.into(), url.into()))
    }

    /// Small print.
    #[must_use]
    pub fn small(self, words: impl Into<String>) -> Self {
        self.with(Block::Small(words.into()))
    }

    fn with(mut self, block: Block) -> Self {
        self.own.push(block);
        self
    }

    /// The same words, to be said to many: what comes after them is said to one.
    #[must_use]
    pub fn for_many(self) -> Self {
        let blocks = Vec::from(self);
        let (text, html) = (Spelled::new(text(&blocks, None)), Spelled::new(html(blocks.iter(), "h1")));
        Self { common: Some(Arc::new(Common { blocks, text, html })), own: Vec::new() }
    }

    /// As plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let (common, own) = self.text_parts();
        common.map_or_else(String::new, |common| common.words.clone()) + &own
    }

    /// As HTML: one column, readable without images, styles or scripts.
    #[must_use]
    pub fn html(&self, language: &str, title: &str) -> String {
        let (head, common, own) = self.html_parts(language, title);
        head + common.map_or("", |common| &common.words) + &own
    }

    /// The blocks alone, as HTML, with headings of this rank: the body of a page.
    pub(crate) fn blocks(&self, heading: &str) -> String {
        html(self.all(), heading)
    }

    fn all(&self) -> impl Iterator<Item = &Block> {
        self.common.iter().flat_map(|common| &common.blocks).chain(&self.own)
    }

    /// As plain text: what is said to many, and what is said to one.
    pub(super) fn text_parts(&self) -> (Option<&Spelled>, String) {
        let common = self.common.as_deref();
        (common.map(|common| &common.text), text(&self.own, common.and_then(|common| common.blocks.last())))
    }

    /// As HTML: its head, what is said to many, and what is said to one.
    pub(super) fn html_parts(&self, language: &str, title: &str) -> (String, Option<&Spelled>, String) {
        let head = format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
             <body style=\"font:16px/1.5 sans-serif;max-width:40em;margin:1em auto;padding:0 1em\">\n",
            escape(title)
        );
        (head, self.common.as_deref().map(|common| &common.html), html(self.own.iter(), "h1") + "</body></html>")
    }
}

impl From<Vec<Block>> for Prose {
    fn from(own: Vec<Block>) -> Self {
        Self { common: None, own }
    }
}

impl From<Prose> for Vec<Block> {
    fn from(prose: Prose) -> Self {
        prose.all().cloned().collect()
    }
}

/// What is said counts, and not how much of it was made ready before.
impl PartialEq for Prose {
    fn eq(&self, other: &Self) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for Prose {}

/// Blocks as plain text, after another if there is one.
fn text<'a>(blocks: &'a [Block], mut previous: Option<&'a Block>) -> String {
    let runs_on = |block: &Block| matches!(block, Block::Fact(..) | Block::Item(_));
    let mut out = String::new();
    for block in blocks {
        if previous.is_some_and(|previous| !runs_on(block) || !runs_on(previous)) {
            out.push('\n');
        }
        previous = Some(block);
        match block {
            Block::Heading(words) => out.push_str(&format!("{words}\n{}\n", "=".repeat(words.chars().count().min(72)))),
            Block::Paragraph(words) => out.push_str(&format!("{words}\n")),
            Block::Fact(name, what) => out.push_str(&format!("{name}: {what}\n")),
            Block::Item(words) => out.push_str(&format!("- {words}\n")),
            Block::Link(words, url) => out.push_str(&format!("{words}:\n{url}\n")),
            Block::Small(words) => out.push_str(&format!("-- \n{words}\n")),
        }
    }
    out
}

/// Blocks as HTML, with headings of this rank.
fn html<'a>(blocks: impl Iterator<Item = &'a Block>, heading: &str) -> String {
    let mut out = String::new();
    let mut listing = false;
    for block in blocks {
        let item = matches!(block, Block::Item(_));
        if item != listing {
            out.push_str(if item { "<ul>\n" } else { "</ul>\n" });
            listing = item;
        }
        match block {
            Block::Heading(words) => {
                out.push_str(&format!("<{heading}>{}</{heading}>", escape(words)));
            }
            Block::Paragraph(words) => out.push_str(&format!("<p>{}</p>", escape(words).replace('\n', "<br>"))),
            Block::Fact(name, what) => {
                out.push_str(&format!("<p style=\"margin:.2em 0\"><b>{}:</b> {}</p>", escape(name), escape(what)));
            }
            Block::Item(words) => out.push_str(&format!("<li>{}</li>", escape(words))),
            Block::Link(words, url) => {
                out.push_str(&format!("<p><a href=\"{}\">{}</a></p>", escape(url), escape(words)));
            }
            Block::Small(words) => {
                out.push_str(&format!("<hr><p style=\"font-size:.85em\">{}</p>", escape(words).replace('\n', "<br>")));
            }
        }
        out.push('\n');
    }
    if listing {
        out.push_str("</ul>\n");
    }
    out
}

/// Makes words safe between tags and inside quoted attributes.
pub(crate) fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_html_say_the_same() {
        let prose = Prose::default()
            .heading("Ny dialog")
            .paragraph("Hej\nalle")
            .item("a")
            .item("b")
            .link("Læs", "https://x.dk/?a=1&b=2");
        assert_eq!(prose.text(), "Ny dialog\n=========\n\nHej\nalle\n\n- a\n- b\n\nLæs:\nhttps://x.dk/?a=1&b=2\n");
        let html = prose.html("da", "Ny dialog");
        assert!(html.contains(
            "<p>Hej<br>alle</p>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n<p><a href=\"https://x.dk/?a=1&amp;b=2\">Læs</a></p>"
        ));
    }

    #[test]
    fn markup_in_somebodys_words_stays_words() {
        let html = Prose::default().paragraph("<script>alert('x')</script>").html("da", "<b>");
        assert!(html.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
        assert!(!html.contains("<script>") && !html.contains("<b></title>"));
    }
}
