//! `/metrics`: gauges in Prometheus's text format, for the networks that `metrics.allowed` names. All are read when they are
//! asked for, into a recorder of that request: what is gone is not shown, and several servers in one process do not mix.

use super::address::ClientAddress;
use crate::{
    admin::gauges::{self, Gauges},
    app::App,
    booking::start::Queues,
};
use axum::{
    extract::{ConnectInfo, Extension, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Prometheus itself waits for 10 s.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn metrics(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    headers: HeaderMap,
) -> Response {
    let is_allowed = app.config.metrics.allowed.iter().any(|net| net.contains(&address));
    if !is_allowed || is_lent(address, peer.ip().to_canonical(), &headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let read = tokio::time::timeout(PATIENCE, gauges::read(&app)).await;
    let read = read.ok().and_then(|read| {
        read.inspect_err(|error| tracing::warn!(%error, "what the database has is left out of the metrics")).ok()
    });
    ([(header::CONTENT_TYPE, FORMAT)], text(&app.queues, read.as_ref())).into_response()
}

/// A proxy that nobody named lends its own address to all who come through it.
fn is_lent(address: IpAddr, peer: IpAddr, headers: &HeaderMap) -> bool {
    address == peer && (headers.contains_key("x-forwarded-for") || headers.contains_key(header::FORWARDED))
}

fn text(queues: &Queues, read: Option<&Gauges>) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        describe_gauge!("spotlight_booking_queue_waiting", "Buyers who wait for their turn on this node.");
        gauge!("spotlight_booking_queue_waiting").set(number(queues.waiting_in_all()));
        describe_counter!("spotlight_booking_guesses_total", "Groups of buyers decided on what the last one left.");
        for (outcome, count) in ["right", "wrong"].into_iter().zip(<[u64; 2]>::from(queues.guesses.made())) {
            counter!("spotlight_booking_guesses_total", "outcome" => outcome).absolute(count);
        }
        describe_gauge!("spotlight_database_up", "1 if the database could be asked, 0 if not.");
        gauge!("spotlight_database_up").set(f64::from(u8::from(read.is_some())));
        if let Some(read) = read {
            show(read);
        }
    });
    recorder.handle().render()
}

fn show(read: &Gauges) {
    describe_gauge!("spotlight_invariant_broken", "Rows that broke the rule when it was last checked; must be 0.");
    for (slug, broken) in &read.last_check.broken {
        gauge!("spotlight_invariant_broken", "rule" => *slug).set(number(*broken));
    }
    if let Some(at) = read.last_check.at {
        describe_gauge!("spotlight_invariants_checked_timestamp_seconds", "When the rules were last checked.");
        gauge!("spotlight_invariants_checked_timestamp_seconds").set(number(at.timestamp()));
    }
    describe_gauge!("spotlight_payments_in_doubt", "Payments of which nobody knows yet what became of them.");
    gauge!("spotlight_payments_in_doubt").set(number(read.payments_in_doubt));
    describe_gauge!("spotlight_jobs", "Jobs whose time has come, and jobs that failed for good.");
    gauge!("spotlight_jobs", "state" => "due").set(number(read.jobs_due));
    gauge!("spotlight_jobs", "state" => "parked").set(number(read.jobs_parked));
}

/// Exact up to 2³² (as seconds, until 2106), and no more than that.
fn number(count: impl TryInto<u32>) -> f64 {
    f64::from(count.try_into().unwrap_or(u32::MAX))
}
