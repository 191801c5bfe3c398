//! Where equality claims to be an equivalence it is one, and hashes agree with it.

use std::{
    collections::hash_map::DefaultHasher,
    fmt::Debug,
    hash::{Hash, Hasher},
};

use offhook_sip_message::*;
use proptest::prelude::*;

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Reflexive, symmetric and transitive.
fn is_equivalence<T: PartialEq + Debug>(values: &[T]) {
    for one in values {
        let same = one;
        assert!(one == same, "{one:?}");
        for other in values {
            let (there, back) = (one == other, other == one);
            assert_eq!(there, back, "{one:?} and {other:?}");
            for third in values {
                assert!(
                    one != other || other != third || one == third,
                    "{one:?} {other:?} {third:?}"
                );
            }
        }
    }
}

fn agrees_with_hash<T: Eq + Hash + Debug>(values: &[T]) {
    is_equivalence(values);
    for one in values {
        for other in values {
            assert!(one != other || hash(one) == hash(other), "{one:?} and {other:?}");
        }
    }
}

/// What can be read of `texts`.
fn all<H: Header>(texts: &[String]) -> Vec<H> {
    texts.iter().filter_map(|text| H::parse(&text.as_str().into()).ok()).collect()
}

/// Few letters, so that many are equal.
fn close() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(
        "(a|A|b)(/(a|A)|\\.a)?( ?; ?(q|Q|x|y)(=(0\\.5|0\\.50|a|A|\"a\"|\"A\"|\"\\\\a\"))?){0,2}",
        3..6,
    )
}

proptest! {
    #[test]
    fn names_methods_and_tokens(texts in prop::collection::vec("(v|V|via|Via|VIA|x|X|x-y|X-Y|call-id|i|I|invite|INVITE)", 3..6)) {
        agrees_with_hash(&texts.iter().map(|it| HeaderName::new(it).unwrap()).collect::<Vec<_>>());
        agrees_with_hash(&texts.iter().map(|it| Method::new(it).unwrap()).collect::<Vec<_>>());
        agrees_with_hash(&texts.iter().map(|it| Algorithm::from(it.as_str())).collect::<Vec<_>>());
        is_equivalence(&all::<Supported>(&texts));
        is_equivalence(&all::<ContentEncoding>(&texts));
        agrees_with_hash(&all::<Allow>(&texts));
        agrees_with_hash(&all::<AllowEvents>(&texts));
        agrees_with_hash(&all::<CallId>(&texts));
    }

    #[test]
    fn values_with_parameters(texts in close()) {
        is_equivalence(&all::<ContentType>(&texts));
        is_equivalence(&all::<Accept>(&texts));
        is_equivalence(&all::<AcceptEncoding>(&texts));
        is_equivalence(&all::<AcceptLanguage>(&texts));
        is_equivalence(&all::<ContentDisposition>(&texts));
        is_equivalence(&all::<Event>(&texts));
        is_equivalence(&all::<SubscriptionState>(&texts));
        is_equivalence(&all::<Reason>(&texts));
        is_equivalence(&all::<InfoPackage>(&texts));
        is_equivalence(&all::<UserToUser>(&texts));
        is_equivalence(&all::<SecurityClient>(&texts));
        is_equivalence(&all::<PAccessNetworkInfo>(&texts));
        let vias: Vec<String> = texts.iter().map(|it| format!("SIP/2.0/UDP {it}")).collect();
        is_equivalence(&all::<Via>(&vias));
        let digests: Vec<String> =
            texts.iter().map(|it| format!("Digest realm=\"a\", nonce=\"b\", x={}", it.replace([';', ' ', '='], ", ")))
                .collect();
        is_equivalence(&all::<WwwAuthenticate>(&digests));
    }

    #[test]
    fn numbers_of_telephones(texts in prop::collection::vec(
        "tel:\\+?(1|a|A|-)(2|%32|-|\\.)?(;(ext|EXT)=1-?)?(;(x|X|m-y)(=(a|A|%41|%61|%3b|%3B))?){0,2}(;phone-context=(\\+1-?|\\+1N|\\+1n|h\\.a|H\\.A))?", 3..6,
    )) {
        let numbers: Vec<TelUri> = texts
            .iter()
            .filter_map(|text| Uri::parse(&WireText::from(text.as_str())).ok()?.as_tel().cloned())
            .collect();
        agrees_with_hash(&numbers);
    }

    #[test]
    fn keys_of_users_and_transactions(texts in prop::collection::vec(
        "sips?:((a|A|%61|%3b|;)@)?(h|H|\\[::1\\]|\\[0::1\\])(:5060)?(;x)?", 3..6,
    )) {
        let keys: Vec<AddressOfRecord> = texts
            .iter()
            .filter_map(|text| Some(text.parse::<Uri>().ok()?.as_sip()?.address_of_record()))
            .collect();
        agrees_with_hash(&keys);
        let requests: Vec<Request> = texts.iter().enumerate().filter_map(|(at, text)| {
            let method = ["INVITE", "ACK", "BYE"][at % 3];
            let host = text.split([';', '@', ':']).nth(1)?;
            let text = format!(
                "{method} {text} SIP/2.0\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{}\r\nFrom: <sip:a@b>;tag=1\r\n\
                 To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\r\n", ["", "1"][at % 2]);
            match Message::parse(text.into()).ok()? {
                Message::Request(request) => Some(request),
                Message::Response(_) => None,
            }
        }).collect();
        let keys: Vec<_> = requests.iter().filter_map(|it| TransactionKey::of_request(it).ok()).collect();
        agrees_with_hash(&keys);
    }
}
