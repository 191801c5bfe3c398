//! The verbs of publications.

use std::time::Instant;

use offhook_sansio::Flow;

use super::UserAgent;
use crate::{Body, Error, Publication, PublicationId, publication::Publishing};

impl UserAgent {
    /// Publishes a state, and keeps it published (RFC 3903 §4):
    /// [`Event::Publication`](crate::Event::Publication) tells what becomes of it. It is refreshed
    /// as a [registration](Self::register) is.
    ///
    /// # Errors
    ///
    /// If there is no room, nothing listens at the near end of the flow, the registration is over,
    /// or the PUBLISH cannot be built. Nothing is sent then.
    pub fn publish(
        &mut self,
        now: Instant,
        publication: Publication,
    ) -> Result<PublicationId, Error> {
        if self.publications.len() >= self.layer.config.max_publications {
            return Err(Error::TooManyPublications);
        }
        let routes = self.routes(publication.registration)?;
        let publishing = Publishing::publish(&mut self.layer, now, publication, routes)?;
        self.publications.begin(publishing).map(PublicationId).ok_or(Error::TooManyPublications)
    }

    /// Publishes another state in place of the one of before (RFC 3903 §4.4): at once, or when the
    /// PUBLISH under way has its answer. Of several, the last one counts.
    ///
    /// # Errors
    ///
    /// If the publication is over or being withdrawn.
    pub fn republish(&mut self, now: Instant, id: PublicationId, body: Body) -> Result<(), Error> {
        let step = |it: &mut Publishing| it.modify(&mut self.layer, now, body);
        self.publications.drive(id.0, step).ok_or(Error::NoPublication)?
    }

    /// Sends the next PUBLISH over another flow.
    ///
    /// # Errors
    ///
    /// If the publication is over, nothing listens at the near end of the flow, or it is not secure
    /// enough for the target.
    pub fn retarget_publication(&mut self, id: PublicationId, flow: Flow) -> Result<(), Error> {
        let step = |it: &mut Publishing| it.retarget(&self.layer, flow);
        self.publications.drive(id.0, step).ok_or(Error::NoPublication)?
    }

    /// Removes the state (RFC 3903 §4.5). [`Withdrawn`](crate::PublicationEvent::Withdrawn) follows,
    /// as soon as the PUBLISH under way and the one that removes have their answers.
    ///
    /// Withdrawing twice is harmless.
    ///
    /// # Errors
    ///
    /// If the publication is over.
    pub fn withdraw(&mut self, now: Instant, id: PublicationId) -> Result<(), Error> {
        let step = |it: &mut Publishing| it.withdraw(&mut self.layer, now);
        self.publications.drive(id.0, step).ok_or(Error::NoPublication)
    }

    /// How many publications live.
    pub fn live_publications(&self) -> usize {
        self.publications.len()
    }
}
