//! What the two sides do about events: subscriptions of both roles, and REFER of both roles.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip::{
    CallId, Config, Error, Event, EventPackage, Refer, ReferEvent, ReferId, ReferOutside,
    ReferralEvent, ReferralId, SubscriberEvent, SubscriberId, Subscription, SubscriptionEvent,
    SubscriptionId, UserAgent,
};
use offhook_sip_message::{EventReason, NameAddr, StatusCode};

use super::{address_uri, description, forget};
use crate::Promised;

/// What the owner knows of.
#[derive(Default)]
pub(super) struct Events {
    subscriptions: Vec<SubscriptionId>,
    refers: Vec<ReferId>,
    subscribers: Vec<SubscriberId>,
    referrals: Vec<ReferralId>,
}

/// The settings under which all of it may happen.
pub(super) fn settings(config: Config) -> Config {
    let event_packages = vec![EventPackage::PRESENCE, EventPackage::REFER];
    Config { event_packages, max_subscriptions: 4, max_subscribers: 4, ..config }
}

impl Events {
    /// One verb. That it does not fit the state is no fault.
    pub(super) fn act(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        call: Option<CallId>,
        choice: u8,
    ) {
        let done = match choice & 7 {
            0 | 1 => self.subscribe(agent, now, flow, choice),
            2 | 3 => self.refer(agent, now, flow, call, choice),
            4 | 5 => self.serve(agent, now, choice),
            _ => self.report(agent, now, choice),
        };
        if let Err(error) = done {
            assert!(!error.to_string().is_empty());
        }
    }

    fn subscribe(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        choice: u8,
    ) -> Result<(), Error> {
        match (choice >> 3, self.subscriptions.last().copied()) {
            (0..12, _) | (_, None) => {
                let (to, from) = (address_uri(flow.remote), NameAddr::new(address_uri(flow.local)));
                let plain = Subscription::new(to, EventPackage::PRESENCE.event(), from, flow);
                let expires = match choice >> 4 & 3 {
                    0 => Duration::from_secs(3_600),
                    1 => Duration::ZERO,
                    2 => Duration::from_secs(60),
                    _ => Duration::from_secs(1),
                };
                let begun = agent.subscribe(now, Subscription { expires, ..plain })?;
                self.subscriptions.push(begun);
                Ok(())
            }
            (12..18, Some(id)) => agent.refresh_subscription(now, id),
            (18..22, Some(id)) => agent.retarget_subscription(now, id, flow),
            (_, Some(id)) => agent.unsubscribe(now, id),
        }
    }

    fn refer(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        flow: Flow,
        call: Option<CallId>,
        choice: u8,
    ) -> Result<(), Error> {
        let from = NameAddr::new(address_uri(flow.local));
        let subscribes = choice & 64 == 0;
        let mut refer = Refer { subscribes, ..Refer::to(NameAddr::new(address_uri(flow.local))) };
        let begun = match (choice >> 3, call, self.refers.last().copied()) {
            (28.., _, Some(id)) => return agent.forget_refer(now, id),
            (16.., Some(call), _) => {
                refer.refer_to = agent.replacing(call).map(NameAddr::new)?;
                agent.refer(now, call, refer)
            }
            (8..16, target_dialog, _) => {
                refer.target_dialog = target_dialog;
                let outside = ReferOutside::new(address_uri(flow.remote), from, flow);
                agent.refer_outside(now, outside, refer)
            }
            (_, Some(call), _) => agent.refer(now, call, refer),
            (_, None, _) => return Ok(()),
        };
        self.refers.push(begun?);
        Ok(())
    }

    /// A verb on a subscription of the other side.
    fn serve(&self, agent: &mut UserAgent, now: Instant, choice: u8) -> Result<(), Error> {
        let Some(&id) = self.subscribers.last() else { return Ok(()) };
        let short = (choice & 128 == 0).then(|| Duration::from_secs(2));
        let wait = Some(Duration::from_secs(1));
        match choice >> 3 & 15 {
            0..4 => agent.accept_subscription(now, id, short, Some(description())),
            4..6 => agent.pend_subscription(now, id, short, None),
            6..8 => agent.activate_subscription(now, id, Some(description())),
            8..13 => agent.notify(now, id, Some(description())),
            13 => agent.reject_subscription(now, id, StatusCode::FORBIDDEN, &[]),
            14 => agent.terminate_subscription(now, id, EventReason::Noresource, None, None),
            _ => agent.terminate_subscription(now, id, EventReason::Probation, wait, None),
        }
    }

    /// A verb on a REFER of the other side.
    fn report(&self, agent: &mut UserAgent, now: Instant, choice: u8) -> Result<(), Error> {
        let Some(&id) = self.referrals.last() else { return Ok(()) };
        match choice >> 3 {
            0..14 => agent.accept_refer(now, id, None),
            14..17 => agent.reject_refer(now, id, StatusCode::DECLINE, &[]),
            17..26 => agent.report_refer(now, id, StatusCode::RINGING),
            _ => agent.report_refer(now, id, StatusCode::OK),
        }
    }

    /// Takes an event that is about one of these; gives others back.
    pub(super) fn hear(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Subscription { subscription: id, event } => match event {
                SubscriptionEvent::Forked { .. } => self.subscriptions.push(id),
                SubscriptionEvent::Ended { .. } => forget(&mut self.subscriptions, id),
                _ => assert!(self.subscriptions.contains(&id), "told of one that lives"),
            },
            Event::Refer { refer: id, event } => match event {
                ReferEvent::Forked { .. } => self.refers.push(id),
                ReferEvent::Ended { .. } => forget(&mut self.refers, id),
                _ => assert!(self.refers.contains(&id), "told of one that lives"),
            },
            Event::Subscriber { subscriber: id, event } => match event {
                SubscriberEvent::Requested { .. } => self.subscribers.push(id),
                SubscriberEvent::Ended { .. } => forget(&mut self.subscribers, id),
                SubscriberEvent::Refreshed { .. } => {}
            },
            Event::Referral { referral: id, event } => match event {
                ReferralEvent::Requested(_) => self.referrals.push(id),
                ReferralEvent::Ended { .. } => forget(&mut self.referrals, id),
            },
            other => return Some(other),
        }
        None
    }

    /// Ends all that goes on by itself. What the other side has begun ends with it.
    pub(super) fn end(&self, agent: &mut UserAgent, now: Instant) {
        for id in &self.subscriptions {
            agent.unsubscribe(now, *id).promised("a subscription that lives can be ended");
        }
        for id in &self.refers {
            agent.forget_refer(now, *id).promised("a REFER that lives can be forgotten");
        }
    }

    /// Nothing may be left.
    pub(super) fn check_over(&self, agent: &UserAgent) {
        let live = (agent.live_subscriptions(), agent.subscription_dialogs());
        assert_eq!(live, (0, 0), "no subscription and no dialog of one is left");
        assert!(self.subscriptions.is_empty(), "each subscription was said to be over");
        assert!(self.refers.is_empty(), "each REFER was said to be over");
        assert!(self.subscribers.is_empty(), "each subscriber was said to be gone");
        assert!(self.referrals.is_empty(), "each REFER of the other was said to be over");
    }
}
