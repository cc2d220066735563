//! Names for what an evaluation depends on, the same in every process and after every update of a compiler.

use std::hash::{Hash, Hasher};

use twox_hash::XxHash64;

/// The name of a value.
pub(crate) fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = XxHash64::with_seed(0);
    value.hash(&mut hasher);
    hasher.finish()
}

/// A hash of numbers: a day of a thousand objectives over years asks for many of them. Each step is a bijection of what came before
/// (MurmurHash3's finaliser), the same in every process.
pub(super) struct Name(u64);

impl Default for Name {
    fn default() -> Self {
        Name(0x9e37_79b9_7f4a_7c15)
    }
}

impl Name {
    pub fn add(&mut self, part: u64) {
        let mut mixed = self.0.rotate_left(23) ^ part;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        self.0 = mixed ^ (mixed >> 33);
    }

    pub fn interval(&mut self, (start, end): (i64, i64)) {
        self.add(start as u64);
        self.add(end as u64);
    }

    /// Adds the rows of a day; the name so far.
    pub fn day(&mut self, day: i32, content: u64) -> u64 {
        self.add(day as u64);
        self.add(content);
        self.0
    }

    pub fn get(&self) -> u64 {
        self.0
    }
}
