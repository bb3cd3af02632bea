//! The shape of the code, as `src/lib.rs` promises it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules in the order of the table in `src/lib.rs`: each uses only those above it.
fn order() -> Vec<String> {
    let map = fs::read_to_string("src/lib.rs").unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split('`').next());
    rows.map(str::to_owned).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments, on one line.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join(" ")
}

/// The names that follow `prefix` in the code: `prefix::name` and `prefix::{name, name::…}`.
fn named_after<'a>(code: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let word = |text: &'a str| text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let mut names = BTreeSet::new();
    for (place, found) in code.match_indices(prefix) {
        let rest = &code[place + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let mut depth = 0;
        let mut expecting = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => expecting = true,
                c if depth == 0 && expecting && !c.is_whitespace() => {
                    names.insert(word(&group[at..]));
                    expecting = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// The module of `src` that a file belongs to.
fn module(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn the_map_names_every_module_and_no_other() {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let order = order();
    assert_eq!(order.iter().map(String::as_str).collect::<BTreeSet<_>>(), declared);
    assert_eq!(order.len(), declared.len(), "a module stands in the table twice");
}

#[test]
fn no_module_uses_one_below_it_in_the_map() {
    let order = order();
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut upwards = Vec::new();
    for path in sources(Path::new("src")) {
        let Some(own) = place(&module(&path)) else { continue };
        let code = code(&path);
        for used in named_after(&code, "crate::") {
            if place(used).is_some_and(|used| used > own) {
                upwards.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

#[test]
fn a_rule_of_a_slice_knows_neither_database_nor_http_nor_clock() {
    for path in sources(Path::new("src")) {
        let rules = path.ends_with("model.rs") || path.components().any(|part| part.as_os_str() == "model");
        if !rules {
            continue;
        }
        let code = code(&path);
        for forbidden in ["diesel", "crate::db", "actix_web", "Utc::now", "tokio"] {
            assert!(!code.contains(forbidden), "{} speaks of {forbidden}", path.display());
        }
    }
}

#[test]
fn a_table_is_named_in_one_slices_store_alone() {
    let schema = fs::read_to_string("src/db/schema.rs").unwrap();
    let tables: BTreeSet<&str> =
        schema.split("diesel::table! {").skip(1).map(|block| block.split_whitespace().next().unwrap()).collect();
    let mut homes: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for path in sources(Path::new("src")) {
        if path.starts_with("src/db") {
            continue;
        }
        let code = code(&path);
        let store = path.ends_with("store.rs") || path.components().any(|part| part.as_os_str() == "store");
        // These two keep one table each and have no other rooms.
        let alone = path.ends_with("web/idempotency.rs") || path.ends_with("src/secret.rs");
        for name in named_after(&code, "schema::") {
            let Some(table) = tables.get(name) else { continue };
            assert!(store || alone, "{} names the table {table}", path.display());
            homes.entry(table).or_default().insert(module(&path));
        }
    }
    for (table, homes) in homes {
        assert_eq!(homes.len(), 1, "the table {table} is named by {homes:?}");
    }
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["src", "tests/it"] {
        for path in sources(Path::new(folder)) {
            assert!(fs::read_to_string(&path).unwrap().starts_with("//! "), "{} says nothing", path.display());
        }
    }
}

/// The names under which the types of a file stand in the spec.
fn schema_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for derived in text.split("#[derive(").skip(1).filter(|rest| rest.split(')').next().unwrap().contains("ToSchema")) {
        let Some(place) =
            ["struct ", "enum "].iter().filter_map(|kind| derived.find(kind).map(|at| at + kind.len())).min()
        else {
            continue;
        };
        let own = derived[place..].split(|c: char| !c.is_alphanumeric()).next().unwrap();
        let given = derived[..place].split("schema(as = ").nth(1);
        let given = given.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap());
        names.push(given.unwrap_or(own).to_owned());
    }
    names
}

#[test]
fn no_two_types_share_a_name_in_the_spec() {
    let mut seen = BTreeMap::new();
    for path in sources(Path::new("src")) {
        for name in schema_names(&fs::read_to_string(&path).unwrap()) {
            if let Some(other) = seen.insert(name.clone(), path.clone()) {
                panic!(
                    "{name} is told in {} and in {}: one would silently stand for both",
                    other.display(),
                    path.display()
                );
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
}

#[test]
fn every_test_that_the_security_checklist_names_is_there() {
    fn names(place: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let lines: Vec<&str> = text.lines().map(str::trim).collect();
                for two in lines.windows(2).filter(|two| two[0] == "#[test]") {
                    found.extend(two[1].strip_prefix("fn ").and_then(|rest| rest.split('(').next()).map(str::to_owned));
                }
            }
        }
    }
    let mut known = BTreeSet::new();
    ["src", "tests/it"].iter().for_each(|place| names(Path::new(place), &mut known));
    let checklist = fs::read_to_string("src/access/asvs.md").unwrap();
    let quoted = checklist.split('`').skip(1).step_by(2).map(str::to_owned);
    // What is no setting, path or field is a test.
    let named: Vec<String> = quoted.filter(|name| name.matches('_').count() > 2).collect();
    assert!(named.len() > 40, "{named:?}");
    let gone: Vec<_> = named.iter().filter(|name| !known.contains(*name)).collect();
    assert!(gone.is_empty(), "the checklist names tests that are not there: {gone:?}");
}
