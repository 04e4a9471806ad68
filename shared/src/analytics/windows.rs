//! A time between any two moments, cut into points, and each of them into what is known of it: whole days and whole hours
//! are added up already, and what is left at their edges is read event by event. So the parts of a time add up to the whole,
//! wherever it is cut.
use std::time::Duration;

use super::{
    model::Event,
    purge::HOURS_KEPT,
    repository,
    roll_up::{DAY, HOUR},
    rollups,
    series::Granularity,
    tally::Tally,
};
use crate::{
    clock::Timestamp,
    db::Conn,
    error::{Error, Result},
};

/// From the first moment up to the second, which is not part of it.
pub(super) type Span = (Timestamp, Timestamp);

/// Where days begin, in milliseconds east of UTC.
pub(super) type Offset = i64;

/// A time that is cut into points.
pub(super) struct Window {
    /// When each point begins, and at last where the time ends.
    edges: Vec<Timestamp>,
    /// Buckets of days that lie in a point whole, as spans.
    days: Vec<Span>,
    /// Of hours, where no whole day is.
    hours: Vec<Span>,
    /// What is no whole hour.
    rest: Vec<Span>,
}

/// When the hour, day or week of a moment began.
pub(super) fn start_of(granularity: Granularity, at: Timestamp, offset: Offset) -> Timestamp {
    let shift = granularity.first() - offset;
    Timestamp::from_millis(at.millis() - (at.millis() - shift).rem_euclid(granularity.length()))
}

/// The first whole bucket that begins in a span, and where the last ends; nothing where none is whole.
fn whole((from, to): Span, length: i64) -> Option<Span> {
    let up = (from.millis() + length - 1).div_euclid(length) * length;
    let down = to.millis().div_euclid(length) * length;
    (up < down).then(|| (Timestamp::from_millis(up), Timestamp::from_millis(down)))
}

/// Appends a span, or makes the last one longer.
fn push(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if last.1 == span.0 => last.1 = span.1,
        _ if span.0 < span.1 => spans.push(span),
        _ => {}
    }
}

impl Window {
    /// Cuts a time into points of a granularity; the first and the last may be shorter.
    pub(super) fn cut((from, to): Span, granularity: Granularity, offset: Offset) -> Self {
        let length = Duration::from_millis(granularity.length().unsigned_abs());
        let mut window = Self { edges: vec![from], days: Vec::new(), hours: Vec::new(), rest: Vec::new() };
        let mut next = start_of(granularity, from, offset) + length;
        while next < to {
            window.edges.push(next);
            next = next + length;
        }
        window.edges.push(to);
        for edge in 1..window.edges.len() {
            window.take_apart((window.edges[edge - 1], window.edges[edge]), granularity);
        }
        window
    }

    fn take_apart(&mut self, point: Span, granularity: Granularity) {
        let days = if granularity == Granularity::Hour { None } else { whole(point, DAY) };
        match days {
            Some((first, last)) => {
                self.take_hours((point.0, first));
                push(&mut self.days, (first, last));
                self.take_hours((last, point.1));
            }
            None => self.take_hours(point),
        }
    }

    fn take_hours(&mut self, span: Span) {
        match whole(span, HOUR) {
            Some((first, last)) => {
                push(&mut self.rest, (span.0, first));
                push(&mut self.hours, (first, last));
                push(&mut self.rest, (last, span.1));
            }
            None => push(&mut self.rest, span),
        }
    }

    /// When each point begins.
    pub(super) fn starts(&self) -> &[Timestamp] {
        &self.edges[..self.edges.len() - 1]
    }

    /// The beginning of the point that a moment lies in.
    pub(super) fn point(&self, at: Timestamp) -> Timestamp {
        let after = self.edges.partition_point(|edge| *edge <= at);
        self.edges[after.saturating_sub(1)]
    }

    /// Looks at everything that a prompt, or all of them where the id is empty, adds up to: what is added up already in
    /// buckets, with the beginning of each, and the rest event by event.
    pub(super) async fn sums(
        &self,
        conn: &mut Conn,
        prompt_id: &str,
        mut see: impl FnMut(Timestamp, &Tally),
    ) -> Result<()> {
        for (grain, spans) in [("day", &self.days), ("hour", &self.hours)] {
            for (from, to) in spans {
                for (bucket, tally) in rollups::tallies(conn, grain, prompt_id, *from, last_of(*to)).await? {
                    see(bucket, &tally);
                }
            }
        }
        self.events(conn, prompt_id, |event| see(event.occurred_at, &of_event(event))).await
    }

