//! Answers, shared among those who ask the same: many hooks look at the same moment, and one that waits for evidence looks
//! twice a second.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::Source;
use crate::slo::{Answer, Query};

/// How long an answer is as good as new: a Prometheus scrapes no more often than every second.
const FRESH: Duration = Duration::from_secs(1);

/// One query's newest answer. Held while it is being asked for, so that others wait for the same answer.
type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Answer)>>>;

/// Somebody's answers. A clone shares them.
#[derive(Clone, Debug)]
pub struct Answers {
    source: Arc<dyn Source>,
    known: Arc<Mutex<BTreeMap<Query, Slot>>>,
}

impl Answers {
    /// None yet.
    #[must_use]
    pub fn of(source: Arc<dyn Source>) -> Self {
        Self { source, known: Arc::default() }
    }

    /// What these queries come to now, or did in the last second. What is not answered within `limit` is no number.
    pub async fn to(&self, queries: &BTreeSet<&Query>, limit: Duration) -> BTreeMap<Query, Answer> {
        let until = Instant::now() + limit;
        let each = queries.iter().map(|query| async move {
            let answer = timeout_at(until, self.one(query)).await;
            let late = || Err(format!("Prometheus gave no answer within {limit:?}"));
            ((*query).clone(), answer.unwrap_or_else(|_| late()))
        });
        join_all(each).await.into_iter().collect()
    }

    async fn one(&self, query: &Query) -> Answer {
        let slot = self.slot(query);
        let mut newest = slot.lock().await;
        if let Some((_, answer)) = newest.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return answer.clone();
        }
        let answer = self.source.ask(query).await;
        *newest = Some((Instant::now(), answer.clone()));
        answer
    }

    /// The query's place. Places that nobody holds and whose answer is old are given up.
    fn slot(&self, query: &Query) -> Slot {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = |slot: &Slot| {
            slot.try_lock().map_or(true, |newest| newest.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH))
        };
        known.retain(|_, slot| Arc::strong_count(slot) > 1 || is_new(slot));
        Arc::clone(known.entry(query.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Counts up, and takes its time.
    #[derive(Debug)]
    struct Slow(AtomicU32, Duration);

    impl Source for Slow {
        fn ask<'a>(&'a self, _: &'a Query) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
            Box::pin(async {
                tokio::time::sleep(self.1).await;
                Ok(f64::from(self.0.fetch_add(1, Ordering::SeqCst)))
            })
        }
    }

    fn answers(takes: Duration) -> Answers {
        Answers::of(Arc::new(Slow(AtomicU32::new(0), takes)))
    }

    async fn ask(answers: &Answers, query: &str, limit: Duration) -> Answer {
        let query = Query(query.to_owned());
        answers.to(&[&query].into(), limit).await.remove(&query).unwrap()
    }

    const LONG: Duration = Duration::from_secs(9);

    #[tokio::test(start_paused = true)]
    async fn who_asks_at_the_same_time_or_just_after_gets_the_same_answer() {
        let answers = answers(Duration::from_millis(100));
        let both = tokio::join!(ask(&answers, "a", LONG), ask(&answers, "a", LONG));
        assert_eq!(both, (Ok(0.0), Ok(0.0)));
        assert_eq!(ask(&answers, "b", LONG).await, Ok(1.0), "another question");
        tokio::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(ask(&answers, "a", LONG).await, Ok(0.0), "still as good as new");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(ask(&answers, "a", LONG).await, Ok(2.0), "asked again");
        assert_eq!(answers.known.lock().unwrap().len(), 1, "what is old and not asked again is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_even_for_who_waits_for_the_question_of_another() {
        let answers = answers(Duration::from_secs(3));
        let late = Err("Prometheus gave no answer within 1s".to_owned());
        let limit = Duration::from_secs(1);
        let began = Instant::now();
        let both = tokio::join!(ask(&answers, "a", LONG), ask(&answers, "a", limit));
        assert_eq!(both, (Ok(0.0), late.clone()));
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(ask(&answers, "a", limit).await, late, "nobody is answered by what is too late");
        assert_eq!(began.elapsed(), Duration::from_secs(6));
        assert_eq!(ask(&answers, "a", LONG).await, Ok(1.0), "who gives up holds up nobody");
    }
}
