//! Ids, codes and every other random byte come from here, so that tests can seed them.

use super::clock::Clock;
use chrono::{DateTime, Utc};
use entity::ids::TypedId;
use rand::{SeedableRng, TryRng, rngs::SysRng};
use std::{fmt::Debug, sync::Arc};
use uuid::Uuid;

/// Where unpredictable bytes come from.
pub trait Entropy: Debug + Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);

    /// For ids, of which a request needs several, and which are no secrets.
    fn fill_id(&self, bytes: &mut [u8]) {
        self.fill(bytes);
    }
}

/// The operating system's own source.
#[derive(Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(clippy::expect_used, reason = "without randomness no token or code is safe: better to stop than to go on")]
    fn fill(&self, bytes: &mut [u8]) {
        SysRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
    }

    /// From a generator that the system seeds: a call to the system for each id was a thirtieth of a booking.
    #[expect(clippy::disallowed_methods, reason = "this is the source that the others are to ask")]
    fn fill_id(&self, bytes: &mut [u8]) {
        rand::Rng::fill_bytes(&mut rand::rng(), bytes);
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

/// Of the lower five bits; in the order of their numbers.
fn letter(byte: u8) -> char {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    char::from(ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'2'))
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
        self.uuid_at(self.clock.now())
    }

    /// The same of another moment: of a row that says it was made then.
    pub fn at<T: TypedId>(&self, moment: DateTime<Utc>) -> T {
        T::from(self.uuid_at(moment))
    }

    fn uuid_at(&self, moment: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(moment.timestamp_millis()).unwrap_or_default();
        let mut bytes = [0; 10];
        self.entropy.fill_id(&mut bytes);
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
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

    /// 100 bits that nobody can guess, in 20 characters without look-alikes.
    pub fn code(&self) -> String {
        self.bytes::<20>().into_iter().map(letter).collect()
    }

    /// A ticket's code: eight characters of the moment, then [`Ids::code`]. A rush's codes stand beside one another in their
    /// index, where codes without any order would each write a page of it.
    pub fn ticket_code(&self) -> String {
        let millis = self.clock.now().timestamp_millis();
        // The lower eight bits of what is left are enough: a letter takes five of them.
        let moment = (0..8).rev().map(|place| letter((millis >> (5 * place)).to_le_bytes()[0]));
        moment.chain(self.code().chars()).collect()
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
