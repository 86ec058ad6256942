//! The body of an event's row: everything but its id and its task.

use crate::clock::Timestamp;
use crate::event::{CallFacts, CallPart, CallType, Details, Event, EventType, OperationStatus};
use crate::id::{EventId, TaskId};
use crate::text::Text;
use crate::usage::{Unit, Usage};

use super::Malformed;
use super::codes::Coded;
use super::wire::{Decoder, Encoder, Value};

pub(crate) fn encode_event(event: &Event, out: &mut Encoder) -> Result<(), serde_json::Error> {
    out.clear();
    out.number(1, event.event_type.code());
    out.number(2, event.occurred_at.unix_micros().unsigned_abs());
    if let Some(cost) = event.cost_usd {
        out.decimal(3, cost);
    }
    out.number(4, event.cost_confidence.code());
    out.number(5, event.pricing_source.code());
    out.text(6, event.pricing_version.as_deref());
    out.text(7, event.service_name.as_deref());
    out.text(8, event.provider.as_deref());
    out.text(9, event.model.as_deref());
    if !event.usage.is_empty() {
        out.nested(10, |out| usage(&event.usage, out));
    }
    if let Some(latency) = event.latency_ms {
        out.number(11, latency);
    }
    out.number(12, event.operation_status.code());
    if let Some(error) = event.error_type {
        out.number(13, error.code());
    }
    out.count(14, u64::from(event.is_retry));
    out.text(15, event.retry_reason.as_deref());
    if let Some(id) = event.retry_of {
        out.blob(16, id.as_bytes());
    }
    if let Some(call) = &event.call {
        out.nested(17, |out| call_facts(call, out));
    }
    if let Some(details) = &event.details {
        out.blob(18, &serde_json::to_vec(&**details)?);
    }
    out.number(19, u64::from(event.revision));
    Ok(())
}

fn usage(usage: &Usage, out: &mut Encoder) {
    for (unit, quantity) in usage.iter() {
        out.byte(unit.code() as u8);
        out.bare_decimal(quantity);
    }
}

fn call_facts(call: &CallFacts, out: &mut Encoder) {
    // Taken apart so that a field that is not kept does not compile.
    let CallFacts {
        call_type,
        model_requested,
        model_returned,
        matched,
        rung,
        service_tier,
        service_tier_requested,
        finish,
        request_id,
        response_id,
        batch_request_id,
        host,
        region,
        residency,
        geo,
        speed,
        search_context_size,
        resolution,
        quality,
        container_memory,
        streamed,
        attempt,
        reported_cost_usd,
        upstream_cost_usd,
        is_cut_off,
        is_prepaid,
        is_byok,
        uncounted,
        unpriced,
        parts,
    } = call;
    out.count(1, call_type.code());
    let texts = [
        (2, model_requested),
        (3, model_returned),
        (4, matched),
        (5, rung),
        (6, service_tier),
        (7, finish),
        (8, request_id),
        (9, response_id),
        (10, host),
        (11, region),
        (12, residency),
        (13, geo),
        (14, speed),
        (15, search_context_size),
        (16, resolution),
        (17, quality),
        (24, service_tier_requested),
        (29, container_memory),
        (30, batch_request_id),
    ];
    for (field, text) in texts {
        out.text(field, text.as_deref());
    }
    out.count(18, u64::from(*streamed));
    out.count(25, u64::from(*is_cut_off));
    out.count(26, u64::from(*is_prepaid));
    out.count(28, u64::from(*is_byok));
    if let Some(attempt) = attempt {
        out.number(19, u64::from(*attempt));
    }
    if let Some(cost) = reported_cost_usd {
        out.decimal(20, *cost);
    }
    if let Some(cost) = upstream_cost_usd {
        out.decimal(23, *cost);
    }
    for name in unpriced {
        out.text(21, Some(name));
    }
    for name in uncounted {
        out.text(27, Some(name));
    }
    for part in parts {
        out.nested(22, |out| {
            out.text(1, Some(&part.model));
            out.nested(2, |out| usage(&part.usage, out));
        });
    }
}

pub(crate) fn decode_event(id: [u8; 16], task_id: [u8; 16], body: &[u8]) -> Result<Event, Malformed> {
    let (id, task_id) = (EventId::from_bytes(id), TaskId::from_bytes(task_id));
    let mut event = Event::new(id, task_id, EventType::LlmCall, Timestamp::default());
    event.operation_status = OperationStatus::Unknown;
    let mut fields = Decoder::new(body);
    while let Some((field, value)) = fields.field()? {
        read_field(&mut event, field, value)?;
    }
    Ok(event)
}

fn read_field(event: &mut Event, field: u8, value: Value<'_>) -> Result<(), Malformed> {
    match field {
        1 => event.event_type = word(value)?,
        2 => event.occurred_at = instant(value)?,
        3 => event.cost_usd = Some(value.decimal()?),
        4 => event.cost_confidence = word(value)?,
        5 => event.pricing_source = word(value)?,
        6 => event.pricing_version = text(value)?,
        7 => event.service_name = text(value)?,
        8 => event.provider = text(value)?,
        9 => event.model = text(value)?,
        10 => event.usage = read_usage(value.blob()?)?,
        11 => event.latency_ms = Some(value.number()?),
        12 => event.operation_status = word(value)?,
        13 => event.error_type = Some(word(value)?),
        14 => event.is_retry = value.number()? != 0,
        15 => event.retry_reason = text(value)?,
        16 => event.retry_of = Some(EventId::from_bytes(value.id()?)),
        17 => event.call = Some(Box::new(read_call_facts(value.blob()?)?)),
        18 => event.details = Some(Box::new(json_object(value)?)),
        19 => event.revision = small(value)?,
        _ => {}
    }
    Ok(())
}

