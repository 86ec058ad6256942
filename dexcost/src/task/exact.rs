//! Sums behind a task's totals that stay exact whatever is added.

use rust_decimal::Decimal;

use super::Totals;
use crate::event::{CostFamily, Event};
use crate::sum::Sum;

/// The sums of a task's costs where 28 digits do not hold them.
///
/// [`Totals`] has a [`Decimal`] for each family. As long as those hold every sum exactly, nothing is kept
/// here. An amount that is too large or too fine beside the others makes the sums move here, where they
/// stay exact, and the totals show them rounded: no cost makes another one unknown.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExactSums(Option<Box<Wide>>);

#[derive(Clone, Debug)]
struct Wide {
    /// In the order of [`CostFamily::ALL`].
    families: [Sum; CostFamily::ALL.len()],
    retries: Sum,
}

impl ExactSums {
    /// Adds an event to the totals.
    pub(crate) fn add(&mut self, totals: &mut Totals, event: &Event) {
        if self.0.is_some() || !totals.fits(event) {
            return self.add_wide(totals, event);
        }
        totals.add(event);
    }

    /// Takes an event out again that was added before, as it stood then.
    pub(crate) fn remove(&mut self, totals: &mut Totals, event: &Event) {
        totals.remove(event);
        if let Some(wide) = &mut self.0 {
            wide.change(event, Sum::subtract);
            wide.show(totals);
        }
    }

    #[cold]
    fn add_wide(&mut self, totals: &mut Totals, event: &Event) {
        let wide = self.0.get_or_insert_with(|| Box::new(Wide::of(totals)));
        wide.change(event, Sum::add);
        totals.add(event);
        wide.show(totals);
    }
}

impl Wide {
    fn of(totals: &Totals) -> Self {
        let mut families = [Sum::ZERO; CostFamily::ALL.len()];
        for (sum, family) in families.iter_mut().zip(CostFamily::ALL) {
            sum.add(totals.family(*family));
        }
        Self {
            families,
            retries: Sum::from(totals.retry_cost_usd),
        }
    }

    fn change(&mut self, event: &Event, by: fn(&mut Sum, Decimal)) {
        let Some(cost) = event.cost_usd else { return };
        let place = |family| CostFamily::ALL.iter().position(|known| *known == family);
        if let Some(sum) = event
            .event_type
            .family()
            .and_then(place)
            .and_then(|place| self.families.get_mut(place))
        {
            by(sum, cost);
        }
        if event.is_retry {
            by(&mut self.retries, cost);
        }
    }

    /// Writes the sums into the totals, as exactly as 28 digits can.
    fn show(&self, totals: &mut Totals) {
        for (sum, family) in self.families.iter().zip(CostFamily::ALL) {
            totals.set_family(*family, sum.to_rounded_decimal());
        }
        totals.retry_cost_usd = self.retries.to_rounded_decimal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::dec;
    use crate::event::{CostConfidence, EventType};
    use crate::id::{EventId, TaskId};
    use proptest::prelude::*;

    fn event(cost_usd: Decimal, is_retry: bool) -> Event {
        let now = Timestamp::from_unix_micros(1);
        let mut event = Event::new(EventId::at(now), TaskId::at(now), EventType::ExternalCost, now);
        event.cost_confidence = CostConfidence::Exact;
        (event.cost_usd, event.is_retry) = (Some(cost_usd), is_retry);
        event
    }

    fn amounts() -> impl Strategy<Value = (Decimal, bool)> {
        let size = 0_i128..=79_228_162_514_264_337_593_543_950_335;
        let amount = (size, 0u32..=28).prop_map(|(size, scale)| Decimal::from_i128_with_scale(size, scale));
        (amount, any::<bool>())
    }

    proptest! {
        #[test]
        fn whatever_came_between_sums_are_exact_again_once_it_is_gone(extremes in proptest::collection::vec(amounts(), 1..8)) {
            let (mut sums, mut totals) = (ExactSums::default(), Totals::default());
            let extremes: Vec<_> = extremes.into_iter().map(|(cost, retry)| event(cost, retry)).collect();
            extremes.iter().for_each(|event| sums.add(&mut totals, event));
            for _ in 0..3 {
                sums.add(&mut totals, &event(dec!(0.25), true));
            }
            extremes.iter().for_each(|event| sums.remove(&mut totals, event));
            prop_assert_eq!(totals.external_cost_usd, dec!(0.75));
            prop_assert_eq!((totals.retry_cost_usd, totals.event_count), (dec!(0.75), 3));
            prop_assert_eq!(totals.unknown_cost_count, 0);
        }
    }

    #[test]
    fn an_amount_of_any_size_leaves_others_what_they_are() {
        let (mut sums, mut totals) = (ExactSums::default(), Totals::default());
        for cost in [Decimal::MAX, dec!(0.5), dec!(2)] {
            sums.add(&mut totals, &event(cost, false));
        }
        assert_eq!(totals.external_cost_usd, Decimal::MAX);
        sums.remove(&mut totals, &event(Decimal::MAX, false));
        assert_eq!(totals.external_cost_usd, dec!(2.5));
        let fine = Decimal::new(1, 28);
        sums.add(&mut totals, &event(fine, false));
        sums.add(&mut totals, &event(dec!(10), false));
        assert_eq!(totals.external_cost_usd, dec!(12.5));
        assert_eq!(totals.unknown_cost_count, 0);
    }
}
