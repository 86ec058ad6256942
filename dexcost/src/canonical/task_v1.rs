//! The v1 form of a task, which is also the one that the Control Layer takes.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::v1::{SchemaVersion, clipped, invalid, opaque, put_extras, read, required, take_extras};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::event::Details;
use crate::id::TaskId;
use crate::task::{Attribution, HostTraffic, Task, TaskStatus, Totals};
use crate::text::Text;

const WHAT: &str = "task";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskV1 {
    task_id: TaskId,
    task_type: Text,
    status: TaskStatus,
    started_at: Timestamp,
    #[serde(deserialize_with = "required")]
    ended_at: Option<Timestamp>,
    metadata: Details,
    #[serde(deserialize_with = "required")]
    customer_id: Option<Text>,
    #[serde(deserialize_with = "required")]
    project_id: Option<Text>,
    #[serde(deserialize_with = "required")]
    parent_task_id: Option<TaskId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent_id: Option<Text>,
    #[serde(deserialize_with = "required")]
    experiment_id: Option<Text>,
    #[serde(deserialize_with = "required")]
    variant: Option<Text>,
    #[serde(with = "crate::money::as_text")]
    llm_cost_usd: Decimal,
    #[serde(with = "crate::money::as_text")]
    external_cost_usd: Decimal,
    #[serde(with = "crate::money::as_text")]
    compute_cost_usd: Decimal,
    #[serde(with = "crate::money::as_text")]
    network_cost_usd: Decimal,
    #[serde(with = "crate::money::as_text")]
    gpu_cost_usd: Decimal,
    #[serde(with = "crate::money::as_text")]
    total_cost_usd: Decimal,
    total_input_tokens: u64,
    total_output_tokens: u64,
    total_cached_tokens: u64,
    retry_count: u64,
    #[serde(with = "crate::money::as_text")]
    retry_cost_usd: Decimal,
    failure_count: u64,
    network_bytes_in: u64,
    network_bytes_out: u64,
    network_call_count: u64,
    network_by_host: BTreeMap<String, HostTraffic>,
    schema_version: SchemaVersion,
    /// Fields of the schema that our tasks do not have: read past, never written.
    #[serde(default, skip_serializing, rename = "user_id")]
    _user_id: Option<Text>,
    #[serde(default, skip_serializing, rename = "product_id")]
    _product_id: Option<Text>,
    #[serde(default, skip_serializing, rename = "root_task_id")]
    _root_task_id: Option<TaskId>,
    #[serde(default, skip_serializing, rename = "agent_version")]
    _agent_version: Option<Text>,
    #[serde(default, skip_serializing, rename = "workflow_id")]
    _workflow_id: Option<Text>,
    #[serde(default, skip_serializing, rename = "workflow_session_id")]
    _workflow_session_id: Option<Text>,
}

/// What v1 has no field for; in `metadata._dexcost`, each only where it says something.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Extras {
    #[serde(skip_serializing_if = "Option::is_none")]
    event_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_cost_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
}

