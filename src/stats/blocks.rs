//! What a window shows besides its counters, which decide: latencies, by the second for the newest minute and by ten seconds
//! before.
//!
//! Only the second that is being filled lies open; the others are packed, and opened again for the rare request that is
//! recorded after its second.

use std::collections::VecDeque;

use super::packed::Packed;
use super::sparse::Sparse;

/// Seconds a block spans once it is no longer new.
const BLOCK_SECONDS: u32 = 10;
/// At least so many of the newest seconds have a block each.
const FINE_SECONDS: u32 = 60;
/// Room for so many blocks is made at once.
const SPARE: usize = 8;

/// One second, or ten of them.
#[derive(Clone, Debug)]
struct Block {
    begin: u32,
    packed: Packed,
}

/// A block that is being filled.
#[derive(Clone, Debug)]
struct Open {
    begin: u32,
    latency: Sparse,
    /// Per meter: sum of the values within the bound.
    sums: Box<[u128]>,
}

impl Open {
    fn new(begin: u32, meters: usize) -> Self {
        Self { begin, latency: Sparse::default(), sums: vec![0; meters].into() }
    }

    fn add(&mut self, block: &Block) {
        block.packed.add_to(&mut self.latency, &mut self.sums);
    }

    fn packed(&self) -> Packed {
        Packed::new(&self.latency, &self.sums)
    }

    fn is_empty(&self) -> bool {
        self.latency.is_empty() && self.sums.iter().all(|sum| *sum == 0)
    }

    fn clear(&mut self) {
        self.latency.clear();
        self.sums.fill(0);
    }
}

/// The blocks of one window, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    /// Ten seconds each.
    coarse: VecDeque<Block>,
    /// One second each.
    fine: VecDeque<Block>,
    newest: Open,
}

impl Blocks {
    pub(super) fn new(meters: usize) -> Self {
        Self { coarse: VecDeque::new(), fine: VecDeque::new(), newest: Open::new(0, meters) }
    }

    /// Lets `add` count in the histogram and the sums of a second.
    pub(super) fn count(&mut self, second: u64, add: impl FnOnce(&mut Sparse, &mut [u128])) {
        let second = second as u32;
        if second > self.newest.begin {
            self.advance(second);
        }
        if second == self.newest.begin {
            return add(&mut self.newest.latency, &mut self.newest.sums);
        }
        let (blocks, begin) = if is_old(second, self.newest.begin) {
            (&mut self.coarse, coarse(second))
        } else {
            (&mut self.fine, second)
        };
        let mut open = Open::new(begin, self.newest.sums.len());
        let place = blocks.binary_search_by_key(&begin, |block| block.begin);
        if let Ok(at) = place {
            open.add(&blocks[at]);
        }
        add(&mut open.latency, &mut open.sums);
        let block = Block { begin, packed: open.packed() };
        match place {
            Ok(at) => blocks[at] = block,
            Err(at) => blocks.insert(at, block),
        }
    }

    /// Adds up the blocks that begin in the seconds `from..to`.
    pub(super) fn add_to(&self, (from, to): (u64, u64), latency: &mut Sparse, sums: &mut [u128]) {
        let wanted = |begin: u32| (from..to).contains(&u64::from(begin));
        for block in self.coarse.iter().chain(&self.fine).filter(|block| wanted(block.begin)) {
            block.packed.add_to(latency, sums);
        }
        if wanted(self.newest.begin) {
            latency.merge(&self.newest.latency);
            sums.iter_mut().zip(&self.newest.sums).for_each(|(sum, part)| *sum += part);
        }
    }

    /// Forgets what lies wholly before the second `front`.
    pub(super) fn drop_front(&mut self, front: u64) {
        let front = front as u32;
        while self.coarse.front().is_some_and(|block| block.begin + BLOCK_SECONDS <= front) {
            self.coarse.pop_front();
        }
        while self.fine.front().is_some_and(|block| block.begin < front) {
            self.fine.pop_front();
        }
        if self.newest.begin < front {
            self.newest.clear();
        }
    }