    /// The same by version, model and service.
    pub(super) async fn parts(
        &self,
        conn: &mut Conn,
        prompt_id: &str,
        mut see: impl FnMut(Timestamp, Part<'_>, &Tally),
    ) -> Result<()> {
        let only = Some(prompt_id.to_owned()).filter(|id| !id.is_empty());
        for (grain, spans) in [("day", &self.days), ("hour", &self.hours)] {
            for (from, to) in spans {
                rollups::parts(conn, grain, only.clone(), (*from, last_of(*to)), |part| {
                    let key = Part { version: part.version, model: &part.model, service_name: &part.service_name };
                    see(part.bucket, key, &part.tally);
                })
                .await?;
            }
        }
        self.events(conn, prompt_id, |event| {
            let part = Part {
                version: event.version,
                model: event.model.as_deref().unwrap_or_default(),
                service_name: event.service_name.as_deref().unwrap_or_default(),
            };
            see(event.occurred_at, part, &of_event(event));
        })
        .await
    }

    async fn events(&self, conn: &mut Conn, prompt_id: &str, mut see: impl FnMut(&Event)) -> Result<()> {
        for span in &self.rest {
            repository::each_between(conn, prompt_id, *span, &mut see).await?;
        }
        Ok(())
    }

    /// Refuses a time that is not known so finely any more: hours go after 90 days, events after as long as the settings say.
    pub(super) async fn check(&self, conn: &mut Conn, prompt_id: &str, now: Timestamp) -> Result<()> {
        let kept = now - HOURS_KEPT;
        if self.hours.first().or(self.rest.first()).is_some_and(|(from, _)| *from < kept) {
            let detail = "hours are known for 90 days; a time before must begin and end with a day in UTC, in points of days or weeks";
            return Err(Error::invalid("/start_date", "too-old", detail));
        }
        for (from, to) in &self.rest {
            let mut hour = start_of(Granularity::Hour, *from, 0);
            while hour < *to {
                let end = hour + Duration::from_millis(HOUR.unsigned_abs());
                let added_up = rollups::tallies(conn, "hour", prompt_id, hour, hour).await?;
                let events = added_up.values().map(|tally| tally.events).sum::<i64>();
                if repository::count_between(conn, prompt_id, (hour, end)).await? != events {
                    let detail = format!(
                        "what was reported between {hour} and {end} is not known one by one any more, only as a whole; begin and \
                         end with an hour, or set PROMPT_STORE_USAGE_DAYS higher"
                    );
                    return Err(Error::invalid("/start_date", "too-old", detail));
                }
                hour = end;
            }
        }
        Ok(())
    }
}

/// Whose figures they are.
pub(super) struct Part<'p> {
    pub(super) version: i64,
    pub(super) model: &'p str,
    pub(super) service_name: &'p str,
}

/// The last moment before one.
fn last_of(end: Timestamp) -> Timestamp {
    end - Duration::from_millis(1)
}

fn of_event(event: &Event) -> Tally {
    let mut tally = Tally::default();
    tally.add(event);
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn length(spans: &[Span]) -> i64 {
        spans.iter().map(|(from, to)| to.millis() - from.millis()).sum()
    }

    #[test]
    fn a_time_is_taken_apart_without_gap_or_overlap_wherever_it_is_cut() {
        let from = at("2026-03-01T10:20:30.500Z");
        for minutes in [1, 59, 60, 61, 600, 1440, 1441, 20_000] {
            let to = from + Duration::from_mins(minutes);
            for granularity in [Granularity::Hour, Granularity::Day, Granularity::Week] {
                for offset in [0, HOUR, -5 * HOUR, 5 * HOUR + HOUR / 2] {
                    let window = Window::cut((from, to), granularity, offset);
                    let mut all: Vec<Span> =
                        [&window.days, &window.hours, &window.rest].into_iter().flatten().copied().collect();
                    all.sort_unstable();
                    assert_eq!((all[0].0, all[all.len() - 1].1), (from, to), "{minutes} {granularity:?} {offset}");
                    assert!(
                        all.windows(2).all(|pair| pair[0].1 == pair[1].0),
                        "{minutes} {granularity:?} {offset}: {all:?}"
                    );
                    assert_eq!(length(&all), to.millis() - from.millis());
                    assert!(window.days.iter().all(|(from, to)| from.millis() % DAY == 0 && to.millis() % DAY == 0));
                    assert!(window.hours.iter().all(|(from, to)| from.millis() % HOUR == 0 && to.millis() % HOUR == 0));
                }
            }
        }
    }

    #[test]
    fn points_begin_where_days_do_in_their_zone() {
        let window = Window::cut((at("2026-03-01T00:00:00Z"), at("2026-03-03T00:00:00Z")), Granularity::Day, 2 * HOUR);
        let starts: Vec<String> = window.starts().iter().map(Timestamp::to_string).collect();
        assert_eq!(starts, ["2026-03-01T00:00:00.000Z", "2026-03-01T22:00:00.000Z", "2026-03-02T22:00:00.000Z"]);
        assert_eq!(window.point(at("2026-03-02T05:00:00Z")), at("2026-03-01T22:00:00Z"));
        assert!(window.days.is_empty() && window.rest.is_empty());
    }
}
