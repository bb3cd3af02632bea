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
    /// What the head links to: the same in other forms.
    alternates: String,
    /// Whether it holds tables that want room.
    is_broad: bool,
    /// Whether a browser may keep it, to show it with what was typed when somebody goes back.
    is_open_to_all: bool,
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
    /// Any of a few: (value, words); nothing is shown where there is nothing to choose.
    Checks { name: &'a str, label: &'a str, options: &'a [(String, String)], chosen: &'a [&'a str] },
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

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        std::future::ready(Ok(Self::of(request)))
    }
}

impl Prefers {
    /// What the client of this request would rather have: browsers name text/html and no JSON; programs name JSON,
    /// anything, or nothing.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let html = accept.contains("text/html") && !accept.contains("application/json");
        if html { Self::Html } else { Self::Json }
    }
}

impl HtmlPage {
    /// A page with these words.
    #[must_use]
    pub fn new(language: Language, title: impl Into<String>, prose: &Prose) -> Self {
        let title = title.into();
        let body = format!("<h1>{}</h1>{}", escape(&title), prose.blocks("h2"));
        let (status, flaws, alternates) = (StatusCode::OK, Vec::new(), String::new());
        Self { status, language, title, body, flaws, alternates, is_broad: false, is_open_to_all: false }
    }

    /// A page that everybody may see and nobody's secret leads to.
    #[must_use]
    pub fn open_to_all(mut self) -> Self {
        self.is_open_to_all = true;
        self
    }

    /// A page with tables that want room.
    #[must_use]
    pub fn broad(mut self) -> Self {
        self.is_broad = true;
        self
    }

    /// The same in another form, for programs that look for it.
    #[must_use]
    pub fn alternate(mut self, kind: &str, title: &str, path: &str) -> Self {
        self.alternates.push_str(&format!(
            "<link rel=\"alternate\" type=\"{}\" title=\"{}\" href=\"{}\">",
            escape(kind),
            escape(title),
            escape(path)
        ));
        self
    }

    /// A heading that an address can lead to: `#id`.
    #[must_use]
    pub fn section(mut self, id: &str, title: &str) -> Self {
        self.body.push_str(&format!("<h2 class=\"section\" id=\"{}\">{}</h2>", escape(id), escape(title)));
        self
    }

    /// A list of links: words and where they lead.
    #[must_use]
    pub fn links(mut self, links: &[(String, String)]) -> Self {
        let link =
            |(words, path): &(String, String)| format!("<li><a href=\"{}\">{}</a></li>", escape(path), escape(words));
        self.body.push_str(&format!("<ul>{}</ul>", links.iter().map(link).collect::<String>()));
        self
    }

