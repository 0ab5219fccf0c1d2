//! The contract, held by the embedded twin, and what only it promises.

use super::*;

macro_rules! held_by_the_embedded_twin {
    ($($rule:ident)+) => {$(
        #[tokio::test]
        async fn $rule() -> Result<(), SearchError> {
            contract::$rule(Search::Tantivy(TantivySearch::in_memory()?)).await
        }
    )+};
}

held_by_the_embedded_twin! {
    text_is_found_as_koreans_type_it
    a_match_in_the_title_ranks_above_all_others
    a_score_does_not_depend_on_other_events
    an_older_version_never_replaces_a_newer_one
    filters_narrow_and_facets_count_the_other_choices
    pages_cover_every_event_once_in_both_directions
    highlights_show_what_matched
    suggestions_come_as_one_types
    ids_walk_over_every_event
}

fn concert(number: u128, title: &str) -> Vec<Change> {
    let now = chrono::DateTime::UNIX_EPOCH;
    vec![Change::Upsert(Box::new(EventDocument {
        id: Uuid::from_u128(number),
        title: title.into(),
        content: "작은 무대에서 듣는 큰 노래. 예매는 **오늘** 열립니다.\n".repeat(20),
        venue_name: "소극장 산울림".into(),
        venue_address: "서울특별시 마포구 와우산로 157".into(),
        artist_name: "소란".into(),
        category: "CONCERT".into(),
        starts_at: now,
        ends_at: now,
        booking_opens_at: now,
        booking_closes_at: now,
        lowest_price: 0,
        highest_price: 0,
        remaining: 0,
        booked: 0,
        created_at: now,
        version: 1,
    }))]
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::test]
async fn an_index_outlives_its_process_and_remembers_whether_it_was_filled() -> Outcome {
    let folder = tempfile::tempdir()?;
    {
        let search = Search::Tantivy(TantivySearch::open(folder.path())?);
        assert!(search.needs_reindex());
        search.apply(concert(1, "밤의 노래")).await?;
        search.set_reindexed().await?;
    }
    let search = Search::Tantivy(TantivySearch::open(folder.path())?);
    assert!(!search.needs_reindex());
    assert_eq!(search.document_count().await?, 1);
    search.clear().await?;
    assert!(search.needs_reindex());
    Ok(())
}

#[tokio::test]
async fn an_index_of_another_format_is_removed_and_nothing_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    for name in ["events-v0", "events-vault", "photos"] {
        std::fs::create_dir(folder.path().join(name))?;
    }
    TantivySearch::open(folder.path())?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path())? {
        names.push(entry?.file_name().into_string().unwrap_or_default());
    }
    names.sort();
    assert_eq!(names, [&format!("events-v{}", schema::FORMAT), "events-vault", "photos"]);
    Ok(())
}

#[tokio::test]
async fn a_damaged_index_is_made_again() -> Outcome {
    let folder = tempfile::tempdir()?;
    let ours = folder.path().join(format!("events-v{}", schema::FORMAT));
    for damage in ["not json", "{}"] {
        {
            let search = Search::Tantivy(TantivySearch::open(folder.path())?);
            search.apply(concert(1, "밤의 노래")).await?;
            search.set_reindexed().await?;
        }
        std::fs::write(ours.join("meta.json"), damage)?;
        let search = Search::Tantivy(TantivySearch::open(folder.path())?);
        assert!(search.needs_reindex(), "{damage}");
        assert_eq!(search.document_count().await?, 0);
    }
    Ok(())
}

#[tokio::test]
async fn readers_follow_a_writer_and_a_second_writer_is_told() -> Outcome {
    let folder = tempfile::tempdir()?;
    let [one, other] = [TantivySearch::open(folder.path())?, TantivySearch::open(folder.path())?].map(Search::Tantivy);
    one.apply(concert(1, "밤의 노래")).await?;
    assert!(matches!(other.apply(concert(2, "낮의 노래")).await, Err(SearchError::Busy)));
    let third = Search::Tantivy(TantivySearch::open(folder.path())?);
    assert_eq!(third.document_count().await?, 1);
    Ok(())
}

/// Prints how long the usual work takes: `cargo test --lib search -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn how_long_it_takes() -> Outcome {
    let folder = tempfile::tempdir()?;
    let search = Search::Tantivy(TantivySearch::open(folder.path())?);
    let many = |from: u128, count: u128| {
        (from..from + count).flat_map(|n| concert(n, &format!("인디 밴드의 밤 {n}"))).collect()
    };
    for count in [1, 300, 10_000] {
        let start = std::time::Instant::now();
        search.apply(many(count, count)).await?;
        println!("apply {count}: {:?}", start.elapsed());
    }
    let start = std::time::Instant::now();
    search.apply(concert(5, "소극장의 밤")).await?;
    println!("one edit: {:?}", start.elapsed());
    for text in ["소극장의", "인디밴드", "ㅇㄷㅂㄷ", "인디 벤드", "노래 무대"] {
        let query = SearchQuery { text: Some(text.into()), limit: 20, ..Default::default() };
        let start = std::time::Instant::now();
        let page = search.query(&query).await?;
        println!("query {text}: {:?}, {} hits", start.elapsed(), page.total);
    }
    for prefix in ["ㅇ", "인디", "인드"] {
        let start = std::time::Instant::now();
        let found = search.suggest(prefix, 8).await?;
        println!("suggest {prefix}: {:?}, {} found", start.elapsed(), found.len());
    }
    Ok(())
}

#[tokio::test]
async fn who_follows_the_database_reads_it_after_the_one_before_has_written() -> Outcome {
    use futures_util::poll;
    use std::cell::Cell;
    let search = Search::Tantivy(TantivySearch::in_memory()?);
    let (slow, gate) = tokio::sync::oneshot::channel::<()>();
    let has_read = Cell::new(false);
    let mut first = Box::pin(search.follow(async {
        let _open = gate.await;
        Ok::<_, SearchError>(concert(1, "취소되기 전의 노래"))
    }));
    let mut second = Box::pin(search.follow(async {
        has_read.set(true);
        Ok::<_, SearchError>(vec![Change::Delete(Uuid::from_u128(1))])
    }));
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert!(!has_read.get(), "it read while another was about to write what it had read");
    let opened = slow.send(());
    assert!(opened.is_ok());
    let (first, second) = tokio::join!(first, second);
    first?;
    second?;
    assert_eq!(search.document_count().await?, 0);
    Ok(())
}