pub(super) fn word<W: Coded>(value: Value<'_>) -> Result<W, Malformed> {
    W::of(value.number()?)
}

pub(super) fn text(value: Value<'_>) -> Result<Option<Text>, Malformed> {
    value.text().map(|text| Some(Text::from(text)))
}

pub(super) fn small(value: Value<'_>) -> Result<u32, Malformed> {
    u32::try_from(value.number()?).map_err(|_| Malformed("a number is too large"))
}

pub(super) fn instant(value: Value<'_>) -> Result<Timestamp, Malformed> {
    let micros = i64::try_from(value.number()?).map_err(|_| Malformed("an instant is too late"))?;
    Ok(Timestamp::from_unix_micros(micros))
}

pub(super) fn json_object(value: Value<'_>) -> Result<Details, Malformed> {
    serde_json::from_slice(value.blob()?).map_err(|_| Malformed("details are not a JSON object"))
}

fn read_usage(bytes: &[u8]) -> Result<Usage, Malformed> {
    let mut usage = Usage::new();
    let mut entries = Decoder::new(bytes);
    while let Some(code) = entries.byte()? {
        usage.set(Unit::of(u64::from(code))?, entries.bare_decimal()?);
    }
    Ok(usage)
}

fn read_call_facts(bytes: &[u8]) -> Result<CallFacts, Malformed> {
    let mut call = CallFacts {
        call_type: CallType::of(0)?,
        ..CallFacts::default()
    };
    let mut fields = Decoder::new(bytes);
    while let Some((field, value)) = fields.field()? {
        match field {
            1 => call.call_type = word(value)?,
            2 => call.model_requested = text(value)?,
            3 => call.model_returned = text(value)?,
            4 => call.matched = text(value)?,
            5 => call.rung = text(value)?,
            6 => call.service_tier = text(value)?,
            7 => call.finish = text(value)?,
            8 => call.request_id = text(value)?,
            9 => call.response_id = text(value)?,
            10 => call.host = text(value)?,
            11 => call.region = text(value)?,
            12 => call.residency = text(value)?,
            13 => call.geo = text(value)?,
            14 => call.speed = text(value)?,
            15 => call.search_context_size = text(value)?,
            16 => call.resolution = text(value)?,
            17 => call.quality = text(value)?,
            18 => call.streamed = value.number()? != 0,
            19 => call.attempt = Some(small(value)?),
            20 => call.reported_cost_usd = Some(value.decimal()?),
            21 => call.unpriced.push(value.text()?.into()),
            22 => call.parts.push(read_part(value.blob()?)?),
            29 => call.container_memory = text(value)?,
            30 => call.batch_request_id = text(value)?,
            24 => call.service_tier_requested = text(value)?,
            23 => call.upstream_cost_usd = Some(value.decimal()?),
            25 => call.is_cut_off = value.number()? != 0,
            26 => call.is_prepaid = value.number()? != 0,
            28 => call.is_byok = value.number()? != 0,
            27 => call.uncounted.push(value.text()?.into()),
            _ => {}
        }
    }
    Ok(call)
}

fn read_part(bytes: &[u8]) -> Result<CallPart, Malformed> {
    let mut part = CallPart {
        model: Text::empty(),
        usage: Usage::new(),
    };
    let mut fields = Decoder::new(bytes);
    while let Some((field, value)) = fields.field()? {
        match field {
            1 => part.model = value.text()?.into(),
            2 => part.usage = read_usage(value.blob()?)?,
            _ => {}
        }
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::samples;
    use crate::dec;

    #[test]
    fn an_event_with_every_field_comes_back_as_it_was() {
        let event = samples::full_event(TaskId::from_bytes([7; 16]));
        let mut out = Encoder::default();
        encode_event(&event, &mut out).unwrap();
        let back = decode_event(*event.event_id.as_bytes(), *event.task_id.as_bytes(), &out.bytes).unwrap();
        assert_eq!(back, event);
        assert_eq!(back.cost_usd.unwrap().scale(), event.cost_usd.unwrap().scale());
    }

    #[test]
    fn a_plain_call_takes_less_than_a_hundred_bytes() {
        let mut event = samples::event(TaskId::from_bytes([7; 16]), 1);
        event.cost_usd = Some(dec!(0.0025));
        let mut out = Encoder::default();
        encode_event(&event, &mut out).unwrap();
        assert!(out.bytes.len() < 100, "{}", out.bytes.len());
    }

    #[test]
    fn bytes_cut_off_anywhere_are_an_error_or_a_shorter_event_and_never_a_panic() {
        let event = samples::full_event(TaskId::from_bytes([7; 16]));
        let mut out = Encoder::default();
        encode_event(&event, &mut out).unwrap();
        for end in 0..out.bytes.len() {
            if let Ok(short) = decode_event([0; 16], [0; 16], &out.bytes[..end]) {
                assert_ne!(short, event);
            }
        }
    }
}
