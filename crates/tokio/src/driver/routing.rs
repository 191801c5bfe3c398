//! The way of what an account sends: its outbound proxies, the service route of its registrar, the flow
//! it has registered over, and its logins.

use offhook_core::Outgoing;
use offhook_sansio::{Flow, Protocol};
use offhook_sip::{LocateError, NextHop, Registration};
use offhook_sip_message::{HeaderName, NameAddr, Text, Uri};

use super::{Driver, accounts::Enrolled};
use crate::{AccountId, account::Settings};

impl Driver {
    /// Where what goes to `target` is sent first: to the outbound proxy or the first of the service
    /// route, if the account has one (RFC 3261 §8.1.2, RFC 3608 §6.1).
    pub(super) fn hop_of(
        &self,
        account: Option<AccountId>,
        target: &Uri,
    ) -> Result<NextHop, LocateError> {
        let account = account.and_then(|id| self.accounts.get(&id));
        let Some(account) = account else { return NextHop::of_uri(target) };
        let registrar = account.settings.registrar.as_ref();
        // Who is no SIP address is known to the provider (RFC 3263 §4).
        let known = if target.as_sip().is_none() { registrar.unwrap_or(target) } else { target };
        let asks = registrar == Some(target);
        let route = if asks { None } else { self.service_route(account) };
        let first = route.or_else(|| account.settings.proxies.first().cloned());
        let hop = NextHop::of_uri(&account.settings.preferred(first.unwrap_or(known.clone())))?;
        let secure = target.as_sip().is_some_and(|uri| uri.secure);
        Ok(if secure { hop.secured() } else { hop })
    }

    fn service_route(&self, account: &Enrolled) -> Option<Uri> {
        let registered = self.core.registered(account.registration?)?;
        registered.service_route.first().map(|route| route.address.uri.clone())
    }

    /// The flow that all requests of the account take: the one it has registered over, if that is a
    /// connection or the registrar sends over this very flow (RFC 5626 §4.3).
    pub(super) fn bound_flow(&self, account: AccountId) -> Option<Flow> {
        let registration = self.accounts.get(&account)?.registration?;
        let registered = self.core.registered(registration)?;
        let flow = registered.flow;
        match flow.protocol {
            Protocol::Udp => registered.outbound.then_some(flow),
            _ => self.pool.is_open(flow).then_some(flow),
        }
    }

    /// Puts what the account brings into a call.
    pub(super) fn sign(&self, outgoing: &mut Outgoing, account: Option<AccountId>) {
        let Some(account) = account.and_then(|id| self.accounts.get(&id)) else { return };
        outgoing.from = Some(account.settings.aor.clone());
        outgoing.logins.clone_from(&account.settings.logins);
        outgoing.registration = account.registration;
        outgoing.headers.extend(self.proxy_routes(account));
    }

    /// The outbound proxies, unless the registrar has named a way of its own.
    pub(super) fn proxy_routes(&self, account: &Enrolled) -> Vec<(HeaderName, Text)> {
        match self.service_route(account) {
            Some(_) => Vec::new(),
            None => account.settings.routes(),
        }
    }
}

impl Settings {
    /// What the SIP layer is to register over `flow`; `None` if there is no registrar.
    pub(super) fn registration(&self, flow: Flow) -> Option<Registration> {
        let registrar = self.registrar.clone()?;
        Some(Registration {
            expires: self.expires,
            contact: self.contact.clone(),
            parameters: self.parameters.clone(),
            instance: self.instance.clone(),
            reg_id: self.reg_id,
            push: self.push.clone(),
            headers: self.routes().into_iter().chain(self.headers.clone()).collect(),
            logins: self.logins.clone(),
            ..Registration::new(registrar, self.aor.clone(), flow)
        })
    }

    fn routes(&self) -> Vec<(HeaderName, Text)> {
        let route =
            |uri: &Uri| (HeaderName::ROUTE, Text::from(NameAddr::new(uri.clone()).to_string()));
        self.proxies.iter().map(route).collect()
    }

    /// The URI with the transport that is preferred, unless it names one itself.
    fn preferred(&self, mut uri: Uri) -> Uri {
        if let (Some(protocol), Uri::Sip(sip)) = (self.transport, &mut uri)
            && sip.transport().is_none()
            && !(sip.secure && protocol == Protocol::Udp)
        {
            sip.parameters.set("transport", Some(protocol.as_str().to_ascii_lowercase()));
        }
        uri
    }
}
