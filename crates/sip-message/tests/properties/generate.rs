//! Generated parts of messages, in all the disguises that the grammar allows.

use offhook_sip_message::*;
use proptest::prelude::*;

/// A name, as somebody may write it: in any case, in its compact form.
pub(crate) fn disguised(name: &HeaderName) -> impl Strategy<Value = String> + use<> {
    let long = name.as_str().to_owned();
    let compact = name.compact().map_or_else(|| long.clone(), String::from);
    (prop::sample::select(vec![long, compact]), any::<u64>()).prop_map(|(name, mask)| {
        let turned = |(at, c): (usize, char)| match mask >> (at % 64) & 1 {
            0 => c.to_ascii_lowercase(),
            _ => c.to_ascii_uppercase(),
        };
        name.chars().enumerate().map(turned).collect()
    })
}

/// White space that may be absent; with `folds`, lines may end in it.
pub(crate) fn sws(folds: bool) -> impl Strategy<Value = &'static str> {
    let all = ["", "", " ", "\t", "  ", "\r\n ", " \r\n\t", "\r\n \r\n "];
    prop::sample::select(all[..if folds { all.len() } else { 5 }].to_vec())
}

pub(crate) fn token() -> impl Strategy<Value = String> {
    "[-.!%*_+`'~a-zA-Z0-9]{1,6}"
}

pub(crate) fn quoted() -> impl Strategy<Value = String> {
    r#""([ !#-\[\]-~é]|\\[ -~]){0,6}""#
}

pub(crate) fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,4}(\\.[a-z]{1,3}){0,2}",
        "192\\.0\\.2\\.[1-9]",
        "\\[2001:db8::[1-9a-f]{1,3}\\]"
    ]
}

/// Parameters of a header field, none of them twice, behind a semicolon each.
pub(crate) fn parameters() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(String::new()),
        token().prop_map(|it| format!("={it}")),
        quoted().prop_map(|it| format!(" = {it}")),
    ];
    let parameters = prop::collection::btree_map("[a-w]{1,4}", (value, sws(false)), 0..3);
    parameters.prop_map(|all| {
        all.into_iter()
            .map(|(name, (value, space))| format!("{space};{space}{name}{value}"))
            .collect()
    })
}

pub(crate) fn sip_uri() -> impl Strategy<Value = String> {
    let user = "([a-zA-Z0-9&=+$,;?/_.!~*'()-]|%[0-9a-f]{2}){1,6}(:[a-z0-9&=+$,]{0,3})?@";
    let parameters = prop::collection::btree_map(
        prop::sample::select(vec!["lr", "transport", "ttl", "maddr", "method", "user", "x", "y"]),
        prop_oneof![
            Just(String::new()),
            "=([a-z0-9&+$:/\\[\\]]|%[0-9a-f]{2}){1,4}".prop_map(String::from)
        ],
        0..3,
    );
    let headers = prop::option::of("[a-z]{1,3}=([a-z?/:+$]|%20){0,4}(&[a-z]{1,3}=[a-z]{0,2}){0,2}");
    let port = prop::option::of(0..=u16::MAX);
    let scheme = prop::sample::select(vec!["sip:", "sips:", "SIP:", "sIpS:"]);
    (scheme, prop::option::of(user), host(), port, parameters, headers).prop_map(
        |(scheme, user, host, port, parameters, headers)| {
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let parameters: String =
                parameters.iter().map(|(name, value)| format!(";{name}{value}")).collect();
            let headers = headers.map_or_else(String::new, |headers| format!("?{headers}"));
            format!("{scheme}{}{host}{port}{parameters}{headers}", user.unwrap_or_default())
        },
    )
}

/// URIs of every kind.
pub(crate) fn any_uri() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => sip_uri(),
        2 => "tel:\\+[0-9.()-]{0,4}[0-9](;ext=[0-9-]{0,2}[0-9])?(;[a-d]{1,2}(=([a-z&:]|%[0-9a-f]{2}){1,3})?)?",
        2 => "tel:[0-9A-F*#-]{0,4}[0-9];phone-context=(\\+[0-9-]{0,2}[0-9]|[a-z]{1,3}\\.[a-z]{1,3})",
        1 => "(urn|http|mailto|x-y\\.z):[a-z0-9:/?@&=+$,;_.!~*'()-]{1,8}",
    ]
}

pub(crate) fn name_addr() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just(String::new()),
        token().prop_map(|it| it + " "),
        (token(), token()).prop_map(|(one, other)| format!("{one} {other} ")),
        quoted(),
    ];
    (name, any_uri()).prop_map(|(name, uri)| format!("{name}<{uri}>"))
}

pub(crate) fn via() -> impl Strategy<Value = String> {
    let transport = prop::sample::select(vec!["UDP", "TCP", "tls", "WSS", "x"]);
    let port = prop::option::of(0..=u16::MAX);
    (transport, host(), port, parameters(), token()).prop_map(
        |(transport, host, port, parameters, branch)| {
            let port = port.map_or_else(String::new, |port| format!(" : {port}"));
            format!(
                "SIP/2.0/{transport} {host}{port};xbranch=no{parameters};z-branch;Branch={branch}"
            )
        },
    )
}

