//! Ids, codes and every other random byte come from here, so that tests can seed them.

use super::clock::Clock;
use entity::ids::TypedId;
use rand::{SeedableRng, TryRng, rngs::SysRng};
use std::{fmt::Debug, sync::Arc};
use uuid::Uuid;

/// Where unpredictable bytes come from.
pub trait Entropy: Debug + Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's own source.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness no token or code is safe: better to stop than to go on")]
    fn fill(&self, bytes: &mut [u8]) {
        SysRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
    }
}

/// A seeded source, the same in every run: for tests and the demo world.
#[derive(Debug)]
pub struct SeededEntropy(std::sync::Mutex<rand::rngs::StdRng>);

impl SeededEntropy {
    pub fn new(seed: u64) -> Self {
        Self(std::sync::Mutex::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut rng = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        rand::Rng::fill_bytes(&mut *rng, bytes);
    }
}

/// Makes ids, codes and secrets.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Ids {
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// A new UUIDv7 of the present moment.
    pub fn next<T: TypedId>(&self) -> T {
        T::from(self.uuid())
    }

    pub fn uuid(&self) -> Uuid {
        let millis = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }

    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// 256 bits that nobody can guess, in 43 characters that are safe in an address.
    pub fn secret(&self) -> String {
        data_encoding::BASE64URL_NOPAD.encode(&self.bytes::<32>())
    }

    /// A ticket's code: 100 bits in 20 characters without look-alikes.
    pub fn ticket_code(&self) -> String {
        const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
        self.bytes::<20>()
            .iter()
            .map(|byte| char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'2')))
            .collect()
    }

    /// Six digits for a mail: each of the million equally likely, to within 1 in 4,000.
    pub fn six_digits(&self) -> String {
        format!("{:06}", u32::from_le_bytes(self.bytes()) % 1_000_000)
    }

    /// A number in `0..below`, for jitter.
    pub fn below(&self, below: u64) -> u64 {
        if below == 0 { 0 } else { u64::from_le_bytes(self.bytes()) % below }
    }
}
