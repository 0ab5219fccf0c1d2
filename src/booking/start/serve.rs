//! A group is served: one transaction, then each gets its own answer.

use super::{
    Served,
    load::{self, Opened, Reading},
    model::{Answer, Verdict},
    queue::Waiting,
    request::Request,
    write::{self, New},
};
use crate::{
    app::App,
    error::{Error, Fault, Result},
    infra::db::{Attempts, Line, Settled},
};
use chrono::{DateTime, Utc};
use entity::ids::{BookingId, EventId};
use sea_orm::ConnectionTrait;

/// As a rehearsal names it.
pub const PLACE: &str = module_path!();

/// What each of a group is answered, in its order.
type Answers = Vec<Result<Served>>;

/// Serves a group of one event's buyers. True if nobody got anything.
pub async fn serve(app: &App, line: &mut Line, event_id: EventId, group: Vec<Waiting>, looks_first: bool) -> bool {
    let (requests, waiting): (Vec<Request>, Vec<_>) = group.into_iter().map(|one| (one.request, one.answer)).unzip();
    let answers = match together(app, line, event_id, &requests, looks_first).await {
        Ok(answers) => answers,
        Err(error) if requests.len() == 1 => vec![Err(error)],
        Err(error) if error.is_away() => requests.iter().map(|_| Err(away(&error))).collect(),
        Err(error) => {
            tracing::warn!(%error, event = %event_id, "a group could not be served: one by one now");
            one_by_one(app, line, event_id, &requests).await
        }
    };
    let is_in_vain = !answers.iter().any(|answer| matches!(answer, Ok(Served::New(_))));
    for (waiting, answer) in waiting.into_iter().zip(answers) {
        // Who hung up is served all the same: the booking is theirs, and the same key shows it.
        let _gone = waiting.send(answer);
    }
    is_in_vain
}

/// What is wrong with one of them is then its own affair. Keys make it safe: what was done is not done again.
async fn one_by_one(app: &App, line: &mut Line, event_id: EventId, requests: &[Request]) -> Answers {
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let answer = together(app, line, event_id, std::slice::from_ref(request), false).await;
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
    line: &mut Line,
    event_id: EventId,
    group: &[Request],
    looks_first: bool,
) -> Result<Answers> {
    if looks_first && let Some(answers) = look(app, line, event_id, group).await? {
        return Ok(answers);
    }
    let mut attempts = Attempts::new(&app.db, &app.ids, PLACE);
    let mut has_keys = false;
    loop {
        let outcome = hold(line, app, event_id, group, has_keys).await;
        // A key was used a moment ago, here or on another node, or by a commit of ours whose answer was lost: it is there
        // to be read now.
        has_keys |= outcome.as_ref().is_err_and(may_have_been_done);
        match attempts.settle_keyed(line, outcome).await {
            Settled::Done(result) => return result,
            Settled::Again => {}
        }
    }
}

fn may_have_been_done(error: &Error) -> bool {
    matches!(error, Error::Fault(Fault::Twin | Fault::CommitInDoubt(_)))
}

/// Without a lock: if nobody can get anything, that is the answer, and it was true when it was read.
async fn look(app: &App, line: &mut Line, event_id: EventId, group: &[Request]) -> Result<Option<Answers>> {
    let (now, backend) = (app.clock.now(), line.get_database_backend());
    let mut asked = load::opening(backend, event_id, group, false);
    asked.push(load::select_keys(backend, group));
    let read = line.read(&asked).await?;
    let [opened @ .., used] = read.as_slice() else { return Err(Error::fault("questions, and no answer")) };
    let reading = Reading { is_locking: false, has_keys: false, now };
    // What else is read may need the connection.
    line.rest().await;
    let mut desk = load::desk(app.db.reads(), event_id, group, Opened::of(opened)?, reading).await?;
    desk.keys = load::keys(used)?;
    let verdicts = desk.decide(group);
    if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Granted(_))) {
        return Ok(None);
    }
    Ok(Some(answers(verdicts, Vec::new())))
}

/// A whole transaction.
async fn hold(line: &mut Line, app: &App, event_id: EventId, group: &[Request], has_keys: bool) -> Result<Answers> {
    let now = app.clock.now();
    let reading = Reading { is_locking: true, has_keys, now };
    let backend = line.get_database_backend();
    let opened = Opened::of(&line.begin(&load::opening(backend, event_id, group, true)).await?)?;
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
        write::all(line, app, &desk, &new.iter().flatten().collect::<Vec<_>>(), now).await?;
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
