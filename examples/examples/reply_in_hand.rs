//! A reply from somewhere else: a queue, a batch file, a client that takes no layer.

use dexcost::TaskOptions;
use examples::{Error, stage::Stage};

const URL: &str = "https://api.openai.com/v1/chat/completions";
const REPLY: &[u8] = br#"{"object": "chat.completion", "model": "gpt-4.1-mini-2025-04-14",
    "usage": {"prompt_tokens": 1200, "completion_tokens": 80, "total_tokens": 1280}}"#;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let stage = Stage::set("reply_in_hand")?;
    let task = dexcost::start_task("answer", TaskOptions::default()).await?;
    let headers = [("content-type", "application/json")];
    task.run(|| dexcost::record_response("openai", URL, 200, &headers, REPLY))?; // <- the line to write
    task.end(dexcost::TaskStatus::Success).await?;
    stage.end()
}
