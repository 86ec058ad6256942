//! A loopback HTTP/1.1 server that says exactly what a test wants it to, byte by byte.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "a test"
)]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// What the server got.
pub(crate) struct Got {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }
}

/// What the server says.
#[derive(Clone)]
pub(crate) struct Reply {
    head: String,
    pieces: Vec<Vec<u8>>,
    framing: Framing,
    after: After,
    trailers: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    UntilClose,
}

/// What the server does after the last piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum After {
    /// Ends the body as its framing says.
    End,
    /// Closes the connection without ending the body.
    Cut,
    /// Says nothing more until the client goes.
    Hang,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, pieces: &[&[u8]]) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\n"),
            pieces: pieces.iter().map(|piece| piece.to_vec()).collect(),
            framing: Framing::Length,
            after: After::End,
            trailers: String::new(),
        }
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::new(status, "application/json", &[body.as_bytes()])
    }

    pub(crate) fn sse(events: &[&str]) -> Self {
        let pieces: Vec<&[u8]> = events.iter().map(|event| event.as_bytes()).collect();
        Self::new(200, "text/event-stream", &pieces).framing(Framing::Chunked)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(crate) fn after(mut self, after: After) -> Self {
        self.after = after;
        self
    }

    pub(crate) fn trailer(mut self, name: &str, value: &str) -> Self {
        self.trailers.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.head.contains("event-stream")
    }

    fn send(&self, stream: &mut TcpStream, is_head: bool) -> std::io::Result<()> {
        let mut length: usize = self.pieces.iter().map(Vec::len).sum();
        if self.after != After::End {
            length += 1_000;
        }
        let framing = match self.framing {
            Framing::Length => format!("content-length: {length}\r\n"),
            Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
            Framing::UntilClose => "connection: close\r\n".to_owned(),
        };
        write!(stream, "{}{framing}\r\n", self.head)?;
        if is_head {
            return Ok(());
        }
        for piece in &self.pieces {
            match self.framing {
                Framing::Chunked => {
                    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
                    chunk.extend_from_slice(piece);
                    chunk.extend_from_slice(b"\r\n");
                    stream.write_all(&chunk)?;
                }
                _ => stream.write_all(piece)?,
            }
            stream.flush()?;
        }
        match self.after {
            After::End if self.framing == Framing::Chunked => write!(stream, "0\r\n{}\r\n", self.trailers)?,
            After::End | After::Cut => {}
            After::Hang => {
                let _ = stream.read(&mut [0]);
            }
        }
        Ok(())
    }
}

type Answer = dyn Fn(&Got) -> Option<Reply> + Send + Sync;

/// A running server; its threads end with the process.
pub(crate) struct Wire {
    pub(crate) addr: SocketAddr,
}

impl Wire {
    /// Starts a server that answers every request as `reply` says; `None` hangs without an answer.
    pub(crate) fn start(reply: impl Fn(&Got) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let reply: Arc<Answer> = Arc::new(reply);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let reply = Arc::clone(&reply);
                std::thread::spawn(move || serve(stream, &*reply));
            }
        });
        Self { addr }
    }

    /// A server with one answer for everything.
    pub(crate) fn always(reply: Reply) -> Self {
        Self::start(move |_| Some(reply.clone()))
    }

    /// The URL of a path there, as if the server were `host`.
    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.addr.port())
    }
}

fn serve(stream: TcpStream, reply: &Answer) {
    let _ = stream.set_nodelay(true);
    let mut input = BufReader::new(stream);
    while let Some(got) = receive(&mut input) {
        let stream = input.get_mut();
        let Some(reply) = reply(&got) else {
            let _ = stream.read(&mut [0]);
            return;
        };
        let is_last = reply.framing == Framing::UntilClose || reply.after != After::End;
        if reply.send(stream, got.method == "HEAD").is_err() || is_last {
            return;
        }
    }
}

fn receive(input: &mut BufReader<TcpStream>) -> Option<Got> {
    let mut line = String::new();
    input.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut got = Got {
        method,
        path,
        headers,
        body: Vec::new(),
    };
    if let Some(length) = got.header("content-length").and_then(|text| text.parse().ok()) {
        got.body.resize(length, 0);
        input.read_exact(&mut got.body).ok()?;
    } else if got.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            input.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            input.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            got.body.extend_from_slice(&chunk[..size]);
        }
    }
    Some(got)
}

/// Waits for something that another task or thread is about to do.
pub(crate) async fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("did not happen: {what}");
}

/// An OpenAI chat reply with so many tokens in and out.
pub(crate) fn chat(input: u64, output: u64) -> String {
    serde_json::json!({
        "id": "chatcmpl-test", "object": "chat.completion", "created": 1_795_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Certainly."},
                     "finish_reason": "stop"}],
        "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output},
    })
    .to_string()
}

/// An OpenAI chat stream: three pieces of text, the usage, the end.
pub(crate) fn chat_stream(input: u64, output: u64) -> Vec<String> {
    let mut events: Vec<String> = ["Cer", "tain", "ly."]
        .iter()
        .map(|text| {
            let choice = serde_json::json!([{"index": 0, "delta": {"content": text}, "finish_reason": null}]);
            stream_event(&choice, &serde_json::Value::Null)
        })
        .collect();
    let stop = serde_json::json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    events.push(stream_event(&stop, &serde_json::Value::Null));
    let usage = serde_json::json!({"prompt_tokens": input, "completion_tokens": output,
                                   "total_tokens": input + output});
    events.push(stream_event(&serde_json::json!([]), &usage));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn stream_event(choices: &serde_json::Value, usage: &serde_json::Value) -> String {
    let event = serde_json::json!({
        "id": "chatcmpl-test", "object": "chat.completion.chunk", "created": 1_795_000_000,
        "model": "gpt-4o-2024-08-06", "choices": choices, "usage": usage,
    });
    format!("data: {event}\n\n")
}

pub(crate) fn stream_reply(input: u64, output: u64) -> Reply {
    let events = chat_stream(input, output);
    let events: Vec<&str> = events.iter().map(String::as_str).collect();
    Reply::sse(&events)
}
