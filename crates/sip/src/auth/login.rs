//! What a user proves himself with.

use offhook_sansio::Secret;
use offhook_sip_message::Text;

use super::{A1Hash, HashFunction};

/// A user name and a password, for one realm or for any.
#[derive(Clone, Debug)]
pub struct Login {
    realm: Option<Text>,
    username: Text,
    password: Secret<String>,
}

impl Login {
    /// For `realm` and no other. Realms are compared octet by octet.
    pub fn new(
        realm: impl Into<Text>,
        username: impl Into<Text>,
        password: impl Into<Secret<String>>,
    ) -> Self {
        Self { realm: Some(realm.into()), ..Self::any_realm(username, password) }
    }

    /// For every realm that has no login of its own: whoever can send a response gets a digest of
    /// the password to guess at. For accounts whose provider does not tell its realm.
    pub fn any_realm(username: impl Into<Text>, password: impl Into<Secret<String>>) -> Self {
        Self { realm: None, username: username.into(), password: password.into() }
    }

    /// The realm; `None` for any.
    pub fn realm(&self) -> Option<&str> {
        self.realm.as_deref()
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The login for `realm` among `logins`: its own before that for any.
    pub(super) fn find<'a>(logins: &'a [Self], realm: &str) -> Option<&'a Self> {
        let own = logins.iter().find(|login| login.realm() == Some(realm));
        own.or_else(|| logins.iter().find(|login| login.realm().is_none()))
    }

    /// Whether user name and password are the same in every encoding.
    pub(super) fn is_ascii(&self) -> bool {
        self.username.is_ascii() && self.password.expose().is_ascii()
    }

    pub(super) fn a1(&self, function: HashFunction, realm: &str) -> A1Hash {
        A1Hash::new(function, &self.username, realm, &self.password)
    }
}
