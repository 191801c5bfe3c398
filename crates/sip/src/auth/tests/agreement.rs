//! Client and server agree on whatever they are given, and on nothing else.

use offhook_sip_message::{Qop, Text};
use proptest::prelude::*;

use super::*;
use crate::auth::HashFunction;

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop::sample::select(ALGORITHMS.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_the_client_makes_the_server_takes_and_nothing_else(
        name in "[ -9;-~éßø]{1,20}",
        realm in "[!-~é]{1,20}",
        password in "\\PC{0,20}",
        method in "REGISTER|INVITE|BYE|[A-Z]{3,10}X",
        user in "[a-z0-9]{1,8}",
        body in prop::collection::vec(any::<u8>(), 0..40),
        algorithm in algorithm(),
        integrity: bool,
        userhash: bool,
        seed: u64,
    ) {
        let now = Instant::now();
        let qop = if integrity { Qop::AuthInt } else { Qop::Auth };
        let mut random = Random::from_seed(seed);
        let server = Challenger::new(now, &mut random, Role::Server, realm.as_str());
        let server = server.with_algorithms([algorithm.clone()]).unwrap();
        let server = server.with_qop([qop]).unwrap();
        let mut server = if userhash { server.with_userhash() } else { server };
        let login = Login::new(realm.as_str(), name.as_str(), password.as_str());
        let mut client = Authenticator::new(random, [login]);
        let function = HashFunction::of(&algorithm).unwrap();
        let claimed = if userhash { function.user_hash(&name, &realm) } else { name.clone() };
        let lookup = |claim: &Claim| {
            let known = claim.username() == claimed && claim.is_hashed() == userhash;
            known.then(|| User::with_password(name.as_str(), password.as_str()))
        };

        let uri = format!("sip:{user}@biloxi.example");
        let first = request(&method, &uri, &body);
        let challenge = challenged(server.check(now, &first, lookup));
        let reply = challenge.reply_to(&first).build().unwrap();
        let second = next(&first, client.challenged(&first, &reply).unwrap());
        let credentials = sent(&second).remove(0);

        let refused = |server: &mut Challenger, request: &ValidRequest| {
            !matches!(server.check(now, request, lookup), Verdict::Authenticated(_))
        };
        let moved = |method: &str, uri: &str, body: &[u8]| {
            with_credentials(&request(method, uri, body), credentials.clone())
        };
        let (other_method, other_uri) = (format!("{method}Y"), uri.replace('@', "x@"));
        prop_assert!(refused(&mut server, &moved(&other_method, &uri, &body)));
        prop_assert!(refused(&mut server, &moved(&method, &other_uri, &body)));
        let other_body = [&body[..], b"x"].concat();
        if integrity {
            prop_assert!(refused(&mut server, &moved(&method, &uri, &other_body)));
        }
        let changes: [fn(&mut DigestCredentials); 9] = [
            |it| it.username = format!("{}x", it.username.as_str()).into(),
            |it| it.realm = format!("{}x", it.realm.as_str()).into(),
            |it| it.nonce = format!("{}0", it.nonce.as_str()).into(),
            |it| it.uri = Text::from("sip:evil@biloxi.example"),
            |it| it.response = it.response.chars().rev().chain("0".chars()).collect::<String>().into(),
            |it| it.cnonce = Some("x".into()),
            |it| it.nc = Some(2),
            |it| it.userhash = !it.userhash,
            |it| it.qop = None,
        ];
        for (index, change) in changes.iter().enumerate() {
            let mut credentials = credentials.clone();
            change(&mut credentials);
            prop_assert!(refused(&mut server, &with_credentials(&second, credentials)), "{}", index);
        }
        for other in ALGORITHMS.iter().filter(|other| **other != algorithm) {
            let credentials = credentials.clone().with_algorithm(other.clone());
            prop_assert!(refused(&mut server, &with_credentials(&second, credentials)));
        }
        let other_password = |claim: &Claim| {
            lookup(claim).map(|user| User::with_password(user.name(), format!("{password}x")))
        };
        let verdict = server.check(now, &second, other_password);
        prop_assert!(!matches!(verdict, Verdict::Authenticated(_)));

        // None of these has spoilt the nonce for whom it was made for.
        let verdict = server.check(now, &second, lookup);
        let Verdict::Authenticated(user) = verdict else { panic!("{verdict:?}") };
        prop_assert_eq!(user.username(), &name);
        prop_assert!(refused(&mut server, &second));
    }
}
