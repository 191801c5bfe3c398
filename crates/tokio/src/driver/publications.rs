//! Published states: each finds its server, and goes elsewhere when that fails (RFC 3903 §4).

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip::{
    Body, Failure, LookupId, Publication as Wanted, PublicationEvent, PublicationId,
};
use offhook_sip_message::{NameAddr, RetryAfter, StatusCode};
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, errand::Purpose, respond};
use crate::{
    Error, Publication, PublicationState,
    command::Reply,
    publication::{PublicationKey, Published},
};

/// One publication.
pub(super) struct Publishing {
    settings: Published,
    from: NameAddr,
    id: Option<PublicationId>,
    lookup: Option<LookupId>,
    leaving: bool,
    state: watch::Sender<PublicationState>,
}

impl Driver {
    pub(super) fn open_publication(
        &mut self,
        settings: Published,
        from: NameAddr,
        reply: Reply<Publication>,
    ) {
        let Some(commands) = self.commands.upgrade() else {
            return respond(reply, Err(Error::Closed));
        };
        let key = PublicationKey(self.new_id());
        let (state, seen) = watch::channel(PublicationState::Publishing);
        let flow = settings.account.and_then(|account| self.bound_flow(account));
        let (account, target) = (settings.account, settings.target.clone());
        let publishing =
            Publishing { settings, from, id: None, lookup: None, leaving: false, state };
        self.published.insert(key, publishing);
        respond(reply, Ok(Publication::new(key, seen, commands)));
        match flow {
            Some(flow) => self.publish_by(key, None, flow),
            None => {
                let hop = self.hop_of(account, &target);
                self.seek(Purpose::Publish(key), hop, None);
            }
        }
    }

    /// There is a way to the server.
    pub(super) fn publish_by(&mut self, key: PublicationKey, lookup: Option<LookupId>, flow: Flow) {
        let Some(publishing) = self.published.get(&key) else { return };
        let done = match publishing.id {
            Some(id) => self.core.retarget_publication(id, flow).map(|()| id),
            None => {
                let wanted = self.wanted(publishing, flow);
                self.core.publish(Instant::now(), wanted)
            }
        };
        let Some(publishing) = self.published.get_mut(&key) else { return };
        publishing.lookup = lookup;
        match done {
            Ok(id) => {
                publishing.id = Some(id);
                self.publications.insert(id, key);
            }
            Err(error) => self.no_server(key, &error.to_string()),
        }
    }

    fn wanted(&self, publishing: &Publishing, flow: Flow) -> Wanted {
        let Published { target, event, body, expires, account } = publishing.settings.clone();
        let mut wanted = Wanted::new(target, event, body, flow);
        wanted.expires = expires;
        wanted.from = publishing.from.clone();
        if let Some(account) = account.and_then(|id| self.accounts.get(&id)) {
            wanted.from = account.settings.aor.clone();
            wanted.logins.clone_from(&account.settings.logins);
            wanted.registration = account.registration;
            wanted.headers = self.proxy_routes(account);
        }
        wanted
    }

    /// No target is left. Before anything was published that is the end.
    pub(super) fn no_server(&mut self, key: PublicationKey, fault: &str) {
        let Some(publishing) = self.published.get_mut(&key) else { return };
        publishing.lookup = None;
        if publishing.id.is_none() {
            let fault = fault.to_owned();
            publishing.state.send_replace(PublicationState::Unreachable { fault });
        }
    }

    pub(super) fn republish(&mut self, key: PublicationKey, body: Body) -> Result<(), Error> {
        let publishing = self.published.get_mut(&key).ok_or(Error::Closed)?;
        publishing.settings.body = body.clone();
        match publishing.id {
            Some(id) => self.core.republish(Instant::now(), id, body)?,
            None => {
                let (account, target) =
                    (publishing.settings.account, publishing.settings.target.clone());
                publishing.state.send_replace(PublicationState::Publishing);
                self.drop_errands(|it| matches!(it, Purpose::Publish(other) if *other == key));
                let hop = self.hop_of(account, &target);
                self.seek(Purpose::Publish(key), hop, None);
            }
        }
        Ok(())
    }

    /// Removes the state.
    pub(super) fn withdraw(&mut self, key: PublicationKey) {
        self.drop_errands(|it| matches!(it, Purpose::Publish(other) if *other == key));
        let Some(publishing) = self.published.get_mut(&key) else { return };
        if std::mem::replace(&mut publishing.leaving, true) {
            return;
        }
        let id = publishing.id;
        let withdrawn = id.map(|id| self.core.withdraw(Instant::now(), id));
        if !matches!(withdrawn, Some(Ok(()))) {
            self.withdrawn(key, None);
        }
    }

    pub(super) fn withdraw_all(&mut self) {
        let keys: Vec<_> = self.published.keys().copied().collect();
        keys.into_iter().for_each(|key| self.withdraw(key));
    }

    fn withdrawn(&mut self, key: PublicationKey, status: Option<StatusCode>) {
        if let Some(publishing) = self.published.remove(&key) {
            publishing.state.send_replace(PublicationState::Withdrawn { status });
        }
    }

    /// The SIP layer tells of a publication.
    pub(super) fn publication_changed(&mut self, id: PublicationId, event: PublicationEvent) {
        let Some(key) = self.publications.get(&id).copied() else { return };
        let Some(publishing) = self.published.get_mut(&key) else { return };
        let now = Instant::now();
        match event {
            PublicationEvent::Published { expires, .. } => {
                publishing.state.send_replace(PublicationState::Published { expires });
                let lookup = publishing.lookup.take();
                self.reach_target(lookup);
            }
            PublicationEvent::Failed { status, response, retry_in } => {
                let next_try = retry_in.map(|time| now + time);
                publishing.state.send_replace(PublicationState::Failed { status, next_try });
                let lookup = publishing.lookup.take();
                let failure = match (status, &response) {
                    (StatusCode::SERVICE_UNAVAILABLE, None) => Some(Failure::Transport),
                    (StatusCode::REQUEST_TIMEOUT, None) => Some(Failure::TimedOut),
                    (StatusCode::SERVICE_UNAVAILABLE, Some(response)) => {
                        let field = response.header::<RetryAfter>().ok().flatten();
                        let retry_after = field.map(|it| Duration::from_secs(it.seconds.into()));
                        Some(Failure::Unavailable { retry_after })
                    }
                    _ => None,
                };
                match (failure, lookup) {
                    (Some(failure), Some(lookup)) => {
                        if !self.seek_on(Purpose::Publish(key), lookup, failure) {
                            debug!(?key, "no other server for the state");
                        }
                    }
                    (_, lookup) => self.reach_target(lookup),
                }
            }
            PublicationEvent::Expired => {
                publishing.state.send_replace(PublicationState::Expired);
            }
            PublicationEvent::Withdrawn { status } => {
                self.publications.remove(&id);
                self.withdrawn(key, status);
            }
        }
    }
}
