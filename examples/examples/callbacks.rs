//! A framework that hides its HTTP and calls back when a model call starts and ends.

use dexcost::integrations::DexcostCallbackHandler;
use dexcost::{TaskOptions, TaskStatus, Unit, Usage};
use examples::{Error, stage::Stage};

/// What such a framework does: it tells its handlers, whatever they are.
fn framework(handler: &DexcostCallbackHandler) -> Result<(), Error> {
    handler.on_llm_start("run-1", "openai", "gpt-4.1-mini-2025-04-14");
    let usage = Usage::new()
        .with(Unit::InputTokens, 1_200)
        .with(Unit::OutputTokens, 80);
    handler.on_llm_end("run-1", usage)?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("callbacks")?;
    let tracker = dexcost::tracker().ok_or("no tracker")?;
    let handler = DexcostCallbackHandler::new(tracker); // <- the line to write
    let task = dexcost::start_task("answer", TaskOptions::default()).await?;
    task.run(|| framework(&handler))?;
    task.end(TaskStatus::Success).await?;
    stage.end()
}
