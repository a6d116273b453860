//! A whole history at a glance, without reading an operation.

use collab_protocol::UserId;

use super::{Histories, HistoryError};
use crate::store::{Activity, DocumentRecord};

/// What happened in one stretch of revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// The first revision.
    pub(crate) from: u64,
    /// The last revision.
    pub(crate) to: u64,
    /// The earliest time.
    pub(crate) from_ms: i64,
    /// The latest time.
    pub(crate) to_ms: i64,
    /// Who wrote, who wrote most first.
    pub(crate) authors: Vec<UserId>,
}

/// Stretches of equally many revisions, the last perhaps shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The last revision that it covers.
    pub(crate) revision: u64,
    /// The buckets, in order.
    pub(crate) buckets: Vec<Bucket>,
}

impl Histories {
    /// The history in at most `buckets` stretches.
    pub(crate) async fn summary(
        &self,
        record: &DocumentRecord,
        buckets: u64,
    ) -> Result<Summary, HistoryError> {
        let _place = self.jobs.enter().await?;
        let width = record.revision.get().div_ceil(buckets.max(1)).max(1);
        let activities = self.store.activity(record.id, width).await?;
        Ok(summarize(activities, width))
    }
}

/// Puts the activities of each stretch together.
fn summarize(activities: Vec<Activity>, width: u64) -> Summary {
    let mut buckets: Vec<Bucket> = Vec::new();
    let stretch = |activity: &Activity| (activity.first.get() - 1) / width;
    for together in activities.chunk_by(|one, next| stretch(one) == stretch(next)) {
        let mut by_count: Vec<&Activity> = together.iter().collect();
        by_count.sort_by_key(|activity| std::cmp::Reverse(activity.operations));
        let numbers = |of: fn(&Activity) -> u64| together.iter().map(of);
        let times = |of: fn(&Activity) -> i64| together.iter().map(of);
        buckets.push(Bucket {
            from: numbers(|activity| activity.first.get()).min().unwrap_or_default(),
            to: numbers(|activity| activity.last.get()).max().unwrap_or_default(),
            from_ms: times(|activity| activity.first_ms).min().unwrap_or_default(),
            to_ms: times(|activity| activity.last_ms).max().unwrap_or_default(),
            authors: by_count.into_iter().map(|activity| activity.author.clone()).collect(),
        });
    }
    Summary { revision: buckets.last().map_or(0, |bucket| bucket.to), buckets }
}

#[cfg(test)]
mod tests {
    use ot_core::Revision;

    use super::*;

    #[test]
    fn who_wrote_most_of_a_stretch_comes_first() {
        let activity = |user: &str, first, last, operations| Activity {
            author: user.parse().expect("an id"),
            first: Revision::new(first),
            last: Revision::new(last),
            operations,
            first_ms: 10 * first.cast_signed(),
            last_ms: 10 * last.cast_signed(),
        };
        let found = summarize(
            vec![activity("g_1", 2, 4, 1), activity("g_2", 1, 3, 3), activity("g_1", 5, 6, 2)],
            4,
        );
        let bucket = |from: u64, to: u64, authors: &[&str]| Bucket {
            from,
            to,
            from_ms: 10 * from.cast_signed(),
            to_ms: 10 * to.cast_signed(),
            authors: authors.iter().map(|user| user.parse().expect("an id")).collect(),
        };
        let buckets = vec![bucket(1, 4, &["g_2", "g_1"]), bucket(5, 6, &["g_1"])];
        assert_eq!(found, Summary { revision: 6, buckets });
        assert_eq!(summarize(Vec::new(), 4), Summary { revision: 0, buckets: Vec::new() });
    }
}
