//! Roles, scopes, and the proofs made of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{OrganisationId, UserId, text};
use crate::outbox::Actor;
use crate::web::Problem;

/// What somebody may, by whom they work for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = UserRole)]
pub enum Role {
    /// Works for a public body: its own challenges, recognising, joining.
    Member,
    /// As a member, and its body's users.
    OrgAdmin,
    /// CO-PI's staff: decide, group, run processes, publish.
    Facilitator,
    /// Users, organisations, criteria sets, operations.
    Admin,
}

impl Role {
    const WORDS: [(Self, &'static str); 4] = [
        (Self::Member, "member"),
        (Self::OrgAdmin, "org_admin"),
        (Self::Facilitator, "facilitator"),
        (Self::Admin, "admin"),
    ];

    /// The word that stands in the database and in tokens.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(role, _)| *role == self).map_or("", |(_, word)| word)
    }

    /// The role of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(role, _)| *role)
    }
}

/// What an API key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    #[serde(rename = "challenges:read")]
    ChallengesRead,
    #[serde(rename = "challenges:write")]
    ChallengesWrite,
    #[serde(rename = "processes:read")]
    ProcessesRead,
    #[serde(rename = "processes:write")]
    ProcessesWrite,
    #[serde(rename = "dialogues:write")]
    DialoguesWrite,
    #[serde(rename = "admin")]
    Admin,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub user_id: UserId,
    pub name: String,
    pub role: Role,
    pub organisation_id: Option<OrganisationId>,
    /// What the API key allows; `None` for a person who signed in, who may all that the role may.
    pub scopes: Option<Vec<Scope>>,
}

impl Person {
    /// Whether the key, if it is one, reaches this far. `Admin` reaches everywhere.
    fn reaches(&self, scope: Scope) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(&scope) || scopes.contains(&Scope::Admin))
    }

    /// Who is written into history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            user_id: Some(self.user_id.to_string()),
            name: self.name.clone(),
            organisation_id: self.organisation_id.map(|id| id.to_string()),
        }
    }
}

/// Whoever sent the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    Anonymous,
    Person(Person),
}

/// Somebody who acts for a public body.
#[derive(Clone, Debug)]
pub struct Member(Person, OrganisationId);

/// Somebody who looks after a public body's users.
#[derive(Clone, Debug)]
pub struct OrgAdmin(Person, OrganisationId);

/// One of CO-PI's staff, or an admin.
#[derive(Clone, Debug)]
pub struct Staff(Person);

/// Somebody who looks after the service.
#[derive(Clone, Debug)]
pub struct Admin(Person);

impl Caller {
    /// Somebody with an account, whose key reaches this far.
    ///
    /// # Errors
    /// 401 for strangers, 403 for a key without the scope.
    pub fn person(&self, scope: Scope) -> Result<&Person, Problem> {
        match self {
            Self::Anonymous => Err(Problem::unauthorized()),
            Self::Person(person) if person.reaches(scope) => Ok(person),
            Self::Person(_) => Err(Problem::forbidden(text!(
                "API-nøglen rækker ikke til dette",
                "The API key's scopes do not reach this far"
            ))),
        }
    }

    /// A member of a public body.
    ///
    /// # Errors
    /// 401, or 403 for those who act for no body.
    pub fn member(&self, scope: Scope) -> Result<Member, Problem> {
        let person = self.person(scope)?;
        match (person.role, person.organisation_id) {
            (Role::Member | Role::OrgAdmin, Some(body)) => Ok(Member(person.clone(), body)),
            _ => Err(Problem::forbidden(text!(
                "Det kan kun en offentlig organisations egne medarbejdere gøre",
                "Only a public body's own people can do this"
            ))),
        }
    }

    /// One of CO-PI's staff.
    ///
    /// # Errors
    /// 401, or 403 for everybody else.
    pub fn staff(&self, scope: Scope) -> Result<Staff, Problem> {
        let person = self.person(scope)?;
        match person.role {
            Role::Facilitator | Role::Admin => Ok(Staff(person.clone())),
            Role::Member | Role::OrgAdmin => Err(Problem::forbidden(text!(
                "Det kan kun CO-PI's medarbejdere gøre",
                "Only CO-PI's staff can do this"
            ))),
        }
    }

