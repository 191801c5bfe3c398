//! What charging in mobile networks goes by: `P-Charging-Vector` and `P-Charging-Function-Addresses`
//! (RFC 7315 §5.5, §5.6; RFC 3455 for old peers).

use std::borrow::Cow;

use super::{
    Header, HeaderName,
    parts::{generic_param, unquoted},
};
use crate::{
    Host, Parameters, Text, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, semi, write_quoted},
    uri::{MAX_PARAMETERS, header_parameters},
};

/// What the charging records of one session have in common, RFC 7315 §5.6.
#[derive(Clone, Debug, PartialEq)]
pub struct PChargingVector {
    /// The identifier of the session (`icid-value`), without quotes and escapes.
    pub icid_value: Text,
    /// All other parameters.
    pub parameters: Parameters,
}

impl PChargingVector {
    /// The identifier `icid_value` and nothing else.
    pub fn new(icid_value: impl Into<Text>) -> Self {
        Self { icid_value: icid_value.into(), parameters: Parameters::new() }
    }

    /// The same vector, made by the proxy `host`.
    #[must_use]
    pub fn with_generated_at(mut self, host: &Host) -> Self {
        self.parameters.set("icid-generated-at", Some(host.to_string()));
        self
    }

    /// The same vector of a session that starts in the network `network`.
    #[must_use]
    pub fn with_orig_ioi(mut self, network: &str) -> Self {
        self.parameters.set("orig-ioi", Some(gen_value(network)));
        self
    }

    /// The same vector of a session that ends in the network `network`.
    #[must_use]
    pub fn with_term_ioi(mut self, network: &str) -> Self {
        self.parameters.set("term-ioi", Some(gen_value(network)));
        self
    }

    /// The proxy that has made the identifier (`icid-generated-at`), if it is named by a host.
    pub fn generated_at(&self) -> Option<Host> {
        self.parameters.value("icid-generated-at")?.parse().ok()
    }

    /// The network where the session starts.
    pub fn orig_ioi(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("orig-ioi")
    }

    /// The network where the session ends.
    pub fn term_ioi(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("term-ioi")
    }

    /// The networks between, with commas between them.
    pub fn transit_ioi(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("transit-ioi")
    }

    /// The identifier of a session that this one belongs to.
    pub fn related_icid(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("related-icid")
    }
}

impl Header for PChargingVector {
    const NAME: HeaderName = HeaderName::P_CHARGING_VECTOR;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 7315 §5.6", |i| charging_vector(value, i))
    }

    fn write(&self, out: &mut String) {
        out.push_str("icid-value=");
        out.push_str(&gen_value(&self.icid_value));
        self.parameters.write(out);
    }
}

/// `icid-value *( SEMI charge-params )`.
fn charging_vector<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, PChargingVector> {
    let (rest, vector) = match icid_value_first(owner, i) {
        Some(parsed) => parsed,
        None => icid_value_anywhere(owner, i)?,
    };
    if !owner.is_tolerant()
        && let Some(expected) = parameter_fault(&vector.parameters)
    {
        return Fault::error(i, expected);
    }
    Ok((rest, vector))
}

/// The usual vector, whose other parameters are one slice of it.
fn icid_value_first<'a>(owner: &WireText<'_>, i: &'a str) -> Option<(&'a str, PChargingVector)> {
    let (rest, (name, value)) = generic_param(owner, i).ok()?;
    let icid_value = value.filter(|_| name.eq_ignore_ascii_case("icid-value"))?;
    let (rest, parameters) = header_parameters(owner, rest).ok()?;
    if parameters.contains("icid-value") {
        return None;
    }
    Some((rest, PChargingVector { icid_value: unquoted(owner, icid_value), parameters }))
}

/// Some proxies do not put `icid-value` first.
fn icid_value_anywhere<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, PChargingVector> {
    let (rest, mut parameters) = parameter_list(owner, i)?;
    let first = parameters.iter().next().map_or("", |(name, _)| name);
    let in_place = owner.is_tolerant() || first.eq_ignore_ascii_case("icid-value");
    let icid_value = parameters.value("icid-value").filter(|_| in_place);
    let Some(icid_value) = icid_value.map(|raw| unquoted(owner, raw)) else {
        return Fault::error(i, "an icid-value");
    };
    parameters.remove("icid-value");
    Ok((rest, PChargingVector { icid_value, parameters }))
}

/// What is wrong with the values that RFC 7315 §5.6 gives a form.
fn parameter_fault(parameters: &Parameters) -> Option<&'static str> {
    let given = |name| parameters.get(name).map(Option::unwrap_or_default);
    let is_host = |text: &str| text.parse::<Host>().is_ok();
    let hosts = ["icid-generated-at", "related-icid-generated-at"];
    if hosts.into_iter().any(|name| given(name).is_some_and(|text| !is_host(text))) {
        return Some("a host behind generated-at");
    }
    given("transit-ioi").filter(|text| !text.starts_with('"')).map(|_| "a quoted transit-ioi")
}

/// Where charging records go, RFC 7315 §5.5. Each address is a function's: `ccf` and `ecf`, and
/// `ccf-2` and `ecf-2` for when the first does not answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PChargingFunctionAddresses {
    /// The addresses and other parameters.
    pub parameters: Parameters,
}

impl PChargingFunctionAddresses {
    /// The address `address` of the function `function`, such as `ccf`.
    pub fn new(function: impl Into<Text>, address: &str) -> Self {
        Self::default().with(function, address)
    }

    /// The same addresses and one more.
    #[must_use]
    pub fn with(mut self, function: impl Into<Text>, address: &str) -> Self {
        self.parameters.set(function, Some(gen_value(address)));
        self
    }

