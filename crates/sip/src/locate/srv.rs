//! The order in which the servers of SRV records are tried (RFC 2782).

use offhook_sansio::Random;

use super::{ServerOrder, Srv};

/// `records` in the order in which they are to be tried.
pub(super) fn arrange(mut records: Vec<Srv>, order: ServerOrder, random: &mut Random) -> Vec<Srv> {
    match order {
        ServerOrder::Sorted => {
            let key = |srv: &Srv| (srv.priority, srv.target.clone(), srv.port);
            records.sort_by_key(key);
            records
        }
        ServerOrder::Weighted => {
            // Those with weight 0 stand first within their priority.
            records.sort_by_key(|srv| (srv.priority, srv.weight != 0));
            let same_priority = |one: &Srv, other: &Srv| one.priority == other.priority;
            let levels = records.chunk_by(same_priority);
            levels.flat_map(|level| by_weight(level.to_vec(), random)).collect()
        }
    }
}

/// One priority level, drawn one by one.
fn by_weight(mut level: Vec<Srv>, random: &mut Random) -> Vec<Srv> {
    let mut drawn = Vec::with_capacity(level.len());
    while !level.is_empty() {
        let index = draw(&level, random);
        drawn.push(level.remove(index));
    }
    drawn
}

/// The first record whose running sum of weights reaches a number between 0 and their sum, both
/// included.
fn draw(level: &[Srv], random: &mut Random) -> usize {
    let sum: u64 = level.iter().map(|srv| u64::from(srv.weight)).sum();
    let number = random.u64().checked_rem(sum.saturating_add(1)).unwrap_or(0);
    let running = level.iter().scan(0_u64, |sum, srv| {
        *sum = sum.saturating_add(u64::from(srv.weight));
        Some(*sum)
    });
    running.take_while(|sum| *sum < number).count()
}

#[cfg(test)]
mod tests;
