//! Prices that providers state in their usage.

use rust_decimal::Decimal;

use super::Reading;
use crate::usage::framing::Json;

/// What was stated; a later report overrides field by field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    cost: Option<Decimal>,
    upstream: Option<Decimal>,
    own_key: bool,
    /// Whether something stood where a cost is stated that is no amount.
    is_invalid: bool,
}

/// xAI counts in ticks of 1e-10 US dollars (<https://docs.x.ai>, read 2026-11).
const TICK_SCALE: u32 = 10;

impl Stated {
    /// Looks at one field of a usage object; false where it is about something else.
    pub(super) fn field(&mut self, name: &[u8], value: Json<'_>) -> bool {
        match name {
            // OpenRouter, avian and Vercel state a number, Perplexity an object.
            b"cost" if value.is_object() => self.cost(value.get("total_cost"), Some),
            // The last is that of Hugging Face's router and of DeepInfra.
            b"cost" | b"estimated_cost" => self.cost(Some(value), Some),
            b"cost_in_usd_ticks" => self.cost(Some(value), ticks),
            b"pydantic_ai_gateway" => self.cost(value.get("cost_estimate"), Some),
            b"cost_details" => {
                let upstream = value.get("upstream_inference_cost").and_then(Json::amount);
                self.upstream = upstream.filter(|cost| !is_negative(*cost)).or(self.upstream);
            }
            b"is_byok" => self.own_key = value.truth().unwrap_or(false),
            _ => return false,
        }
        true
    }

    /// Takes a stated cost over; what is there and no amount is noted.
    fn cost(&mut self, value: Option<Json<'_>>, scaled: fn(Decimal) -> Option<Decimal>) {
        let Some(value) = value.filter(|value| !value.is_null() && !value.is_empty()) else {
            return;
        };
        match value.amount().and_then(scaled) {
            Some(cost) if !is_negative(cost) => self.cost = Some(cost),
            _ => self.is_invalid = true,
        }
    }

    /// Adds what was stated to what was read.
    pub(super) fn report(&self, reading: &mut Reading) {
        reading.cost = self.cost;
        reading.upstream_cost = self.upstream.filter(|_| self.own_key);
        reading.is_byok = self.own_key;
        reading.cost_is_invalid = self.is_invalid;
    }
}

fn is_negative(cost: Decimal) -> bool {
    cost.is_sign_negative() && !cost.is_zero()
}

fn ticks(count: Decimal) -> Option<Decimal> {
    let mut cost = count.normalize();
    let scale = cost.scale() + TICK_SCALE;
    cost.set_scale(scale).ok()?;
    Some(cost)
}
