//! Feeds a multipart body to its parser one piece at a time.
//!
//! The parser (`multer`) takes all that is there before it looks at any of it, and searches all it holds again with
//! every piece. So it is given a piece, then made to look; and before a part has begun it is given only so much.

use axum::body::{BodyDataStream, Bytes};
use futures_util::Stream;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

/// The longest way to the next part: a boundary, its headers, and what came in the same piece.
const HEAD_BYTES: usize = 512 * 1024;

/// How many more bytes the parser is given.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// Until a part begins.
    pub fn for_head(&self) {
        self.0.store(HEAD_BYTES, Ordering::Relaxed);
    }

    /// Within a part, whose size the parser limits.
    pub fn for_content(&self) {
        self.0.store(usize::MAX, Ordering::Relaxed);
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// The body, piece by piece.
pub struct Paced {
    body: BodyDataStream,
    allowance: Allowance,
    has_given: bool,
}

impl Paced {
    pub fn new(body: BodyDataStream, allowance: Allowance) -> Self {
        Self { body, allowance, has_given: false }
    }
}

/// A part's head does not end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the head of a part is too long")]
pub struct HeadTooLong;

impl Stream for Paced {
    type Item = Result<Bytes, Box<dyn std::error::Error + Send + Sync>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.has_given) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = ready!(Pin::new(&mut self.body).poll_next(context));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.has_given = true;
            if self.allowance.take(piece.len()) { Ok(piece) } else { Err(HeadTooLong.into()) }
        }))
    }
}
