//! The real twin: a server that speaks SMTP.
//!
//! What goes wrong is told apart by whom it concerns. A server that is away, slow, busy (4xx) or does not let us in is not
//! the letter's fault: [`Error::Unavailable`], tried again for as long as it takes. A mailbox that is refused (5xx) stays
//! refused: [`Fault::Hopeless`], parked at once. A refusal of the sender or of the content may be a setting that somebody
//! mends: an ordinary fault, tried a dozen times.
//!
//! `address` reads the setting, `pool` keeps connections.

mod address;
mod pool;

use super::MailSettings;
use crate::error::{Error, Fault, Result};
use lettre::{
    Message,
    transport::smtp::{
        Error as SmtpError,
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::{Extension, MailParameter},
    },
};
use pool::Pool;
use std::time::Duration;

pub use address::{Address, Security};

#[derive(Debug)]
pub struct SmtpMail {
    pool: Pool,
    /// For one letter, from connecting to the receipt: lettre itself bounds nothing after the connecting.
    timeout: Duration,
}

/// How far a letter came before the server said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connecting,
    Sender,
    Recipient,
    Content,
}

impl SmtpMail {
    pub fn open(settings: &MailSettings) -> std::result::Result<Self, String> {
        let address = settings.address().map_err(|why| format!("mail.url: {why}"))?;
        let pool = Pool::open(address, &settings.ca_file, settings.max_connections)?;
        Ok(Self { pool, timeout: Duration::from_secs(settings.timeout_seconds) })
    }

    pub async fn send(&self, id: &str, message: &Message) -> Result<()> {
        let _place = self.pool.place().await;
        let sent = tokio::time::timeout(self.timeout, self.over_some_connection(message)).await;
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err((step, error))) => Err(told(id, message, step, &error)),
            // The connection went with the future: in the middle of a dialogue it is of no use to another letter.
            Err(_) => {
                Err(Error::Unavailable(format!("letter {id}: the mail server took more than {:?}", self.timeout)))
            }
        }
    }

    pub async fn hang_up(&self) {
        self.pool.hang_up(self.timeout.min(Duration::from_secs(1))).await;
    }

    async fn over_some_connection(&self, message: &Message) -> std::result::Result<(), (Step, SmtpError)> {
        while let Some(mut connection) = self.pool.idle() {
            match self.deliver(&mut connection, message).await {
                // It was closed while nobody used it, and the letter never began: on to the next.
                Err((Step::Sender, error)) if !error.is_permanent() => {}
                Err(refused) => return self.give_back(connection, Err(refused)),
                Ok(()) => return self.give_back(connection, Ok(())),
            }
        }
        let connected = self.pool.connect(self.timeout).await;
        let mut connection = connected.map_err(|error| (Step::Connecting, error))?;
        let outcome = self.deliver(&mut connection, message).await;
        self.give_back(connection, outcome)
    }

    /// Only after a receipt: then the dialogue is where the next letter begins.
    fn give_back<E>(
        &self,
        connection: AsyncSmtpConnection,
        outcome: std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        if outcome.is_ok() {
            self.pool.give_back(connection);
        }
        outcome
    }

    async fn deliver(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> std::result::Result<(), (Step, SmtpError)> {
        let at = |step: Step| move |error: SmtpError| (step, error);
        let mut parameters = Vec::new();
        // Some servers take mailboxes outside ASCII (RFC 6531), and must be told.
        if message.envelope().to().iter().any(|to| !AsRef::<str>::as_ref(to).is_ascii())
            && connection.server_info().supports_feature(Extension::SmtpUtfEight)
        {
            parameters.push(MailParameter::SmtpUtfEight);
        }
        let from = Mail::new(message.envelope().from().cloned(), parameters);
        connection.command(from).await.map_err(at(Step::Sender))?;
        for to in message.envelope().to() {
            connection.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(at(Step::Recipient))?;
        }
        connection.command(Data).await.map_err(at(Step::Content))?;
        connection.message(&message.formatted()).await.map_err(at(Step::Content))?;
        Ok(())
    }
}

fn told(id: &str, message: &Message, step: Step, error: &SmtpError) -> Error {
    let mut why = error.to_string();
    // A server likes to repeat the address; a log needs no addresses.
    for to in message.envelope().to() {
        let to: &str = to.as_ref();
        why = why.replace(to, "the mailbox");
    }
    let why = format!("letter {id}: {step:?}: {why}");
    match step {
        Step::Recipient if error.is_permanent() => Fault::Hopeless(why).into(),
        Step::Sender | Step::Content if error.is_permanent() => Error::fault(why),
        Step::Connecting | Step::Sender | Step::Recipient | Step::Content => Error::Unavailable(why),
    }
}