impl Task {
    /// The v1 form: every field there, explicit nulls, money as text; `agent_id` only where there
    /// is an agent.
    ///
    /// The numbers of events and of unknown costs, for which v1 has no field, stand in
    /// `metadata._dexcost`. The schema allows ids of 1 to 256 characters: an empty one is null
    /// here, a longer one is `sha256:` and its digest. A task type is cut at 256 characters.
    ///
    /// ```
    /// use dexcost::Task;
    /// # let json = serde_json::json!({
    /// #     "task_id": "01936a5e-7c00-7000-8000-000000000001", "task_type": "resolve_ticket", "status": "failed",
    /// #     "started_at": "2026-11-22T09:00:00.000000Z", "ended_at": null, "customer_id": "acme",
    /// #     "project_id": null, "agent": null, "experiment_id": null, "variant": null,
    /// #     "parent_task_id": null, "metadata": {}, "llm_cost_usd": "0.25", "gpu_cost_usd": "1.5", "revision": 1
    /// # });
    /// # let task: Task = serde_json::from_value(json).unwrap();
    /// let v1 = task.to_v1();
    /// assert_eq!(v1["total_cost_usd"], "1.75");
    /// assert_eq!(v1["failure_count"], 1);
    /// assert!(v1["project_id"].is_null());
    /// assert_eq!(Task::from_v1(&v1).unwrap(), task);
    /// ```
    #[must_use]
    pub fn to_v1(&self) -> Value {
        let (attribution, totals) = (&self.attribution, &self.totals);
        let experiment_id = opaque(attribution.experiment_id.as_ref());
        let variant = opaque(attribution.variant.as_ref()).filter(|_| experiment_id.is_some());
        let form = TaskV1 {
            task_id: self.task_id,
            task_type: clipped(&self.task_type),
            status: self.status,
            started_at: self.started_at,
            ended_at: self.ended_at,
            metadata: self.metadata_v1(),
            customer_id: opaque(attribution.customer_id.as_ref()),
            project_id: opaque(attribution.project_id.as_ref()),
            parent_task_id: self.parent_task_id,
            agent_id: opaque(attribution.agent.as_ref()),
            experiment_id,
            variant,
            llm_cost_usd: totals.llm_cost_usd,
            external_cost_usd: totals.external_cost_usd,
            compute_cost_usd: totals.compute_cost_usd,
            network_cost_usd: totals.network_cost_usd,
            gpu_cost_usd: totals.gpu_cost_usd,
            total_cost_usd: totals.total_cost_usd(),
            total_input_tokens: totals.total_input_tokens,
            total_output_tokens: totals.total_output_tokens,
            total_cached_tokens: totals.total_cached_tokens,
            retry_count: totals.retry_count,
            retry_cost_usd: totals.retry_cost_usd,
            failure_count: self.failure_count(),
            network_bytes_in: totals.network_bytes_in,
            network_bytes_out: totals.network_bytes_out,
            network_call_count: totals.network_call_count,
            network_by_host: totals.network_by_host.clone(),
            schema_version: SchemaVersion::One,
            _user_id: None,
            _product_id: None,
            _root_task_id: None,
            _agent_version: None,
            _workflow_id: None,
            _workflow_session_id: None,
        };
        serde_json::to_value(form).unwrap_or_default()
    }

    /// The metadata with the counts that v1 has no field for.
    fn metadata_v1(&self) -> Details {
        let mut metadata = self.metadata.clone();
        let counted = |count: u64| Some(count).filter(|c| *c != 0);
        let extras = Extras {
            event_count: counted(self.totals.event_count),
            unknown_cost_count: counted(self.totals.unknown_cost_count),
            revision: Some(self.revision).filter(|r| *r != 1),
        };
        put_extras(&mut metadata, &extras);
        metadata
    }

