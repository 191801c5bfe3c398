//! What the owner wants to be registered.

use std::time::Duration;

use offhook_sansio::Flow;
use offhook_sip_message::{HeaderName, NameAddr, Parameters, Text, Uri};

use crate::{
    Error, Login,
    usage::{check_headers, check_security},
};

/// A contact to register for an address of record (RFC 3261 §10.2).
///
/// ```
/// use std::{net::SocketAddr, time::Instant};
/// use offhook_sansio::{Flow, Machine, Protocol, Random};
/// use offhook_sip::{Config, Login, Registration, UserAgent};
///
/// let (here, registrar): (SocketAddr, SocketAddr) =
///     ("192.0.2.1:5060".parse()?, "192.0.2.7:5060".parse()?);
/// let mut agent = UserAgent::new(Config::default(), Random::from_seed(1));
/// agent.listen(Protocol::Udp, here, here);
/// let (domain, aor) = ("sip:biloxi.example".parse()?, "sip:bob@biloxi.example".parse()?);
/// let registration = agent.register(Instant::now(), Registration {
///     logins: vec![Login::new("biloxi.example", "bob", "zanzibar")],
///     ..Registration::new(domain, aor, Flow::udp(here, registrar))
/// })?;
/// let register = agent.poll_transmit().map(|sent| sent.payload);
/// assert!(register.is_some_and(|it| it.starts_with(b"REGISTER sip:biloxi.example SIP/2.0")));
/// assert!(agent.registered(registration)?.is_none(), "not yet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Registration {
    /// The domain of the registrar: the Request-URI, without a user (RFC 3261 §10.2).
    pub registrar: Uri,
    /// The address of record.
    pub aor: NameAddr,
    /// Where to send to: the near end is a listener, the far end the registrar or the outbound
    /// proxy. A connection has to stand already.
    pub flow: Flow,
    /// For how long to ask. The registrar may grant less; taken in whole seconds, at least one.
    pub expires: Duration,
    /// Where this side is reached; `None`: the user of the address of record at the public address
    /// of the flow.
    pub contact: Option<Uri>,
    /// More parameters of the contact: `q`, and features such as `methods` (RFC 3840 §9).
    pub parameters: Parameters,
    /// The URN of this device, such as `urn:uuid:…`, the same for ever (RFC 5626 §4.1). With one a
    /// GRUU is asked for (RFC 5627 §4.1).
    pub instance: Option<Text>,
    /// Asks for outbound (RFC 5626 §4.2.1): the number of this flow among those of the instance,
    /// from 1 on, which needs `instance`.
    pub reg_id: Option<u32>,
    /// Asks for push notifications (RFC 8599).
    pub push: Option<Push>,
    /// More header fields of each REGISTER, in order. A `Route` here has to name loose routers.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with (RFC 3261 §22).
    pub logins: Vec<Login>,
}

impl Registration {
    /// A plain registration for an hour.
    pub fn new(registrar: Uri, aor: NameAddr, flow: Flow) -> Self {
        Self {
            registrar,
            aor,
            flow,
            expires: EXPIRES,
            contact: None,
            parameters: Parameters::new(),
            instance: None,
            reg_id: None,
            push: None,
            headers: Vec::new(),
            logins: Vec::new(),
        }
    }

    /// Checks what the rest of the machine relies on.
    pub(super) fn check(&self) -> Result<(), Error> {
        check_security(&self.registrar, self.flow)?;
        check_headers(&self.headers, &[HeaderName::CONTACT, HeaderName::EXPIRES])?;
        if let Some(name) = WRITTEN.iter().find(|name| self.parameters.contains(name)) {
            return Err(Error::Unbuildable(format!("{name} has a field of its own")));
        }
        match self.reg_id {
            Some(_) if self.instance.is_none() => {
                Err(Error::Unbuildable("reg-id needs an instance (RFC 5626 §4.2.1)".into()))
            }
            Some(0) => Err(Error::Unbuildable("reg-id begins at 1 (RFC 5626 §4.2)".into())),
            Some(_) | None => Ok(()),
        }
    }

    /// The time to ask for, in seconds.
    pub(super) fn seconds(&self) -> u32 {
        u32::try_from(self.expires.as_secs()).unwrap_or(u32::MAX).max(1)
    }
}

/// Where a proxy of the registrar wakes this device up (RFC 8599 §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The kind of push service, `pn-provider`: `apns`, `fcm`, `webpush`.
    pub provider: Text,
    /// The device's name there, `pn-prid`. It goes into REGISTER alone, and into none that removes.
    pub prid: Text,
    /// What the service needs to know besides, `pn-param`.
    pub param: Option<Text>,
}

/// What clients usually ask for; RFC 3261 §10.2 leaves the choice to the registrar then.
const EXPIRES: Duration = Duration::from_secs(3600);
/// Contact parameters that follow from other fields.
const WRITTEN: [&str; 3] = ["expires", "reg-id", "+sip.instance"];
