//! Small pages for people who follow a link in a mail: words and at most a few buttons, whole in themselves.
//! Showing a page changes nothing; its button POSTs.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};

use super::Problem;
use crate::kernel::{Language, text};
use crate::mail::{Prose, escape};

/// A page.
#[derive(Clone, Debug)]
pub struct HtmlPage {
    status: StatusCode,
    language: Language,
    title: String,
    body: String,
}

/// What a form asks.
#[derive(Clone, Debug)]
pub enum Field<'a> {
    /// Sent along, not shown.
    Hidden { name: &'a str, value: &'a str },
    /// One line of words.
    Line { name: &'a str, label: &'a str, value: &'a str },
    /// One of a few: (value, words).
    Choice { name: &'a str, label: &'a str, options: &'a [(&'a str, &'a str)], chosen: &'a str },
}

/// What the client would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefers {
    Json,
    /// A person with a browser.
    Html,
}

impl FromRequest for Prefers {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    // Browsers name text/html and no JSON; programs name JSON, anything, or nothing.
    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let html = accept.contains("text/html") && !accept.contains("application/json");
        std::future::ready(Ok(if html { Self::Html } else { Self::Json }))
    }
}

impl HtmlPage {
    /// A page with these words.
    #[must_use]
    pub fn new(language: Language, title: impl Into<String>, prose: &Prose) -> Self {
        let title = title.into();
        let body = format!("<h1>{}</h1>{}", escape(&title), prose.blocks());
        Self { status: StatusCode::OK, language, title, body }
    }

    /// A button that POSTs what is asked beside it.
    #[must_use]
    pub fn form(mut self, action: &str, fields: &[Field<'_>], button: &str) -> Self {
        self.body.push_str(&format!("<form method=\"post\" action=\"{}\">", escape(action)));
        for field in fields {
            self.body.push_str(&write(field));
        }
        self.body.push_str(&format!("<p><button>{}</button></p></form>", escape(button)));
        self
    }

    /// The page that says why something was not done.
    #[must_use]
    pub fn of_problem(problem: &Problem, language: Language) -> Self {
        let title = text!("Det gik ikke", "That did not work");
        let prose = Prose::default().paragraph(problem.detail.to(language));
        Self { status: problem.status, ..Self::new(language, title.to(language), &prose) }
    }

    /// The page of a deed, or the page that says why it was not done; our own faults stay problems, for the log.
    ///
    /// # Errors
    /// Those of 500 and above.
    pub fn of(done: Result<Self, Problem>, language: Language) -> Result<Self, Problem> {
        match done {
            Err(problem) if problem.status.is_client_error() => Ok(Self::of_problem(&problem, language)),
            other => other,
        }
    }
}

fn write(field: &Field<'_>) -> String {
    match field {
        Field::Hidden { name, value } => {
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
        }
        Field::Line { name, label, value } => format!(
            "<p><label>{}<br><input name=\"{}\" value=\"{}\" maxlength=\"500\"></label></p>",
            escape(label),
            escape(name),
            escape(value)
        ),
        Field::Choice { name, label, options, chosen } => {
            let option = |(value, words): &(&str, &str)| {
                let selected = if value == chosen { " selected" } else { "" };
                format!("<option value=\"{}\"{selected}>{}</option>", escape(value), escape(words))
            };
            let options: String = options.iter().map(option).collect();
            format!("<p><label>{}<br><select name=\"{}\">{options}</select></label></p>", escape(label), escape(name))
        }
    }
}

/// The page brings all it needs, asks nobody, and its buttons reach this service alone.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#1a1a1a;\
                     background:#fff}h1{font-size:1.5em;line-height:1.25}button{font:inherit;padding:.5em 1.2em;border:0;\
                     border-radius:.3em;background:#0b5345;color:#fff;cursor:pointer}input,select{font:inherit;\
                     padding:.35em;width:100%;box-sizing:border-box}a{color:#0b5345}button:focus,a:focus,input:focus,\
                     select:focus{outline:3px solid #f5b041}";

impl Responder for HtmlPage {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let language = self.language.tag();
        let page = format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><title>{}</title><style>{STYLE}</style></head>\
             <body><main>{}</main></body></html>",
            escape(&self.title),
            self.body
        );
        HttpResponse::build(self.status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Security-Policy", POLICY))
            .insert_header(("Content-Language", language))
            .insert_header(("Cache-Control", "no-store"))
            .insert_header(("Vary", "Accept-Language, Accept"))
            .body(page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_words_become_markup() {
        let page = HtmlPage::new(Language::Da, "<b>", &Prose::default().paragraph("<i>")).form(
            "/x?\"",
            &[Field::Line { name: "n", label: "<u>", value: "\"><script>" }],
            "<s>",
        );
        for tag in ["<b>", "<i>", "<u>", "<script>", "<s>"] {
            assert!(!page.body.contains(tag), "{tag}");
        }
        assert!(page.body.contains("action=\"/x?&quot;\""));
    }
}
