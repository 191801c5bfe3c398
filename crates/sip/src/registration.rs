//! Registrations: telling a registrar where a user is reached (RFC 3261 §10.2), with Path
//! (RFC 3327), Service-Route (RFC 3608), outbound flows (RFC 5626), GRUUs (RFC 5627) and push
//! notifications (RFC 8599).

mod binding;
pub(crate) use binding::Binding;
mod event;
pub use event::RegistrationEvent;
mod keep_alive;
mod register;
mod registered;
pub use registered::Registered;
mod wanted;
pub use wanted::{Push, Registration};

use std::{net::SocketAddr, time::Instant};

use offhook_sansio::{Flow, Key};

use crate::{
    Error,
    transaction::{Notice, TransactionId, TransactionLayer},
    transport::StunId,
    usage::{Usage, Usages},
};

/// Names one registration of a [`UserAgent`](crate::UserAgent), until
/// [`RegistrationEvent::Unregistered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(Key<Binding>);

/// All registrations of a user agent.
#[derive(Debug)]
pub(crate) struct Registrations(pub(crate) Usages<Binding>);

impl Registrations {
    pub(crate) fn new() -> Self {
        Self(Usages::new())
    }

    pub(crate) fn register(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        wanted: Registration,
    ) -> Result<RegistrationId, Error> {
        if self.0.len() >= layer.config.max_registrations {
            return Err(Error::TooManyRegistrations);
        }
        let binding = Binding::register(layer, now, wanted)?;
        self.0.begin(binding).map(RegistrationId).ok_or(Error::TooManyRegistrations)
    }

    /// Lets `step` drive a registration that is not over.
    pub(crate) fn drive<T>(
        &mut self,
        id: RegistrationId,
        step: impl FnOnce(&mut Binding) -> T,
    ) -> Result<T, Error> {
        self.tell_of_others(id.0);
        self.0.drive(id.0, step).ok_or(Error::NoRegistration)
    }

    pub(crate) fn get(&self, id: RegistrationId) -> Result<&Binding, Error> {
        self.0.get(id.0).ok_or(Error::NoRegistration)
    }

    pub(crate) fn owns(&self, transaction: TransactionId) -> bool {
        self.0.owns(transaction)
    }

    pub(crate) fn notice(&mut self, layer: &mut TransactionLayer, now: Instant, notice: Notice) {
        if let Some(key) = notice.transaction().and_then(|transaction| self.0.owner(transaction)) {
            self.tell_of_others(key);
        }
        self.0.notice(layer, now, notice);
    }

    pub(crate) fn flow_failed(&mut self, layer: &mut TransactionLayer, now: Instant, flow: Flow) {
        for key in self.on_flow(flow) {
            self.tell_of_others(key);
            self.0.drive(key, |binding| binding.flow_failed(layer, now));
        }
    }

    pub(crate) fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(key) = self.0.expired(now) {
            self.tell_of_others(key);
            self.0.drive(key, |binding| binding.handle_timeout(layer, now));
        }
    }

    /// A pong has come on `flow` (RFC 5626 §4.4.1).
    pub(crate) fn pong(&mut self, flow: Flow) {
        for key in self.on_flow(flow) {
            self.0.drive(key, Binding::pong);
        }
    }

    /// An answer to a Binding request has come on `flow` (RFC 5626 §4.4.2).
    pub(crate) fn bound(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        flow: Flow,
        (id, mapped): (StunId, Option<SocketAddr>),
    ) {
        for key in self.on_flow(flow) {
            self.tell_of_others(key);
            self.0.drive(key, |binding| binding.bound(layer, now, id, mapped));
        }
    }

    fn on_flow(&self, flow: Flow) -> Vec<Key<Binding>> {
        self.0.iter().filter(|(_, binding)| binding.is_on(flow)).map(|(key, _)| key).collect()
    }

    /// Tells a flow whether another one of its instance stands (RFC 5626 §4.5).
    fn tell_of_others(&mut self, key: Key<Binding>) {
        let Some(instance) = self.0.get(key).and_then(Binding::instance) else { return };
        let stands = |binding: &Binding| binding.flow_of().is_some_and(|it| it == instance);
        let others = self.0.iter().any(|(other, binding)| other != key && stands(binding));
        self.0.drive(key, |binding| binding.others_stand = others);
    }
}
