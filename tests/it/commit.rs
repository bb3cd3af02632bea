//! The connection that is lost in the very moment of a commit: whoever waits is told what became of it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::{TestApp, TestDatabase};

/// When the network is cut, once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cut {
    /// The server never hears of the commit.
    Before,
    /// It has committed, and its answer is lost.
    After,
    /// It hears of it, and nobody listens to the answer: it may be either.
    Between,
}

/// The network between the service and PostgreSQL, which reads what is said.
struct Wire {
    port: u16,
    cut: Arc<Mutex<Option<Cut>>>,
}

impl Wire {
    fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(Mutex::new(None));
        let armed = Arc::clone(&cut);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(&server).unwrap();
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let answer_is_lost = Arc::new(Mutex::new(false));
                let (lost, armed) = (Arc::clone(&answer_is_lost), Arc::clone(&armed));
                std::thread::spawn(move || {
                    ask(&near, &far, &armed, &lost);
                    end(&near, &far);
                });
                std::thread::spawn(move || {
                    answer(&far_again, &near_again, &answer_is_lost);
                    end(&near_again, &far_again);
                });
            }
        });
        Self { port, cut }
    }

    fn cut_next_commit(&self, cut: Cut) {
        *self.cut.lock().unwrap() = Some(cut);
    }

    /// Whether it was cut.
    fn was_cut(&self) -> bool {
        self.cut.lock().unwrap().is_none()
    }
}

fn end(one: &TcpStream, other: &TcpStream) {
    one.shutdown(Shutdown::Both).ok();
    other.shutdown(Shutdown::Both).ok();
}

/// Carries what the client says, one message after another: a letter for its kind, four bytes for its length, which counts
/// itself, and the rest. The first has no kind.
fn ask(mut near: &TcpStream, mut far: &TcpStream, cut: &Mutex<Option<Cut>>, lost: &Mutex<bool>) -> Option<()> {
    let mut kind: Vec<u8> = Vec::new();
    loop {
        let mut length = [0; 4];
        near.read_exact(&mut length).ok()?;
        let mut rest = vec![0; usize::try_from(u32::from_be_bytes(length)).ok()? - length.len()];
        near.read_exact(&mut rest).ok()?;
        let cut = if kind == b"Q" && rest.ends_with(b"COMMIT\0") { cut.lock().unwrap().take() } else { None };
        if cut == Some(Cut::Before) {
            return None;
        }
        *lost.lock().unwrap() = cut == Some(Cut::After);
        far.write_all(&[&kind, &length[..], &rest].concat()).ok()?;
        if cut == Some(Cut::Between) {
            return None;
        }
        kind = vec![0];
        near.read_exact(&mut kind).ok()?;
    }
}

/// Carries what the server says.
fn answer(mut far: &TcpStream, mut near: &TcpStream, lost: &Mutex<bool>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    while let Ok(length @ 1..) = far.read(&mut piece) {
        if *lost.lock().unwrap() {
            return None;
        }
        near.write_all(&piece[..length]).ok()?;
    }
    None
}

#[test]
fn a_commit_that_is_cut_off_is_answered_by_what_became_of_it() {
    let database = Arc::new(TestDatabase::migrated());
    // Only PostgreSQL is at the other end of a network.
    let Some((start, (server, name))) = database.url().strip_prefix("postgres://").and_then(|rest| {
        let (user, rest) = rest.split_once('@')?;
        Some((user, rest.split_once('/')?))
    }) else {
        return;
    };
    let wire = Wire::to(if server.contains(':') { server.to_owned() } else { format!("{server}:5432") });
    let url = format!("postgres://{start}@127.0.0.1:{}/{name}", wire.port);
    let app = TestApp::on(Arc::clone(&database), &[("SKALA_DATABASE_URL", &url)]);
    let admin = app.admin();
    let add = |name: &str| admin.post("/organisations", json!({"name": name, "kind": "municipality"}));
    let rows = |name: &str| database.count(&format!("organisation WHERE name = '{name}'"));

    wire.cut_next_commit(Cut::After);
    add("Kommune Efter").expect(201);
    assert!(wire.was_cut());
    assert_eq!(rows("Kommune Efter"), 1, "it was committed, and its writer is told so");

    wire.cut_next_commit(Cut::Before);
    let refused = add("Kommune Før").refused(503, "unavailable");
    assert!(wire.was_cut() && !refused.header("Retry-After").is_empty());
    assert_eq!(rows("Kommune Før"), 0, "it was never committed, and its writer is told so");

    for n in 0..20 {
        let name = format!("Kommune {n}");
        wire.cut_next_commit(Cut::Between);
        let told = add(&name).status;
        assert!(wire.was_cut());
        assert_eq!((told, rows(&name)), if told == 201 { (201, 1) } else { (503, 0) }, "{name}");
    }
    // And the next is as if nothing had been.
    add("Kommune Nu").expect(201);
}
