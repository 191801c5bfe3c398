use super::{super::RecordType, *};

const SECOND: Duration = Duration::from_secs(1);

fn query(name: &str) -> Query {
    Query::new(&name.parse().unwrap(), RecordType::A)
}

fn address() -> Outcome {
    Outcome::Found([super::super::DnsValue::Address([192, 0, 2, 1].into())].into())
}

#[test]
fn an_answer_is_kept_for_its_ttl_and_no_longer() {
    let (start, mut cache) = (Instant::now(), Cache::new(4));
    cache.keep(start, query("a.example"), &address(), 10 * SECOND);
    assert_eq!(cache.get(start + 9 * SECOND, &query("a.example")), Some(address()));
    assert_eq!(cache.get(start + 10 * SECOND, &query("a.example")), None);
    assert_eq!(cache.get(start, &query("b.example")), None);
}

#[test]
fn ttl_zero_is_not_kept_and_the_longest_ttls_are_cut() {
    let (start, mut cache) = (Instant::now(), Cache::new(4));
    cache.keep(start, query("a.example"), &address(), Duration::ZERO);
    assert_eq!(cache.get(start, &query("a.example")), None);
    cache.keep(start, query("a.example"), &address(), Duration::MAX);
    assert_eq!(cache.get(start + MAX_TTL, &query("a.example")), None);
    cache.keep(start, query("b.example"), &Outcome::NoSuchName, Duration::MAX);
    assert!(cache.get(start + MAX_NEGATIVE_TTL - SECOND, &query("b.example")).is_some());
    assert_eq!(cache.get(start + MAX_NEGATIVE_TTL, &query("b.example")), None);
}

#[test]
fn what_would_expire_first_gives_way() {
    let (start, mut cache) = (Instant::now(), Cache::new(2));
    for (name, ttl) in [("a.example", 30), ("b.example", 20), ("c.example", 10), ("d.example", 5)] {
        cache.keep(start, query(name), &address(), ttl * SECOND);
        assert!(cache.kept.len() <= 2);
    }
    assert!(cache.get(start, &query("a.example")).is_some());
    assert!(cache.get(start, &query("d.example")).is_some());
}
