use super::*;

fn srv(priority: u16, weight: u16, target: &str) -> Srv {
    Srv { priority, weight, port: 9, target: target.parse().unwrap() }
}

/// The records of the example of RFC 2782.
fn foobar() -> Vec<Srv> {
    vec![
        srv(0, 1, "old-slow-box.example.com."),
        srv(0, 3, "new-fast-box.example.com."),
        srv(1, 0, "sysadmins-box.example.com."),
        srv(1, 0, "server.example.com."),
    ]
}

fn names(records: &[Srv]) -> Vec<&str> {
    records.iter().map(|srv| srv.target.as_str()).collect()
}

/// How often out of `draws` each target came first.
fn firsts(records: &[Srv], draws: usize, target: &str) -> usize {
    let mut random = Random::from_seed(2782);
    let mut first = || arrange(records.to_vec(), ServerOrder::Weighted, &mut random).remove(0);
    (0..draws).filter(|_| first().target.as_str() == target).count()
}

#[test]
fn the_example_tries_the_boxes_first_and_the_others_as_a_last_resort() {
    let mut random = Random::from_seed(1);
    for _ in 0..100 {
        let order = arrange(foobar(), ServerOrder::Weighted, &mut random);
        assert_eq!(order.len(), 4);
        let mut boxes = names(&order[..2]);
        boxes.sort_unstable();
        assert_eq!(boxes, ["new-fast-box.example.com", "old-slow-box.example.com"]);
        assert!(order[2..].iter().all(|srv| srv.priority == 1));
    }
}

#[test]
fn the_fast_box_of_the_example_gets_its_share() {
    // "make three quarters of the logins go to new-fast-box". The number drawn is one of the five
    // from 0 to 4, so that the algorithm as written gives it 3 of 5 (2, 3 and 4).
    let fast = firsts(&foobar(), 10_000, "new-fast-box.example.com");
    assert!((5_800..6_200).contains(&fast), "{fast}");
}

#[test]
fn large_weights_come_close_to_their_proportion() {
    let records = [srv(0, 100, "a.example"), srv(0, 300, "b.example"), srv(0, 600, "c.example")];
    for (target, expected) in [("a.example", 1_000), ("b.example", 3_000), ("c.example", 6_000)] {
        let share = firsts(&records, 10_000, target);
        assert!(share.abs_diff(expected) < 200, "{target}: {share}");
    }
}

#[test]
fn weight_zero_has_a_very_small_chance_beside_others_but_has_one() {
    let records = [srv(0, 99, "heavy.example"), srv(0, 0, "zero.example")];
    let zero = firsts(&records, 10_000, "zero.example");
    // Only the number 0 out of 0 to 99 takes it.
    assert!((60..140).contains(&zero), "{zero}");
}

#[test]
fn the_second_place_goes_by_weight_too() {
    let records =
        vec![srv(0, 60_000, "a.example"), srv(0, 1, "b.example"), srv(0, 999, "c.example")];
    let mut random = Random::from_seed(7);
    let mut second = || arrange(records.clone(), ServerOrder::Weighted, &mut random).remove(1);
    let heavier = (0..2_000).filter(|_| second().target.as_str() == "c.example").count();
    assert!(heavier > 1_900, "{heavier}");
}

#[test]
fn priorities_come_in_order_whatever_the_weights() {
    let records = vec![srv(9, 65_535, "z.example"), srv(1, 0, "a.example"), srv(5, 1, "m.example")];
    let order = arrange(records, ServerOrder::Weighted, &mut Random::from_seed(3));
    assert_eq!(names(&order), ["a.example", "m.example", "z.example"]);
}

#[test]
fn a_stateless_proxy_has_the_same_order_each_time() {
    let records = vec![srv(0, 1, "b.example"), srv(0, 9, "a.example"), srv(0, 5, "c.example")];
    for seed in 0..20 {
        let mut random = Random::from_seed(seed);
        let order = arrange(records.clone(), ServerOrder::Sorted, &mut random);
        assert_eq!(names(&order), ["a.example", "b.example", "c.example"]);
    }
}
