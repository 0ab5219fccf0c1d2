//! Batch reads: one set for each request, never shared, never cached across people. A list of 20 events with its
//! artists costs one statement for the artists.

//!
//! The request drives its own batches ([`Driver`]): they run when every resolver that can go on has gone on, and so has
//! asked. Spawned tasks would race with the resolvers, and cut batches in two.

use crate::{app::App, error::Error};
use async_graphql::dataloader::DataLoader;
use futures_util::{
    Stream, StreamExt,
    future::BoxFuture,
    stream::{self, FuturesUnordered},
};
use std::{
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::mpsc;

/// Reads in batches. Each domain implements `Loader` on it for its own keys.
#[derive(Clone, Debug)]
pub struct Batch(pub App);

/// The request's loader.
pub type Loaders = DataLoader<Batch>;

/// Failures are shared by all who waited for the batch.
pub type Shared = Arc<Error>;

/// Runs the batches of one request, in the request's own task.
#[derive(Debug)]
pub struct Driver {
    asked: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

/// A request's loader, and what drives it.
pub fn loaders(app: App) -> (Loaders, Driver) {
    let (ask, asked) = mpsc::unbounded_channel();
    let spawn = move |batch| {
        // Nobody listens any more when the request is over, and then nobody waits.
        let _gone = ask.send(batch);
    };
    // No artificial delay: a batch is what one step of the executor asks for.
    let loaders = DataLoader::new(Batch(app), spawn).delay(Duration::ZERO);
    (loaders, Driver { asked, running: FuturesUnordered::new() })
}

impl Driver {
    /// Runs what is there to run; true if something was done, and somebody can go on.
    fn poll(&mut self, context: &mut Context<'_>) -> bool {
        while let Poll::Ready(Some(batch)) = self.asked.poll_recv(context) {
            self.running.push(batch);
        }
        let mut is_done = false;
        while let Poll::Ready(Some(())) = self.running.poll_next_unpin(context) {
            is_done = true;
        }
        is_done
    }

    /// Runs an operation to its end.
    pub async fn drive<T>(mut self, operation: impl Future<Output = T>) -> T {
        let mut operation = pin!(operation);
        poll_fn(move |context| {
            loop {
                if let Poll::Ready(done) = operation.as_mut().poll(context) {
                    return Poll::Ready(done);
                }
                if !self.poll(context) {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Runs a subscription.
    pub fn drive_stream<T>(mut self, mut answers: impl Stream<Item = T> + Unpin) -> impl Stream<Item = T> {
        stream::poll_fn(move |context| {
            loop {
                if let Poll::Ready(answer) = answers.poll_next_unpin(context) {
                    return Poll::Ready(answer);
                }
                if !self.poll(context) {
                    return Poll::Pending;
                }
            }
        })
    }
}

/// What a shared failure looks like to one of them.
pub fn failed(error: &Shared) -> async_graphql::Error {
    Error::fault(error.to_string()).into()
}
