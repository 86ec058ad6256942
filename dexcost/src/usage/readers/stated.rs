//! Prices that providers state in their usage.

use rust_decimal::Decimal;

use crate::usage::framing::Json;

/// What was stated; a later report overrides field by field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    pub(super) cost: Option<Decimal>,
    upstream: Option<Decimal>,
    own_key: bool,
}

/// xAI counts in ticks of 1e-10 US dollars (<https://docs.x.ai>, read 2026-11).
const TICK_SCALE: u32 = 10;

impl Stated {
    /// Looks at one field of a usage object; false where it is about something else.
    pub(super) fn field(&mut self, name: &[u8], value: Json<'_>) -> bool {
        match name {
            // OpenRouter, avian and Vercel state a number, Perplexity an object.
            b"cost" => set(
                &mut self.cost,
                value
                    .amount()
                    .or_else(|| value.get("total_cost").and_then(Json::amount)),
            ),
            b"cost_in_usd_ticks" => set(&mut self.cost, value.number().and_then(ticks)),
            b"pydantic_ai_gateway" => set(&mut self.cost, value.get("cost_estimate").and_then(Json::amount)),
            b"cost_details" => set(
                &mut self.upstream,
                value.get("upstream_inference_cost").and_then(Json::amount),
            ),
            b"is_byok" => self.own_key = value.truth().unwrap_or(false),
            _ => return false,
        }
        true
    }

    /// What is charged to the caller's own key at the upstream provider.
    pub(super) fn upstream(&self) -> Option<Decimal> {
        self.upstream.filter(|_| self.own_key)
    }
}

fn set(slot: &mut Option<Decimal>, value: Option<Decimal>) {
    if let Some(value) = value.filter(|v| !v.is_sign_negative() || v.is_zero()) {
        *slot = Some(value);
    }
}

fn ticks(count: Decimal) -> Option<Decimal> {
    let mut cost = count.normalize();
    let scale = cost.scale() + TICK_SCALE;
    cost.set_scale(scale).ok()?;
    Some(cost)
}
