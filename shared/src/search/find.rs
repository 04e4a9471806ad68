//! A search: what is found, in which order, and how it spreads over the facets.
use std::{cmp::Reverse, sync::Arc};

use super::{
    expression::Expression,
    facets::{FacetCount, Facets, FacetsWanted},
    filter::{Filter, Sieve, Verdict},
    highlight::Marker,
    ladder::{self, Correction, Ladder},
    mirror::{Entry, Mirror, Reading},
    query::Query,
    words,
};
use crate::{
    app::App,
    caller::Folders,
    db::Conn,
    error::{Error, Result},
    text,
};

/// With so many documents that fit nobody needs what was not asked for.
const ENOUGH: usize = 10;
/// So many hits at the end of a page would have to go before its cursor loses its place.
const ANCHORS: usize = 5;
/// How often a query is asked, less and less strictly.
const RUNGS: u8 = 4;
/// A corrected query is proposed when it finds so many times as much.
const WORTH_MEANING: usize = 3;

/// What is in the index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Prompts.
    #[default]
    Prompt,
    /// What refinements led to.
    Document,
}

impl Kind {
    /// Ids tell.
    pub(super) fn of(id: &str) -> Self {
        if id.starts_with("doc_") { Self::Document } else { Self::Prompt }
    }
}

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Nothing else is found,
    pub kind: Kind,
    /// and nothing elsewhere.
    pub within: Folders,
    /// In the query language.
    pub query: String,
    /// Hits meet them all, and those in the query. How loosely the words are read does not depend on them.
    pub filters: Vec<Filter>,
    /// What is counted.
    pub facets: FacetsWanted,
}

/// One thing that was found.
#[derive(Clone, Debug)]
pub struct Hit {
    entry: Arc<Entry>,
    /// 1: all words as they are. 2: all words, or others in their place. 3: some of the words. 4: only what stands in quotes.
    /// 0: no words were asked for.
    pub rung: u8,
    /// How well the name fits: 3 the very name, 2 its words, 1 its words when corrected.
    pub exact: u8,
    /// How well the text fits, beside the best of the same rung: 0 to 1.
    pub text: f64,
    /// Published ones count more than deprecated ones.
    pub status_factor: f64,
    /// What is used much counts a little more: 1 to 1.1.
    pub use_factor: f64,
}

impl Hit {
    /// What was found.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.entry.id
    }

    /// Larger is better; scores of two answers do not compare.
    #[must_use]
    pub fn score(&self) -> f64 {
        let above = if self.rung == 0 { 0.0 } else { f64::from(RUNGS - self.rung) };
        f64::from(self.exact) + (above + self.text * self.status_factor * self.use_factor / 1.1) / f64::from(RUNGS)
    }

    /// What hits are sorted by, the best first: ties are broken by the last change, then by the id. Where no words were
    /// asked for, the newest comes first.
    fn place(&self) -> (Reverse<i64>, Reverse<i64>, Reverse<&str>) {
        if self.rung == 0 {
            // Ids are in the order of creation.
            return (Reverse(0), Reverse(0), Reverse(&self.entry.id));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a score is less than ten")]
        let score = (self.score() * 1e9) as i64;
        (Reverse(score), Reverse(self.entry.updated_at), Reverse(&self.entry.id))
    }
}

/// Where a page of hits ended: at the last of these hits that is still there. If none is, where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The score of the last, times 10⁹.
    pub score: i64,
    /// When the last was written to.
    pub updated_at: i64,
    /// The last hits of the page, in order.
    pub ids: Vec<String>,
}

/// What was found.
pub struct Found {
    /// Reads as of the moment of the search.
    pub conn: Conn,
    /// The best first, all of them.
    pub hits: Vec<Hit>,
    /// By field.
    pub facets: Vec<FacetCount>,
    /// Words that were taken for others.
    pub corrections: Vec<(String, String)>,
    /// A query that would find more.
    pub did_you_mean: Option<String>,
    /// Some hits do not have all of the words.
    pub relaxed: bool,
    /// Shows where the words stand.
    pub marker: Marker,
}

