//! ureq, in a program without a runtime; feature `ureq`.

use dexcost_tower::CaptureLayer;
use examples::{Error, stage::Stage};

const ASK: &str = r#"{"model":"gpt-4.1-mini","messages":[{"role":"user","content":"Where is parcel 7?"}]}"#;

#[dexcost::task(type = "answer", customer = "acme-corp")]
fn answer(agent: &ureq::Agent, url: &str) -> Result<(), Error> {
    // With its length stated, the request is seen too: the model that was asked for, retries.
    let request = agent.post(url).header("content-length", ASK.len());
    request.send(ASK)?.body_mut().read_to_string()?;
    Ok(())
}

fn main() -> Result<(), Error> {
    let stage = Stage::set("ureq")?;
    let agent = ureq::Agent::config_builder()
        .middleware(CaptureLayer::new()) // <- the line to write
        .build()
        .new_agent();
    answer(&agent, &stage.url("/v1/chat/completions"))?;
    stage.end()
}
