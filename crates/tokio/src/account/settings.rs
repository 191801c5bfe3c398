//! The settings of an account.

use std::time::Duration;

use offhook_sansio::Protocol;
use offhook_sip::{Login, Push};
use offhook_sip_message::{HeaderName, NameAddr, Parameters, SipUri, Text, Uri};
use tokio::sync::oneshot;

use super::Account;
use crate::{Endpoint, Error, command::Command, uri};

/// What the driver knows of an account.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) aor: NameAddr,
    pub(crate) registrar: Option<Uri>,
    pub(crate) logins: Vec<Login>,
    pub(crate) expires: Duration,
    pub(crate) contact: Option<Uri>,
    pub(crate) parameters: Parameters,
    pub(crate) instance: Option<Text>,
    pub(crate) reg_id: Option<u32>,
    pub(crate) push: Option<Push>,
    pub(crate) transport: Option<Protocol>,
    pub(crate) proxies: Vec<Uri>,
    pub(crate) headers: Vec<(HeaderName, Text)>,
}

/// Settings of a new account, made by [`Endpoint::account`]. What is not set keeps its default.
#[derive(Debug)]
#[must_use = "an account begins with `open`"]
pub struct AccountBuilder<'a> {
    endpoint: &'a Endpoint,
    address: String,
    display_name: Option<String>,
    registrar: Registrar,
    proxies: Vec<String>,
    contact: Option<String>,
    settings: Settings,
}

#[derive(Debug)]
enum Registrar {
    /// The domain of the address of record.
    OfDomain,
    At(String),
    None,
}

impl<'a> AccountBuilder<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint, address: &str) -> Self {
        Self {
            endpoint,
            address: address.to_owned(),
            display_name: None,
            registrar: Registrar::OfDomain,
            proxies: Vec::new(),
            contact: None,
            settings: Settings {
                aor: endpoint.identity().clone(),
                registrar: None,
                logins: Vec::new(),
                expires: EXPIRES,
                contact: None,
                parameters: Parameters::new(),
                instance: None,
                reg_id: None,
                push: None,
                transport: None,
                proxies: Vec::new(),
                headers: Vec::new(),
            },
        }
    }

    /// The name that others see beside the address.
    pub fn display_name(mut self, name: &str) -> Self {
        self.display_name = Some(name.to_owned());
        self
    }

    /// The registrar, a SIP URI. Default: the domain of the address (RFC 3261 §10.2).
    pub fn registrar(mut self, uri: &str) -> Self {
        self.registrar = Registrar::At(uri.to_owned());
        self
    }

    /// Registers nowhere: the account has an address, logins and routes for what it sends.
    pub fn without_registrar(mut self) -> Self {
        self.registrar = Registrar::None;
        self
    }

    /// What to answer challenges with, one more for each realm (RFC 3261 §22).
    /// [`Login::any_realm`] is for providers that do not tell theirs.
    pub fn login(mut self, login: Login) -> Self {
        self.settings.logins.push(login);
        self
    }

    /// For how long to register. The registrar may grant less. Default: an hour.
    pub const fn expires(mut self, time: Duration) -> Self {
        self.settings.expires = time;
        self
    }

    /// Where this side is reached. Default: the user of the address at the public address of the
    /// flow.
    pub fn contact(mut self, uri: &str) -> Self {
        self.contact = Some(uri.to_owned());
        self
    }

    /// More parameters of the contact: `q`, and features such as `methods` (RFC 3840 §9).
    pub fn contact_parameters(mut self, parameters: Parameters) -> Self {
        self.settings.parameters = parameters;
        self
    }

    /// The URN of this device, such as `urn:uuid:…`, the same for ever (RFC 5626 §4.1). With one a
    /// GRUU is asked for (RFC 5627), and calls go out under it.
    pub fn instance(mut self, urn: &str) -> Self {
        self.settings.instance = Some(Text::from(urn));
        self
    }

    /// Asks for outbound (RFC 5626): requests come over the very flow of the registration, which is
    /// the number `reg_id`, from 1 on, of the [`instance`](Self::instance).
    pub const fn outbound(mut self, reg_id: u32) -> Self {
        self.settings.reg_id = Some(reg_id);
        self
    }

    /// Asks for push notifications (RFC 8599).
    pub fn push(mut self, push: Push) -> Self {
        self.settings.push = Some(push);
        self
    }

    /// The transport to use where no URI names one. Default: what DNS prefers (RFC 3263 §4.1).
    pub const fn transport(mut self, protocol: Protocol) -> Self {
        self.settings.transport = Some(protocol);
        self
    }

    /// An outbound proxy, a loose router such as `sip:proxy.example.com;lr`: one more on the way of
    /// all that the account sends. A service route that the registrar names takes their place
    /// (RFC 3608 §6.1).
    pub fn proxy(mut self, uri: &str) -> Self {
        self.proxies.push(uri.to_owned());
        self
    }

    /// One more header field of each REGISTER.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.settings.headers.push((name, Text::from(value)));
        self
    }

    /// Opens the account; it begins to register. See [`Account::registered`].
    ///
    /// # Errors
    ///
    /// [`Error::Uri`] if an address cannot be read, [`Error::Account`] if settings contradict each
    /// other, [`Error::Closed`] if the endpoint is closed.
    pub async fn open(self) -> Result<Account, Error> {
        let endpoint = self.endpoint;
        let settings = Box::new(self.settings()?);
        let (reply, answer) = oneshot::channel();
        endpoint.tell(Command::Account { settings, reply })?;
        answer.await.map_err(|_| Error::Closed)?
    }

    fn settings(self) -> Result<Settings, Error> {
        let mut settings = self.settings;
        let address = uri(&self.address)?;
        settings.registrar = match self.registrar {
            Registrar::None => None,
            Registrar::At(registrar) => Some(uri(&registrar)?),
            Registrar::OfDomain => Some(domain(&address)?),
        };
        settings.aor = NameAddr { display_name: self.display_name.map(Text::from), uri: address };
        settings.contact = self.contact.as_deref().map(uri).transpose()?;
        settings.proxies = self.proxies.iter().map(|proxy| uri(proxy)).collect::<Result<_, _>>()?;
        let loose = |uri: &Uri| uri.as_sip().is_some_and(SipUri::is_loose_router);
        if let Some(strict) = settings.proxies.iter().find(|uri| !loose(uri)) {
            return Err(Error::Account(format!("the proxy {strict} is no loose router (;lr)")));
        }
        if settings.reg_id.is_some() && settings.instance.is_none() {
            return Err(Error::Account("outbound needs an instance (RFC 5626 §4.2.1)".into()));
        }
        if settings.reg_id == Some(0) {
            return Err(Error::Account("reg-id begins at 1 (RFC 5626 §4.2)".into()));
        }
        Ok(settings)
    }
}

/// The registrar of a domain (RFC 3261 §10.2).
fn domain(address: &Uri) -> Result<Uri, Error> {
    let Some(sip) = address.as_sip() else {
        return Err(Error::Account(format!("{address} has no domain to register at")));
    };
    let mut registrar = SipUri::new(sip.host.clone());
    (registrar.secure, registrar.port) = (sip.secure, sip.port);
    Ok(Uri::Sip(registrar))
}

/// What clients usually ask for; RFC 3261 §10.2 leaves the choice to the registrar then.
const EXPIRES: Duration = Duration::from_secs(3600);
