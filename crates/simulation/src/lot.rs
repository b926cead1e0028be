//! What is left to chance, all of it drawn from one seed.

use effects::{Random, SeededRandom};

#[derive(Debug)]
pub struct Lot(SeededRandom);

impl Lot {
    pub fn new(seed: u64) -> Self {
        Lot(SeededRandom::new(seed))
    }

    /// A number below `bound`; 0 where there is none.
    pub fn below(&self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    pub fn within(&self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most - least).unwrap_or(0).saturating_add(1);
        least + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in so many of a thousand cases. Certain and impossible things are
    /// not drawn for.
    pub fn strikes(&self, permille: u16) -> bool {
        match permille {
            0 => false,
            1000.. => true,
            some => self.below(1000) < u64::from(some),
        }
    }

    pub fn pick<'a, T>(&self, from: &'a [T]) -> Option<&'a T> {
        let at = self.below(u64::try_from(from.len()).ok()?);
        from.get(usize::try_from(at).ok()?)
    }
}

impl Random for Lot {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
