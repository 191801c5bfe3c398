//! What a server knows of a user, and what a request claims.

use std::fmt;

use bytes::Bytes;
use offhook_sansio::Secret;
use offhook_sip_message::{Algorithm, DigestCredentials, Method, Text};

use super::{A1Hash, HashFunction};

/// A user as the application knows him.
#[derive(Clone, Debug)]
pub struct User {
    name: Text,
    proof: Proof,
}

#[derive(Clone, Debug)]
enum Proof {
    Password(Secret<String>),
    A1(A1Hash),
}

impl User {
    /// A user whose password is known.
    pub fn with_password(name: impl Into<Text>, password: impl Into<Secret<String>>) -> Self {
        Self { name: name.into(), proof: Proof::Password(password.into()) }
    }

    /// A user of whom H(A1) is known, by the function that the claim asks for; another one does not
    /// authenticate (RFC 7616 §3.6).
    pub fn with_a1(name: impl Into<Text>, a1: A1Hash) -> Self {
        Self { name: name.into(), proof: Proof::A1(a1) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// H(A1) for `function`, if it can be had.
    ///
    /// Both branches hash once, so that nobody can tell by the time what is known of the user.
    pub(super) fn a1(&self, function: HashFunction, name: &str, realm: &str) -> Option<A1Hash> {
        match &self.proof {
            Proof::Password(password) => Some(A1Hash::new(function, name, realm, password)),
            Proof::A1(a1) => {
                let spent = A1Hash::new(function, name, realm, &Secret::from(""));
                std::hint::black_box(spent);
                Some(a1.clone()).filter(|a1| a1.function() == function)
            }
        }
    }
}

/// Whom a request claims to come from. Nothing is proved so far.
#[derive(Clone)]
pub struct Claim {
    pub(super) credentials: DigestCredentials,
    pub(super) function: HashFunction,
    pub(super) method: Method,
    pub(super) body: Bytes,
}

impl Claim {
    /// The name of the user; the hash of it where [`is_hashed`](Self::is_hashed) says so.
    pub fn username(&self) -> &str {
        self.credentials.username.as_str()
    }

    /// Whether the name is what [`HashFunction::user_hash`] gives for the user (RFC 7616 §3.4.4).
    pub fn is_hashed(&self) -> bool {
        self.credentials.userhash
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.credentials.realm
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &Algorithm {
        &self.credentials.algorithm
    }

    /// The hash function of the algorithm, which an [`A1Hash`] must be made with.
    pub fn function(&self) -> HashFunction {
        self.function
    }
}

impl fmt::Debug for Claim {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("credentials", &self.credentials)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
