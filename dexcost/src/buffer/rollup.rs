//! The sums that reports read.

use crate::event::{CostFamily, Event, EventType, OperationStatus};
use crate::sum::Sum;
use crate::task::TaskStatus;

use super::codec::{Decoder, Encoder, Malformed};

/// Exact sums over some events and tasks.
///
/// All counts are differences as well: the writer keeps what changed since the last commit in the
/// same form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) tasks: i64,
    pub(crate) failed_tasks: i64,
    pub(crate) interrupted_tasks: i64,
    pub(crate) events: i64,
    pub(crate) failed_events: i64,
    pub(crate) unknown: i64,
    pub(crate) retries: i64,
    pub(crate) input_tokens: i128,
    pub(crate) output_tokens: i128,
    pub(crate) cached_tokens: i128,
    /// In the order of [`CostFamily::ALL`].
    pub(crate) cost: [Sum; 5],
    pub(crate) retry_cost: Sum,
}

impl Tally {
    pub(crate) fn add_event(&mut self, event: &Event) {
        self.count_event(event, 1);
        if let Some(cost) = event.cost_usd {
            if let Some(family) = event.event_type.family() {
                self.cost[place(family)].add(cost);
            }
            if event.is_retry {
                self.retry_cost.add(cost);
            }
        }
    }

    pub(crate) fn remove_event(&mut self, event: &Event) {
        self.count_event(event, -1);
        if let Some(cost) = event.cost_usd {
            if let Some(family) = event.event_type.family() {
                self.cost[place(family)].subtract(cost);
            }
            if event.is_retry {
                self.retry_cost.subtract(cost);
            }
        }
    }

    fn count_event(&mut self, event: &Event, by: i64) {
        self.events += by;
        self.failed_events += by * i64::from(event.operation_status == OperationStatus::Failed);
        self.unknown += by * i64::from(event.is_incomplete());
        self.retries += by * i64::from(event.is_retry);
        if event.event_type == EventType::LlmCall {
            let tokens = |tokens: Option<u64>| i128::from(by) * i128::from(tokens.unwrap_or(0));
            self.input_tokens += tokens(event.input_tokens());
            self.output_tokens += tokens(event.output_tokens());
            self.cached_tokens += tokens(event.cached_tokens());
        }
    }

    pub(crate) fn count_task(&mut self, status: TaskStatus, is_interrupted: bool, by: i64) {
        self.tasks += by;
        self.interrupted_tasks += by * i64::from(is_interrupted);
        self.failed_tasks += by * i64::from(status == TaskStatus::Failed);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.tasks += other.tasks;
        self.failed_tasks += other.failed_tasks;
        self.interrupted_tasks += other.interrupted_tasks;
        self.events += other.events;
        self.failed_events += other.failed_events;
        self.unknown += other.unknown;
        self.retries += other.retries;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
        for (mine, theirs) in self.cost.iter_mut().zip(&other.cost) {
            mine.merge(theirs);
        }
        self.retry_cost.merge(&other.retry_cost);
    }

    pub(crate) fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn encode(&self, out: &mut Encoder) {
        out.clear();
        let counts = [
            (1, self.tasks),
            (2, self.failed_tasks),
            (3, self.events),
            (4, self.failed_events),
            (5, self.unknown),
            (6, self.retries),
            (16, self.interrupted_tasks),
        ];
        for (field, count) in counts {
            out.count(field, zigzag(count));
        }
        let tokens = [
            (7, self.input_tokens),
            (8, self.output_tokens),
            (9, self.cached_tokens),
        ];
        for (field, count) in tokens {
            if count != 0 {
                out.blob(field, &count.to_le_bytes()[..significant(count)]);
            }
        }
        let sums = self.cost.iter().chain([&self.retry_cost]);
        for (field, sum) in (10u8..).zip(sums) {
            if !sum.is_zero() {
                out.nested(field, |out| sum.to_bytes(&mut out.bytes));
            }
        }
    }

    pub(crate) fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut tally = Self::default();
        tally.merge_encoded(body)?;
        Ok(tally)
    }

    /// Adds what [`encode`](Self::encode) wrote. Where that is malformed, the sums are good for nothing.
    pub(crate) fn merge_encoded(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let mut fields = Decoder::new(body);
        while let Some((field, value)) = fields.field()? {
            match field {
                1 => self.tasks += unzigzag(value.number()?),
                2 => self.failed_tasks += unzigzag(value.number()?),
                3 => self.events += unzigzag(value.number()?),
                4 => self.failed_events += unzigzag(value.number()?),
                5 => self.unknown += unzigzag(value.number()?),
                6 => self.retries += unzigzag(value.number()?),
                7 => self.input_tokens += whole(value.blob()?)?,
                8 => self.output_tokens += whole(value.blob()?)?,
                9 => self.cached_tokens += whole(value.blob()?)?,
                10..=14 => self.cost[usize::from(field) - 10].merge(&sum(value.blob()?)?),
                15 => self.retry_cost.merge(&sum(value.blob()?)?),
                16 => self.interrupted_tasks += unzigzag(value.number()?),
                _ => {}
            }
        }
        Ok(())
    }
}

const fn place(family: CostFamily) -> usize {
    match family {
        CostFamily::Llm => 0,
        CostFamily::External => 1,
        CostFamily::Compute => 2,
        CostFamily::Gpu => 3,
        CostFamily::Network => 4,
    }
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// How many bytes of the two's complement tell the value.
const fn significant(value: i128) -> usize {
    let magnitude = if value < 0 { !value } else { value };
    let bits = 129 - magnitude.leading_zeros() as usize;
    bits.div_ceil(8)
}

fn whole(bytes: &[u8]) -> Result<i128, Malformed> {
    if bytes.len() > 16 {
        return Err(Malformed("a count is too large"));
    }
    let negative = bytes.last().is_some_and(|top| top & 0x80 != 0);
    let mut full = [if negative { 0xFF } else { 0 }; 16];
    full[..bytes.len()].copy_from_slice(bytes);
    Ok(i128::from_le_bytes(full))
}

fn sum(bytes: &[u8]) -> Result<Sum, Malformed> {
    Sum::from_bytes(bytes).ok_or(Malformed("a sum is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::samples;
    use crate::id::TaskId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tally_survives_its_bytes(counts in proptest::array::uniform7(any::<i64>()), tokens in proptest::array::uniform3(any::<i128>())) {
            let [tasks, failed_tasks, interrupted_tasks, events, failed_events, unknown, retries] = counts;
            let [input_tokens, output_tokens, cached_tokens] = tokens;
            let tally = Tally { tasks, failed_tasks, interrupted_tasks, events, failed_events, unknown, retries, input_tokens, output_tokens, cached_tokens, ..Tally::default() };
            let mut out = Encoder::default();
            tally.encode(&mut out);
            prop_assert_eq!(Tally::decode(&out.bytes).unwrap(), tally);
        }
    }

    #[test]
    fn what_was_added_can_be_taken_out_without_a_trace() {
        let mut tally = Tally::default();
        let events: Vec<_> = (0..50)
            .map(|n| samples::event(TaskId::from_bytes([1; 16]), n))
            .collect();
        events.iter().for_each(|event| tally.add_event(event));
        assert_eq!(tally.events, 50);
        let mut out = Encoder::default();
        tally.encode(&mut out);
        let mut back = Tally::decode(&out.bytes).unwrap();
        assert_eq!(back, tally);
        events.iter().for_each(|event| back.remove_event(event));
        assert!(back.is_zero());
    }
}
