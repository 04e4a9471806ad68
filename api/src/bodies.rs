//! Bodies are taken in whole before their request takes a place among those that are worked: whoever sends slowly keeps nobody
//! waiting. What is taken in at once is bounded, whoever sends it.
use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::StatusCode,
};
use http_body_util::BodyExt;
use shared::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// The most bytes of a body, unless the route takes many prompts.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// The most bytes of a body under `/bulk`.
const BULK_BODY_MAX: usize = 32 * 1024 * 1024;
/// The most bytes of all bodies that are taken in at once, beyond those that each may have anyway.
const ALL_MAX: usize = 128 * 1024 * 1024;
/// A body of so many bytes is always taken in: most are much shorter.
const FREE: usize = 64 * 1024;
/// Room is given by so many bytes.
const UNIT: usize = 1024;

/// How large the body of a request for this route may be.
pub(crate) fn most(route: &str) -> usize {
    if route.starts_with("/api/v1/bulk/") { BULK_BODY_MAX } else { BODY_MAX }
}

/// The room there is for bodies.
pub(crate) struct Room(Arc<Semaphore>);

/// Room that is taken, until it is given back.
#[derive(Default)]
pub(crate) struct Taken(Option<OwnedSemaphorePermit>);

impl Room {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(ALL_MAX / UNIT)))
    }

    /// Takes a body in, which must come in time.
    pub(crate) async fn take(&self, body: Body, most: usize, within: Duration) -> Result<(Bytes, Taken), Problem> {
        let taking = tokio::time::timeout(within, self.take_all(body, most)).await;
        taking.unwrap_or_else(|_| {
            let detail = format!("the body did not come within {} s; send it again", within.as_secs_f32());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", detail))
        })
    }

    async fn take_all(&self, mut body: Body, most: usize) -> Result<(Bytes, Taken), Problem> {
        let (mut bytes, mut taken) = (Vec::new(), Taken::default());
        while let Some(frame) = body.frame().await {
            let broken = |_| Problem::new(StatusCode::BAD_REQUEST, "body-broken", "the body ended before it was whole");
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_large(most));
            }
            self.grow(&mut taken, bytes.len() + data.len())?;
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.into(), taken))
    }

    /// Takes what a body of so many bytes needs. Who waited for room would keep that which they have.
    fn grow(&self, taken: &mut Taken, bytes: usize) -> Result<(), Problem> {
        let has = taken.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = bytes.saturating_sub(FREE).div_ceil(UNIT);
        if needs <= has {
            return Ok(());
        }
        let more = u32::try_from(needs - has).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.0).try_acquire_many_owned(more).map_err(|_| {
            let detail = "others send much at this moment, and there is no room for more; try again in a moment";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
        })?;
        match &mut taken.0 {
            Some(taken) => taken.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

/// A body that was taken in.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, usize::MAX).await.map_err(|_| Error::internal("a body that was not taken in").into())
}

pub(crate) fn too_large(most: usize) -> Problem {
    let detail = format!("the body has more than {} MiB; send less at once", most / 1024 / 1024);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    const MIB: usize = 1024 * 1024;

    async fn take(room: &Room, bytes: usize) -> Result<(Bytes, Taken), Problem> {
        room.take(Body::from(vec![b'x'; bytes]), BULK_BODY_MAX, Duration::from_mins(1)).await
    }

    #[tokio::test]
    async fn so_much_is_taken_in_at_once_and_small_bodies_always() {
        let room = Room::new();
        let mut large = Vec::new();
        while let Ok(taken) = take(&room, 32 * MIB).await {
            large.push(taken);
        }
        assert_eq!(large.len(), 4);
        assert_eq!(take(&room, MIB).await.err().unwrap().into_response().status(), 503);
        assert_eq!(take(&room, FREE).await.unwrap().0.len(), FREE);
        large.pop();
        assert_eq!(take(&room, MIB).await.unwrap().0.len(), MIB);
        drop(large);
        assert_eq!(room.0.available_permits(), ALL_MAX / UNIT, "all of it is given back");
    }

    #[tokio::test]
    async fn a_body_is_taken_in_up_to_its_limit_whatever_it_says() {
        let room = Room::new();
        let body = || Body::from_stream(futures::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>("0123456789"))));
        let minute = Duration::from_mins(1);
        assert_eq!(room.take(body(), 1000, minute).await.unwrap().0.len(), 1000);
        assert_eq!(room.take(body(), 999, minute).await.err().unwrap().into_response().status(), 413);
    }
}
