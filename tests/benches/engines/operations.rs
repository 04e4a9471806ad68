//! The operations that are measured: the domain's own function on one side, its statements on the other.
use std::time::Duration;

use shared::{
    db::Conn,
    id::PromptId,
    prompts::{self, Selector, Show},
};

use crate::{
    contest::{Figures, Length, contest, timed},
    recorder::record,
    replay::replay,
    statements::{About, Script},
    store::{Store, caller, new_prompt},
};

const SEEDED: usize = 1000;

const READS: Length = Length { pairs: 200, block: 50, most: Duration::from_secs(10) };
const CREATES: Length = Length { pairs: 100, block: 10, most: Duration::from_secs(10) };

/// Every operation on one engine: its name, how many statements it has, and what was measured.
pub(crate) async fn measure(store: &Store) -> Vec<(&'static str, usize, Figures)> {
    store.seed(SEEDED).await;
    let ids = seeded_ids(store).await;
    let (by_id, its_statements) = read_by_id(store, &ids).await;
    let (by_name, their_statements) = read_by_name(store).await;
    let (create, statements_of_create) = create(store).await;
    vec![
        ("read by id", its_statements, by_id),
        ("read by name", their_statements, by_name),
        ("create, one commit", statements_of_create, create),
    ]
}

async fn seeded_ids(store: &Store) -> Vec<PromptId> {
    let mut conn: Conn = store.app.db.read().await.unwrap();
    let rows: Vec<(PromptId,)> =
        conn.fetch_all("SELECT id FROM prompts WHERE category = 'seed' ORDER BY id", &[]).await.unwrap();
    assert_eq!(rows.len(), SEEDED);
    rows.into_iter().map(|(id,)| id).collect()
}

/// Numbers from 0, again and again through what was seeded.
fn rounds() -> impl Iterator<Item = usize> {
    // Coprime to the number of prompts, so that all come, and neighbours do not follow each other.
    (0..).map(|turn| turn * 387 % SEEDED)
}

async fn read_by_id(store: &Store, ids: &[PromptId]) -> (Figures, usize) {
    let get = async |id| prompts::get(&store.app, &caller(), id, &Selector::Latest, Show::PROMPT).await.unwrap();
    let script = Script::new(record(async { drop(get(ids[0]).await) }).await);
    let (mut turns, mut bare_turns) = (rounds(), rounds());
    let product = async || timed(get(ids[turns.next().unwrap()])).await;
    let bare = async || {
        let id = ids[bare_turns.next().unwrap()].to_string();
        let parts = script.prepare(&About { id, ..About::default() });
        timed(replay(&store.bare.db, &parts)).await
    };
    (contest(READS, async || store.settle().await, product, bare).await, script.len())
}

async fn read_by_name(store: &Store) -> (Figures, usize) {
    let find = async |name: &str| {
        prompts::find_by_name(&store.app, &caller(), ("seed", name), &Selector::Latest, Show::PROMPT).await.unwrap()
    };
    let script = Script::new(record(async { drop(find("p0").await) }).await);
    let (mut turns, mut bare_turns) = (rounds(), rounds());
    let product = async || {
        let name = format!("p{}", turns.next().unwrap());
        timed(find(&name)).await
    };
    let bare = async || {
        let names = vec![format!("p{}", bare_turns.next().unwrap())];
        let parts = script.prepare(&About { category: "seed".to_owned(), names, ..About::default() });
        timed(replay(&store.bare.db, &parts)).await
    };
    (contest(READS, async || store.settle().await, product, bare).await, script.len())
}

async fn create(store: &Store) -> (Figures, usize) {
    let caller = caller();
    let make = async |category, name: &str| {
        let new = new_prompt(category, name);
        timed(async { prompts::create(&store.app, &caller, new).await.unwrap() }).await
    };
    let script = Script::new(record(async { _ = make("recorded", "p").await }).await);
    let (mut numbers, mut bare_numbers) = (0.., 0..);
    let product = async || make("product", &format!("create {}", numbers.next().unwrap())).await;
    let bare = async || {
        let names = vec![format!("create {}", bare_numbers.next().unwrap())];
        let parts = script.prepare(&About { category: "bare".to_owned(), names, ..About::default() });
        timed(replay(&store.bare.db, &parts)).await
    };
    let figures = contest(CREATES, async || store.settle().await, product, bare).await;
    assert_eq!(store.rows_of("product").await, store.rows_of("bare").await, "both sides must have done the same");
    (figures, script.len())
}
