//! A process that is killed while it brings the tables up to date leaves a store that the next one finishes.
use shared::db::Db;
use support::{Engine, Process, Processes, engine, figure, settings};

async fn open(store: &Processes) -> Db {
    Db::open(&settings(&["--db", &store.location()]).0).await.unwrap()
}

/// How many migrations are done.
async fn done(db: &Db) -> i64 {
    let sql = "SELECT count(*) FROM _sqlx_migrations WHERE success";
    let found = db.read().await.unwrap().fetch_one::<(i64,)>(sql, &[]).await;
    found.map_or(0, |(count,)| count)
}

/// Every table, column, index and trigger, as the engine knows them.
async fn shape(db: &Db) -> Vec<(String,)> {
    let sql = match engine() {
        Engine::Sqlite => "SELECT type || ' ' || name || ': ' || COALESCE(sql, '') FROM sqlite_master ORDER BY 1",
        Engine::Postgres => {
            "SELECT table_name || '.' || column_name || ': ' || data_type || ' ' || is_nullable || COALESCE(column_default, '')
             FROM information_schema.columns WHERE table_schema = 'public'
             UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
             UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                       WHERE connamespace = 'public'::regnamespace
             UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        }
    };
    db.read().await.unwrap().fetch_all(sql, &[]).await.unwrap()
}

/// The copies that were made before an update.
fn copies(store: &Processes) -> Vec<String> {
    let names = std::fs::read_dir(store.folder()).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    names.filter(|name| name.contains(".before-update-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_every_migration_the_next_start_goes_on() {
    let (store, never_killed) = (Processes::embedded(), Processes::embedded());
    assert_eq!(never_killed.run("prompt-store", &["migrate"]).0, 0);
    let expected = open(&never_killed).await;
    let (all, shape_of_all) = (done(&expected).await, shape(&expected).await);
    let db = open(&store).await;

    let (mut kills, mut seen) = (0_i64, vec![0]);
    while done(&db).await < all {
        let before = done(&db).await;
        let mut migrating = Process::start(&mut store.command("prompt-store", &["migrate"]));
        while done(&db).await == before && !migrating.has_ended() {
            tokio::task::yield_now().await;
        }
        // Somewhere in the next one.
        for _ in 0..kills % 7 {
            done(&db).await;
        }
        migrating.kill();
        kills += 1;
        seen.push(done(&db).await);
        assert!(kills < 10 * all, "it gets on: {seen:?}");
    }
    seen.dedup();
    assert!(kills > 3, "it was killed on its way: {seen:?}");
    assert!(shape_of_all.len() > 100 && shape(&db).await == shape_of_all);
    db.close().await;

    // What was half written by the last that was killed is there until the next update.
    let (drafts, kept): (Vec<_>, Vec<_>) = copies(&store).into_iter().partition(|name| name.contains(".draft"));
    assert!(drafts.len() <= 4, "{drafts:?}");
    if engine() == Engine::Sqlite {
        assert!(!kept.is_empty());
    }
    for (number, copy) in kept.iter().enumerate() {
        let restored = store.folder().join(format!("restored-{number}.db"));
        let mut restoring = store.command("prompt-store", &["restore", copy]);
        let (code, _, said) = Processes::finish(restoring.env("PROMPT_STORE_DB", &restored));
        assert_eq!(code, 0, "{copy}: {said}");
    }
    let _api = store.start_api().await;
    let prompt = serde_json::json!({ "category": "a", "name": "b", "content": "c" });
    assert_eq!(store.post("/api/v1/prompts", &prompt).await.unwrap().0, 201);
    let copies = kept.len();
    figure(
        "P-D8",
        format_args!(
            "{kills} kills on the way through {all} migrations, at {seen:?}: finished; {copies} copies, all whole"
        ),
    );
}
