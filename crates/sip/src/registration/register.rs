//! Writing a REGISTER (RFC 3261 §10.2).

use offhook_sip_message::{
    Contact, Expires, FeatureValue, Method, NameAddr, Parameters, Request, SipUri, Supported, Text,
    Uri,
};

use super::Registration;
use crate::{
    Error,
    dialog::contact,
    transaction::TransactionLayer,
    usage::{Draft, Identity},
};

/// What a REGISTER is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Registers or refreshes the contact.
    Bind,
    /// Removes it (§10.2.2).
    Remove,
    /// Removes all contacts of the address of record (§10.2.2).
    RemoveAll,
}

/// A REGISTER to write.
#[derive(Debug)]
pub(super) struct Register<'a> {
    pub(super) wanted: &'a Registration,
    pub(super) identity: &'a Identity,
    pub(super) purpose: Purpose,
    pub(super) cseq: u32,
    pub(super) contact: &'a Uri,
    /// A contact of before that the new one replaces, without `pn-prid`.
    pub(super) old: Option<&'a Uri>,
    /// The seconds to ask for.
    pub(super) expires: u32,
    pub(super) outbound: bool,
}

impl Register<'_> {
    pub(super) fn build(self, layer: &mut TransactionLayer) -> Result<Request, Error> {
        let wanted = self.wanted;
        let registrar = registrar(&wanted.registrar);
        let draft = Draft {
            method: Method::REGISTER,
            target: &registrar,
            identity: self.identity,
            cseq: self.cseq,
            flow: wanted.flow,
            routes: &[],
            headers: &wanted.headers,
        };
        let mut builder = draft.compose(layer)?.list(&self.supported());
        builder = match self.purpose {
            Purpose::RemoveAll => builder.header(&Contact::Star).header(&Expires(0)),
            Purpose::Remove => builder.header(&self.contact()).header(&Expires(0)),
            Purpose::Bind => builder.header(&self.contact()).header(&Expires(self.expires)),
        };
        if let Some(old) = self.old {
            let mut parameters = Parameters::new();
            parameters.set("expires", Some("0"));
            let address = NameAddr::new(old.clone());
            builder = builder.header(&Contact::Address { address, parameters });
        }
        builder.build().map_err(|error| Error::Unbuildable(error.to_string()))
    }

    /// RFC 3327 §5.1, RFC 5627 §4.1, RFC 5626 §4.2.1.
    fn supported(&self) -> Vec<Supported> {
        let mut tags = vec!["path"];
        if self.wanted.instance.is_some() {
            tags.push("gruu");
        }
        if self.outbound {
            tags.push("outbound");
        }
        tags.into_iter().map(|tag| Supported(Text::from_static(tag))).collect()
    }

    fn contact(&self) -> Contact {
        let uri = match self.purpose {
            Purpose::Bind => self.contact.clone(),
            // RFC 8599 §4.1.2.
            Purpose::Remove | Purpose::RemoveAll => without_prid(self.contact),
        };
        let mut parameters = self.wanted.parameters.clone();
        if let Some(reg_id) = self.wanted.reg_id.filter(|_| self.outbound) {
            parameters.set("reg-id", Some(reg_id.to_string()));
        }
        let contact = Contact::Address { address: NameAddr::new(uri), parameters };
        match &self.wanted.instance {
            Some(urn) => {
                contact.with_feature("+sip.instance", &FeatureValue::Text(urn.as_str().into()))
            }
            None => contact,
        }
    }
}

/// The contact to register, with what the push service needs (RFC 8599 §4.1.1).
pub(super) fn contact_of(layer: &TransactionLayer, wanted: &Registration) -> Result<Uri, Error> {
    let public = layer.public(wanted.flow)?;
    let made = || contact(&wanted.aor.uri, &wanted.registrar, wanted.flow, public);
    let mut uri = wanted.contact.clone().unwrap_or_else(made);
    if let (Uri::Sip(SipUri { parameters, .. }), Some(push)) = (&mut uri, &wanted.push) {
        parameters.set("pn-provider", Some(push.provider.clone()));
        parameters.set("pn-prid", Some(push.prid.clone()));
        if let Some(param) = &push.param {
            parameters.set("pn-param", Some(param.clone()));
        }
    }
    Ok(uri)
}

/// The Request-URI: a domain, without a user (§10.2).
fn registrar(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    if let Uri::Sip(uri) = &mut uri {
        uri.user = None;
        uri.password = None;
    }
    uri
}

/// The contact as it is removed: the device is not to be woken up any more (RFC 8599 §4.1.2).
pub(super) fn without_prid(uri: &Uri) -> Uri {
    let mut uri = uri.clone();
    if let Uri::Sip(uri) = &mut uri {
        uri.parameters.remove("pn-prid");
    }
    uri
}
