//! A group is served: one transaction, by a guess if there is one, then each gets its own answer.

use super::{
    Served,
    guess::Guess,
    load::{self, Opened, Reading},
    model::{Answer, Verdict},
    queue::Waiting,
    request::Request,
    write::{self, New},
};
use crate::{
    app::App,
    error::{Error, Fault, Result},
    infra::db::{Attempts, Line, OnDisk, Settled},
};
use chrono::{DateTime, Utc};
use entity::ids::{BookingId, EventId};
use sea_orm::{ConnectionTrait, DbErr};
use tokio::sync::oneshot;

/// As a rehearsal names it.
pub const PLACE: &str = module_path!();

/// What each of a group is answered, in its order.
type Answers = Vec<Result<Served>>;

/// Where an event's buyers are served, group after group.
#[derive(Debug)]
pub struct Booth {
    pub line: Line,
    guess: Option<Guess>,
}

impl Booth {
    pub fn of(app: &App) -> Self {
        Self { line: app.db.line(PLACE), guess: None }
    }
}

/// Serves a group of one event's buyers. True if nobody got anything.
pub async fn serve(app: &App, booth: &mut Booth, event_id: EventId, group: Vec<Waiting>, looks_first: bool) -> bool {
    let (requests, waiting): (Vec<Request>, Vec<_>) = group.into_iter().map(|one| (one.request, one.answer)).unzip();
    let answers = match together(app, booth, event_id, &requests, looks_first).await {
        Ok(answers) => answers,
        Err(error) if requests.len() == 1 => vec![Err(error)],
        Err(error) if error.is_away() => requests.iter().map(|_| Err(away(&error))).collect(),
        Err(error) => {
            tracing::warn!(%error, event = %event_id, "a group could not be served: one by one now");
            one_by_one(app, booth, event_id, &requests).await
        }
    };
    let is_in_vain = !answers.iter().any(|answer| matches!(answer, Ok(Served::New(_))));
    if answers.iter().any(|answer| matches!(answer, Ok(Served::Known(_)))) {
        app.db.read_others();
    }
    match app.db.on_disk() {
        None => tell(waiting, answers),
        // The next group need not wait for it.
        Some(on_disk) => _ = app.tasks.spawn(tell_once(on_disk, waiting, answers)),
    }
    is_in_vain
}

fn tell(waiting: Vec<oneshot::Sender<Result<Served>>>, answers: Answers) {
    for (waiting, answer) in waiting.into_iter().zip(answers) {
        // Who hung up is served all the same: the booking is theirs, and the same key shows it.
        let _gone = waiting.send(answer);
    }
}

async fn tell_once(on_disk: OnDisk, waiting: Vec<oneshot::Sender<Result<Served>>>, answers: Answers) {
    let answers = match on_disk.reached().await {
        Ok(()) => answers,
        Err(error) => answers.into_iter().map(|answer| answer.and_then(|_| Err(away(&error)))).collect(),
    };
    tell(waiting, answers);
}

/// What is wrong with one of them is then its own affair. Keys make it safe: what was done is not done again.
async fn one_by_one(app: &App, booth: &mut Booth, event_id: EventId, requests: &[Request]) -> Answers {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = together(app, booth, event_id, std::slice::from_ref(request), false).await;
        answers.push(answer.and_then(|mut one| one.pop().unwrap_or_else(|| Err(Error::fault("no answer")))));
    }
    answers
}

/// The same news for everybody in the group.
fn away(error: &Error) -> Error {
    match error {
        Error::Fault(Fault::CommitInDoubt(why)) => Fault::CommitInDoubt(why.clone()).into(),
        error => Error::Unavailable(error.to_string()),
    }
}

async fn together(
    app: &App,
    booth: &mut Booth,
    event_id: EventId,
    group: &[Request],
    looks_first: bool,
) -> Result<Answers> {
    if looks_first && let Some(answers) = look(app, &mut booth.line, event_id, group).await? {
        return Ok(answers);
    }
    let mut attempts = Attempts::new(&app.db, &app.ids, PLACE);
    let (mut has_keys, mut doubt) = (false, None);
    match guess(app, booth, event_id, group).await {
        Ok(Some(answers)) => return Ok(answers),
        Ok(None) => {}
        Err(error) => {
            tracing::debug!(%error, event = %event_id, "not as it was guessed");
            has_keys = may_have_been_done(&error);
            if let Error::Fault(Fault::CommitInDoubt(why)) = &error {
                doubt = Some(why.clone());
                if let Settled::Done(result) = attempts.settle_keyed(&mut booth.line, Err(error)).await {
                    return result;
                }
            }
        }
    }
    loop {
        let outcome = hold(booth, app, event_id, group, has_keys).await;
        // A key was used a moment ago, here or on another node, or by a commit of ours whose answer was lost: it is there
        // to be read now.
        has_keys |= outcome.as_ref().is_err_and(may_have_been_done);
        match attempts.settle_keyed(&mut booth.line, outcome).await {
            Settled::Done(result) => return result.map(|answers| beside(doubt, answers)),
            Settled::Again => {}
        }
    }
}

/// A guess has no lock until its message arrives. One of which nobody knows whether it did may arrive yet: it finds its key
/// used by who was granted since, and nothing in its way if they were refused.
fn beside(doubt: Option<DbErr>, answers: Answers) -> Answers {
    let Some(doubt) = doubt else { return answers };
    let one = |answer: Result<Served>| answer.map_err(|_| Fault::CommitInDoubt(doubt.clone()).into());
    answers.into_iter().map(one).collect()
}

