//! Hits page by page: a cursor holds the place where its page ended.
use super::find::{Found, Hit, Place};
use crate::{
    app::App,
    error::{Error, Result},
    page::{PageRequest, Position, SortKey},
};

/// The hits of a page, and one more if there is one.
pub struct HitPage {
    /// In their order.
    pub hits: Vec<Hit>,
    /// How many there are on all pages.
    pub total: i64,
    end: Option<Position>,
}

impl HitPage {
    /// Where it ends.
    ///
    /// # Panics
    ///
    /// Where nothing is on it.
    #[must_use]
    pub fn end(&self) -> Position {
        self.end.clone().expect("a page that is not empty ends")
    }
}

impl Place {
    /// Where the page before ended, if a cursor says so.
    pub fn after(app: &App, request: &PageRequest, list: &str) -> Result<Option<Self>> {
        request.after(&app.secret, list)?.map(|position| Self::at(&position)).transpose()
    }

    fn at(position: &Position) -> Result<Self> {
        let (SortKey::Number(score), Some((updated_at, ids))) = (&position.key, position.id.split_once(' ')) else {
            return Err(Error::internal("a cursor of ours holds no place"));
        };
        let updated_at = updated_at.parse().map_err(|_| Error::internal("a cursor of ours holds no time"))?;
        Ok(Self { score: *score, updated_at, ids: ids.split(' ').map(str::to_owned).collect() })
    }

    fn position(&self) -> Position {
        Position { key: SortKey::Number(self.score), id: format!("{} {}", self.updated_at, self.ids.join(" ")) }
    }
}

impl Found {
    /// The hits of a page.
    #[must_use]
    pub fn page(&self, request: &PageRequest, after: Option<&Place>) -> HitPage {
        let size = |number: i64| usize::try_from(number).unwrap_or(0);
        let rest = match after {
            Some(place) => self.after(place),
            None => &self.hits[size(request.offset()).min(self.hits.len())..],
        };
        let hits: Vec<Hit> = rest.iter().take(size(request.limit_and_one())).cloned().collect();
        let shown = hits.len().min(size(request.rows()));
        let end = Self::place(&hits[..shown]).map(|place| place.position());
        HitPage { hits, total: i64::try_from(self.hits.len()).unwrap_or(i64::MAX), end }
    }
}
