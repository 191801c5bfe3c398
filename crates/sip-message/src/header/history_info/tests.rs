use proptest::prelude::*;

use super::super::probe::{forgiven, read, refused, same};
use super::*;
use crate::Uri;

fn index(text: &str) -> HistoryIndex {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn the_examples_of_the_rfc_are_entries_with_an_index() {
    let entry: HistoryInfo = same("<sip:UserA@ims.example.com>;index=1;foo=bar");
    assert_eq!(entry.index(), Some(HistoryIndex::first()));
    assert_eq!((entry.target(), entry.reason(), entry.is_private()), (None, Ok(None), false));
    let entry: HistoryInfo = same("<sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302>;index=1.1");
    assert_eq!(entry.reason().unwrap().unwrap().cause(), Some(302));
    let text = "<sip:UserB@example.com?Privacy=history&Reason=SIP%3Bcause%3D486>;index=1.2;mp=1.1";
    let entry: HistoryInfo = same(text);
    assert_eq!(entry.reason().unwrap().unwrap().cause(), Some(486));
    assert_eq!(entry.target(), Some(HistoryTarget::Mp(index("1.1"))));
    assert!(entry.is_private());
    let entry: HistoryInfo = same("<sip:45432@192.168.0.3>;index=1.3;rc=1.2");
    assert_eq!(entry.target(), Some(HistoryTarget::Rc(index("1.2"))));
    let uri: Uri = "sip:45432@192.168.0.3".parse().unwrap();
    let made = HistoryInfo::new(uri)
        .with_index(&index("1.3"))
        .with_target(&HistoryTarget::Rc(index("1.2")));
    assert_eq!(made, entry);
}

#[test]
fn fields_within_the_uri_are_unescaped_once() {
    let entry: HistoryInfo = read(
        "<sip:a@b.example?%52eason=Q.850%3Bcause%3D16%3Btext%3D%22a%2526%22&privacy=id%3B%20History>",
    );
    let reason = entry.reason().unwrap().unwrap();
    assert_eq!(reason.text().as_deref(), Some("a%26"));
    assert!(entry.is_private());
    assert!(read::<HistoryInfo>("<sip:a@b.example?Reason=%3B>").reason().is_err());
    let two =
        "<sip:a@b.example?Reason=SIP%3Btext%3D%22a%2Cb%22%3Bcause%3D302%2CQ.850%3Bcause%3D16>";
    assert_eq!(read::<HistoryInfo>(two).reason().unwrap().unwrap().cause(), Some(302));
    assert!(!read::<HistoryInfo>("<sip:a@b.example?Privacy=nohistory>").is_private());
    assert!(!read::<HistoryInfo>("<tel:+1>;index=1").is_private());
}

#[test]
fn an_index_has_numbers_without_leading_zeros() {
    for text in ["", ".", "1.", ".1", "1..1", "01", "1.00", "-1", "+1", "a", "4294967296", "1 "] {
        assert!(text.parse::<HistoryIndex>().is_err(), "{text}");
    }
    assert_eq!("1.x".parse::<HistoryIndex>().unwrap_err().offset(), 2);
    assert_eq!(index("1.0.10").numbers(), [1, 0, 10]);
    assert_eq!(read::<HistoryInfo>("<sip:a@b.example>;index=1.x").index(), None);
}

#[test]
fn the_history_is_walked_as_a_tree() {
    let walk = ["1", "1.1", "1.1.1", "1.2", "1.10", "2"].map(index);
    assert!(walk.is_sorted());
    assert_eq!(index("1.2").child(1), index("1.2.1"));
    assert_eq!(index("1.2.1").parent(), Some(index("1.2")));
    assert_eq!(HistoryIndex::first().parent(), None);
    assert_eq!(HistoryTarget::Np(index("1.2")).from(), &index("1.2"));
}

#[test]
fn an_entry_needs_its_brackets() {
    forgiven::<HistoryInfo>("<sip:a@b.example>;index=1;", "<sip:a@b.example>;index=1");
    refused::<HistoryInfo>("<sip:a@b.example", 16);
    assert!(HistoryInfo::parse(&"sip:a@b.example;index=1".into()).is_err());
}

proptest! {
    #[test]
    fn indices_read_back_as_they_were_written(numbers in proptest::collection::vec(any::<u32>(), 1..9)) {
        let index = HistoryIndex(numbers.into());
        prop_assert_eq!(index.to_string().parse::<HistoryIndex>().unwrap(), index);
    }
}
