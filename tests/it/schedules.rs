//! What comes again and again, once for all nodes.

use crate::harness::TestApp;
use chrono::TimeDelta;
use entity::job;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use spotlight::infra::jobs;

crate::scenarios![
    two_nodes_plan_a_schedule_once_and_it_comes_again,
    the_lease_of_a_schedule_moves_when_its_holder_dies,
];

async fn sweeps(app: &TestApp) -> Vec<job::Model> {
    job::Entity::find().filter(job::Column::Name.eq("sweep_kv")).all(app.app.db.reads()).await.unwrap()
}

async fn two_nodes_plan_a_schedule_once_and_it_comes_again(app: TestApp) {
    let other = app.node("other", |_| {}).await;
    let (first, second) = tokio::join!(jobs::plan_schedules(&app.app), jobs::plan_schedules(&other.app));
    first.and(second).unwrap();
    let [planned] = sweeps(&app).await.try_into().unwrap();
    assert_eq!(planned.run_at, app.now());
    app.work().await;
    let [again] = sweeps(&app).await.try_into().unwrap();
    assert_eq!((again.run_at, again.attempts, again.lease_owner), (app.now() + TimeDelta::minutes(10), 0, None));
    jobs::plan_schedules(&other.app).await.unwrap();
    assert_eq!(jobs::run_due(&other.app).await.unwrap(), 0, "it was done by the other node");
    app.move_clock(TimeDelta::minutes(10));
    assert!(jobs::run_due(&other.app).await.unwrap() > 0);
    other.stop().await;
}

async fn the_lease_of_a_schedule_moves_when_its_holder_dies(app: TestApp) {
    let other = app.node("other", |_| {}).await;
    jobs::plan_schedules(&app.app).await.unwrap();
    app.work().await;
    let [row] = sweeps(&app).await.try_into().unwrap();
    // A node claimed it, and was killed before it was done.
    let mut claimed = row.clone().into_active_model();
    (claimed.run_at, claimed.attempts) = (Set(app.now()), Set(1));
    (claimed.lease_owner, claimed.lease_until) =
        (Set(Some("dead".into())), Set(Some(app.now() + TimeDelta::minutes(1))));
    claimed.update(app.app.db.reads()).await.unwrap();
    let due = || async { jobs::run_due(&other.app).await.unwrap() };
    assert_eq!(due().await, 0, "the lease is not over");
    app.move_clock(TimeDelta::seconds(61));
    // Whatever else came due meanwhile.
    assert!(due().await > 0);
    let [again] = sweeps(&app).await.try_into().unwrap();
    assert_eq!(again.run_at, app.now() + TimeDelta::minutes(10));
    other.stop().await;
}
