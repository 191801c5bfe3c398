//! How a subscription of ours begins: by SUBSCRIBE, or by REFER in a call or outside.

use std::collections::VecDeque;

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{HeaderName, NameAddr, Route, Text, Uri};

use super::{Ask, Outside, Progress, State, Subject, Subscriber};
use crate::{
    Error, Login,
    dialog::DialogId,
    subscription::{EventPackage, Ground, Refer, ReferOutside, Subscription, refer::Reference},
    transaction::TransactionLayer,
    usage::{Identity, authenticator},
};

impl Subscriber {
    /// Sends the first SUBSCRIBE, through `routes`.
    pub(crate) fn subscribe(
        ground: &mut Ground<'_>,
        wanted: Subscription,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        wanted.check()?;
        let (seconds, forks) = (wanted.seconds(), wanted.forks);
        let Subscription { target, from, flow, event, accept, body, headers, logins, .. } = wanted;
        let subject = Subject::Resource { event, accept, body, is_fetch: seconds == 0 };
        let outside = Outside::new(ground.layer, target, from, flow, routes);
        let mut subscriber = Self::new(ground, subject, Some(outside), headers, logins);
        subscriber.forks = forks;
        subscriber.seconds = seconds;
        (subscriber.leaving, subscriber.left) = (seconds == 0, seconds == 0);
        subscriber.send(ground, Ask::Begin, 0)?;
        Ok(subscriber)
    }

    /// Sends a REFER in the dialog of a call.
    pub(crate) fn refer(
        ground: &mut Ground<'_>,
        dialog: DialogId,
        refer: Refer,
    ) -> Result<Self, Error> {
        let (headers, logins) = (refer.headers.clone(), refer.logins.clone());
        let reference = Reference::of(ground, refer)?;
        let subject = Subject::progress(reference);
        let mut subscriber = Self::new(ground, subject, None, headers, logins);
        subscriber.dialog = Some(dialog);
        subscriber.send(ground, Ask::Begin, 0)?;
        Ok(subscriber)
    }

    /// Sends a REFER outside of dialogs, through `routes`.
    pub(crate) fn refer_outside(
        ground: &mut Ground<'_>,
        outside: ReferOutside,
        refer: Refer,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        outside.check()?;
        let (headers, logins) = (refer.headers.clone(), refer.logins.clone());
        let reference = Reference::of(ground, refer)?;
        let ReferOutside { target, from, flow, forks, .. } = outside;
        let outside = Outside::new(ground.layer, target, from, flow, routes);
        let subject = Subject::progress(reference);
        let mut subscriber = Self::new(ground, subject, Some(outside), headers, logins);
        subscriber.forks = forks;
        subscriber.send(ground, Ask::Begin, 0)?;
        Ok(subscriber)
    }

    fn new(
        ground: &mut Ground<'_>,
        subject: Subject,
        outside: Option<Outside>,
        headers: Vec<(HeaderName, Text)>,
        logins: Vec<Login>,
    ) -> Self {
        Self {
            subject,
            outside,
            headers,
            authenticator: authenticator(ground.layer, logins.clone()),
            logins,
            cseq: 0,
            dialog: None,
            stands: false,
            state: State::Resting,
            outcome: None,
            due: None,
            leaving: false,
            left: false,
            seconds: 0,
            granted: None,
            is_fork: false,
            forks: 0,
            asked_at: ground.now,
            failures: 0,
            timers: Timers::new(),
            events: VecDeque::new(),
        }
    }
}

impl Subject {
    fn progress(reference: Reference) -> Self {
        let event = EventPackage::REFER.event();
        Self::Progress(Box::new(Progress { reference, cseq: 0, event, status: None }))
    }
}

impl Outside {
    fn new(
        layer: &mut TransactionLayer,
        target: Uri,
        from: NameAddr,
        flow: Flow,
        routes: Vec<Route>,
    ) -> Self {
        let to = NameAddr::new(target.clone());
        let identity = Identity::new(layer, from.clone(), to);
        Self { target, from, flow, routes, identity }
    }
}
