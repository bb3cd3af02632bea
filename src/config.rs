//! Settings: what the environment says, with a default for everything that works alone.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::db::{DatabaseUrl, Engine};
use crate::kernel::Email;
use crate::mail::{ReturnAddress, Sender};

/// What an operator can set. Each field names its variable.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `SKALA_DATABASE_URL`: `sqlite://FILE` or `postgres://…`; default `sqlite://skala.db`.
    pub database: DatabaseUrl,
    /// `SKALA_DATABASE_READ_URL`: a replica of a PostgreSQL database, for reads; default none.
    pub replica: Option<DatabaseUrl>,
    /// `SKALA_LISTEN`: address and port; default `127.0.0.1:8080`.
    pub listen: SocketAddr,
    /// `SKALA_PUBLIC_URL`: how the world reaches the service, for links in mails; default `http://` and the listening address.
    pub public_url: String,
    /// `SKALA_SMTP_URL`: `smtp://host:25`, `smtp://user:password@host:587?tls=required`, `smtps://host:465`; unset: mails become files.
    pub smtp_url: Option<String>,
    /// `SKALA_MAIL_DIR`: where mails are written when there is no SMTP server; default `mails` beside the database.
    pub mail_dir: PathBuf,
    /// `SKALA_MAIL_FROM`: the sender; default `Skala <skala@localhost.localdomain>`.
    pub mail_from: Sender,
    /// `SKALA_SECRET`: at least 32 characters that sign tokens and links; unset: made once and kept beside the database.
    pub secret: Option<String>,
    /// `SKALA_RATE_LIMIT`: requests a second and client, `off` behind a gateway that limits; default 100.
    pub rate_limit: Option<NonZeroU32>,
    /// `SKALA_TRUSTED_PROXIES`: addresses whose `X-Forwarded-For` is believed, separated by commas; default none.
    pub trusted_proxies: Vec<IpAddr>,
    /// `SKALA_MAIL_BOUNCES`: where undeliverable mail comes back to; the delivery is put in after a plus sign. Unset: the sender.
    pub mail_bounces: Option<ReturnAddress>,
    /// `SKALA_DKIM_KEY`, `SKALA_DKIM_SELECTOR`, `SKALA_DKIM_DOMAIN`: private keys that sign letters, in PEM files; the
    /// names under which DNS shows them; the domain, by default the sender's. Several are separated by commas.
    pub dkim: Vec<DkimKey>,
    /// How letters are posted.
    pub posting: Posting,
    /// `SKALA_WORKER`: `off` when deliveries are another process's work (`skala worker`); default `on`.
    pub worker: bool,
    /// `SKALA_DRAIN`: for how many seconds a node that was told to stop says so before it takes no more requests;
    /// default 5 on PostgreSQL, where others can take over, and 0 on SQLite.
    pub drain: Duration,
    /// `SKALA_LEXICON`: a file, or a folder of `.txt` files, with the operator's own concepts for the matching.
    pub lexicon: Option<PathBuf>,
}

/// A key that signs letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimKey {
    pub file: PathBuf,
    pub selector: String,
    pub domain: String,
}

/// How letters are posted, by each node that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// `SKALA_MAIL_CONNECTIONS`: connections to the SMTP server, 1 to 256; default 8.
    pub connections: usize,
    /// `SKALA_MAIL_IN_FLIGHT`: letters that may be on their way without their outcome being written down, 1 to 10,000; the
    /// bound on copies after a crash. Default 32.
    pub in_flight: usize,
    /// `SKALA_MAIL_RATE`: letters a second; default no bound.
    pub rate: Option<NonZeroU32>,
    /// `SKALA_MAIL_DOMAIN_RATE`: letters a second to one receiving domain; default no bound.
    pub domain_rate: Option<NonZeroU32>,
    /// `SKALA_MAIL_LEASE`: seconds after which the letters of a node that died are taken over, 2 to 3,600; default 60.
    pub lease: Duration,
}

/// A variable that cannot be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {reason}")]
pub struct SettingsError {
    variable: &'static str,
    reason: String,
}

impl Settings {
    /// Reads the settings from wherever `variable` looks: the process's environment, or a test's table.
    ///
    /// # Errors
    /// The first variable that cannot be understood, and why.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let text = |name: &'static str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let or = |name, default: &str| text(name).unwrap_or_else(|| default.to_owned());
        let wrong = |variable, reason: &dyn ToString| SettingsError { variable, reason: reason.to_string() };

