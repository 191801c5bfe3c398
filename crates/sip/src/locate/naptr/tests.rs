use super::*;

const ALL: [Protocol; 5] =
    [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Ws, Protocol::Wss];

fn naptr(order: u16, preference: u16, services: &str, replacement: &str) -> Naptr {
    Naptr {
        order,
        preference,
        flags: "s".into(),
        services: services.into(),
        regexp: String::new(),
        replacement: replacement.parse().unwrap(),
    }
}

/// The records of RFC 3263 §4.1.
fn example() -> [Naptr; 3] {
    [
        naptr(50, 50, "SIPS+D2T", "_sips._tcp.example.com."),
        naptr(90, 50, "SIP+D2T", "_sip._tcp.example.com"),
        naptr(100, 50, "SIP+D2U", "_sip._udp.example.com."),
    ]
}

fn found(records: &[Naptr], usable: &[Protocol]) -> Vec<(Protocol, String)> {
    let (services, _) = services(records.iter(), usable);
    services.into_iter().map(|service| (service.protocol, service.name.to_string())).collect()
}

#[test]
fn the_client_of_the_example_uses_tcp_since_it_has_no_tls() {
    let tcp = (Protocol::Tcp, "_sip._tcp.example.com".to_owned());
    assert_eq!(found(&example(), &[Protocol::Udp, Protocol::Tcp]), [tcp]);
}

#[test]
fn a_client_with_tls_follows_the_domain_to_it() {
    let tls = (Protocol::Tls, "_sips._tcp.example.com".to_owned());
    assert_eq!(found(&example(), &ALL), [tls]);
}

#[test]
fn the_lowest_order_rules_out_the_others_and_preference_sorts_the_rest() {
    let records = [
        naptr(10, 30, "SIP+D2U", "u.example"),
        naptr(20, 0, "SIP+D2T", "t.example"),
        naptr(10, 20, "SIP+D2W", "w.example"),
        naptr(10, 10, "SIPS+D2W", "ws.example"),
    ];
    let names: Vec<_> = found(&records, &ALL).into_iter().map(|(protocol, _)| protocol).collect();
    assert_eq!(names, [Protocol::Wss, Protocol::Ws, Protocol::Udp]);
}

#[test]
fn records_of_equal_preference_go_by_the_preference_of_the_endpoint() {
    let records = [naptr(1, 1, "SIP+D2U", "u.example"), naptr(1, 1, "SIP+D2T", "t.example")];
    assert_eq!(found(&records, &[Protocol::Tcp, Protocol::Udp])[0].0, Protocol::Tcp);
    assert_eq!(found(&records, &[Protocol::Udp, Protocol::Tcp])[0].0, Protocol::Udp);
}

#[test]
fn services_and_flags_have_no_case() {
    let record = Naptr { flags: "S".into(), ..naptr(1, 1, "sips+d2t", "t.example") };
    assert_eq!(found(&[record], &ALL)[0].0, Protocol::Tls);
}

#[test]
fn records_that_lead_elsewhere_are_passed_over_and_counted() {
    let good = naptr(9, 9, "SIP+D2U", "u.example");
    let records = [
        naptr(1, 1, "SIP+D2S", "sctp.example"),
        naptr(1, 1, "SIPS+D2U", "no-such-thing.example"),
        naptr(1, 1, "E2U+sip", "enum.example"),
        naptr(1, 1, "SIP+D2UX", "x.example"),
        naptr(1, 1, "SIP+D2U", "."),
        Naptr { flags: "u".into(), ..naptr(1, 1, "SIP+D2U", "u.example") },
        Naptr { flags: String::new(), ..naptr(1, 1, "SIP+D2U", "u.example") },
        Naptr { regexp: "!.*!x!".into(), ..naptr(1, 1, "SIP+D2U", "u.example") },
        good,
    ];
    let (services, passed_over) = services(records.iter(), &ALL);
    assert_eq!((services.len(), passed_over), (1, 8));
    assert_eq!(services[0].name.as_str(), "u.example");
}

#[test]
fn a_service_named_twice_is_asked_for_once() {
    let one = naptr(1, 1, "SIP+D2U", "u.example");
    assert_eq!(found(&[one.clone(), one], &ALL).len(), 1);
}
