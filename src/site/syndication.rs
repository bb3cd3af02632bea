//! Feeds that readers poll: Atom (RFC 4287) and JSON Feed (version 1.1), both of the same entries.

use serde_json::{Value, json};

use crate::kernel::{Instant, Language};
use crate::mail::escape;

/// A feed.
pub(super) struct Feed {
    pub(super) title: String,
    /// Where the feed itself is.
    pub(super) url: String,
    /// The page of which it is the feed.
    pub(super) page: String,
    pub(super) language: Language,
    /// The latest update first.
    pub(super) entries: Vec<Entry>,
}

/// One thing in it.
pub(super) struct Entry {
    /// A UUID: the same as long as the thing is.
    pub(super) id: String,
    pub(super) url: String,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) published: Instant,
    pub(super) updated: Instant,
    pub(super) tags: Vec<String>,
    /// What programs want to know besides, with the name that JSON Feed asks for.
    pub(super) more: Value,
}

/// Words as XML takes them: marked up, and without characters that XML 1.0 knows no way to write.
fn xml(words: &str) -> String {
    let fits = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    escape(&words.chars().filter(fits).collect::<String>())
}

fn moment(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The feed as Atom.
pub(super) fn atom(feed: &Feed) -> String {
    let language = feed.language.tag();
    // An empty feed was last changed when feeds began (RFC 4287 § 4.2.15 demands a moment).
    let updated = feed.entries.iter().map(|entry| entry.updated).max().unwrap_or_default();
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{language}\">\n\
         <id>{url}</id>\n<title>{}</title>\n<updated>{}</updated>\n<author><name>Skala</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{url}\"/>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n",
        xml(&feed.title),
        moment(updated),
        xml(&feed.page),
        url = xml(&feed.url),
    );
    for Entry { id, url, title, text, published, updated, tags, .. } in &feed.entries {
        let tags: String = tags.iter().map(|tag| format!("<category term=\"{}\"/>", xml(tag))).collect();
        out.push_str(&format!(
            "<entry><id>urn:uuid:{id}</id><title>{}</title><published>{}</published><updated>{}</updated>\
             <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>{tags}<content type=\"text\">{}</content></entry>\n",
            xml(title),
            moment(*published),
            moment(*updated),
            xml(url),
            xml(text),
        ));
    }
    out.push_str("</feed>\n");
    out
}

/// The feed as JSON Feed.
pub(super) fn json_feed(feed: &Feed) -> Value {
    let item = |entry: &Entry| {
        json!({"id": format!("urn:uuid:{}", entry.id), "url": entry.url, "title": entry.title,
               "content_text": entry.text, "date_published": moment(entry.published),
               "date_modified": moment(entry.updated), "tags": entry.tags, "_skala": entry.more})
    };
    json!({
        "version": "https://jsonfeed.org/version/1.1", "title": feed.title, "home_page_url": feed.page,
        "feed_url": feed.url, "language": feed.language.tag(), "authors": [{"name": "Skala"}],
        "items": feed.entries.iter().map(item).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed() -> Feed {
        let at: Instant = "2026-11-22T08:00:00.5Z".parse().unwrap();
        let entry = Entry {
            id: "0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e".into(),
            url: "https://skala.dk/dialogues/1?a=1&b=2".into(),
            title: "<Løft> & bær".into(),
            text: "Ét\u{b}\nTo".into(),
            published: at,
            updated: at,
            tags: vec!["CPV \"33\"".into()],
            more: json!({"status": "published"}),
        };
        let (url, page) = ("https://skala.dk/feeds/dialogues.atom".into(), "https://skala.dk/dialogues".into());
        Feed { title: "Markedsdialoger".into(), url, page, language: Language::Da, entries: vec![entry] }
    }

    #[test]
    fn words_stay_words_in_atom_and_every_entry_has_what_rfc_4287_demands() {
        let atom = atom(&feed());
        for part in [
            "<title>&lt;Løft&gt; &amp; bær</title>",
            "<id>urn:uuid:0193f1c2-7a5e-7c31-9d3e-3f6a2b1c0d4e</id>",
            "<updated>2026-11-22T08:00:00Z</updated>",
            "<author><name>Skala</name></author>",
            "href=\"https://skala.dk/dialogues/1?a=1&amp;b=2\"",
            "<category term=\"CPV &quot;33&quot;\"/>",
            "<content type=\"text\">Ét\nTo</content>",
        ] {
            assert!(atom.contains(part), "{part}\n{atom}");
        }
    }

    #[test]
    fn json_feed_says_the_same() {
        let json = json_feed(&feed());
        assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
        assert_eq!(json["items"][0]["title"], "<Løft> & bær");
        assert_eq!(json["items"][0]["date_published"], "2026-11-22T08:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_said_stays_one_text_of_one_element(words in ".{0,60}", any: String) {
            for words in [words, any] {
                let mut feed = feed();
                feed.entries[0].title = words.clone();
                feed.entries[0].tags = vec![words.clone()];
                let told = atom(&feed);
                let (usual, xml) = (atom(&self::feed()), xml(&words));
                let signs = |text: &str| (text.matches('<').count(), text.matches('>').count());
                proptest::prop_assert_eq!(signs(&told), signs(&usual));
                let unfit = |c: char| matches!(c, '<' | '>' | '"' | '\u{0}'..='\u{8}' | '\u{fffe}' | '\u{ffff}');
                proptest::prop_assert_eq!(xml.find(unfit), None);
                let json = json_feed(&feed);
                proptest::prop_assert_eq!(json["items"][0]["title"].as_str(), Some(words.as_str()));
            }
        }
    }
}