    /// One who looks after a body's users.
    ///
    /// # Errors
    /// 401, or 403 for everybody else.
    pub fn org_admin(&self) -> Result<OrgAdmin, Problem> {
        let person = self.person(Scope::Admin)?;
        match (person.role, person.organisation_id) {
            (Role::OrgAdmin, Some(body)) => Ok(OrgAdmin(person.clone(), body)),
            _ => Err(Problem::forbidden(text!(
                "Det kan kun organisationens egen administrator gøre",
                "Only the body's own administrator can do this"
            ))),
        }
    }

    /// One who looks after the service.
    ///
    /// # Errors
    /// 401, or 403 for everybody else.
    pub fn admin(&self) -> Result<Admin, Problem> {
        let person = self.person(Scope::Admin)?;
        match person.role {
            Role::Admin => Ok(Admin(person.clone())),
            _ => {
                Err(Problem::forbidden(text!("Det kan kun en administrator gøre", "Only an administrator can do this")))
            }
        }
    }

    /// Whether this is one of CO-PI's staff, where that only widens what is shown.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        matches!(self, Self::Person(person) if matches!(person.role, Role::Facilitator | Role::Admin))
    }

    /// The body that the caller acts for, where that only widens what is shown.
    #[must_use]
    pub fn body(&self) -> Option<OrganisationId> {
        match self {
            Self::Person(person) => person.organisation_id,
            Self::Anonymous => None,
        }
    }
}

impl Member {
    /// The body that the member acts for.
    #[must_use]
    pub fn organisation_id(&self) -> OrganisationId {
        self.1
    }
    /// Who is written into history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
}

impl OrgAdmin {
    /// The body whose users these are.
    #[must_use]
    pub fn organisation_id(&self) -> OrganisationId {
        self.1
    }
    /// Who is written into history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
}

impl Staff {
    /// Who is written into history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
    /// Who decides.
    #[must_use]
    pub fn person(&self) -> &Person {
        &self.0
    }
}

impl Admin {
    /// Who is written into history.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.0.actor()
    }
    /// An admin is staff too.
    #[must_use]
    pub fn as_staff(&self) -> Staff {
        Staff(self.0.clone())
    }
    /// Whoever has the machine's command line has the service.
    pub(crate) fn at_the_command_line() -> Self {
        Self(Person {
            user_id: UserId::from_bytes([0; 16]),
            name: "skala".to_owned(),
            role: Role::Admin,
            organisation_id: None,
            scopes: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(role: Role, scopes: Option<Vec<Scope>>) -> Caller {
        let organisation_id =
            matches!(role, Role::Member | Role::OrgAdmin).then(|| OrganisationId::from_bytes([1; 16]));
        Caller::Person(Person {
            user_id: UserId::from_bytes([2; 16]),
            name: "Ane".into(),
            role,
            organisation_id,
            scopes,
        })
    }

    #[test]
    fn proofs_follow_roles() {
        let proofs = |caller: &Caller| {
            let scope = Scope::ChallengesWrite;
            [
                caller.member(scope).is_ok(),
                caller.org_admin().is_ok(),
                caller.staff(scope).is_ok(),
                caller.admin().is_ok(),
            ]
        };
        assert_eq!(proofs(&Caller::Anonymous), [false; 4]);
        assert_eq!(proofs(&person(Role::Member, None)), [true, false, false, false]);
        assert_eq!(proofs(&person(Role::OrgAdmin, None)), [true, true, false, false]);
        assert_eq!(proofs(&person(Role::Facilitator, None)), [false, false, true, false]);
        assert_eq!(proofs(&person(Role::Admin, None)), [false, false, true, true]);
    }

    #[test]
    fn a_key_reaches_no_further_than_its_scopes() {
        let reader = person(Role::Member, Some(vec![Scope::ChallengesRead]));
        assert!(reader.member(Scope::ChallengesRead).is_ok());
        assert_eq!(reader.member(Scope::ChallengesWrite).unwrap_err().status.as_u16(), 403);
        assert!(person(Role::Member, Some(vec![Scope::Admin])).member(Scope::ChallengesWrite).is_ok());
    }

    #[test]
    fn a_stranger_is_asked_who_they_are() {
        assert_eq!(Caller::Anonymous.member(Scope::ChallengesRead).unwrap_err().status.as_u16(), 401);
    }
}
