//! The verbs of registrations.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Route, Uri};

use super::UserAgent;
use crate::{Error, Push, Registered, Registration, RegistrationId};

impl UserAgent {
    /// Registers a contact, and keeps it registered (RFC 3261 §10.2):
    /// [`Event::Registration`](crate::Event::Registration) tells what becomes of it.
    ///
    /// It is refreshed after at most 90 % of the time that was granted and 64*T1 (32 s) before its
    /// end, by chance up to a tenth earlier; halfway, if less than 64 s are granted.
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, or the REGISTER cannot be
    /// built. Nothing is sent then.
    pub fn register(
        &mut self,
        now: Instant,
        registration: Registration,
    ) -> Result<RegistrationId, Error> {
        self.registrations.register(&mut self.layer, now, registration)
    }

    /// Asks the registrar now: after a push notification (RFC 8599 §4.1.3), or when what made it
    /// fail is mended. Harmless while a REGISTER is under way.
    ///
    /// # Errors
    ///
    /// If the registration is over or being removed.
    pub fn refresh(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.registrations.drive(id, |binding| binding.refresh(&mut self.layer, now))?
    }

    /// Goes on over another flow: to another server, or over a new connection.
    ///
    /// It is tried at once; but to a next hop that has failed to take a new flow, not before the
    /// time that was told (RFC 5626 §4.5).
    ///
    /// # Errors
    ///
    /// If the registration is over or being removed, nothing listens at the near end of the flow,
    /// or it is not secure enough for the registrar.
    pub fn retarget(&mut self, now: Instant, id: RegistrationId, flow: Flow) -> Result<(), Error> {
        self.registrations.drive(id, |binding| binding.retarget(&mut self.layer, now, flow))?
    }

    /// Registers another contact, such as the address that the registrar has
    /// [seen](Registered::seen), and removes the one of before with the same REGISTER. `None`: the
    /// public address of the flow.
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
        self.registrations.drive(id, |binding| binding.recontact(&mut self.layer, now, contact))?
    }

    /// Registers another name at the push service: the one of before is not valid any more
    /// (RFC 8599 §4.1.1). `None`: no push notifications are asked for from now on.
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
        self.registrations.drive(id, |binding| binding.set_push(&mut self.layer, now, push))?
    }

    /// Removes the contact (RFC 3261 §10.2.2).
    /// [`Unregistered`](crate::RegistrationEvent::Unregistered) follows, as soon as the REGISTER
    /// under way and the one that removes have their answers.
    ///
    /// Unregistering twice is harmless.
    ///
    /// # Errors
    ///
    /// If the registration is over.
    pub fn unregister(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.registrations.drive(id, |binding| binding.unregister(&mut self.layer, now, false))
    }

    /// Removes all contacts of the address of record, those of other devices too: `Contact: *`
    /// (RFC 3261 §10.2.2).
    ///
    /// # Errors
    ///
    /// If the registration is over.
    pub fn unregister_all(&mut self, now: Instant, id: RegistrationId) -> Result<(), Error> {
        self.registrations.drive(id, |binding| binding.unregister(&mut self.layer, now, true))
    }

    /// What the registrar has granted: GRUUs and routes among it. `None` before that, and after it
    /// has expired.
    ///
    /// # Errors
    ///
    /// If the registration is over.
    pub fn registered(&self, id: RegistrationId) -> Result<Option<&Registered>, Error> {
        Ok(self.registrations.get(id)?.registered())
    }

    /// How many registrations live.
    pub fn live_registrations(&self) -> usize {
        self.registrations.0.len()
    }

    /// The service route of a registration (RFC 3608 §6.1), for a first `Route` of a request.
    pub(super) fn routes(&self, id: Option<RegistrationId>) -> Result<Vec<Route>, Error> {
        let Some(id) = id else { return Ok(Vec::new()) };
        let registered = self.registered(id)?;
        Ok(registered.map(|it| it.service_route.clone()).unwrap_or_default())
    }
}