    /// Bytes held on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let room = (self.coarse.capacity() + self.fine.capacity()) * size_of::<Block>();
        let packed: usize = self.coarse.iter().chain(&self.fine).map(|block| block.packed.heap_bytes()).sum();
        room + packed + self.newest.latency.heap_bytes() + size_of_val(&*self.newest.sums)
    }

    /// Puts the newest second away and begins this one.
    fn advance(&mut self, second: u32) {
        if !self.newest.is_empty() {
            push(&mut self.fine, Block { begin: self.newest.begin, packed: self.newest.packed() });
            self.newest.clear();
        }
        self.newest.begin = second;
        while let Some(begin) = self.fine.front().map(|block| block.begin).filter(|begin| is_old(*begin, second)) {
            self.coarsen(coarse(begin));
        }
    }

    /// Makes one block of the seconds in the ten that begin there.
    fn coarsen(&mut self, begin: u32) {
        let mut open = Open::new(begin, self.newest.sums.len());
        while let Some(block) = self.fine.front().filter(|block| coarse(block.begin) == begin) {
            open.add(block);
            self.fine.pop_front();
        }
        push(&mut self.coarse, Block { begin, packed: open.packed() });
    }
}

/// Where the block of ten begins that a second belongs to.
const fn coarse(second: u32) -> u32 {
    second / BLOCK_SECONDS * BLOCK_SECONDS
}

/// Whether a second belongs to a block of ten by now.
const fn is_old(second: u32, newest: u32) -> bool {
    coarse(second) + BLOCK_SECONDS + FINE_SECONDS <= newest
}

/// Appends a block, without the room for as many again that a deque would make.
fn push(blocks: &mut VecDeque<Block>, block: Block) {
    if blocks.len() == blocks.capacity() {
        blocks.reserve_exact(SPARE);
    }
    blocks.push_back(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the seconds `from..to` amount to: each value in microseconds with its count, and the sum.
    fn read(blocks: &Blocks, from: u64, to: u64) -> (Vec<(u64, u32)>, u128) {
        let (mut latency, mut sums) = (Sparse::default(), [0]);
        blocks.add_to((from, to), &mut latency, &mut sums);
        let mut values = Vec::new();
        latency.for_each_value(|value, count| values.push((value / 1_000, count)));
        (values, sums[0])
    }

    fn count(blocks: &mut Blocks, second: u64, micros: u64) {
        blocks.count(second, |latency, sums| {
            latency.record(micros * 1_000);
            sums[0] += u128::from(micros);
        });
    }

    #[test]
    fn the_newest_minute_can_be_read_by_the_second_and_what_is_older_by_ten() {
        let mut blocks = Blocks::new(1);
        (0..200).for_each(|second| count(&mut blocks, second, second % 100));
        for (from, to, expected, why) in [
            (199, 200, vec![(99, 1)], "the newest"),
            (140, 141, vec![(40, 1)], "a minute ago"),
            (120, 121, (20..30).map(|value| (value, 1)).collect(), "ten of them begin there"),
            (121, 130, vec![], "and none here"),
            (200, 300, vec![], "the future"),
        ] {
            let sum = expected.iter().map(|(value, _)| u128::from(*value)).sum();
            assert_eq!(read(&blocks, from, to), (expected, sum), "{why}");
        }
        blocks.drop_front(190);
        assert_eq!(read(&blocks, 0, 200).0, (90..100).map(|value| (value, 1)).collect::<Vec<_>>());
        blocks.drop_front(1_000);
        assert_eq!(read(&blocks, 0, 1_000), (vec![], 0));
    }

    proptest! {
        #[test]
        fn what_was_counted_in_any_order_is_what_is_read(adds in prop::collection::vec((0u64..400, 0u64..120), 0..300), late in 0u64..90) {
            let mut blocks = Blocks::new(1);
            let mut adds = adds;
            // In order but for some that come late.
            adds.sort_by_key(|(second, value)| second + if value % 5 == 0 { late } else { 0 });
            adds.iter().for_each(|(second, value)| count(&mut blocks, *second, *value));
            for (from, to) in [(0, 400), (0, 100), (170, 260), (390, 400)] {
                let mut plain = Sparse::default();
                let wanted: Vec<_> = adds.iter().filter(|(second, _)| (from..to).contains(second)).collect();
                wanted.iter().for_each(|(_, value)| plain.record(value * 1_000));
                let mut values = Vec::new();
                plain.for_each_value(|value, count| values.push((value / 1_000, count)));
                let sum = wanted.iter().map(|(_, value)| u128::from(*value)).sum::<u128>();
                prop_assert_eq!(read(&blocks, from, to), (values, sum));
            }
        }
    }
}