fn may_have_been_done(error: &Error) -> bool {
    matches!(error, Error::Fault(Fault::Twin | Fault::CommitInDoubt(_)))
}

/// Without a lock: if nobody can get anything, that is the answer, and it was true when it was read.
async fn look(app: &App, line: &mut Line, event_id: EventId, group: &[Request]) -> Result<Option<Answers>> {
    let (now, backend) = (app.clock.now(), line.get_database_backend());
    let asked = [load::glance(backend, event_id, group), load::glance_keys(backend, group)];
    let read = line.read(&asked).await?;
    let [opened, used] = read.as_slice() else { return Err(Error::fault("questions, and no answer")) };
    let Some(opened) = Opened::glanced(opened, group)? else { return Ok(None) };
    let reading = Reading { is_locking: false, has_keys: false, now };
    // What else is read may need the connection.
    line.rest().await;
    let mut desk = load::desk(app.db.reads(), event_id, group, opened, reading).await?;
    desk.keys = load::keys(used)?;
    let verdicts = desk.decide(group);
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Granted(_))) {
        return Ok(None);
    }
    Ok(Some(answers(verdicts, Vec::new())))
}

/// A whole transaction in one message, decided on what the last one left. `None`: that cannot be.
async fn guess(app: &App, booth: &mut Booth, event_id: EventId, group: &[Request]) -> Result<Option<Answers>> {
    let (now, Booth { line, guess }) = (app.clock.now(), booth);
    let Some(known) = guess.as_ref() else { return Ok(None) };
    let Some(desk) = known.desk(group, now) else { return Ok(None) };
    let verdicts = desk.clone().decide(group);
    let new = bookings(app, event_id, group, &verdicts, now);
    let granted: Vec<&New<'_>> = new.iter().flatten().collect();
    let taken = write::taken(&granted);
    if granted.len() < group.len() || !known.is_enough(&taken) {
        return Ok(None);
    }
    let Some(mut known) = guess.take() else { return Ok(None) };
    line.followed(app.queues.waiting(event_id) > 0);
    let written = write::guessed(line, app, (&known, &desk), &granted, now).await;
    app.queues.guesses.count(written.is_ok());
    if let Err(error) = written {
        line.rollback().await;
        return Err(error);
    }
    known.take(&taken);
    *guess = Some(known);
    Ok(Some(answers(verdicts, new)))
}

/// A whole transaction.
async fn hold(booth: &mut Booth, app: &App, event_id: EventId, group: &[Request], has_keys: bool) -> Result<Answers> {
    let now = app.clock.now();
    let reading = Reading { is_locking: true, has_keys, now };
    let Booth { line, guess } = booth;
    let backend = line.get_database_backend();
    let opened = Opened::of(&line.begin(&load::opening(backend, event_id, group)).await?)?;
    let stock = if line.gains_at_once() { opened.stock.clone() } else { Vec::new() };
    let mut desk = load::desk(&*line, event_id, group, opened, reading).await?;
    let mut verdicts = desk.clone().decide(group);
    if !has_keys && verdicts.iter().any(|verdict| matches!(verdict, Verdict::Refused(_))) {
        // Refused, or answered before? Who is granted finds out when the key is stored.
        desk.keys = load::keys(&line.query_all_raw(load::select_keys(backend, group)).await?)?;
        verdicts = desk.clone().decide(group);
    }
    let new = bookings(app, event_id, group, &verdicts, now);
    if new.iter().any(Option::is_some) {
        line.followed(app.queues.waiting(event_id) > 0);
        let granted: Vec<&New<'_>> = new.iter().flatten().collect();
        let taken = write::taken(&granted);
        write::all(line, app, (&desk, &taken), &granted, now).await?;
        *guess = Guess::of(event_id, &stock, &taken).map(|new| new.beside(guess.take()));
    } else {
        line.rollback().await;
    }
    Ok(answers(verdicts, new))
}

/// What is to be written for each request that was granted, in its place.
fn bookings<'a>(
    app: &App,
    event_id: EventId,
    group: &'a [Request],
    verdicts: &[Verdict],
    now: DateTime<Utc>,
) -> Vec<Option<New<'a>>> {
    let one = |(request, verdict): (&'a Request, &Verdict)| match verdict {
        Verdict::Granted(price) => Some(New::of(app, event_id, request, *price, now)),
        Verdict::Known(_) | Verdict::Refused(_) => None,
    };
    group.iter().zip(verdicts).map(one).collect()
}

fn answers(verdicts: Vec<Verdict>, new: Vec<Option<New<'_>>>) -> Answers {
    let ids: Vec<Option<BookingId>> = new.iter().map(|new| new.as_ref().map(|new| new.booking.id)).collect();
    let mut new = new.into_iter();
    let one = |verdict| {
        let written = new.next().flatten();
        match verdict {
            Verdict::Refused(error) => Err(error),
            Verdict::Known(Answer::Stored(id)) => Ok(Served::Known(id.parse()?)),
            Verdict::Known(Answer::OfGroup(place)) => match ids.get(place).copied().flatten() {
                Some(id) => Ok(Served::Known(id)),
                None => Err(Error::fault("a key names a request that was not granted")),
            },
            Verdict::Granted(_) => match written {
                Some(new) => Ok(Served::New(Box::new(new.booking))),
                None => Err(Error::fault("granted, and not written")),
            },
        }
    };
    verdicts.into_iter().map(one).collect()
}
