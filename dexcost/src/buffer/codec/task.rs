//! The body of a task's row: everything but its id.

use crate::clock::Timestamp;
use crate::event::Details;
use crate::id::TaskId;
use crate::task::{Attribution, HostTraffic, Task, TaskStatus, Totals};
use crate::text::Text;

use super::Malformed;
use super::codes::Coded;
use super::event::{instant, json_object, small, text, word};
use super::wire::{Decoder, Encoder, Value};

pub(crate) fn encode_task(task: &Task, out: &mut Encoder) -> Result<(), serde_json::Error> {
    out.clear();
    out.text(1, Some(&task.task_type));
    out.number(2, task.status.code());
    out.number(3, task.started_at.unix_micros().unsigned_abs());
    if let Some(ended) = task.ended_at {
        out.number(4, ended.unix_micros().unsigned_abs());
    }
    out.text(5, task.attribution.customer_id.as_deref());
    out.text(6, task.attribution.project_id.as_deref());
    out.text(7, task.attribution.agent.as_deref());
    out.text(8, task.attribution.experiment_id.as_deref());
    out.text(9, task.attribution.variant.as_deref());
    if let Some(parent) = task.parent_task_id {
        out.blob(10, parent.as_bytes());
    }
    if !task.metadata.is_empty() {
        out.blob(11, &serde_json::to_vec(&task.metadata)?);
    }
    out.nested(12, |out| totals(&task.totals, out));
    out.number(13, u64::from(task.revision));
    Ok(())
}

fn totals(totals: &Totals, out: &mut Encoder) {
    let money = [
        (1, totals.llm_cost_usd),
        (2, totals.external_cost_usd),
        (3, totals.compute_cost_usd),
        (4, totals.gpu_cost_usd),
        (5, totals.network_cost_usd),
        (6, totals.retry_cost_usd),
    ];
    for (field, amount) in money {
        if !amount.is_zero() {
            out.decimal(field, amount);
        }
    }
    out.count(7, totals.total_input_tokens);
    out.count(8, totals.total_output_tokens);
    out.count(9, totals.total_cached_tokens);
    out.count(10, totals.event_count);
    out.count(11, totals.unknown_cost_count);
    out.count(12, totals.retry_count);
    out.count(13, totals.network_bytes_in);
    out.count(14, totals.network_bytes_out);
    out.count(15, totals.network_call_count);
    for (host, traffic) in &totals.network_by_host {
        out.nested(16, |out| {
            out.text(1, Some(host));
            out.count(2, traffic.bytes_in);
            out.count(3, traffic.bytes_out);
            out.count(4, traffic.calls);
        });
    }
}

pub(crate) fn decode_task(id: [u8; 16], body: &[u8]) -> Result<Task, Malformed> {
    let mut task = Task {
        task_id: TaskId::from_bytes(id),
        task_type: Text::empty(),
        status: TaskStatus::Pending,
        started_at: Timestamp::default(),
        ended_at: None,
        attribution: Attribution::default(),
        parent_task_id: None,
        metadata: Details::new(),
        totals: Totals::default(),
        revision: 1,
    };
    let mut fields = Decoder::new(body);
    while let Some((field, value)) = fields.field()? {
        match field {
            1 => task.task_type = value.text()?.into(),
            2 => task.status = word(value)?,
            3 => task.started_at = instant(value)?,
            4 => task.ended_at = Some(instant(value)?),
            5 => task.attribution.customer_id = text(value)?,
            6 => task.attribution.project_id = text(value)?,
            7 => task.attribution.agent = text(value)?,
            8 => task.attribution.experiment_id = text(value)?,
            9 => task.attribution.variant = text(value)?,
            10 => task.parent_task_id = Some(TaskId::from_bytes(value.id()?)),
            11 => task.metadata = json_object(value)?,
            12 => task.totals = read_totals(value.blob()?)?,
            13 => task.revision = small(value)?,
            _ => {}
        }
    }
    Ok(task)
}

fn read_totals(bytes: &[u8]) -> Result<Totals, Malformed> {
    let mut totals = Totals::default();
    let mut fields = Decoder::new(bytes);
    while let Some((field, value)) = fields.field()? {
        read_total(&mut totals, field, value)?;
    }
    Ok(totals)
}

fn read_total(totals: &mut Totals, field: u8, value: Value<'_>) -> Result<(), Malformed> {
    match field {
        1 => totals.llm_cost_usd = value.decimal()?,
        2 => totals.external_cost_usd = value.decimal()?,
        3 => totals.compute_cost_usd = value.decimal()?,
        4 => totals.gpu_cost_usd = value.decimal()?,
        5 => totals.network_cost_usd = value.decimal()?,
        6 => totals.retry_cost_usd = value.decimal()?,
        7 => totals.total_input_tokens = value.number()?,
        8 => totals.total_output_tokens = value.number()?,
        9 => totals.total_cached_tokens = value.number()?,
        10 => totals.event_count = value.number()?,
        11 => totals.unknown_cost_count = value.number()?,
        12 => totals.retry_count = value.number()?,
        13 => totals.network_bytes_in = value.number()?,
        14 => totals.network_bytes_out = value.number()?,
        15 => totals.network_call_count = value.number()?,
        16 => {
            let (host, traffic) = read_host(value.blob()?)?;
            totals.network_by_host.insert(host, traffic);
        }
        _ => {}
    }
    Ok(())
}

fn read_host(bytes: &[u8]) -> Result<(String, HostTraffic), Malformed> {
    let mut host = String::new();
    let mut traffic = HostTraffic::default();
    let mut fields = Decoder::new(bytes);
    while let Some((field, value)) = fields.field()? {
        match field {
            1 => value.text()?.clone_into(&mut host),
            2 => traffic.bytes_in = value.number()?,
            3 => traffic.bytes_out = value.number()?,
            4 => traffic.calls = value.number()?,
            _ => {}
        }
    }
    Ok((host, traffic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::samples;

    #[test]
    fn a_task_with_every_field_comes_back_as_it_was() {
        let task = samples::full_task();
        let mut out = Encoder::default();
        encode_task(&task, &mut out).unwrap();
        assert_eq!(decode_task(*task.task_id.as_bytes(), &out.bytes).unwrap(), task);
    }
}