    /// The address of the function `function`.
    pub fn address(&self, function: &str) -> Option<Cow<'_, str>> {
        self.parameters.text(function)
    }
}

impl Header for PChargingFunctionAddresses {
    const NAME: HeaderName = HeaderName::P_CHARGING_FUNCTION_ADDRESSES;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let parameters = finish(value, "RFC 7315 §5.5", |i| parameter_list(value, i))?;
        Ok(Self { parameters })
    }

    fn write(&self, out: &mut String) {
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ";" });
            out.push_str(name);
            if let Some(value) = value {
                out.push('=');
                out.push_str(value);
            }
        }
    }
}

/// `generic-param *( SEMI generic-param )`, each name once. RFC 3455 §5.5 has a second `ccf` and a
/// second `ecf`, which RFC 7315 calls `ccf-2` and `ecf-2`.
fn parameter_list<'a>(owner: &WireText<'_>, mut i: &'a str) -> Parsed<'a, Parameters> {
    let mut parameters = Parameters::new();
    loop {
        let (rest, (name, value)) = generic_param(owner, i)?;
        let again = owner.is_tolerant() && parameters.contains(name);
        let name = match name {
            _ if again && name.eq_ignore_ascii_case("ccf") => Text::from_static("ccf-2"),
            _ if again && name.eq_ignore_ascii_case("ecf") => Text::from_static("ecf-2"),
            _ => owner.slice_ref(name),
        };
        if parameters.contains(&name) || parameters.len() >= MAX_PARAMETERS {
            return Fault::error(i, "a parameter that has not come before");
        }
        parameters.set(name, value.map(|value| owner.slice_ref(value)));
        match semi(rest) {
            Ok((rest, _)) => i = rest,
            Err(_) => return Ok((rest, parameters)),
        }
    }
}

/// `text` as a `gen-value`: in quotes, unless it can stand without.
fn gen_value(text: &str) -> Text {
    if !text.is_empty() && Class::GEN_VALUE.covers(text) {
        return text.into();
    }
    let mut quoted = String::new();
    write_quoted(text, &mut quoted);
    quoted.into()
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn vectors_are_read_and_written() {
        let text = "icid-value=1234bc9876e;icid-generated-at=192.0.6.8;orig-ioi=home1.net";
        let vector: PChargingVector = same(text);
        assert_eq!(vector.generated_at(), "192.0.6.8".parse().ok());
        assert_eq!((vector.orig_ioi().as_deref(), vector.term_ioi()), (Some("home1.net"), None));
        let host = "192.0.6.8".parse().unwrap();
        let built = PChargingVector::new("1234bc9876e").with_generated_at(&host);
        assert_eq!(built.with_orig_ioi("home1.net"), vector);
        let text = "icid-value=\"AyretyU0dm+6O2IrT5tAFrbHLso=\";icid-generated-at=[2001:db8::1];\
            term-ioi=\"a, b\";transit-ioi=\"a.1,void\";related-icid=x";
        let vector: PChargingVector = same(text);
        assert_eq!(&*vector.icid_value, "AyretyU0dm+6O2IrT5tAFrbHLso=");
        assert_eq!(vector.transit_ioi().unwrap(), "a.1,void");
        assert_eq!(vector.related_icid().unwrap(), "x");
    }

    #[test]
    fn vectors_of_old_proxies_are_forgiven() {
        let normal = "icid-value=\"a=b/c\";orig-ioi=home1.net";
        forgiven::<PChargingVector>("orig-ioi=home1.net ; icid-value=a=b/c", normal);
        for text in ["icid-value=a;icid-generated-at=a/b", "icid-value=a;transit-ioi=a.1"] {
            forgiven::<PChargingVector>(text, text);
        }
    }

    #[test]
    fn addresses_are_read_and_written() {
        let addresses: PChargingFunctionAddresses = same("ccf=192.0.8.1;ecf=192.0.8.3");
        assert_eq!(addresses.address("ecf").unwrap(), "192.0.8.3");
        assert_eq!(addresses.address("ccf-2"), None);
        let built = PChargingFunctionAddresses::new("ccf", "192.0.8.1").with("ecf", "192.0.8.3");
        assert_eq!(built, addresses);
        let quoted = PChargingFunctionAddresses::new("ccf", "aaa://a.example;b=c");
        assert_eq!(written(&quoted), "ccf=\"aaa://a.example;b=c\"");
        let new = "ccf=192.1.1.1;ccf-2=192.1.1.2;ecf=192.1.1.3;ecf-2=192.1.1.4";
        let old = "ccf=192.1.1.1; CCF=192.1.1.2; ecf=192.1.1.3; ecf=192.1.1.4";
        forgiven::<PChargingFunctionAddresses>(old, new);
    }

    #[test]
    fn broken_vectors_and_addresses_are_refused() {
        refused::<PChargingVector>("", 0);
        refused::<PChargingVector>("icid-value", 0);
        refused::<PChargingVector>("icid-value=", 11);
        refused::<PChargingVector>("orig-ioi=a", 0);
        refused::<PChargingVector>("icid-value=a;icid-value=b", 13);
        refused::<PChargingFunctionAddresses>("", 0);
        refused::<PChargingFunctionAddresses>("ccf=a;;", 6);
        refused::<PChargingFunctionAddresses>("ccf=a;ccf-2=b;ccf-2=c", 14);
        let many: String = (0..=MAX_PARAMETERS).map(|n| format!(";p{n}=1")).collect();
        refused::<PChargingVector>(&format!("icid-value=a{many}"), 792);
    }
}
