//! Far more jobs than Redis is told of: none of them is stuck.
use std::time::Instant;

use shared::jobs::{self, WINDOW};
use support::{RedisServer, TestApp, figure, in_full};

use super::{QUEUE, all_done, order, silent};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_waiting_jobs_are_all_done() {
    // A script of Redis takes some eight thousand arguments and no more.
    let backlogs = if in_full() { vec![8000, 8001, 20_000] } else { vec![WINDOW + 1] };
    for jobs in backlogs {
        let redis = RedisServer::start();
        let mut test = TestApp::distributed_over(&redis).await;
        test.stop_worker().await;
        order(&silent(&test), "waiting", jobs).await;
        // Many who ring at the same moment all see that there is room.
        let due = jobs::due(&test.app, QUEUE, i64::try_from(jobs).unwrap()).await.unwrap();
        let ringing = due.chunks(WINDOW).map(|some| test.app.doorbell.ring(QUEUE, some));
        let rung: usize = futures::future::join_all(ringing).await.into_iter().sum();

        let began = Instant::now();
        test.start_worker();
        all_done(&test, jobs).await;

        let time = began.elapsed();
        figure("waiting jobs", format_args!("{jobs}, of which {rung} or more lay in Redis: all done in {time:.1?}"));
        assert_eq!(test.count("SELECT count(*) FROM jobs WHERE fence <> 1").await, 0, "each was claimed once");
    }
}
