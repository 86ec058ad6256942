//! The prices of one entry, packed in the bundled table or owned by an override.

use rust_decimal::Decimal;

use super::{BODY, Code, Component, RATES, byte_at, record, u16_at, u64_at};

/// Prices that an override or a custom price brought, sorted by code.
pub(crate) type RateList = Vec<(Code, Decimal)>;

/// The prices of one entry.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rates<'a> {
    /// Where they lie in the blob.
    Packed(usize),
    /// A list sorted by code.
    Own(&'a [(Code, Decimal)]),
}

impl Rates<'static> {
    pub(super) const fn packed(at: usize) -> Self {
        debug_assert!(at >= BODY.at);
        Self::Packed(at)
    }

    /// The first byte after packed prices.
    pub(super) fn packed_end(self) -> usize {
        match self {
            Self::Packed(at) => at + 2 + usize::from(u16_at(at)) * 4,
            Self::Own(_) => 0,
        }
    }
}

impl Rates<'_> {
    /// The price under a code, where there is one. An explicit zero is a price.
    #[inline]
    pub(crate) fn get(self, code: Code) -> Option<Decimal> {
        match self {
            Self::Packed(at) => {
                let count = usize::from(u16_at(at));
                let place = |index: usize| at + 2 + index * 4;
                let (mut low, mut high) = (0, count);
                while low < high {
                    let middle = (low + high) / 2;
                    let here = u16_at(place(middle));
                    if here == code.0 {
                        return Some(rate(u16_at(place(middle) + 2)));
                    }
                    if here < code.0 {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                None
            }
            Self::Own(list) => list
                .binary_search_by_key(&code, |(c, _)| *c)
                .ok()
                .and_then(|index| list.get(index))
                .map(|(_, price)| *price),
        }
    }

    /// The price under one of the first codes, in whole numbers. `None` for those of a user.
    #[inline]
    pub(crate) fn first(self, component: Component) -> Option<Rate> {
        let Self::Packed(at) = self else { return None };
        let count = usize::from(u16_at(at)).min(component as usize + 1);
        (0..count).find_map(|index| {
            let [low, high, rate_low, rate_high] = record::<4>(at + 2 + index * 4);
            (u16::from_le_bytes([low, high]) == component as u16)
                .then(|| Rate::at(u16::from_le_bytes([rate_low, rate_high])))
        })
    }

    /// How many prices there are.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Packed(at) => usize::from(u16_at(at)),
            Self::Own(list) => list.len(),
        }
    }

    /// The price at a place.
    pub(crate) fn nth(self, index: usize) -> Option<(Code, Decimal)> {
        match self {
            Self::Packed(at) => {
                let place = at + 2 + index * 4;
                (index < self.len()).then(|| (Code(u16_at(place)), rate(u16_at(place + 2))))
            }
            Self::Own(list) => list.get(index).copied(),
        }
    }

    /// Whether any price depends on the size of the prompt.
    #[inline]
    pub(crate) fn has_thresholds(self) -> bool {
        let last = match self {
            Self::Packed(at) => match usize::from(u16_at(at)) {
                0 => return false,
                count => Code(u16_at(at + 2 + (count - 1) * 4)),
            },
            Self::Own(list) => match list.last() {
                Some((code, _)) => *code,
                None => return false,
            },
        };
        last.threshold() > 0
    }
}

/// A price in whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Its digits.
    pub(crate) mantissa: u64,
    /// How many of them are decimals.
    pub(crate) scale: u32,
}

impl Rate {
    /// No price at all.
    pub(crate) const ZERO: Self = Self {
        mantissa: 0,
        scale: 0,
    };

    /// A rate of the pool: mantissa in the low 56 bits, scale above.
    #[inline]
    fn at(index: u16) -> Self {
        let word = u64_at(RATES.at + usize::from(index) * 8);
        Self {
            mantissa: word & ((1 << 56) - 1),
            scale: (word >> 56) as u32,
        }
    }

    /// The price as a decimal.
    #[inline]
    pub(crate) const fn decimal(self) -> Decimal {
        Decimal::from_parts(
            self.mantissa as u32,
            (self.mantissa >> 32) as u32,
            0,
            false,
            self.scale,
        )
    }
}

#[inline]
fn rate(index: u16) -> Decimal {
    Rate::at(index).decimal()
}

/// The prices inside one range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range<'a> {
    /// Where it starts: exclusive for prompt tokens, inclusive for results.
    pub(crate) low: u64,
    /// Where it ends, inclusive.
    pub(crate) high: u64,
    /// What holds inside.
    pub(crate) rates: Rates<'a>,
}

/// A stretch of the week: weekday bits (Monday first), start minute, end minute (UTC).
pub(crate) type Window = (u8, u16, u16);

/// Prices for certain hours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffPeak<'a> {
    zone_minutes: i16,
    windows: Windows<'a>,
    /// What holds in those hours.
    pub(crate) rates: Rates<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Windows<'a> {
    Packed { at: usize, count: usize },
    Own(&'a [Window]),
}

impl<'a> OffPeak<'a> {
    pub(super) fn packed(at: usize) -> OffPeak<'static> {
        let count = usize::from(byte_at(at + 2));
        OffPeak {
            zone_minutes: u16_at(at).cast_signed(),
            windows: Windows::Packed { at: at + 3, count },
            rates: Rates::packed(at + 3 + count * 5),
        }
    }

    /// Off-peak prices of an override.
    pub(crate) const fn own(zone_minutes: i16, windows: &'a [Window], rates: &'a [(Code, Decimal)]) -> Self {
        Self {
            zone_minutes,
            windows: Windows::Own(windows),
            rates: Rates::Own(rates),
        }
    }

    /// Whether an instant (seconds since 1970) lies in one of the windows.
    ///
    /// Hours are UTC, start inclusive, end exclusive; an end before its start wraps midnight and an
    /// end equal to it means all day. The weekday is that of the instant in the table's own zone.
    pub(crate) fn is_open(self, at_seconds: u64) -> bool {
        let minute = (at_seconds / 60 % 1440) as u16;
        let local = at_seconds.cast_signed() + i64::from(self.zone_minutes) * 60;
        // 1970-01-01 was a Thursday, day 3 of a week that starts on Monday.
        let weekday = (local.div_euclid(86_400) + 3).rem_euclid(7) as u8;
        (0..self.window_count()).any(|index| {
            let (days, start, end) = self.window(index);
            let inside = if start == end {
                true
            } else if start < end {
                (start..end).contains(&minute)
            } else {
                minute >= start || minute < end
            };
            days & 1 << weekday != 0 && inside
        })
    }

    fn window_count(self) -> usize {
        match self.windows {
            Windows::Packed { count, .. } => count,
            Windows::Own(list) => list.len(),
        }
    }

    fn window(self, index: usize) -> Window {
        match self.windows {
            Windows::Packed { at, .. } => {
                let at = at + index * 5;
                (byte_at(at), u16_at(at + 1), u16_at(at + 3))
            }
            Windows::Own(list) => list.get(index).copied().unwrap_or((0, 0, 0)),
        }
    }
}
