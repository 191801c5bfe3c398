//! What handles ask for.

use std::time::Instant;

use super::{Driver, no_call, respond};
use crate::{
    Error,
    command::{Command, Verb},
};

impl Driver {
    /// Obeys one command, so that a flood of datagrams keeps nobody from hanging up.
    pub(super) fn obey_waiting(&mut self) {
        if let Ok(command) = self.requests.try_recv() {
            self.obey(command);
        }
    }

    pub(super) fn obey(&mut self, command: Command) {
        match command {
            command if self.closing.has_begun() && command.begins() => command.refuse(),
            Command::Call(call) => self.seek_new_call(*call),
            Command::Describe { call, described, reply } => {
                self.describe(self.named(call), described, reply);
            }
            Command::Modify { call, offer, reply } => self.modify(self.named(call), offer, reply),
            Command::Verb { call, verb, reply } => self.obey_verb(call, verb, reply),
            Command::Change { call, change, reply } => {
                self.change(self.named(call), change, reply);
            }
            Command::Play { call, source, reply } => {
                let playing =
                    self.devices(self.named(call)).and_then(|devices| devices.play(source));
                respond(reply, playing);
            }
            Command::Record { call, sink, reply } => {
                let recording =
                    self.devices(self.named(call)).and_then(|devices| devices.record(sink));
                respond(reply, recording);
            }
            Command::Statistics { call, reply } => {
                let statistics = self.core.call_statistics(Instant::now(), self.named(call));
                respond(reply, statistics.ok_or_else(no_call));
            }
            Command::Abandon { call } => {
                // An abandoned call that is over already needs no end.
                if !self.give_up_trying(call) {
                    let _ = self.core.hang_up(Instant::now(), self.named(call));
                }
            }
            Command::Info { call, info, reply } => self.send_info(self.named(call), *info, reply),
            Command::Close => self.close(),
            other => self.obey_transfer(other),
        }
    }

    fn obey_verb(
        &mut self,
        call: offhook_core::CallId,
        verb: Verb,
        reply: crate::command::Reply<()>,
    ) {
        if matches!(verb, Verb::HangUp(_)) && self.give_up_trying(call) {
            return respond(reply, Ok(()));
        }
        let done = self.verb(self.named(call), verb);
        respond(reply, done);
    }

    fn obey_transfer(&mut self, command: Command) {
        match command {
            Command::Transfer { call, refer_to, reply } => {
                self.transfer(self.named(call), *refer_to, reply);
            }
            Command::TransferTo { call, other, reply } => {
                self.transfer_to(self.named(call), self.named(other), reply);
            }
            Command::AcceptTransfer { id, referral, call, reply } => {
                self.accept_transfer(id, &referral, call, reply);
            }
            Command::RejectTransfer { id, status, reply } => {
                self.reject_transfer(id, status, reply);
            }
            other => self.obey_outside(other),
        }
    }

    /// What is outside of calls.
    fn obey_outside(&mut self, command: Command) {
        match command {
            Command::Account { settings, reply } => self.open_account(*settings, reply),
            Command::Refresh { account, reply } => {
                let refreshed = self.refresh(account);
                respond(reply, refreshed);
            }
            Command::Push { account, push, reply } => {
                let set = self.set_push(account, push);
                respond(reply, set);
            }
            Command::Unregister { account, dropped } => self.unregister(account, dropped),
            Command::Ask(asking) => self.seek_new_request(asking),
            Command::Respond { incoming, status, body, reply } => {
                let now = Instant::now();
                let responded = self.core.respond(now, incoming, status, body, &[]);
                respond(reply, responded.map_err(Error::from));
            }
            Command::Ignore { incoming } => self.refuse_request(incoming),
            Command::Publish { settings, from, reply } => {
                self.open_publication(*settings, *from, reply);
            }
            Command::Republish { publication, body, reply } => {
                let republished = self.republish(publication, body);
                respond(reply, republished);
            }
            Command::Withdraw { publication } => self.withdraw(publication),
            Command::Subscription(order) => self.obey_subscription(order),
            Command::Subscriber(order) => self.obey_subscriber(*order),
            // The others are of calls.
            _ => {}
        }
    }
}
