//! Time a byte for messages that grow in one place, at 1, 2, 4 and 8 times the size.
//!
//! The figures are flat where time is linear, and fall where a limit refuses the value; what has
//! grown by more than half is marked. On a busy machine the longest ones grow: they are interrupted.
//! `-- --test` takes each once.

use offhook_benches::linear::{SHAPES, Work};

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let runs = if test { 1 } else { 20 };
    println!("| much of | bytes | work | ns a byte at 1, 2, 4, 8 times | |\n|---|---|---|---|---|");
    for shape in SHAPES {
        let messages = [1, 2, 4, 8].map(|factor| shape.message(factor));
        let largest = messages.last().map_or(0, |message| message.len());
        for work in Work::ALL {
            let a_byte = messages
                .each_ref()
                .map(|message| work.time(message, runs).as_nanos() as f64 / message.len() as f64);
            let [first, .., last] = a_byte;
            let mark = if last > first * 1.5 { "grows" } else { "" };
            let figures = a_byte.map(|figure| format!("{figure:.2}")).join(" ");
            println!("| {} | {largest} | {work:?} | {figures} | {mark} |", shape.name);
        }
    }
}
