//! What the two sides do outside of calls: requests, registrations, publications.

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use offhook_sansio::Flow;
use offhook_sip::{
    Error, Event, IncomingId, OutgoingRequest, Publication, PublicationEvent, PublicationId,
    Registration, RegistrationEvent, RegistrationId, UserAgent,
};
use offhook_sip_message::{Contact, HeaderName, Method, NameAddr, StatusCode, Text, ValidRequest};

use super::{address_uri, description, forget};
use crate::Promised;

/// What the owner knows of.
#[derive(Default)]
pub(super) struct Outside {
    waiting: VecDeque<(IncomingId, ValidRequest)>,
    registrations: Vec<RegistrationId>,
    publications: Vec<PublicationId>,
}

impl Outside {
    /// One verb. That it does not fit the state is no fault.
    pub(super) fn act(&mut self, agent: &mut UserAgent, now: Instant, flow: Flow, choice: u8) {
        let last = (self.registrations.last().copied(), self.publications.last().copied());
        let done = match (choice & 15, last) {
            (0, _) => agent.send(now, message(flow)).map(drop),
            (1..6, _) => self.respond(agent, now, choice),
            (6, _) => {
                let begun = agent.register(now, registration(flow, choice));
                begun.map(|id| self.registrations.push(id))
            }
            (7, (Some(id), _)) => agent.refresh(now, id),
            (8, (Some(id), _)) => agent.retarget(now, id, flow),
            (9, (Some(id), _)) => agent.recontact(now, id, Some(address_uri(flow.remote))),
            (10, (Some(id), _)) => agent.unregister(now, id),
            (11, (Some(id), _)) => agent.unregister_all(now, id),
            (12, _) => agent.publish(now, publication(flow)).map(|id| self.publications.push(id)),
            (13, (_, Some(id))) => agent.republish(now, id, description()),
            (14, (_, Some(id))) => agent.withdraw(now, id),
            (15, (_, Some(id))) => agent.retarget_publication(id, flow),
            (_, _) => Ok(()),
        };
        if let Err(error) = done {
            assert!(!error.to_string().is_empty());
        }
    }

    /// Answers the request that has waited longest. It may have been answered for its owner.
    fn respond(&mut self, agent: &mut UserAgent, now: Instant, choice: u8) -> Result<(), Error> {
        let Some((incoming, request)) = self.waiting.pop_front() else { return Ok(()) };
        let (status, headers) = match choice >> 4 {
            0..8 => (StatusCode::OK, granted(&request, choice)),
            8 => (StatusCode::INTERVAL_TOO_BRIEF, vec![(HeaderName::MIN_EXPIRES, "90".into())]),
            9 => (StatusCode::CONDITIONAL_REQUEST_FAILED, Vec::new()),
            10 => (StatusCode::SERVICE_UNAVAILABLE, vec![(HeaderName::RETRY_AFTER, "3".into())]),
            11 => (StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT, Vec::new()),
            12 => (StatusCode::FORBIDDEN, Vec::new()),
            _ => (StatusCode::UNAUTHORIZED, Vec::new()),
        };
        agent.respond(now, incoming, status, None, &headers)
    }

    /// Takes an event that is about nothing in a call; gives others back.
    pub(super) fn hear(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Requested { incoming, request, .. } => {
                self.waiting.push_back((incoming, request));
            }
            Event::Registration { registration, event: RegistrationEvent::Unregistered { .. } } => {
                forget(&mut self.registrations, registration);
            }
            Event::Publication { publication, event: PublicationEvent::Withdrawn { .. } } => {
                forget(&mut self.publications, publication);
            }
            other => return Some(other),
        }
        None
    }

    /// Ends all that goes on by itself.
    pub(super) fn end(&self, agent: &mut UserAgent, now: Instant) {
        for id in &self.registrations {
            agent.unregister(now, *id).promised("a registration that lives can be removed");
        }
        for id in &self.publications {
            agent.withdraw(now, *id).promised("a publication that lives can be withdrawn");
        }
    }

    /// Nothing may be left.
    pub(super) fn check_over(&self, agent: &UserAgent) {
        let live = (agent.live_registrations(), agent.live_publications());
        assert_eq!((live, agent.waiting_requests()), ((0, 0), 0), "nothing is left");
        assert!(self.registrations.is_empty(), "each registration was said to be over");
        assert!(self.publications.is_empty(), "each publication was said to be over");
    }
}

fn message(flow: Flow) -> OutgoingRequest {
    let (to, from) = (address_uri(flow.remote), NameAddr::new(address_uri(flow.local)));
    OutgoingRequest {
        body: Some(description()),
        ..OutgoingRequest::new(Method::MESSAGE, to, from, flow)
    }
}

fn registration(flow: Flow, choice: u8) -> Registration {
    let aor = NameAddr::new(address_uri(flow.local));
    let plain = Registration::new(registrar(flow.remote), aor, flow);
    match choice >> 6 {
        0 => plain,
        1 => Registration { instance: Some(INSTANCE), ..plain },
        _ => Registration { instance: Some(INSTANCE), reg_id: Some(1), ..plain },
    }
}

fn registrar(address: SocketAddr) -> offhook_sip_message::Uri {
    format!("sip:{address}").parse().promised("an address makes a URI")
}

fn publication(flow: Flow) -> Publication {
    let event: offhook_sip_message::Event =
        offhook_sip_message::Header::parse(&"presence".into()).promised("it is an event package");
    Publication::new(address_uri(flow.local), event, description(), flow)
}

/// What a registrar or a presence server grants: the contact as it came, for some time.
fn granted(request: &ValidRequest, choice: u8) -> Vec<(HeaderName, Text)> {
    let seconds = if choice & 16 == 0 { "120" } else { "1" };
    let contact = request.header::<Contact>().ok().flatten();
    let contact = contact.and_then(|contact| contact.uri().map(ToString::to_string));
    let contact = contact.map(|uri| (HeaderName::CONTACT, Text::from(format!("<{uri}>"))));
    let expires = (HeaderName::EXPIRES, seconds.into());
    let tag = (HeaderName::SIP_ETAG, "tag".into());
    contact.into_iter().chain([expires, tag]).collect()
}

const INSTANCE: Text = Text::from_static("urn:uuid:00000000-0000-1000-8000-000A95A0E128");
