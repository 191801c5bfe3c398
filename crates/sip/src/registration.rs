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

use std::time::Instant;

use offhook_sansio::{Flow, Key};

use crate::{
    Error,
    transaction::{Notice, TransactionId, TransactionLayer},
    usage::Usages,
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
        self.tell_flows();
        self.0.drive(id.0, step).ok_or(Error::NoRegistration)
    }

    pub(crate) fn get(&self, id: RegistrationId) -> Result<&Binding, Error> {
        self.0.get(id.0).ok_or(Error::NoRegistration)
    }

    pub(crate) fn owns(&self, transaction: TransactionId) -> bool {
        self.0.owns(transaction)
    }

    pub(crate) fn notice(&mut self, layer: &mut TransactionLayer, now: Instant, notice: Notice) {
        self.tell_flows();
        self.0.notice(layer, now, notice);
    }

    pub(crate) fn flow_failed(&mut self, layer: &mut TransactionLayer, now: Instant, flow: Flow) {
        self.tell_flows();
        self.0.flow_failed(layer, now, flow);
    }

    pub(crate) fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if self.0.poll_timeout().is_some_and(|due| due <= now) {
            self.tell_flows();
            self.0.handle_timeout(layer, now);
        }
    }

    /// A pong has come on `flow` (RFC 5626 §4.4.1).
    pub(crate) fn pong(&mut self, flow: Flow) {
        self.0.drive_all(|binding| binding.pong(flow));
    }

    /// Tells each flow whether another one of its instance stands (RFC 5626 §4.5).
    fn tell_flows(&mut self) {
        let standing: Vec<_> = self.0.iter().filter_map(|(_, it)| it.flow_of()).collect();
        self.0.drive_all(|binding| {
            let instance = binding.instance();
            let of_it = standing.iter().filter(|it| Some(*it) == instance.as_ref()).count();
            let own = usize::from(binding.flow_of().is_some());
            binding.others_stand = of_it > own;
        });
    }
}