/// Values with commas between them.
fn list(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((value, sws(true)), 1..4).prop_map(|values| {
        let values = values.iter().map(|(value, space)| format!("{space}{value}{space}"));
        values.collect::<Vec<_>>().join(",")
    })
}

/// One header field: its name without disguise, and its row.
pub(crate) fn row() -> impl Strategy<Value = (HeaderName, String)> {
    let named = |name: HeaderName, value: BoxedStrategy<String>| {
        let row = (Just(name.clone()), disguised(&name), sws(false), sws(true), value);
        row.prop_map(|(name, written, before, after, value)| {
            (name, format!("{written}{before}:{after}{value}\r\n"))
        })
    };
    let unknown = ("[a-z]{2,5}-[a-z]{2,5}", sws(false), "[ -~é]{0,12}").prop_filter_map(
        "an unknown name",
        |(name, space, value)| {
            let known = HeaderName::new(&name).ok()?;
            let row = format!("{name}{space}: {value}\r\n");
            Some((known, row)).filter(|(name, _)| *name != HeaderName::CALL_ID)
        },
    );
    let address = || (name_addr(), parameters()).prop_map(|(it, more)| it + &more);
    prop_oneof![
        named(HeaderName::VIA, list(via()).boxed()),
        named(HeaderName::CONTACT, list(address()).boxed()),
        named(HeaderName::ROUTE, list(address()).boxed()),
        named(HeaderName::RECORD_ROUTE, list(address()).boxed()),
        named(HeaderName::P_ASSERTED_IDENTITY, list(name_addr()).boxed()),
        named(HeaderName::REFER_TO, address().boxed()),
        named(HeaderName::SUPPORTED, list(token()).boxed()),
        named(HeaderName::ALLOW, list(token()).boxed()),
        named(HeaderName::SUBJECT, "[!-~é]([ -~é]{0,8}[!-~é])?".boxed()),
        named(
            HeaderName::EVENT,
            (token(), parameters()).prop_map(|(it, more)| { it.replace('.', "-") + &more }).boxed()
        ),
        named(HeaderName::EXPIRES, "[0-9]{1,9}".boxed()),
        named(HeaderName::ACCEPT, list("(text|\\*)/\\*(;q=0\\.[0-9]{1,3})?".boxed()).boxed()),
        named(
            HeaderName::REASON,
            (token(), parameters()).prop_map(|(it, more)| it + &more).boxed()
        ),
        named(HeaderName::WARNING, quoted().prop_map(|it| format!("399 h.example {it}")).boxed()),
        unknown,
    ]
}

/// The header fields that every message needs, and others among them, in any order.
pub(crate) fn rows() -> impl Strategy<Value = Vec<(HeaderName, String)>> {
    let from = (disguised(&HeaderName::FROM), name_addr(), sws(true), token())
        .prop_map(|(name, it, space, tag)| format!("{name}: {it}{space};{space}Tag={tag}\r\n"));
    let to =
        (disguised(&HeaderName::TO), name_addr()).prop_map(|(name, it)| format!("{name}:{it}\r\n"));
    let call_id =
        (disguised(&HeaderName::CALL_ID), "[a-z<>:\\\\\"/?{}\\[\\]()]{1,6}(@[a-z.]{1,4})?")
            .prop_map(|(name, it)| format!("{name} : {it}\r\n"));
    let cseq = (disguised(&HeaderName::CSEQ), 0..=u32::MAX, sws(true))
        .prop_map(|(name, number, space)| format!("{name}: {number} {space}OPTIONS\r\n"));
    let hops = (disguised(&HeaderName::MAX_FORWARDS), 0..=u8::MAX)
        .prop_map(|(name, hops)| format!("{name}:\t{hops}\r\n"));
    let via =
        (disguised(&HeaderName::VIA), via()).prop_map(|(name, it)| format!("{name}: {it}\r\n"));
    let needed =
        (via, from, to, call_id, cseq, hops).prop_map(|(via, from, to, id, cseq, hops)| {
            vec![
                (HeaderName::VIA, via),
                (HeaderName::FROM, from),
                (HeaderName::TO, to),
                (HeaderName::CALL_ID, id),
                (HeaderName::CSEQ, cseq),
                (HeaderName::MAX_FORWARDS, hops),
            ]
        });
    (needed, prop::collection::vec(row(), 0..5))
        .prop_map(|(needed, others)| [needed, others].concat())
        .prop_shuffle()
}

/// A whole message, as text.
pub(crate) fn message() -> impl Strategy<Value = (Vec<(HeaderName, String)>, String)> {
    let start = prop_oneof![
        any_uri().prop_map(|uri| format!("OPTIONS {uri} SIP/2.0\r\n")),
        (100..700_u16, "[ -~é]{0,8}")
            .prop_map(|(code, reason)| format!("SIP/2.0 {code} {reason}\r\n")),
    ];
    let body = prop::option::of("(\r\n|[ -~]|é|\0){0,12}");
    (start, rows(), body).prop_map(|(start, rows, body)| {
        let head: String = rows.iter().map(|(_, row)| row.as_str()).collect();
        let (length, body) = match body {
            Some(body) => (format!("l : {}\r\n", body.len()), body),
            None => (String::new(), String::new()),
        };
        (rows, format!("{start}{head}{length}\r\n{body}"))
    })
}
