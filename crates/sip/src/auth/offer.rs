//! The challenges of a response, realm by realm, and which of them to answer (RFC 8760 §2.4).

use offhook_sip_message::{Algorithm, Challenge, Charset, DigestChallenge, Qop, Response, Text};

use super::{ChallengeError, HashFunction, Login, role::MAX_VALUES, role::Role};

/// What one realm offers, in the order of its preference (RFC 8760 §2.3).
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) role: Role,
    pub(super) realm: Text,
    challenges: Vec<DigestChallenge>,
}

/// All that a response offers.
#[derive(Debug, Default)]
pub(super) struct Offers {
    pub(super) realms: Vec<Offer>,
    /// What was wrong with the first challenge that was left out.
    pub(super) fault: Option<ChallengeError>,
}

impl Offers {
    /// Reads the challenges of servers and of proxies, for a proxy that forks puts both into one
    /// response (RFC 3261 §22.3). What is not understood is left out (RFC 8760 §2.4).
    pub(super) fn of(response: &Response) -> Result<Self, ChallengeError> {
        let mut offers = Self::default();
        for role in Role::ALL {
            let challenges = role.challenges(response);
            if challenges.len() >= MAX_VALUES {
                return Err(ChallengeError::TooManyChallenges);
            }
            for challenge in challenges {
                match challenge {
                    Ok(Challenge::Digest(challenge)) => offers.add(role, challenge)?,
                    Ok(Challenge::Other(other)) => {
                        let scheme = other.scheme.into();
                        offers.fault(ChallengeError::UnknownScheme { scheme });
                    }
                    Err(error) => offers.fault(ChallengeError::Malformed(error)),
                }
            }
        }
        Ok(offers)
    }

    fn add(&mut self, role: Role, challenge: DigestChallenge) -> Result<(), ChallengeError> {
        let same = |offer: &&mut Offer| offer.role == role && offer.realm == challenge.realm;
        if let Some(offer) = self.realms.iter_mut().find(same) {
            offer.challenges.push(challenge);
            return Ok(());
        }
        if self.realms.len() >= MAX_REALMS {
            return Err(ChallengeError::TooManyChallenges);
        }
        let realm = challenge.realm.clone();
        self.realms.push(Offer { role, realm, challenges: vec![challenge] });
        Ok(())
    }

    /// Notes the first fault.
    pub(super) fn fault(&mut self, fault: ChallengeError) {
        self.fault.get_or_insert(fault);
    }
}

/// The challenge to answer, and how.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) challenge: DigestChallenge,
    pub(super) function: HashFunction,
    pub(super) qop: Option<Qop>,
}

impl Offer {
    /// Whether only the nonce of the credentials was refused (RFC 7616 §3.3).
    pub(super) fn is_stale(&self) -> bool {
        self.challenges.iter().any(|challenge| challenge.stale)
    }

    /// The topmost challenge that can be answered (RFC 8760 §2.4). By local policy MD5 is passed
    /// over where the realm offers something stronger as well (RFC 7616 §5.8), and is refused where
    /// it did so before: `strong_only`.
    pub(super) fn choose(
        &self,
        login: &Login,
        allowed: &[Algorithm],
        strong_only: bool,
    ) -> Result<Choice, ChallengeError> {
        let mut usable = Vec::new();
        let mut fault = None;
        for challenge in &self.challenges {
            match self.choice(challenge, login, allowed) {
                Ok(choice) if choice.function.is_strong() => return Ok(choice),
                Ok(choice) => usable.push(choice),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        match (usable.into_iter().next(), fault) {
            (Some(weak), _) if strong_only => {
                let algorithm = weak.challenge.algorithm.to_string();
                Err(ChallengeError::Downgrade { realm: self.realm(), algorithm })
            }
            (Some(weak), _) => Ok(weak),
            (None, fault) => Err(fault.unwrap_or(ChallengeError::NoChallenge)),
        }
    }

    fn choice(
        &self,
        challenge: &DigestChallenge,
        login: &Login,
        allowed: &[Algorithm],
    ) -> Result<Choice, ChallengeError> {
        let (realm, algorithm) = (|| self.realm(), &challenge.algorithm);
        let function = HashFunction::of(algorithm).filter(|_| allowed.contains(algorithm));
        let Some(function) = function else {
            let algorithm = algorithm.to_string();
            return Err(ChallengeError::UnknownAlgorithm { realm: realm(), algorithm });
        };
        if let Some(Charset::Other(charset)) = &challenge.charset
            && !login.is_ascii()
        {
            let charset = charset.as_str().to_owned();
            return Err(ChallengeError::UnknownCharset { realm: realm(), charset });
        }
        let qop = self.qop(challenge)?;
        if algorithm.is_session() && qop.is_none() {
            return Err(ChallengeError::SessionWithoutQop { realm: realm() });
        }
        Ok(Choice { challenge: challenge.clone(), function, qop })
    }

    /// `auth` before `auth-int`, for session border controllers change bodies; none for a server of
    /// RFC 2069. Unrecognized options are ignored (RFC 7616 §3.3).
    fn qop(&self, challenge: &DigestChallenge) -> Result<Option<Qop>, ChallengeError> {
        if challenge.qop.is_empty() {
            return Ok(None);
        }
        let known = [Qop::Auth, Qop::AuthInt].into_iter().find(|qop| challenge.offers(qop));
        known.map(Some).ok_or_else(|| {
            let offered: Vec<&str> = challenge.qop.iter().map(Qop::as_str).collect();
            ChallengeError::UnknownQop { realm: self.realm(), qop: offered.join(",") }
        })
    }

    /// The realm, for an error.
    pub(super) fn realm(&self) -> String {
        self.realm.as_str().to_owned()
    }
}

/// How many realms of one response are answered: a chain of proxies is shorter.
const MAX_REALMS: usize = 8;
