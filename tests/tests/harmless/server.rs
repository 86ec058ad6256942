//! Loopback servers that say bytes, and real clients that talk to them.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::kinds;

/// A server that answers each request with the same bytes.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
}

/// What a server does once it has said all.
#[derive(Clone, Copy, Debug)]
enum After {
    GoesOn,
    Stalls,
    Closes,
}

impl Server {
    /// Says the same for each request, and goes on with the connection.
    pub(crate) async fn that_says(bytes: &[u8]) -> Self {
        Self::start(bytes.to_vec(), After::GoesOn).await
    }

    /// Says this and then nothing more, keeping the connection.
    pub(crate) async fn that_stalls_after(bytes: &[u8]) -> Self {
        Self::start(bytes.to_vec(), After::Stalls).await
    }

    /// Says this and closes the connection.
    pub(crate) async fn that_closes_after(bytes: &[u8]) -> Self {
        Self::start(bytes.to_vec(), After::Closes).await
    }

    async fn start(bytes: Vec<u8>, after: After) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, bytes.clone(), after));
            }
        });
        Self { address }
    }

    /// A client for which OpenAI lives at this server.
    pub(crate) fn reqwest(&self) -> reqwest::Client {
        let builder = reqwest::Client::builder().no_proxy();
        builder.resolve("api.openai.com", self.address).build().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!(
            "http://api.openai.com:{}/v1/chat/completions",
            self.address.port()
        )
    }

    pub(crate) fn ask(&self) -> reqwest::Request {
        let mut request = reqwest::Request::new(reqwest::Method::POST, self.url().parse().unwrap());
        *request.body_mut() = Some(kinds::chat().request.into());
        request
    }
}

async fn answer(mut stream: TcpStream, bytes: Vec<u8>, after: After) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    while read_request(&mut stream).await? {
        stream.write_all(&bytes).await?;
        match after {
            After::GoesOn => {}
            After::Closes => return Ok(()),
            After::Stalls => {
                let _until_the_client_goes = stream.read(&mut [0]).await;
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Reads a request with its body; false where the client is gone.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<bool> {
    let (mut got, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut piece).await?;
        if read == 0 {
            return Ok(false);
        }
        got.extend_from_slice(&piece[..read]);
        if let Some(at) = got.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&got[..at]).to_ascii_lowercase();
            let stated = head.split("content-length: ").nth(1);
            let length = stated.and_then(|text| text.lines().next()?.parse().ok());
            if got.len() >= at + 4 + length.unwrap_or(0) {
                return Ok(true);
            }
        }
    }
}
