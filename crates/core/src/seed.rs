//! Randomness from one seed, split by name.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};

/// A named stream of randomness.
///
/// A run has one root seed; every part derives its own with [`Seed::named`] or [`Seed::indexed`],
/// so that adding a draw in one part changes no other part.
///
/// ```
/// use chiasm_core::Seed;
/// let root = Seed::new(0);
/// assert_eq!(root.named("weights"), root.named("weights"));
/// assert_ne!(root.named("weights"), root.named("data"));
/// assert_ne!(root.indexed(0), root.indexed(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seed([u8; 32]);

impl Seed {
    /// The root seed of a run.
    pub fn new(root: u64) -> Self {
        Seed(hash(&[b"root", &root.to_le_bytes()]))
    }

    /// The seed of the part called `name`.
    pub fn named(&self, name: &str) -> Self {
        Seed(hash(&[&self.0, b"name", name.as_bytes()]))
    }

    /// The seed of the part with number `index` (a repeat, a restart, a block of work).
    pub fn indexed(&self, index: u64) -> Self {
        Seed(hash(&[&self.0, b"index", &index.to_le_bytes()]))
    }

    /// A generator that starts here. Two calls give the same stream.
    pub fn rng(&self) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.0)
    }

    /// A 64-bit number for libraries that take only that.
    pub fn to_u64(&self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(bytes)
    }
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length keeps ("ab", "c") apart from ("a", "bc").
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
