//! Identifiers of tasks and events: UUID version 7, ordered by time.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::error::Error;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh identifier for an instant.
            #[must_use]
            pub fn at(instant: Timestamp) -> Self {
                Self(time_ordered(instant))
            }

            /// The identifier of these sixteen bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                let invalid = |_| Error::InvalidId { text: text.chars().take(40).collect() };
                Uuid::try_parse(text).map(Self).map_err(invalid)
            }
        }
    };
}

identifier! {
    /// The identifier of a task.
    ///
    /// ```
    /// use dexcost::TaskId;
    ///
    /// let id: TaskId = "01936a5e-7c00-7000-8000-000000000001".parse().unwrap();
    /// assert_eq!(id.to_string(), "01936a5e-7c00-7000-8000-000000000001");
    /// assert!("no id".parse::<TaskId>().is_err());
    /// ```
    TaskId
}

identifier! {
    /// The identifier of an event.
    EventId
}

/// Rises when the process is not the one that seeded the generators any more (after a fork).
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// Makes every thread seed its generator again before the next identifier.
///
/// Needed after a fork and after a virtual machine was restored from a snapshot: both copy the
/// generators, and two processes would otherwise draw the same identifiers.
pub(crate) fn reseed() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

struct Generator {
    generation: u64,
    random: fastrand::Rng,
    last_millis: u64,
    counter: u16,
}

impl Generator {
    fn seeded(generation: u64) -> Self {
        let mut seed = [0u8; 8];
        let random = match getrandom::fill(&mut seed) {
            Ok(()) => fastrand::Rng::with_seed(u64::from_ne_bytes(seed)),
            Err(_) => fastrand::Rng::new(),
        };
        Self {
            generation,
            random,
            last_millis: 0,
            counter: 0,
        }
    }

    /// Milliseconds and a 12-bit counter that together only rise within this thread.
    fn tick(&mut self, millis: u64) -> (u64, u16) {
        if millis > self.last_millis {
            self.last_millis = millis;
            self.counter = self.random.u16(..0x0800);
        } else if self.counter == 0x0FFF {
            self.last_millis += 1;
            self.counter = 0;
        } else {
            self.counter += 1;
        }
        (self.last_millis, self.counter)
    }
}

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::seeded(GENERATION.load(Ordering::Relaxed)));
}

fn time_ordered(instant: Timestamp) -> Uuid {
    let millis = instant.unix_millis();
    GENERATOR
        .try_with(|cell| {
            let mut generator = cell.borrow_mut();
            let generation = GENERATION.load(Ordering::Relaxed);
            if generator.generation != generation {
                *generator = Generator::seeded(generation);
            }
            let (millis, counter) = generator.tick(millis);
            compose(millis, counter, generator.random.u64(..))
        })
        .unwrap_or_else(|_| compose(millis, fastrand::u16(..0x1000), fastrand::u64(..)))
}

fn compose(millis: u64, counter: u16, random: u64) -> Uuid {
    let high = (millis << 16) | 0x7000 | u64::from(counter & 0x0FFF);
    let low = (random & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    Uuid::from_u64_pair(high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_of_one_thread_rise_even_when_the_clock_stands_or_falls_back() {
        let mut last = EventId::at(Timestamp::from_unix_micros(5_000_000));
        for step in 0..20_000_i64 {
            let next = EventId::at(Timestamp::from_unix_micros(5_000_000 - step));
            assert!(next > last);
            last = next;
        }
    }

    #[test]
    fn identifiers_are_version_seven_with_the_rfc_variant() {
        let id = Uuid::from_bytes(*TaskId::at(Timestamp::from_unix_micros(1_763_000_000_000_000)).as_bytes());
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn threads_never_draw_the_same_identifier() {
        let draw = || {
            (0..5_000)
                .map(|_| EventId::at(Timestamp::from_unix_micros(9)))
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..8).map(|_| std::thread::spawn(draw)).collect();
        let mut all: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 40_000);
    }
}
