//! Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! An [`Authenticator`] answers the challenges of servers and proxies for a user, a [`Challenger`]
//! makes them and checks the answers. Neither sends anything: both take messages, and give what is
//! to be sent. MD5, SHA-256 and SHA-512/256 are known, each with sessions (`-sess`), with `auth`,
//! `auth-int` and, for old peers, without a `qop`.
//!
//! ```
//! use std::time::Instant;
//! use offhook_sansio::Random;
//! use offhook_sip::{Authenticator, Challenger, Login, Role, User, Verdict};
//! use offhook_sip_message::{CSeq, Message, Method, ParseOptions, Request, ValidRequest};
//! # fn valid(request: Request) -> Result<ValidRequest, Box<dyn std::error::Error>> {
//! #     Ok(ValidRequest::new(request, &ParseOptions::default()).map_err(|it| it.error)?)
//! # }
//!
//! # let text = b"REGISTER sip:biloxi.example SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n\
//! #     Max-Forwards: 70\r\nTo: <sip:bob@biloxi.example>\r\nFrom: <sip:bob@biloxi.example>;tag=1\r\n\
//! #     Call-ID: 1\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
//! # let Message::Request(register) = Message::parse((&text[..]).into())? else { unreachable!() };
//! # let first = valid(register)?;
//! let (now, mut random) = (Instant::now(), Random::from_system());
//! let mut server = Challenger::new(now, &mut random, Role::Server, "biloxi.example");
//! let mut client = Authenticator::new(random, [Login::new("biloxi.example", "bob", "zanzibar")]);
//! let users = |name: &str| (name == "bob").then(|| User::with_password("bob", "zanzibar"));
//!
//! // `first` is a REGISTER without credentials.
//! let verdict = server.check(now, &first, |claim| users(claim.username()));
//! let Verdict::Challenged(challenge) = verdict else { panic!("no challenge") };
//! let unauthorized = challenge.reply_to(&first).build()?;
//!
//! let again = client.challenged(&first, &unauthorized)?;
//! let again = again.replace(&CSeq { number: 2, method: Method::REGISTER });
//! let second = valid(again.build()?)?;
//! let verdict = server.check(now, &second, |claim| users(claim.username()));
//! let Verdict::Authenticated(user) = verdict else { panic!("not authenticated") };
//! assert_eq!((user.username(), user.algorithm().as_str()), ("bob", "SHA-512-256"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authenticator;
pub use authenticator::{Authenticator, ServerProof};

mod challenger;
pub use challenger::Challenger;

mod error;
pub use error::{ChallengeError, CredentialsError, OfferError};

mod hash;
pub use hash::{A1Hash, HashFunction};

mod login;
pub use login::Login;

mod nonces;

mod offer;

mod replays;

mod request_digest;

mod role;
pub use role::Role;

mod session;

mod tries;

mod user;
pub use user::{Claim, User};

mod verdict;
pub use verdict::{Authenticated, Challenged, Verdict};

#[cfg(test)]
mod tests;
