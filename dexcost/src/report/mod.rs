//! What it cost, by whatever one wants to know it by.
//!
//! A [`Report`] is read from the rollups that the buffer's writer keeps, so its price depends on how
//! many days, customers and models there are, not on how many events. All sums are exact: the rows
//! add up to the total, to the last digit.
//!
//! ```
//! # use std::time::Duration;
//! # use dexcost::buffer::{Buffer, BufferOptions, BufferReader};
//! # use dexcost::Sink;
//! use dexcost::report::{By, Report, ReportQuery};
//!
//! # let folder = std::env::temp_dir().join(format!("dexcost-report-{}", std::process::id()));
//! # let path = folder.join("buffer.sqlite3");
//! # let buffer = Buffer::open(BufferOptions::at(&path))?;
//! # buffer.commit().wait(Duration::from_secs(10))?;
//! let report = Report::read(&BufferReader::open(&path)?, &ReportQuery::by(By::Customer))?;
//! for row in &report.rows {
//!     println!("{:<20} {:>12}", row.name.as_deref().unwrap_or("(none)"), row.total_cost_usd);
//! }
//! assert_eq!(report.total.total_cost_usd.to_string(), "0");
//! # drop(buffer);
//! # std::fs::remove_dir_all(folder).unwrap();
//! # Ok::<(), dexcost::Error>(())
//! ```

mod query;
mod row;
mod text;

use std::collections::HashMap;

use serde::Serialize;

use crate::buffer::{BufferReader, RollupRow, Tally, day_text};
use crate::error::Error;

pub use query::{By, ReportQuery};
pub use row::ReportRow;

/// Costs, counts and tokens by one criterion.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What the rows are by.
    pub by: By,
    /// The rows: days in their order, everything else with the most expensive first.
    pub rows: Vec<ReportRow>,
    /// The sum of the rows. Its tasks are counted by any criterion, models and providers too.
    pub total: ReportRow,
}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] where the file cannot be read.
    pub fn read(reader: &BufferReader, query: &ReportQuery) -> Result<Self, Error> {
        let mut sums = Sums {
            query,
            passes: HashMap::new(),
            groups: HashMap::new(),
            group: (i64::MIN, Tally::default()),
        };
        let (from, to) = query.days();
        reader.at_once(|| {
            reader.rollups(from, to, |rollup| sums.take(reader, rollup))?;
            sums.report(reader)
        })
    }

    /// The same report with only its first rows; the others are summed up in one, the last.
    #[must_use]
    pub fn top(mut self, most: usize) -> Self {
        if self.rows.len() > most {
            let rest = self.rows.split_off(most);
            let name = format!("({} more)", rest.len());
            self.rows.extend(ReportRow::sum_of(name, &rest));
        }
        self
    }
}

struct Sums<'q> {
    query: &'q ReportQuery,
    /// Which attributions pass the filter.
    passes: HashMap<i64, bool>,
    /// Sums by day, `who` or `what`, before those are named.
    groups: HashMap<i64, Tally>,
    /// The group that came last, not yet in the map.
    group: (i64, Tally),
}

impl Sums<'_> {
    fn take(&mut self, reader: &BufferReader, rollup: &RollupRow<'_>) -> Result<(), Error> {
        if self.query.has_filter() && !self.passes(reader, rollup.who)? {
            return Ok(());
        }
        let key = match self.query.by {
            By::Day => rollup.day,
            By::Customer | By::Project | By::TaskType => rollup.who,
            By::Model | By::Provider => rollup.what,
        };
        // Rows come in order of their keys, so the same group often comes twice in a row.
        if self.group.0 != key {
            let (last, sums) = std::mem::replace(&mut self.group, (key, Tally::default()));
            self.groups.entry(last).or_default().merge(&sums);
        }
        rollup.add_to(&mut self.group.1)
    }

    fn passes(&mut self, reader: &BufferReader, who: i64) -> Result<bool, Error> {
        if let Some(passes) = self.passes.get(&who) {
            return Ok(*passes);
        }
        let passes = self.query.passes(&reader.who(who)?);
        self.passes.insert(who, passes);
        Ok(passes)
    }

    fn report(mut self, reader: &BufferReader) -> Result<Report, Error> {
        let by = self.query.by;
        let (last, sums) = self.group;
        self.groups.entry(last).or_default().merge(&sums);
        // What had no row at all is no group.
        self.groups.retain(|_, sums| !sums.is_zero());
        let mut total = Tally::default();
        let mut named: HashMap<Option<String>, Tally> = HashMap::new();
        for (key, tally) in self.groups {
            total.merge(&tally);
            if by.counts_no_tasks() && key == crate::buffer::NO_WHAT {
                continue;
            }
            named.entry(name_of(reader, by, key)?).or_default().merge(&tally);
        }
        let total = ReportRow::new(None, &total, true);
        let rows = named.into_iter();
        let rows = rows.map(|(name, tally)| ReportRow::new(name, &tally, !by.counts_no_tasks()));
        let mut rows: Vec<ReportRow> = rows.collect();
        rows.sort_by(|a, b| order(by, a, b));
        Ok(Report { by, rows, total })
    }
}

fn name_of(reader: &BufferReader, by: By, key: i64) -> Result<Option<String>, Error> {
    let take = |[a, b, c]: [Option<String>; 3], place: usize| match place {
        0 => a,
        1 => b,
        _ => c,
    };
    Ok(match by {
        By::Day => Some(day_text(key)),
        By::Customer => take(reader.who(key)?, 0),
        By::Project => take(reader.who(key)?, 1),
        By::TaskType => take(reader.who(key)?, 2),
        By::Provider => take(reader.what(key)?, 0),
        By::Model => {
            let [_, model, service] = reader.what(key)?;
            model.or(service)
        }
    })
}

fn order(by: By, a: &ReportRow, b: &ReportRow) -> std::cmp::Ordering {
    if by == By::Day {
        return a.name.cmp(&b.name);
    }
    let dearest = b.total_cost_usd.cmp(&a.total_cost_usd);
    dearest.then_with(|| a.name.cmp(&b.name))
}
