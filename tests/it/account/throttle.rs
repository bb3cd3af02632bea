//! Guessing is slowed down, and no owner is locked out by it.

use chrono::TimeDelta;
use serde_json::json;

use super::{PASSWORD, mette};
use crate::support::{Answer, TestApp};

const WRONG: &str = "en grøn cykel i solskin";

/// Signs in from an address of one's own.
fn from(app: &TestApp, address: &str, email: &str, password: &str) -> Answer {
    let client = app.anonymous().with("X-Forwarded-For", address);
    client.post("/auth/token", json!({"email": email, "password": password}))
}

fn behind_a_proxy() -> TestApp {
    TestApp::with(&[("SKALA_TRUSTED_PROXIES", "127.0.0.1,::1")])
}

#[test]
fn after_five_wrong_passwords_pauses_grow_and_say_how_long() {
    let app = behind_a_proxy();
    mette(&app);
    let guess = |password: &str| from(&app, "192.0.2.1", "mette@odense.example", password);
    for _ in 0..5 {
        guess(WRONG).refused(401, "bad_credentials");
    }
    let refused = guess(PASSWORD).refused(429, "too_many_tries");
    assert_eq!(refused.header("Retry-After"), "2");
    app.advance(TimeDelta::seconds(2));
    guess(WRONG).refused(401, "bad_credentials");
    app.advance(TimeDelta::seconds(1));
    assert_eq!(guess(WRONG).refused(429, "too_many_tries").header("Retry-After"), "2");
    app.advance(TimeDelta::seconds(2));
    guess(PASSWORD).expect(200);
    guess(WRONG).refused(401, "bad_credentials");
    guess(PASSWORD).expect(200);
}

#[test]
fn an_account_that_does_not_exist_is_slowed_down_alike() {
    let app = behind_a_proxy();
    for email in ["nobody@odense.example", "no address"] {
        for _ in 0..5 {
            from(&app, "192.0.2.1", email, WRONG).refused(401, "bad_credentials");
        }
        from(&app, "192.0.2.1", email, WRONG).refused(429, "too_many_tries");
        from(&app, "192.0.2.2", email, WRONG).refused(401, "bad_credentials");
    }
}

#[test]
fn who_tries_many_accounts_from_one_address_is_turned_away_and_its_known_people_are_not() {
    let app = behind_a_proxy();
    mette(&app);
    from(&app, "192.0.2.1", "mette@odense.example", PASSWORD).expect(200);
    let spray = |number: usize| from(&app, "192.0.2.1", &format!("person{number}@odense.example"), WRONG);
    for number in 0..50 {
        spray(number).refused(401, "bad_credentials");
    }
    let refused = spray(50).refused(429, "too_many_tries");
    assert_eq!(refused.header("Retry-After"), "3601");
    from(&app, "192.0.2.1", "mette@odense.example", PASSWORD).expect(200);
    app.advance(TimeDelta::hours(1));
    spray(50).refused(401, "bad_credentials");
}

#[test]
fn an_account_that_many_addresses_attack_stays_open_to_its_owner() {
    let app = behind_a_proxy();
    mette(&app);
    from(&app, "192.0.2.1", "mette@odense.example", PASSWORD).expect(200);
    let guess = |number: usize| from(&app, &format!("198.51.100.{number}"), "mette@odense.example", WRONG);
    for number in 0..100 {
        guess(number).refused(401, "bad_credentials");
    }
    guess(100).refused(429, "too_many_tries");
    from(&app, "192.0.2.1", "mette@odense.example", PASSWORD).expect(200);

    // From somewhere new the way in is a link by mail.
    from(&app, "203.0.113.9", "mette@odense.example", PASSWORD).refused(429, "too_many_tries");
    app.anonymous().post("/password-resets", json!({"email": "mette@odense.example"})).expect(202);
    let token = app.mail_to("mette@odense.example").token("/password-resets/");
    let new = json!({"token": token, "password": "to blå biler i solskin"});
    app.anonymous().with("X-Forwarded-For", "203.0.113.9").post("/password-resets/accept", new).expect(204);
    from(&app, "203.0.113.9", "mette@odense.example", "to blå biler i solskin").expect(200);
    app.mail_to("mette@odense.example");
}

#[test]
fn tries_are_known_to_every_node() {
    let app = behind_a_proxy();
    mette(&app);
    let other = TestApp::on(app.database.clone(), &[("SKALA_TRUSTED_PROXIES", "127.0.0.1,::1")]);
    for _ in 0..5 {
        from(&app, "192.0.2.1", "mette@odense.example", WRONG).refused(401, "bad_credentials");
    }
    from(&other, "192.0.2.1", "mette@odense.example", PASSWORD).refused(429, "too_many_tries");
}

#[test]
fn many_guesses_at_the_same_moment_gain_nothing() {
    let app = behind_a_proxy();
    mette(&app);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let guess = || from(&app, "192.0.2.1", "mette@odense.example", WRONG).status;
        let tries: Vec<_> = (0..12).map(|_| scope.spawn(guess)).collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5, "{statuses:?}");
}
