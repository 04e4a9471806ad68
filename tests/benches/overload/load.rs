//! Requests that come when they come, whether or not the ones before were answered.
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Whoever finds no connection opens one, up to so many. A browser or a pool would not open more either.
const CONNECTIONS_MAX: usize = 1500;

/// Makes requests of one kind, each as bytes.
pub(crate) type Make = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// What came of a request.
#[derive(Clone, Copy, Debug)]
struct Answer {
    status: u16,
    /// From the moment it was to be sent.
    took: Duration,
    retry_after: bool,
}

/// What came of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    answers: Vec<(Duration, Answer)>,
    /// There was no connection left to ask by.
    pub(crate) unsent: usize,
    pub(crate) lasted: Duration,
}

impl Outcome {
    /// What was answered as asked, a second.
    pub(crate) fn goodput(&self) -> f64 {
        count(self.good().count()) / self.lasted.as_secs_f64()
    }

    fn good(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().map(|(_, answer)| answer).filter(|answer| (200..300).contains(&answer.status))
    }

    /// The time within which so many of a thousand were that were answered as asked.
    pub(crate) fn within(&self, of_thousand: usize) -> Duration {
        quantile(self.good(), of_thousand)
    }

    /// The time within which so many of a thousand were, whatever they were answered.
    pub(crate) fn all_within(&self, of_thousand: usize) -> Duration {
        quantile(self.answers.iter().map(|(_, answer)| answer), of_thousand)
    }

    /// How many were answered.
    pub(crate) fn answered(&self) -> usize {
        self.answers.len()
    }

    /// How many of each status.
    pub(crate) fn statuses(&self) -> BTreeMap<u16, usize> {
        let mut statuses = BTreeMap::new();
        for (_, answer) in &self.answers {
            *statuses.entry(answer.status).or_default() += 1;
        }
        statuses
    }

    /// Was everybody who was refused told when to come back?
    pub(crate) fn is_polite(&self) -> bool {
        self.answers.iter().all(|(_, answer)| answer.status != 503 || answer.retry_after)
    }

    /// After how long it was as on any day: for half a second nobody was refused, and 99 of 100 waited no longer than this.
    pub(crate) fn calm_after(&self, at_most: Duration) -> Option<Duration> {
        let half = Duration::from_millis(500);
        let windows = self.lasted.as_millis() / half.as_millis();
        (0..u32::try_from(windows).unwrap()).map(|window| half * window).find(|from| {
            let within = |at: &Duration| (*from..*from + half).contains(at);
            let answers: Vec<Answer> = self.answers.iter().filter(|(at, _)| within(at)).map(|(_, it)| *it).collect();
            let late = answers.iter().filter(|it| it.took > at_most).count();
            !answers.is_empty() && late * 100 <= answers.len() && answers.iter().all(|it| it.status < 300)
        })
    }
}

fn quantile<'a>(answers: impl Iterator<Item = &'a Answer>, of_thousand: usize) -> Duration {
    let mut times: Vec<Duration> = answers.map(|answer| answer.took).collect();
    times.sort_unstable();
    if times.is_empty() { Duration::ZERO } else { times[(times.len() - 1) * of_thousand / 1000] }
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// As many at once as there are connections, each as soon as the one before was answered.
pub(crate) async fn closed(port: u16, make: &Make, connections: usize, time: Duration) -> Outcome {
    let began = Instant::now();
    let numbers = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let asking: Vec<_> = (0..connections)
        .map(|_| {
            let (make, numbers) = (make.clone(), numbers.clone());
            tokio::spawn(async move {
                let (mut connection, mut answers) = (None, Vec::new());
                while began.elapsed() < time {
                    let number = numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let at = Instant::now();
                    let asked = ask(port, connection.take(), &make(number)).await;
                    let (answer, kept) =
                        asked.unwrap_or((Answer { status: 0, took: Duration::ZERO, retry_after: false }, None));
                    connection = kept;
                    answers.push((began.elapsed(), Answer { took: at.elapsed(), ..answer }));
                }
                answers
            })
        })
        .collect();
    let mut answers = Vec::new();
    for each in asking {
        answers.extend(each.await.unwrap());
    }
    Outcome { answers, unsent: 0, lasted: began.elapsed() }
}

/// So many a second, at moments of their own, as from people who know nothing of each other.
pub(crate) async fn open(port: u16, make: &Make, rate: f64, time: Duration) -> Outcome {
    let (idle, answers) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let (mut random, mut unsent, mut asking) = (StdRng::seed_from_u64(7), 0, tokio::task::JoinSet::new());
    let (began, mut next, mut number) = (Instant::now(), Duration::ZERO, 0_u64);
    let open = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut pause = tokio::time::interval(Duration::from_millis(1));
    while began.elapsed() < time {
        pause.tick().await;
        while next <= began.elapsed() {
            let at = began + next;
            // Exponential gaps: they come in heaps, and leave gaps.
            next += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / rate);
            number += 1;
            let connection: Option<TcpStream> = idle.lock().unwrap().pop();
            if connection.is_none() && open.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= CONNECTIONS_MAX {
                open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
                unsent += 1;
                continue;
            }
            let (request, idle, answers, open) = (make(number), idle.clone(), answers.clone(), open.clone());
            asking.spawn(async move {
                let asked = ask(port, connection, &request).await;
                let (answer, kept) =
                    asked.unwrap_or((Answer { status: 0, took: Duration::ZERO, retry_after: false }, None));
                match kept {
                    Some(connection) => idle.lock().unwrap().push(connection),
                    None => drop(open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed)),
                }
                answers.lock().unwrap().push((at - began, Answer { took: at.elapsed(), ..answer }));
            });
        }
        while asking.try_join_next().is_some() {}
    }
    let lasted = began.elapsed();
    while asking.join_next().await.is_some() {}
    let answers = std::mem::take(&mut *answers.lock().unwrap());
    Outcome { answers, unsent, lasted }
}

/// Asks by a connection that was kept, or a new one; answers with it, if the server keeps it. One that was idle for long may be
/// closed by now, as every client must expect: then by a new one.
async fn ask(port: u16, kept: Option<TcpStream>, request: &[u8]) -> std::io::Result<(Answer, Option<TcpStream>)> {
    if let Some(kept) = kept
        && let Ok(answered) = ask_by(kept, request).await
    {
        return Ok(answered);
    }
    ask_by(TcpStream::connect(("127.0.0.1", port)).await?, request).await
}

async fn ask_by(mut connection: TcpStream, request: &[u8]) -> std::io::Result<(Answer, Option<TcpStream>)> {
    connection.set_nodelay(true)?;
    connection.write_all(request).await?;
    let mut buffer = Vec::with_capacity(4096);
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if connection.read_buf(&mut buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let head = std::str::from_utf8(&buffer[..end]).map_err(std::io::Error::other)?.to_ascii_lowercase();
    let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length = field("content-length: ").and_then(|length| length.trim().parse::<usize>().ok()).unwrap_or(0);
    while buffer.len() < end + length {
        if connection.read_buf(&mut buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    let kept = field("connection: ").is_none_or(|word| word.trim() != "close");
    let answer = Answer { status, took: Duration::ZERO, retry_after: field("retry-after: ").is_some() };
    Ok((answer, kept.then_some(connection)))
}
