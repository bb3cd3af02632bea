//! The service, running inside the test.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::rt::System;
use actix_web::web::Data;
use chrono::TimeDelta;
use skala::access::store::{Account, Device, begin_session, draw_token, insert_account};
use skala::access::{Person, Role};
use skala::app;
use skala::config::Settings;
use skala::db::{Db, DbError};
use skala::dispatch::Worker;
use skala::kernel::{Clock, Email, Id, Instant, Seal};
use skala::mail::{Mailbox, Postman};
use skala::web::Node;

use super::client::{Client, Who};
use super::{Mail, Named, TestDatabase};

/// When every test begins: a Sunday morning, before the regions merge.
const MORNING: &str = "2026-11-22T08:00:00Z";

/// A running service with a database, a clock and a mailbox of its own.
pub struct TestApp {
    pub node: Data<Node>,
    pub mailbox: Mailbox,
    pub address: SocketAddr,
    agent: ureq::Agent,
    postman: Postman,
    server: ServerHandle,
    thread: Option<JoinHandle<()>>,
    // Last, so that nobody looks at it any more when it goes.
    pub database: Arc<TestDatabase>,
}

/// Waits for something that the service does in its own time.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl TestApp {
    /// With the settings that suit a test: no rate limit.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With these settings besides.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(TestDatabase::migrated()), settings)
    }

    /// On a database that another app may use as well.
    pub fn on(database: Arc<TestDatabase>, settings: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let settings = Settings::read(|name| {
            let wanted = settings.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            wanted.or_else(|| match name {
                "SKALA_DATABASE_URL" => Some(database.url().to_owned()),
                "SKALA_PUBLIC_URL" => Some("https://skala.example".to_owned()),
                "SKALA_RATE_LIMIT" => Some("off".to_owned()),
                _ => None,
            })
        });
        let settings = settings.unwrap();
        let mailbox = Mailbox::default();
        let host = settings.public_host().to_owned();
        let postman = Postman::mailbox(mailbox.clone(), settings.mail_from.clone(), &host);
        let clock = Clock::standing_at(MORNING.parse().unwrap());
        let seal = Seal::new(b"a secret that only the tests know of");
        let db = settings.replica.iter().fold(Db::open(&settings.database).unwrap(), Db::with_replica);
        let node = Data::new(Node::new(settings, db, clock, seal).unwrap());
        let (server, thread) = serve(node.clone(), listener);
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
        let agent = config.build().new_agent();
        Self { node, mailbox, address, agent, postman, server, thread: Some(thread), database }
    }

    /// This moment, on the app's clock.
    pub fn now(&self) -> Instant {
        self.node.now()
    }

    /// Lets time pass.
    pub fn advance(&self, by: TimeDelta) {
        self.node.clock.advance(by);
    }

    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Client {
        self.client(Who::Nobody)
    }

    /// Somebody who works for this body.
    pub fn member(&self, body: &Named) -> Client {
        self.person(Role::Member, Some(body))
    }

    /// Somebody who looks after this body's users.
    pub fn org_admin(&self, body: &Named) -> Client {
        self.person(Role::OrgAdmin, Some(body))
    }

    /// One of CO-PI's staff.
    pub fn facilitator(&self) -> Client {
        self.person(Role::Facilitator, None)
    }

    /// Somebody who looks after the service.
    pub fn admin(&self) -> Client {
        self.person(Role::Admin, None)
    }

    /// Whoever holds this token or API key.
    pub fn bearer(&self, token: &str) -> Client {
        self.client(Who::Bearer(token.to_owned()))
    }

    /// A new person who is signed in.
    fn person(&self, role: Role, body: Option<&Named>) -> Client {
        let now = self.now();
        let name = match body {
            Some(body) => format!("{} hos {}", role.word(), body.name),
            None => role.word().to_owned(),
        };
        let user_id = Id::made_at(now);
        let organisation_id = body.map(|body| body.id.parse().unwrap());
        let person = Person { user_id, name, role, organisation_id, scopes: None };
        let email = Email::parse(&format!("{user_id}@skala.example")).unwrap();
        let account = Account::new(person, email, Some("none that fits".to_owned()), now);
        let session = Id::made_at(now);
        let added: Result<(), DbError> = wait_for(self.node.db.write(move |tx| {
            insert_account(tx, &account)?;
            begin_session(tx, session, user_id, &Device::default(), now)?;
            // Signed in for as long as a test may go forward.
            draw_token(tx, &session.to_string(), session, now, now + TimeDelta::days(3650))
        }));
        added.unwrap();
        self.client(Who::Person(user_id, session))
    }

    fn client(&self, who: Who) -> Client {
        Client::new(self.node.clone(), self.agent.clone(), self.address, who)
    }

    /// Sends what waits, and takes everything out of the mailbox, by address.
    pub fn mails(&self) -> Vec<Mail> {
        self.send_what_waits();
        let mut mails: Vec<_> = self.mailbox.empty().into_iter().map(Mail::of).collect();
        mails.sort_by(|one, other| one.to.cmp(&other.to));
        mails
    }

    /// The one letter that came, which is to this address.
    pub fn mail_to(&self, address: &str) -> Mail {
        let mut mails = self.mails();
        let came: Vec<_> = mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect();
        assert!(matches!(came.as_slice(), [(to, _)] if *to == address), "one letter to {address}, but came {came:?}");
        mails.remove(0)
    }

    /// Does all that is due, by the very worker that production runs.
    pub fn send_what_waits(&self) {
        self.send_by(&self.postman);
    }

    /// Does all that is due, by this postman.
    pub fn send_by(&self, postman: &Postman) {
        wait_for(Worker::new(self.node.clone(), postman.clone()).drain()).unwrap();
    }
}

fn serve(node: Data<Node>, listener: TcpListener) -> (ServerHandle, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        System::new().block_on(async move {
            let server = app::serve(node, listener, std::future::pending()).unwrap();
            sender.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    (receiver.recv().unwrap(), thread)
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let unread = if std::thread::panicking() { Vec::new() } else { self.mails() };
        wait_for(self.server.stop(false));
        self.thread.take().map(JoinHandle::join);
        let unread: Vec<_> = unread.iter().map(|mail| format!("{}: {}", mail.to, mail.subject)).collect();
        assert!(unread.is_empty(), "mail was left unread: {unread:?}");
    }
}