    /// The task of a v1 form, ours or another SDK's.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRecord`] where a field is missing, unknown or of the wrong type, where the
    /// total is not the sum of the five families, or where `failure_count` contradicts the status.
    pub fn from_v1(value: &Value) -> Result<Self, Error> {
        let mut form: TaskV1 = read(WHAT, value)?;
        let extras: Extras = take_extras(WHAT, &mut form.metadata)?;
        let (total_cost_usd, failure_count) = (form.total_cost_usd, form.failure_count);
        let task = Self {
            task_id: form.task_id,
            task_type: form.task_type,
            status: form.status,
            started_at: form.started_at,
            ended_at: form.ended_at,
            attribution: Attribution {
                customer_id: form.customer_id,
                project_id: form.project_id,
                agent: form.agent_id,
                experiment_id: form.experiment_id,
                variant: form.variant,
            },
            parent_task_id: form.parent_task_id,
            metadata: form.metadata,
            totals: Totals {
                llm_cost_usd: form.llm_cost_usd,
                external_cost_usd: form.external_cost_usd,
                compute_cost_usd: form.compute_cost_usd,
                gpu_cost_usd: form.gpu_cost_usd,
                network_cost_usd: form.network_cost_usd,
                total_input_tokens: form.total_input_tokens,
                total_output_tokens: form.total_output_tokens,
                total_cached_tokens: form.total_cached_tokens,
                event_count: extras.event_count.unwrap_or(0),
                unknown_cost_count: extras.unknown_cost_count.unwrap_or(0),
                retry_count: form.retry_count,
                retry_cost_usd: form.retry_cost_usd,
                network_bytes_in: form.network_bytes_in,
                network_bytes_out: form.network_bytes_out,
                network_call_count: form.network_call_count,
                network_by_host: form.network_by_host,
            },
            revision: extras.revision.unwrap_or(1),
        };
        if task.totals.total_cost_usd() != total_cost_usd {
            return Err(invalid(
                WHAT,
                &"`total_cost_usd` is not the sum of the five families",
            ));
        }
        if task.failure_count() != failure_count {
            return Err(invalid(WHAT, &"`failure_count` is 1 for a failed task, else 0"));
        }
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::{arbitrary, to_string};
    use proptest::prelude::*;
    use serde_json::json;

    const REQUIRED: [&str; 28] = [
        "task_id",
        "task_type",
        "status",
        "started_at",
        "ended_at",
        "metadata",
        "customer_id",
        "project_id",
        "parent_task_id",
        "experiment_id",
        "variant",
        "llm_cost_usd",
        "external_cost_usd",
        "compute_cost_usd",
        "network_cost_usd",
        "gpu_cost_usd",
        "total_cost_usd",
        "total_input_tokens",
        "total_output_tokens",
        "total_cached_tokens",
        "retry_count",
        "retry_cost_usd",
        "failure_count",
        "network_bytes_in",
        "network_bytes_out",
        "network_call_count",
        "network_by_host",
        "schema_version",
    ];

    fn some_task() -> Task {
        serde_json::from_value(json!({
            "task_id": "01936a5e-7c00-7000-8000-000000000001", "task_type": "t", "status": "success",
            "started_at": "2026-11-22T09:00:00.000000Z", "ended_at": "2026-11-22T09:00:01.000000Z",
            "customer_id": "acme", "agent": "bot", "parent_task_id": null, "metadata": {"k": 0.1},
            "revision": 1
        }))
        .unwrap()
    }

    #[test]
    fn ids_that_v1_cannot_hold_stay_apart() {
        let mut task = some_task();
        task.attribution.customer_id = Some("é".repeat(257).into());
        task.attribution.project_id = Some(Text::empty());
        task.attribution.agent = Some("é".repeat(256).into());
        task.task_type = "x".repeat(300).into();
        let form = task.to_v1();
        let customer = form["customer_id"].as_str().unwrap();
        assert!(customer.starts_with("sha256:") && customer.len() == 71);
        assert!(form["project_id"].is_null());
        assert_eq!(form["agent_id"].as_str().unwrap().chars().count(), 256);
        assert_eq!(form["task_type"].as_str().unwrap().len(), 256);
    }

    #[test]
    fn a_form_that_contradicts_itself_is_refused() {
        for (field, value) in [
            ("total_cost_usd", json!("0.01")),
            ("failure_count", json!(1)),
            ("retry_count", json!(-1)),
            ("total_cost_usd", json!(0)),
            ("surplus", json!(null)),
        ] {
            let mut form = some_task().to_v1();
            form[field] = value;
            assert!(Task::from_v1(&form).is_err(), "{field}");
        }
        for field in REQUIRED {
            let mut form = some_task().to_v1();
            form.as_object_mut().unwrap().remove(field);
            assert!(Task::from_v1(&form).is_err(), "{field}");
        }
    }

    #[test]
    fn fields_that_only_other_sdks_fill_are_read_past() {
        let mut form = some_task().to_v1();
        form["user_id"] = json!("u");
        form["root_task_id"] = json!("01936a5e-7c00-7000-8000-000000000001");
        assert_eq!(Task::from_v1(&form).unwrap(), some_task());
    }

    proptest! {
        #[test]
        fn a_task_survives_its_v1_form(task in arbitrary::task()) {
            let text = to_string(&task.to_v1());
            let back = Task::from_v1(&serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert_eq!(to_string(&back.to_v1()), text);
            prop_assert_eq!(back, task);
        }

        #[test]
        fn a_task_survives_its_own_form(task in arbitrary::task()) {
            let text = to_string(&serde_json::to_value(&task).unwrap());
            prop_assert_eq!(serde_json::from_str::<Task>(&text).unwrap(), task);
        }

        #[test]
        fn every_v1_task_has_the_fields_of_the_schema(task in arbitrary::task()) {
            let form = task.to_v1();
            let mut fields: Vec<_> = form.as_object().unwrap().keys().map(String::as_str).collect();
            fields.retain(|field| *field != "agent_id");
            fields.sort_unstable();
            let mut required = REQUIRED.to_vec();
            required.sort_unstable();
            prop_assert_eq!(fields, required);
            prop_assert_eq!(form.get("agent_id").is_some(), task.attribution.agent.is_some());
        }
    }
}
