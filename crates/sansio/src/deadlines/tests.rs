use std::time::Duration;

use std::collections::HashMap;

use super::*;
use crate::Random;

fn after(start: Instant, milliseconds: u64) -> Option<Instant> {
    Some(start + Duration::from_millis(milliseconds))
}

#[test]
fn keys_expire_in_order_and_once() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    deadlines.set(1, after(start, 3));
    deadlines.set(2, after(start, 1));
    deadlines.set(1, after(start, 2));
    assert_eq!(deadlines.next(), after(start, 1));
    let later = start + Duration::from_secs(9);
    assert_eq!(deadlines.expired(later), Some(2));
    assert_eq!(deadlines.expired(later), Some(1));
    assert_eq!(deadlines.expired(later), None);
    assert!(deadlines.is_empty());
}

#[test]
fn nothing_expires_before_its_time() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    deadlines.set(1, after(start, 5));
    assert_eq!(deadlines.expired(start + Duration::from_millis(4)), None);
    assert_eq!(deadlines.expired(start + Duration::from_millis(5)), Some(1));
}

#[test]
fn a_removed_deadline_never_expires() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    deadlines.set(1, Some(start));
    deadlines.set(1, None);
    assert_eq!((deadlines.next(), deadlines.len()), (None, 0));
}

#[test]
fn a_deadline_that_is_set_again_as_it_was_expires_once() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    deadlines.set(0, after(start, 1));
    for at in [5, 7, 5] {
        deadlines.set(1, after(start, at));
    }
    assert_eq!(deadlines.len(), 2);
    let later = start + Duration::from_secs(9);
    let expired: Vec<_> = std::iter::from_fn(|| deadlines.expired(later)).collect();
    assert_eq!(expired, [0, 1]);
}

#[test]
fn they_expire_as_a_sorted_list_says_whatever_is_set_and_removed() {
    for seed in 0..200 {
        let mut random = Random::from_seed(seed);
        let mut now = Instant::now();
        let (mut deadlines, mut list) = (Deadlines::new(), HashMap::new());
        for _ in 0..400 {
            let key = random.u32() % 40;
            // Few kinds of times, as protocols have them, and now and then any.
            let wait = match random.u32() % 8 {
                0 => u64::from(random.u32() % 5_000),
                kind => 1 << kind,
            };
            let deadline = if random.u32().is_multiple_of(4) { None } else { after(now, wait) };
            deadlines.set(key, deadline);
            match deadline {
                Some(deadline) => drop(list.insert(key, deadline)),
                None => drop(list.remove(&key)),
            }
            assert_eq!(
                (deadlines.next(), deadlines.len()),
                (list.values().min().copied(), list.len())
            );
            if random.u32().is_multiple_of(3) {
                now += Duration::from_millis(u64::from(random.u32() % 50));
                let due = list.extract_if(|_, deadline| *deadline <= now);
                let due: BTreeSet<_> = due.map(|(key, _)| key).collect();
                let expired: BTreeSet<_> = std::iter::from_fn(|| deadlines.expired(now)).collect();
                assert_eq!(expired, due);
            }
        }
    }
}

#[test]
fn what_is_set_again_and_again_takes_no_more_room() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    deadlines.set(0, after(start, 0));
    for at in 0..100_000 {
        deadlines.set(1, after(start, at + 1));
        assert!(deadlines.queued <= 2 * deadlines.len() + FEW + 1);
    }
    assert_eq!(deadlines.len(), 2);
}

#[test]
fn deadlines_that_come_from_the_last_to_the_first_are_kept_in_order_too() {
    let start = Instant::now();
    let mut deadlines = Deadlines::new();
    for key in (0..10_000).rev() {
        deadlines.set(key, after(start, key));
    }
    assert!(deadlines.queues.len() <= MOST_QUEUES);
    let later = start + Duration::from_secs(60);
    let expired: Vec<_> = std::iter::from_fn(|| deadlines.expired(later)).collect();
    assert_eq!(expired, Vec::from_iter(0..10_000));
}