    /// A table; the first cell of a row names it.
    #[must_use]
    pub fn table(mut self, heads: &[String], rows: &[Vec<String>]) -> Self {
        let cell = |words: &String| escape(words).replace('\n', "<br>");
        let heads: String = heads.iter().map(|words| format!("<th scope=\"col\">{}</th>", cell(words))).collect();
        let row = |cells: &Vec<String>| {
            let (first, rest) =
                cells.split_first().map_or((String::new(), &[][..]), |(first, rest)| (cell(first), rest));
            let rest: String = rest.iter().map(|words| format!("<td>{}</td>", cell(words))).collect();
            format!("<tr><th scope=\"row\">{first}</th>{rest}</tr>")
        };
        let rows: String = rows.iter().map(row).collect();
        self.body.push_str(&format!(
            "<div class=\"wide\" tabindex=\"0\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        ));
        self
    }

    /// A field and a button that look something up: a form that GETs.
    #[must_use]
    pub fn search(mut self, action: &str, field: &Field<'_>, button: &str) -> Self {
        let field = self.write(field);
        self.body.push_str(&format!(
            "<form role=\"search\" action=\"{}\">{field}<p><button>{}</button></p></form>",
            escape(action),
            escape(button)
        ));
        self
    }

    /// A form with a button for each deed; the first is what the Enter key does. The deed's name is sent as `deed`.
    #[must_use]
    pub fn form_of_deeds(mut self, action: &str, fields: &[Field<'_>], deeds: &[(&str, &str)]) -> Self {
        let fields: String = fields.iter().map(|field| self.write(field)).collect();
        let button = |(deed, words): &(&str, &str)| {
            format!("<button name=\"deed\" value=\"{}\">{}</button> ", escape(deed), escape(words))
        };
        let buttons: String = deeds.iter().map(button).collect();
        self.body
            .push_str(&format!("<form method=\"post\" action=\"{}\">{fields}<p>{buttons}</p></form>", escape(action)));
        self
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
        self.body.push_str(&prose.blocks("h3"));
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
            Field::Checks { options: [], .. } => String::new(),
            Field::Checks { name, label, options, chosen } => {
                let check = |(value, words): &(String, String)| {
                    let checked = if chosen.contains(&value.as_str()) { " checked" } else { "" };
                    let (name, value, words) = (escape(name), escape(value), escape(words));
                    format!(
                        "<label><input type=\"checkbox\" name=\"{name}\" value=\"{value}\"{checked}> {words}</label><br>"
                    )
                };
                let (told, marked) = self.told(name);
                let checks: String = options.iter().map(check).collect();
                format!("<fieldset{marked}><legend>{}</legend>{told}{checks}</fieldset>", escape(label))
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
        let (told, marked) = self.told(name);
        format!("<p><label>{}<br>{told}{start}{marked}{rest}</label></p>", escape(label))
    }

    /// What is wrong with a field, in words and as a mark.
    fn told(&self, name: &str) -> (String, &'static str) {
        let wrong: Vec<&str> =
            self.flaws.iter().filter(|(at, _)| at == name).map(|(_, words)| words.as_str()).collect();
        match wrong.as_slice() {
            [] => (String::new(), ""),
            wrong => {
                (format!("<strong class=\"flaw\">{}</strong><br>", escape(&wrong.join(". "))), " aria-invalid=\"true\"")
            }
        }
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
                     padding:.35em;width:100%;box-sizing:border-box}input[type=checkbox]{width:auto}\
                     fieldset{border:1px solid #ccc;margin:1em 0}a{color:#0b5345}.flaw{color:#9b1c1c}button:focus,\
                     a:focus,input:focus,select:focus,textarea:focus{outline:3px solid #f5b041}nav a{margin-right:1.2em}\
                     h2{font-size:1.25em}.section{border-top:1px solid #ccc;margin-top:1.6em;padding-top:.8em;font-size:1.25em}h3{font-size:\
                     1.05em;margin-bottom:.3em}.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{\
                     text-align:left;vertical-align:top;padding:.3em .6em .3em 0;border-bottom:1px solid #ddd;\
                     overflow-wrap:anywhere}tbody th{font-weight:normal}th{overflow-wrap:normal}p,li{overflow-wrap:anywhere}.broad{\
                     max-width:80em}.broad table{font-size:.9em}.broad p,.broad li{max-width:45em}td,th{min-width:6em}\
                     @media print{nav{display:none}body{margin:0;max-width:none}}";

/// The ways that lead everywhere else, on every page.
fn ways(language: Language) -> String {
    let ways = [
        ("/", text!("Skala", "Skala")),
        ("/dialogues", text!("Markedsdialoger", "Market dialogues")),
        ("/processes", text!("Skaleringsprocesser", "Scaling processes")),
        ("/subscribe", text!("Få mail", "Get mail")),
    ];
    ways.iter().map(|(path, words)| format!("<a href=\"{path}\">{}</a>", words.to(language))).collect()
}

impl Responder for HtmlPage {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let language = self.language.tag();
        let page = format!(
            "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width,initial-scale=1\"><title>{}</title>{}<style>{STYLE}</style></head>\
             <body{}><nav aria-label=\"Skala\">{}</nav><main>{}</main></body></html>",
            escape(&self.title),
            self.alternates,
            if self.is_broad { " class=\"broad\"" } else { "" },
            ways(self.language),
            self.body
        );
        let cache = if self.is_open_to_all { "no-cache" } else { "no-store" };
        HttpResponse::build(self.status)
            .content_type("text/html; charset=utf-8")
            .insert_header(("Content-Security-Policy", POLICY))
            .insert_header(("Content-Language", language))
            .insert_header(("Cache-Control", cache))
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
    fn the_parts_of_a_page_take_nobodys_words_for_markup() {
        let hostile = "\"><script>alert(1)</script>".to_owned();
        let page = HtmlPage::new(Language::Da, "T", &Prose::default().heading(&hostile))
            .section(&hostile, &hostile)
            .links(&[(hostile.clone(), hostile.clone())])
            .table(std::slice::from_ref(&hostile), &[vec![hostile.clone(), hostile.clone()]])
            .alternate(&hostile, &hostile, &hostile)
            .search(&hostile, &Field::Line { name: "q", label: "Søg", value: &hostile }, &hostile)
            .form_of_deeds(&hostile, &[], &[(&hostile, &hostile)]);
        assert!(!page.body.contains("<script>") && !page.alternates.contains("<script>"), "{}", page.body);
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
