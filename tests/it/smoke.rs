use support::TestApp;
#[tokio::test]
async fn a_prompt_is_kept() {
    let test = TestApp::api().await;
    test.prompt("a", "b", "c").await;
    assert_eq!(test.count("SELECT count(*) FROM prompts").await, 1);
}
#[tokio::test(flavor = "multi_thread")]
async fn both() {
    for test in [TestApp::embedded().await, TestApp::distributed().await] {
        let op = test
            .post("/api/v1/bulk/prompts", serde_json::json!([{"category":"a","name":"x","content":"c"}]))
            .await
            .expect(202);
        let path = format!("/api/v1/bulk/operations/{}", op["id"].as_str().unwrap());
        support::until("done", async || {
            let op = test.get(&path).await.expect(200);
            (op["status"] == "completed").then_some(())
        })
        .await;
    }
}