impl Found {
    /// Lets how much something is used count, among the `best` hits: `uses` answers for an id.
    #[expect(clippy::cast_precision_loss, reason = "a factor needs few digits")]
    pub fn favour(&mut self, best: usize, uses: impl Fn(&str) -> i64) {
        let best = best.min(self.hits.len());
        let all: Vec<i64> = self.hits[..best].iter().map(|hit| uses(hit.id()).max(0)).collect();
        let most = all.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return;
        }
        for (hit, uses) in self.hits[..best].iter_mut().zip(all) {
            hit.use_factor = 1.0 + 0.1 * (1.0 + uses as f64).ln() / (1.0 + most as f64).ln();
        }
        self.hits[..best].sort_by(|one, other| one.place().cmp(&other.place()));
    }

    /// Where a page ends.
    #[must_use]
    pub fn place(page: &[Hit]) -> Option<Place> {
        let (Reverse(score), Reverse(updated_at), _) = page.last()?.place();
        let ids = page[page.len().saturating_sub(ANCHORS)..].iter().map(|hit| hit.id().to_owned());
        Some(Place { score, updated_at, ids: ids.collect() })
    }

    /// The hits after that place. All scores shift a little when prompts come and go, but hits keep their order; so what
    /// counts is where the last hit stands now.
    #[must_use]
    pub fn after(&self, place: &Place) -> &[Hit] {
        let at = |id: &String| self.hits.iter().position(|hit| hit.id() == id);
        if let Some(last) = place.ids.iter().rev().find_map(at) {
            return &self.hits[last + 1..];
        }
        let id = place.ids.last().map_or("", String::as_str);
        let place = (Reverse(place.score), Reverse(place.updated_at), Reverse(id));
        &self.hits[self.hits.iter().take_while(|hit| hit.place() <= place).count()..]
    }
}

/// Searches. 422 for a query that is too long, or that says nothing where no filter does either.
///
/// How loosely a query is read is decided by all documents that the caller may see, whatever the filters and exclusions
/// say. So no filter makes hits appear, and a facet counts what its value finds as a filter.
pub async fn find(app: &App, search: Search) -> Result<Found> {
    let query = Query::parse(&search.query, search.kind)?;
    if query.blank && query.filters.is_empty() && search.filters.is_empty() {
        let detail = "say what to look for, or give a filter to list what meets it, the newest first";
        return Err(Error::invalid("/query", "required", detail));
    }
    let mut reading = app.search.read(app).await?;
    let vocabulary = app.search.vocabulary(app, &mut reading).await?;
    let ladder = Ladder::new(&query, &vocabulary, reading.mirror.len());
    let mut gathered = Gathered::new(&search, &query, &reading.mirror);
    gathered.leave_out(&mut reading, &ladder.excluded()).await?;
    if query.clauses.is_empty() {
        // Signs alone are no word, and find nothing; filters and exclusions alone find all the rest.
        if query.blank || !query.signs {
            gathered.take_all();
        }
        return Ok(gathered.finish(reading, Vec::new(), None));
    }
    let corrections = ladder.corrections();
    // How many fit as they are, and how many with other words in their place.
    let (mut exact, mut strict) = (0, 0);
    let mut asked: Vec<Expression> = Vec::new();
    let rungs = [Ladder::exact, Ladder::wide, Ladder::loose, Ladder::quoted];
    for (rung, expression) in (1..).zip(rungs) {
        if gathered.fitting >= ENOUGH {
            break;
        }
        let expression = expression(&ladder);
        if !asked.contains(&expression) {
            gathered.take(&mut reading, rung, &expression).await?;
            asked.push(expression);
        }
        match rung {
            1 => (exact, strict) = (gathered.fitting, gathered.fitting),
            2 => strict = gathered.fitting,
            _ => {}
        }
    }
    gathered.recognize(&query, &corrections);
    // A word may stand in no prompt that may be seen.
    let tells = search.within.are_all() && asked.len() > 1 && gathered.fitting > exact;
    let corrections = if tells { corrections } else { Vec::new() };
    let worth = !corrections.is_empty() && strict > 0 && strict >= WORTH_MEANING * exact;
    let did_you_mean = worth.then(|| ladder::corrected(&query.text, &corrections));
    Ok(gathered.finish(reading, corrections, did_you_mean))
}

