//! Who calls the service, and how.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Error;
use crate::recordings::Recording;

/// One request to the service.
#[derive(Clone, Debug)]
struct Visit {
    path: String,
    customer: String,
    project: String,
    body: String,
    /// Whether the caller goes after the first piece of the answer.
    is_impatient: bool,
}

/// How a day went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Requests that were made.
    pub requests: usize,
    /// Requests that were answered with an error.
    pub failed: usize,
    /// Answers that the caller did not wait for.
    pub abandoned: usize,
}

/// How many requests are under way at a time.
const AT_A_TIME: usize = 16;

/// A day of three customers: tickets, documents, chats.
///
/// # Errors
///
/// Where the service cannot be reached.
pub async fn day(service: SocketAddr) -> Result<Outcome, Error> {
    let customers = [("acme-corp", 24), ("globex", 14), ("initech", 6)];
    let mut visits = Vec::new();
    for (customer, size) in customers {
        for n in 0..size {
            let visit = |path: String, project: &str, body: &str, is_impatient| Visit {
                path,
                customer: customer.to_owned(),
                project: project.to_owned(),
                body: body.to_owned(),
                is_impatient,
            };
            let ticket = if n == 5 {
                "[unlucky]".to_owned()
            } else {
                format!("{customer}-{n}")
            };
            visits.push(visit(format!("/tickets/{ticket}/resolve"), "support", "", false));
            if n % 3 == 0 {
                let question = format!("Where is parcel {n} of {customer}?");
                visits.push(visit("/chat".to_owned(), "web", &question, n % 9 == 3));
            }
            if n % 4 == 1 {
                visits.push(visit(
                    format!("/documents/{customer}-{n}/summary"),
                    "archive",
                    "",
                    false,
                ));
            }
        }
        visits.push(Visit {
            path: "/healthz".to_owned(),
            customer: String::new(),
            project: String::new(),
            body: String::new(),
            is_impatient: false,
        });
    }
    drive(service, visits).await
}

/// Every recording once, for the project that recorded it.
///
/// # Errors
///
/// Where the service cannot be reached.
pub async fn recorded(service: SocketAddr, recordings: &[Recording]) -> Result<Outcome, Error> {
    let visits = recordings.iter().enumerate().map(|(number, recording)| Visit {
        path: format!("/replay/{number}"),
        customer: recording.source_repo.clone(),
        project: recording.endpoint.clone(),
        body: String::new(),
        is_impatient: false,
    });
    drive(service, visits.collect()).await
}

async fn drive(service: SocketAddr, visits: Vec<Visit>) -> Result<Outcome, Error> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (visits, next) = (Arc::new(visits), Arc::new(AtomicUsize::new(0)));
    let callers: Vec<_> = (0..AT_A_TIME)
        .map(|_| {
            let (client, visits, next) = (client.clone(), Arc::clone(&visits), Arc::clone(&next));
            tokio::spawn(async move {
                let mut outcome = Outcome::default();
                while let Some(visit) = visits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    make(&client, service, visit, &mut outcome).await?;
                }
                Ok::<_, Error>(outcome)
            })
        })
        .collect();
    let mut whole = Outcome::default();
    for caller in callers {
        let outcome = caller.await??;
        whole.requests += outcome.requests;
        whole.failed += outcome.failed;
        whole.abandoned += outcome.abandoned;
    }
    Ok(whole)
}

async fn make(
    client: &reqwest::Client,
    service: SocketAddr,
    visit: &Visit,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let url = format!("http://{service}{}", visit.path);
    let request = if visit.path == "/healthz" {
        client.get(url)
    } else {
        client.post(url)
    };
    let request = request
        .header("x-customer-id", &visit.customer)
        .header("x-project-id", &visit.project)
        .body(visit.body.clone());
    let mut reply = request.send().await?;
    outcome.requests += 1;
    if !reply.status().is_success() {
        outcome.failed += 1;
    }
    if visit.is_impatient {
        reply.chunk().await?;
        outcome.abandoned += 1;
        return Ok(());
    }
    reply.bytes().await?;
    Ok(())
}
