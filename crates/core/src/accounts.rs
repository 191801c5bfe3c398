//! Registrations, and the calls that are made and taken under them.
//!
//! A call of a registered user takes the service route (RFC 3608 §6.1) and names the contact that the
//! registrar knows, or the GRUU that it has given (RFC 5627 §4.4). A call that comes is for the
//! registration whose contact its Request-URI names.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip::{Push, Registered, Registration, RegistrationEvent, RegistrationId};
use offhook_sip_message::{Header, HeaderName, NameAddr, Route, SipUri, Text, Uri, ValidRequest};

use crate::{Endpoint, Error, Event, Outgoing};

/// What the endpoint keeps of a registration.
#[derive(Debug)]
pub(crate) struct Account {
    id: RegistrationId,
    aor: Uri,
}

impl Endpoint {
    /// Registers a contact and keeps it registered (RFC 3261 §10.2). What becomes of it comes as
    /// [`Event::Registration`].
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::register`](offhook_sip::UserAgent::register).
    pub fn register(
        &mut self,
        now: Instant,
        registration: Registration,
    ) -> Result<RegistrationId, Error> {
        let aor = registration.aor.uri.clone();
        let id = self.agent.register(now, registration)?;
        self.accounts.push(Account { id, aor });
        self.pump(now);
        Ok(id)
    }

    /// Asks the registrar now: after a push notification, or when what made it fail is mended.
    ///
    /// # Errors
    ///
    /// If the registration is over or being removed.
    pub fn refresh(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.agent.refresh(now, id)?;
        self.pump(now);
        Ok(())
    }

    /// Goes on over another flow: to another server, or over a new connection.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::retarget`](offhook_sip::UserAgent::retarget).
    pub fn retarget(&mut self, now: Instant, id: RegistrationId, flow: Flow) -> Result<(), Error> {
        self.agent.retarget(now, id, flow)?;
        self.pump(now);
        Ok(())
    }

    /// Registers another contact in place of the one of before; `None`: the public address of the
    /// flow.
    ///
    /// # Errors
    ///
    /// If the registration is over or being removed.
    pub fn recontact(
        &mut self,
        now: Instant,
        id: RegistrationId,
        contact: Option<Uri>,
    ) -> Result<(), Error> {
        self.agent.recontact(now, id, contact)?;
        self.pump(now);
        Ok(())
    }

    /// Registers another name at the push service, or none (RFC 8599 §4.1.1).
    ///
    /// # Errors
    ///
    /// If the registration is over or being removed.
    pub fn set_push(
        &mut self,
        now: Instant,
        id: RegistrationId,
        push: Option<Push>,
    ) -> Result<(), Error> {
        self.agent.set_push(now, id, push)?;
        self.pump(now);
        Ok(())
    }

    /// Removes the contact (RFC 3261 §10.2.2); the last event of the registration follows.
    ///
    /// # Errors
    ///
    /// If the registration is over.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.agent.unregister(now, id)?;
        self.pump(now);
        Ok(())
    }

    /// Removes all contacts of the address of record, those of other devices too.
    ///
    /// # Errors
    ///
    /// If the registration is over.
    pub fn unregister_all(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.agent.unregister_all(now, id)?;
        self.pump(now);
        Ok(())
    }

    /// What the registrar has granted; `None` before that, after it has expired, and when the
    /// registration is over.
    pub fn registered(&self, id: RegistrationId) -> Option<&Registered> {
        self.agent.registered(id).ok().flatten()
    }

    pub(crate) fn registration_changed(&mut self, id: RegistrationId, event: RegistrationEvent) {
        if matches!(event, RegistrationEvent::Unregistered { .. }) {
            self.accounts.retain(|account| account.id != id);
        }
        self.events.push_back(Event::Registration { registration: id, event: Box::new(event) });
    }

    /// The header fields of an INVITE: those of its registration before its own.
    pub(crate) fn headers_of(
        &self,
        outgoing: &mut Outgoing,
    ) -> Result<Vec<(HeaderName, Text)>, Error> {
        let own = std::mem::take(&mut outgoing.headers);
        let Some(id) = outgoing.registration else { return Ok(own) };
        let Some(registered) = self.agent.registered(id)? else { return Ok(own) };
        let routes = registered.service_route.iter();
        let routes = routes.map(|route| (HeaderName::ROUTE, written(route)));
        let named = own.iter().any(|(name, _)| *name == HeaderName::CONTACT);
        let contact = contact_of(registered, outgoing.flow).filter(|_| !named);
        let contact =
            contact.map(|uri| (HeaderName::CONTACT, Text::from(NameAddr::new(uri).to_string())));
        Ok(routes.chain(contact).chain(own).collect())
    }

    /// The registration that a request is for: that whose contact or GRUU its Request-URI names. Of
    /// several with the same contact, that of the user in `To`.
    pub(crate) fn account_of(&self, request: &ValidRequest) -> Option<RegistrationId> {
        let uri = request.request_uri();
        let to = &request.to().address.uri;
        let known = self.accounts.iter().filter_map(|account| {
            let registered = self.agent.registered(account.id).ok().flatten()?;
            Some((closeness(registered, uri)?, account.aor == *to, account.id))
        });
        known.max_by_key(|(close, asked, _)| (*close, *asked)).map(|(_, _, id)| id)
    }
}

fn written(route: &Route) -> Text {
    let mut text = String::new();
    route.write(&mut text);
    text.into()
}

/// The `Contact` of a dialog of a registered user; `None`: the public address of the flow.
fn contact_of(registered: &Registered, flow: Flow) -> Option<Uri> {
    let gruu = registered.pub_gruu.as_ref().or(registered.temp_gruu.as_ref());
    if let Some(gruu) = gruu {
        return Some(gruu.clone());
    }
    if flow != registered.flow {
        return None;
    }
    let mut contact = registered.contact.clone();
    if let Uri::Sip(uri) = &mut contact {
        // What wakes the device up is for its registrar alone (RFC 8599 §4.1.1).
        for name in ["pn-provider", "pn-prid", "pn-param"] {
            uri.parameters.remove(name);
        }
        // Requests of the dialog come over this very flow (RFC 5626 §4.3).
        if registered.outbound {
            uri.parameters.set("ob", None::<&str>);
        }
    }
    Some(contact)
}

/// How well a Request-URI names a registration: 2 by the whole of its contact or GRUU, 1 by user and
/// address, for registrars add and lose parameters.
fn closeness(registered: &Registered, uri: &Uri) -> Option<u8> {
    let gruus = [registered.pub_gruu.as_ref(), registered.temp_gruu.as_ref()];
    let mut names = gruus.into_iter().flatten().chain([&registered.contact]);
    if names.any(|name| name == uri) {
        return Some(2);
    }
    let (contact, uri) = (registered.contact.as_sip()?, uri.as_sip()?);
    let place = |it: &SipUri| (it.user.clone(), it.host.clone(), it.port);
    (place(contact) == place(uri)).then_some(1)
}
