//! No message costs more than time in proportion to its length.
//!
//! Eight times the size may take 32 times as long: the machine has other work, and small sizes fit
//! its caches. What is quadratic takes 64 times as long, each time it is tried.

use offhook_benches::linear::{SHAPES, Work};

#[test]
fn time_grows_with_the_length_of_the_message_and_not_with_its_square() {
    for shape in SHAPES {
        let (small, large) = (shape.message(1), shape.message(8));
        for work in Work::ALL {
            let is_linear = || work.time(&large, 3) < 32 * work.time(&small, 5);
            assert!((0..10).any(|_| is_linear()), "{work:?} of many {}", shape.name);
        }
    }
}