/// What has been found so far.
struct Gathered<'s> {
    search: &'s Search,
    mirror: Arc<Mirror>,
    sieve: Sieve,
    facets: Facets<'s>,
    /// By number of the document: was it met on an earlier rung?
    met: Vec<bool>,
    /// By number of the document: has it what must not be found?
    excluded: Vec<bool>,
    /// How many the words fit, of those that the caller may see.
    fitting: usize,
    hits: Vec<Hit>,
    marker: Marker,
}

impl<'s> Gathered<'s> {
    fn new(search: &'s Search, query: &Query, mirror: &Arc<Mirror>) -> Self {
        Self {
            search,
            sieve: Sieve::new(&query.filters, &search.filters, mirror),
            facets: Facets::new(&search.facets, mirror),
            mirror: mirror.clone(),
            met: vec![false; mirror.capacity()],
            excluded: vec![false; mirror.capacity()],
            fitting: 0,
            hits: Vec::new(),
            marker: Marker::default(),
        }
    }

    async fn leave_out(&mut self, reading: &mut Reading, excluded: &Expression) -> Result<()> {
        for (doc, _) in super::matches(&mut reading.conn, excluded).await? {
            if let Some(excluded) = self.excluded.get_mut(doc as usize) {
                *excluded = true;
            }
        }
        Ok(())
    }

    /// Takes what an expression finds and no earlier one did.
    async fn take(&mut self, reading: &mut Reading, rung: u8, expression: &Expression) -> Result<()> {
        let matches = super::matches(&mut reading.conn, expression).await?;
        let best = matches.iter().map(|(_, score)| *score).max().unwrap_or(0).max(1);
        for (doc, score) in matches {
            #[expect(clippy::cast_precision_loss, reason = "a score needs few digits")]
            let text = score.max(0) as f64 / best as f64;
            self.take_one(doc, rung, text);
        }
        self.marker.learn(expression);
        Ok(())
    }

    fn take_all(&mut self) {
        let all: Vec<u32> = self.mirror.iter().map(|(doc, _)| doc).collect();
        for doc in all {
            self.take_one(doc, 0, 0.0);
        }
    }

    fn take_one(&mut self, doc: u32, rung: u8, text: f64) {
        // A hit that the mirror does not know would be of another moment.
        let Some(entry) = self.mirror.get(doc) else { return };
        if std::mem::replace(&mut self.met[doc as usize], true) || entry.kind != self.search.kind {
            return;
        }
        if !self.search.within.hold(&entry.category) {
            return;
        }
        self.fitting += 1;
        if self.excluded[doc as usize] {
            return;
        }
        match self.sieve.verdict(entry) {
            Verdict::Failed => {}
            Verdict::FailedOnly(field) => self.facets.count(entry, Some(field)),
            Verdict::Passed => {
                self.facets.count(entry, None);
                let status_factor = status_factor(&entry.status);
                let entry = entry.clone();
                self.hits.push(Hit { entry, rung, exact: 0, text, status_factor, use_factor: 1.0 });
            }
        }
    }

    /// Finds the hits that are called what was asked for.
    fn recognize(&mut self, query: &Query, corrections: &[Correction]) {
        let (name, key) = (text::composed(&query.text), words::key(&query.text));
        let meant = (!corrections.is_empty()).then(|| words::key(&ladder::corrected(&query.text, corrections)));
        for hit in &mut self.hits {
            hit.exact = match &*hit.entry {
                entry if entry.name == name => 3,
                entry if words::is_same(&entry.key, &key) => 2,
                entry if meant.as_ref().is_some_and(|meant| words::is_same(&entry.key, meant)) => 1,
                _ => 0,
            };
        }
    }

    fn finish(mut self, reading: Reading, corrections: Vec<Correction>, did_you_mean: Option<String>) -> Found {
        self.hits.sort_unstable_by(|one, other| one.place().cmp(&other.place()));
        self.marker.spare_stop_words();
        Found {
            conn: reading.conn,
            relaxed: self.hits.iter().any(|hit| hit.rung > 2),
            facets: self.facets.finish(),
            hits: self.hits,
            corrections: corrections.into_iter().map(|one| (one.from, one.to)).collect(),
            did_you_mean,
            marker: self.marker,
        }
    }
}

fn status_factor(status: &str) -> f64 {
    match status {
        "draft" => 0.9,
        "deprecated" => 0.6,
        "archived" => 0.4,
        _ => 1.0,
    }
}
