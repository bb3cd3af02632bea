//! Small pages for people who follow a link in a mail: words and at most a few buttons, whole in themselves.
//! Showing a page changes nothing; its button POSTs.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};

use super::Problem;
use crate::kernel::{Flaw, Language, text};
use crate::mail::{Prose, escape};

/// A page.
#[derive(Clone, Debug)]
pub struct HtmlPage {
    status: StatusCode,
    language: Language,
    title: String,
    body: String,
    /// What was wrong with what was sent: the field's name, and words.
    flaws: Vec<(String, String)>,
}

/// What a form asks.
#[derive(Clone, Debug)]
pub enum Field<'a> {
    /// Sent along, not shown.
    Hidden { name: &'a str, value: &'a str },
    /// One line of words.
    Line { name: &'a str, label: &'a str, value: &'a str },
    /// Words on several lines, at most so many characters.
    Area { name: &'a str, label: &'a str, value: &'a str, most: usize },
    /// A number; a phone shows its digits.
    Number { name: &'a str, label: &'a str, value: &'a str },
    /// An e-mail address; a phone shows the @.
    Email { name: &'a str, label: &'a str, value: &'a str },
    /// A new password; it is never shown again.
    NewPassword { name: &'a str, label: &'a str },
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
        Self { status: StatusCode::OK, language, title, body, flaws: Vec::new() }
    }

    /// The page again, with what was wrong on top and beside each field of the forms that follow: they show what was
    /// typed, so nothing is lost. A flaw belongs to the field whose name is its pointer, with dots for the slashes.
    #[must_use]
    pub fn refused(mut self, problem: &Problem) -> Self {
        self.status = problem.status;
        let name = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
        let flaw = |flaw: &Flaw| (name(&flaw.pointer), flaw.text.to(self.language).to_owned());
        self.flaws = problem.errors.iter().map(flaw).collect();
        self.body
            .push_str(&format!("<p class=\"flaw\" role=\"alert\">{}</p>", escape(problem.detail.to(self.language))));
        self
    }

    /// With another status.
    #[must_use]
    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// More words, below what is there.
    #[must_use]
    pub fn words(mut self, prose: &Prose) -> Self {
        self.body.push_str(&prose.blocks());
        self
    }

    /// A button that POSTs what is asked beside it.
    #[must_use]
    pub fn form(mut self, action: &str, fields: &[Field<'_>], button: &str) -> Self {
        self.body.push_str(&format!("<form method=\"post\" action=\"{}\">", escape(action)));
        for field in fields {
            self.body.push_str(&self.write(field));
        }
        self.body.push_str(&format!("<p><button>{}</button></p></form>", escape(button)));
        self
    }

    fn write(&self, field: &Field<'_>) -> String {
        let line = |name: &str, label: &str, value: &str, kind: &str| {
            let input =
                format!("<input {kind} name=\"{}\" value=\"{}\" maxlength=\"500\"", escape(name), escape(value));
            self.labelled(name, label, &input, ">")
        };
        match field {
            Field::Hidden { name, value } => {
                format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value))
            }
            Field::Line { name, label, value } => line(name, label, value, "type=\"text\""),
            Field::Number { name, label, value } => line(name, label, value, "type=\"text\" inputmode=\"decimal\""),
            Field::Email { name, label, value } => line(name, label, value, "type=\"email\" autocomplete=\"email\""),
            Field::NewPassword { name, label } => {
                let input = format!(
                    "<input name=\"{}\" type=\"password\" required autocomplete=\"new-password\"",
                    escape(name)
                );
                self.labelled(name, label, &input, ">")
            }
            Field::Area { name, label, value, most } => {
                let area = format!("<textarea name=\"{}\" rows=\"5\" maxlength=\"{most}\"", escape(name));
                // A browser drops the first line break.
                self.labelled(name, label, &area, &format!(">\n{}</textarea>", escape(value)))
            }
            Field::Choice { name, label, options, chosen } => {
                let option = |(value, words): &(&str, &str)| {
                    let selected = if value == chosen { " selected" } else { "" };
                    format!("<option value=\"{}\"{selected}>{}</option>", escape(value), escape(words))
                };
                let options: String = options.iter().map(option).collect();
                let select = format!("<select name=\"{}\"", escape(name));
                self.labelled(name, label, &select, &format!(">{options}</select>"))
            }
        }
    }

    /// A field below its label, with what is wrong with it between them.
    fn labelled(&self, name: &str, label: &str, start: &str, rest: &str) -> String {
        let wrong: Vec<&str> =
            self.flaws.iter().filter(|(at, _)| at == name).map(|(_, words)| words.as_str()).collect();
        let (told, marked) = match wrong.as_slice() {
            [] => (String::new(), ""),
            wrong => {
                (format!("<strong class=\"flaw\">{}</strong><br>", escape(&wrong.join(". "))), " aria-invalid=\"true\"")
            }
        };
        format!("<p><label>{}<br>{told}{start}{marked}{rest}</label></p>", escape(label))
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

/// The page brings all it needs, asks nobody, and its buttons reach this service alone.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = "body{font:17px/1.5 system-ui,sans-serif;max-width:42em;margin:2em auto;padding:0 1em;color:#1a1a1a;\
                     background:#fff}h1{font-size:1.5em;line-height:1.25}button{font:inherit;padding:.5em 1.2em;border:0;\
                     border-radius:.3em;background:#0b5345;color:#fff;cursor:pointer}input,select,textarea{font:inherit;\
                     padding:.35em;width:100%;box-sizing:border-box}a{color:#0b5345}.flaw{color:#9b1c1c}button:focus,\
                     a:focus,input:focus,select:focus,textarea:focus{outline:3px solid #f5b041}";

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

    #[test]
    fn a_form_that_was_refused_shows_what_was_typed_and_what_is_wrong_beside_it() {
        let problem = Problem::unfit("/email", "not_an_email", text!("Det ligner <ikke>", "Not <one>"));
        let page = HtmlPage::new(Language::Da, "T", &Prose::default()).refused(&problem).form(
            "/x",
            &[
                Field::Area { name: "text", label: "Hvad sker der?", value: "\n</textarea>", most: 4000 },
                Field::Email { name: "email", label: "Mail", value: "a@" },
            ],
            "Send",
        );
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains("maxlength=\"4000\">\n\n&lt;/textarea&gt;</textarea>"), "{}", page.body);
        assert!(page.body.contains("Det ligner &lt;ikke&gt;</strong><br><input type=\"email\""), "{}", page.body);
        assert_eq!(page.body.matches("aria-invalid").count(), 1);
    }
}
