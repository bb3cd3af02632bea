//! Several nodes on one database, none of them special.

use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use serde_json::json;
use skala::db::{Db, DbError, Engine};

use crate::program::{Service, add_admin, skala};
use crate::support::{TestApp, TestDatabase, given, wait_for};

#[test]
fn ten_nodes_that_start_together_migrate_once() {
    let database = TestDatabase::empty();
    let start = |_| skala(&database, &["migrate"]).stderr(Stdio::piped()).spawn().unwrap();
    let nodes: Vec<_> = (0..10).map(start).collect();
    for node in nodes {
        let output = node.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Service::start(&database);
}

#[test]
fn another_nodes_commit_is_heard_of() {
    let (one, other) = (TestApp::start(), |app: &TestApp| TestApp::on(app.database.clone(), &[]));
    let other = other(&one);
    given::municipality(&one, "Odense Kommune");
    let mut commits = other.node.db.commits();
    other.node.db.listen().unwrap();
    wait_for(commits.changed()).unwrap();
    let heard = *commits.borrow_and_update();
    given::municipality(&one, "Aarhus Kommune");
    wait_for(commits.changed()).unwrap();
    assert!(*commits.borrow() > heard);
}

#[test]
fn a_node_whose_tables_became_another_versions_writes_no_more_and_says_that_it_is_not_ready() {
    let app = TestApp::start();
    let admin = app.admin();
    let body = |name: &str| json!({"name": name, "kind": "municipality"});
    admin.post("/organisations", body("Odense Kommune")).expect(201);
    app.database.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')");
    admin.post("/organisations", body("Aarhus Kommune")).refused(503, "unavailable");
    assert_eq!(app.anonymous().outside().get("/readyz").status, 503);
    let seen = app.anonymous().get("/organisations").expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    app.database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20991231000001'");
    admin.post("/organisations", body("Aarhus Kommune")).expect(201);
}

#[test]
fn letters_go_on_while_a_newer_version_adds_columns_to_their_tables() {
    let app = TestApp::start();
    given::subscriber(&app, "salg@firma.example", "immediate", json!({}));
    // Often enough for every connection to have prepared what it says.
    let publish_some = || {
        for number in 0..6 {
            given::published(&app, &format!("Natligt tilsyn {number}"));
            app.mail_to("salg@firma.example");
        }
    };
    publish_some();
    for table in ["delivery", "subscription", "suppression", "ledger_entry"] {
        app.database.execute(&format!("ALTER TABLE {table} ADD COLUMN newer TEXT"));
    }
    publish_some();
}

#[test]
fn whoever_waits_too_long_is_told_the_truth_of_what_was_done() {
    let app = TestApp::start();
    let db = app.node.db.clone().answering_within(Duration::from_millis(100));
    let (go_on, held) = mpsc::channel::<()>();
    let done = Arc::new(AtomicBool::new(false));
    let begun: Result<(), DbError> = wait_for(db.write(move |_| {
        held.recv().ok();
        Ok(())
    }));
    assert!(matches!(begun, Err(DbError::Unsettled(_))), "it is under way: {begun:?}");
    let inside = Arc::clone(&done);
    let waiting: Result<(), DbError> = wait_for(db.write(move |_| {
        inside.store(true, Ordering::Relaxed);
        Ok(())
    }));
    assert!(matches!(waiting, Err(DbError::Unavailable(_))), "it was never begun: {waiting:?}");
    go_on.send(()).unwrap();
    given::municipality(&app, "Odense Kommune");
    assert!(!done.load(Ordering::Relaxed), "what was given up is not done later");
}

#[test]
fn a_replica_is_read_only_while_it_has_all_that_was_committed() {
    let (main, replica) = (Arc::new(TestDatabase::migrated()), Arc::new(TestDatabase::migrated()));
    if main.engine() == Engine::Sqlite {
        return;
    }
    // Two databases with different rows, so that it shows which of them is read.
    let beside = TestApp::on(replica.clone(), &[]);
    given::municipality(&beside, "Kommunen på kopien");
    let app = TestApp::on(main, &[("SKALA_DATABASE_READ_URL", replica.url())]);
    let names = |limit: u32| {
        // Answers to strangers are at hand for a moment: each time something else is asked.
        let list = app.anonymous().get(&format!("/organisations?limit={limit}")).expect(200);
        list["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let counter = |value: u32| replica.execute(&format!("UPDATE change_counter SET value = {value}"));
    counter(0);
    given::municipality(&app, "Odense Kommune");
    assert_eq!(names(50), ["Odense Kommune"], "a replica that is behind");
    counter(1000);
    assert_eq!(names(51), ["Kommunen på kopien"], "a replica that has it all");
}

#[test]
fn a_replica_that_is_away_takes_nothing_from_the_service() {
    let main = Arc::new(TestDatabase::migrated());
    if main.engine() == Engine::Sqlite {
        return;
    }
    let app = TestApp::on(main, &[("SKALA_DATABASE_READ_URL", "postgres://nobody@127.0.0.1:1/nothing")]);
    given::municipality(&app, "Odense Kommune");
    assert_eq!(app.anonymous().get("/organisations").expect(200)["items"].as_array().unwrap().len(), 1);
}

/// What spreads requests over nodes does: it asks each whether it is ready, and sends to those that are.
struct Balancer {
    ready: Mutex<Vec<String>>,
    next: AtomicUsize,
    agent: ureq::Agent,
}

impl Balancer {
    fn choose(&self) -> String {
        let ready = self.ready.lock().unwrap();
        ready[self.next.fetch_add(1, Ordering::Relaxed) % ready.len()].clone()
    }

    fn look(&self, nodes: &[String]) {
        let is_ready = |node: &&String| {
            ureq::get(format!("http://{node}/readyz")).call().is_ok_and(|answer| answer.status().as_u16() == 200)
        };
        *self.ready.lock().unwrap() = nodes.iter().filter(is_ready).cloned().collect();
    }
}

#[test]
fn a_rolling_restart_under_load_loses_no_request() {
    let database = TestDatabase::migrated();
    add_admin(&database);
    let start = || Service::of(skala(&database, &["serve"]).env("SKALA_DRAIN", "2"));
    let mut nodes = [start(), start()];
    let token = nodes[0].sign_in("admin@co-pi.example");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let balancer = Balancer { ready: Mutex::default(), next: AtomicUsize::new(0), agent };
    let known = Mutex::new(nodes.iter().map(|node| node.address.clone()).collect::<Vec<_>>());
    balancer.look(&known.lock().unwrap());
    let (over, answered, lost) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let nodes = known.lock().unwrap().clone();
                balancer.look(&nodes);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        for worker in 0..4 {
            let (balancer, token, over, answered, lost) = (&balancer, &token, &over, &answered, &lost);
            scope.spawn(move || {
                for n in (0..).take_while(|_| !over.load(Ordering::Relaxed)) {
                    let url = format!("http://{}/api/v1/organisations", balancer.choose());
                    let body = json!({"name": format!("Kommune {worker}-{n}"), "kind": "municipality"}).to_string();
                    let post = balancer.agent.post(&url).content_type("application/json");
                    let sent = post.header("Authorization", format!("Bearer {token}")).send(body);
                    match sent.map(|answer| answer.status().as_u16()) {
                        Ok(201) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        other => lost.lock().unwrap().push(format!("{other:?}")),
                    }
                }
            });
        }
        let beyond = |count| {
            while answered.load(Ordering::Relaxed) < count {
                std::thread::yield_now();
            }
        };
        beyond(50);
        for node in &mut nodes {
            let successor = start();
            known.lock().unwrap().push(successor.address.clone());
            let mut leaving = std::mem::replace(node, successor);
            leaving.send("-TERM");
            assert!(leaving.wait().success());
            known.lock().unwrap().retain(|node| *node != leaving.address);
            beyond(answered.load(Ordering::Relaxed) + 50);
        }
        over.store(true, Ordering::Relaxed);
    });
    let lost = lost.into_inner().unwrap();
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(nodes[0].names().len(), answered.into_inner());
}

#[test]
fn two_databases_of_one_process_do_not_settle_each_others_commits() {
    let database = TestDatabase::migrated();
    let nodes: Vec<Db> = (0..2).map(|_| Db::open(&database.url().parse().unwrap()).unwrap()).collect();
    for node in &nodes {
        wait_for(node.write(|_| Ok::<_, DbError>(()))).unwrap();
    }
    let marks: Result<i64, DbError> = wait_for(nodes[0].read(|connection| {
        #[derive(diesel::QueryableByName)]
        struct Count {
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            count: i64,
        }
        use diesel::RunQueryDsl;
        let count = diesel::sql_query("SELECT count(*) AS count FROM write_mark").get_result::<Count>(connection)?;
        Ok(count.count)
    }));
    assert_eq!(marks.unwrap(), 2);
}
