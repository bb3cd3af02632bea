//! The two links by which a password is set: an invitation's, and one that was asked for.

use crate::access::store::Account;
use crate::kernel::{DeadLink, Instant, SealedFor};
use crate::web::Node;

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The first password.
    Invitation,
    /// A new one.
    Reset,
}

impl Link {
    fn purpose(self) -> SealedFor {
        match self {
            Self::Invitation => SealedFor::AcceptInvitation,
            Self::Reset => SealedFor::ResetPassword,
        }
    }

    /// Its place in the API.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Invitation => "/api/v1/invitations",
            Self::Reset => "/api/v1/password-resets",
        }
    }

    /// The link for this account, and the secret in it.
    pub(super) fn draw(self, node: &Node, account: &Account, until: Instant) -> (String, String) {
        let id = account.person.user_id;
        let token = node.seal.token(self.purpose(), id, Some(until), state(account));
        (node.url(&format!("{}/{token}", self.path())), token)
    }

    /// Whether a link opens this account now.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn examine(self, node: &Node, token: &str, account: &Account, now: Instant) -> Result<(), DeadLink> {
        node.seal.examine(token, self.purpose(), account.person.user_id, state(account), now)?;
        if account.is_active() { Ok(()) } else { Err(DeadLink::Expired) }
    }
}

/// What a link is bound to: the password that stands. Setting one spends every link that was sent before.
fn state(account: &Account) -> &str {
    account.password_hash.as_deref().unwrap_or_default()
}