        let database: DatabaseUrl = or("SKALA_DATABASE_URL", "sqlite://skala.db")
            .parse()
            .map_err(|error| wrong("SKALA_DATABASE_URL", &error))?;
        let replica = match text("SKALA_DATABASE_READ_URL").map(|url| url.parse::<DatabaseUrl>()).transpose() {
            Ok(Some(replica)) if (replica.engine, database.engine) != (Engine::Postgres, Engine::Postgres) => {
                return Err(wrong("SKALA_DATABASE_READ_URL", &"only PostgreSQL beside PostgreSQL has replicas"));
            }
            Ok(replica) => replica,
            Err(error) => return Err(wrong("SKALA_DATABASE_READ_URL", &error)),
        };
        let drain = or("SKALA_DRAIN", if database.engine == Engine::Postgres { "5" } else { "0" });
        let drain = drain.parse().ok().filter(|seconds| *seconds <= 600);
        let drain = drain.ok_or_else(|| wrong("SKALA_DRAIN", &"expected whole seconds, 600 at most"))?;
        let listen: SocketAddr = or("SKALA_LISTEN", "127.0.0.1:8080")
            .parse()
            .map_err(|_| wrong("SKALA_LISTEN", &"expected an address and a port, as in 127.0.0.1:8080"))?;
        let public_url = or("SKALA_PUBLIC_URL", &format!("http://{listen}")).trim_end_matches('/').to_owned();
        if !public_url.starts_with("http://") && !public_url.starts_with("https://") {
            return Err(wrong("SKALA_PUBLIC_URL", &"expected an address that begins with https:// or http://"));
        }
        let rate_limit = match or("SKALA_RATE_LIMIT", "100").as_str() {
            "off" => None,
            number => Some(number.parse().map_err(|_| wrong("SKALA_RATE_LIMIT", &"expected a whole number or off"))?),
        };
        let trusted_proxies = or("SKALA_TRUSTED_PROXIES", "")
            .split(',')
            .filter(|address| !address.trim().is_empty())
            .map(|address| address.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("SKALA_TRUSTED_PROXIES", &"expected IP addresses, separated by commas"))?;
        let secret = text("SKALA_SECRET");
        if secret.as_ref().is_some_and(|secret| secret.len() < 32) {
            return Err(wrong("SKALA_SECRET", &"expected at least 32 characters"));
        }
        let worker = match or("SKALA_WORKER", "on").as_str() {
            "on" => true,
            "off" => false,
            _ => return Err(wrong("SKALA_WORKER", &"expected on or off")),
        };
        let mail_from: Sender = or("SKALA_MAIL_FROM", "Skala <skala@localhost.localdomain>")
            .parse()
            .map_err(|_| wrong("SKALA_MAIL_FROM", &"expected an address, as in Skala <skala@example.dk>"))?;
        let mail_dir = text("SKALA_MAIL_DIR")
            .map(PathBuf::from)
            .unwrap_or_else(|| database.folder().unwrap_or_else(|| PathBuf::from(".")).join("mails"));
        let smtp_url = text("SKALA_SMTP_URL");
        let number = |name, default: usize, bounds: RangeInclusive<usize>| match text(name) {
            None => Ok(default),
            Some(written) => written.parse().ok().filter(|number| bounds.contains(number)).ok_or_else(|| {
                wrong(name, &format!("expected a whole number from {} to {}", bounds.start(), bounds.end()))
            }),
        };
        let rate = |name| match or(name, "off").as_str() {
            "off" => Ok(None),
            rate => rate.parse().map(Some).map_err(|_| wrong(name, &"expected a whole number or off")),
        };
        let lease = number("SKALA_MAIL_LEASE", 60, 2..=3600)?;
        let posting = Posting {
            connections: number("SKALA_MAIL_CONNECTIONS", 8, 1..=256)?,
            in_flight: number("SKALA_MAIL_IN_FLIGHT", 32, 1..=10_000)?,
            rate: rate("SKALA_MAIL_RATE")?,
            domain_rate: rate("SKALA_MAIL_DOMAIN_RATE")?,
            lease: Duration::from_secs(u64::try_from(lease).unwrap_or(60)),
        };
        let mail_bounces = text("SKALA_MAIL_BOUNCES")
            .map(|address| Email::parse(&address).ok_or_else(|| wrong("SKALA_MAIL_BOUNCES", &"expected an address")))
            .transpose()?
            .map(ReturnAddress::new);
        let list = |name: &'static str| -> Vec<String> {
            or(name, "").split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
        };
        let (keys, selectors) = (list("SKALA_DKIM_KEY"), list("SKALA_DKIM_SELECTOR"));
        if keys.len() != selectors.len() {
            return Err(wrong("SKALA_DKIM_SELECTOR", &"expected one selector for each file of SKALA_DKIM_KEY"));
        }
        let domain = or("SKALA_DKIM_DOMAIN", mail_from.domain());
        let dkim = keys.into_iter().zip(selectors).map(|(file, selector)| DkimKey {
            file: PathBuf::from(file),
            selector,
            domain: domain.clone(),
        });
        let dkim = dkim.collect();
        Ok(Self {
            database,
            replica,
            listen,
            public_url,
            smtp_url,
            mail_dir,
            mail_from,
            secret,
            rate_limit,
            trusted_proxies,
            mail_bounces,
            dkim,
            posting,
            worker,
            drain: Duration::from_secs(drain),
            lexicon: text("SKALA_LEXICON").map(PathBuf::from),
        })
    }

    /// The host that the world knows the service by: the right-hand side of its Message-IDs.
    #[must_use]
    pub fn public_host(&self) -> &str {
        let authority = self.public_url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        authority.rsplit_once(':').map_or(authority, |(host, _)| host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Settings, SettingsError> {
        Settings::read(|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn the_defaults_work_alone() {
        let settings = Settings::read(|_| None).unwrap();
        assert_eq!(settings.public_url, "http://127.0.0.1:8080");
        assert_eq!(settings.public_host(), "127.0.0.1");
        assert_eq!(settings.mail_dir, PathBuf::from("./mails"));
        assert!(settings.worker);
    }

    #[test]
    fn a_value_that_cannot_be_understood_names_its_variable() {
        for (name, value) in [
            ("SKALA_DATABASE_URL", "postgress://x"),
            ("SKALA_DATABASE_READ_URL", "postgres://beside/sqlite"),
            ("SKALA_DRAIN", "-1"),
            ("SKALA_LISTEN", "8080"),
            ("SKALA_PUBLIC_URL", "skala.dk"),
            ("SKALA_RATE_LIMIT", "0"),
            ("SKALA_TRUSTED_PROXIES", "gateway"),
            ("SKALA_SECRET", "kort"),
            ("SKALA_WORKER", "ja"),
            ("SKALA_MAIL_FROM", "Skala"),
            ("SKALA_MAIL_BOUNCES", "bounce"),
            ("SKALA_MAIL_CONNECTIONS", "0"),
            ("SKALA_MAIL_IN_FLIGHT", "mange"),
            ("SKALA_MAIL_RATE", "0"),
            ("SKALA_MAIL_DOMAIN_RATE", "-1"),
            ("SKALA_MAIL_LEASE", "1"),
            ("SKALA_DKIM_SELECTOR", "2026a"),
        ] {
            assert!(read(name, value).unwrap_err().to_string().starts_with(name), "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_value_breaks_the_reader(value in ".{0,40}", number in "-?[0-9.]{0,22}", name in proptest::sample::select(vec![
            "SKALA_DATABASE_URL", "SKALA_DATABASE_READ_URL", "SKALA_LISTEN", "SKALA_PUBLIC_URL", "SKALA_MAIL_FROM", "SKALA_RATE_LIMIT",
            "SKALA_TRUSTED_PROXIES", "SKALA_MAIL_BOUNCES", "SKALA_DKIM_KEY", "SKALA_DRAIN", "SKALA_MAIL_LEASE", "SKALA_MAIL_CONNECTIONS",
            "SKALA_MAIL_RATE", "SKALA_SECRET",
        ])) {
            for value in [value, number] {
                match read(name, &value) {
                    Ok(settings) => drop(settings.public_host().to_owned()),
                    Err(error) => proptest::prop_assert!(error.to_string().starts_with("SKALA_")),
                }
            }
        }
    }
}
