//! A source of randomness at which a test can hold somebody: tokens are made between what is read and what is written.

use spotlight::infra::ids::{Entropy, SystemEntropy};
use std::sync::{Mutex, mpsc};
use tokio::sync::oneshot;

type Held = (oneshot::Sender<()>, mpsc::Receiver<()>);

/// Open, until it is closed for the next one who comes.
#[derive(Debug, Default)]
pub struct Gate(Mutex<Option<Held>>);

/// Who closed it knows when somebody stands there, and lets them go on.
pub struct Closed {
    pub reached: oneshot::Receiver<()>,
    pub open: mpsc::Sender<()>,
}

impl Gate {
    pub fn close(&self) -> Closed {
        let (told, reached) = oneshot::channel();
        let (open, opened) = mpsc::channel();
        *self.0.lock().unwrap() = Some((told, opened));
        Closed { reached, open }
    }
}

impl Entropy for Gate {
    fn fill(&self, bytes: &mut [u8]) {
        let held = self.0.lock().unwrap().take();
        if let Some((told, opened)) = held {
            told.send(()).unwrap();
            // Others of this thread go on elsewhere.
            tokio::task::block_in_place(|| opened.recv().unwrap());
        }
        SystemEntropy.fill(bytes);
    }
}
