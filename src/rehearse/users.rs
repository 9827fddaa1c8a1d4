//! Users: a modest, steady stream of requests at the service that users reach, so that what a release does to them is real.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{COOKIE, HeaderName, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// Of so many users one is of those that conditions send to the canary.
const ONE_IN: usize = 10;
/// Users that keep cookies.
const PEOPLE: usize = 50;
/// How long a user waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// What users ask.
#[derive(Clone, Debug)]
pub(super) struct Users {
    /// The router's door.
    pub(super) at: SocketAddr,
    /// The path, from its slash.
    pub(super) path: String,
    /// Requests a second; zero for none.
    pub(super) rate: f64,
    /// Headers of those that conditions send to the canary; `None` without conditions.
    pub(super) chosen: Option<Vec<(String, String)>>,
    /// Whether they keep the cookies that they get.
    pub(super) keeps_cookies: bool,
}

impl Users {
    /// Asks until it is dropped. A request goes out when it is due, whatever became of those before it.
    pub(super) async fn ask(self) {
        if self.rate <= 0.0 {
            return std::future::pending().await;
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
        let began = Instant::now();
        let mut cookies: Vec<Option<HeaderValue>> = vec![None; PEOPLE];
        let (sender, mut got) = mpsc::unbounded_channel();
        for n in 0_usize.. {
            sleep_until(began + Duration::from_secs_f64(n as f64 / self.rate)).await;
            while let Ok((who, cookie)) = got.try_recv() {
                cookies[who] = cookie;
            }
            let who = n % PEOPLE;
            let Some(request) = self.request(n, cookies[who].as_ref()) else { return };
            let (client, sender, keeps) = (client.clone(), sender.clone(), self.keeps_cookies);
            tokio::spawn(async move {
                let answered = async {
                    let answer = client.request(request).await.ok()?;
                    let cookie = answer.headers().get(SET_COOKIE).and_then(kept);
                    // Read to its end: that is what its user waits for.
                    let _ = answer.into_body().collect().await;
                    cookie
                };
                if let Ok(Some(cookie)) = timeout(PATIENCE, answered).await
                    && keeps
                {
                    // Nobody hears it once the stream of users has ended.
                    let _ = sender.send((who, cookie));
                }
            });
        }
    }

    fn request(&self, n: usize, cookie: Option<&HeaderValue>) -> Option<Request<Empty<Bytes>>> {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = cookie {
            headers.insert(COOKIE, cookie.clone());
        }
        for (name, value) in self.chosen.iter().flatten().filter(|_| n.is_multiple_of(ONE_IN)) {
            headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        let mut request = Request::get(format!("http://{}{}", self.at, self.path)).body(Empty::new()).ok()?;
        *request.headers_mut() = headers;
        Some(request)
    }
}

/// What a user sends back of a cookie: nothing once it is over.
fn kept(cookie: &HeaderValue) -> Option<Option<HeaderValue>> {
    let text = cookie.to_str().ok()?;
    let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
    if attributes.contains("Max-Age=-") {
        return Some(None);
    }
    Some(HeaderValue::try_from(pair).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_sent_back_without_its_attributes_and_not_after_its_end() {
        let of = |text: &'static str| kept(&HeaderValue::from_static(text)).flatten();
        assert_eq!(of("kept=1; Max-Age=60"), Some(HeaderValue::from_static("kept=1")));
        assert_eq!(of("kept=1"), Some(HeaderValue::from_static("kept=1")));
        assert_eq!(of("kept=1; Max-Age=-1"), None);
    }

    #[test]
    fn one_user_in_ten_is_of_those_that_conditions_choose() {
        let users = Users {
            at: ([127, 0, 0, 1], 80).into(),
            path: "/".into(),
            rate: 1.0,
            chosen: Some(vec![("x-canary".into(), "true".into())]),
            keeps_cookies: false,
        };
        let chosen = |n: usize| users.request(n, None).unwrap().headers().contains_key("x-canary");
        assert_eq!((0..100).filter(|n| chosen(*n)).count(), 10);
        let plain = Users { chosen: None, ..users };
        let cookie = HeaderValue::from_static("kept=1");
        let request = plain.request(0, Some(&cookie)).unwrap();
        assert_eq!((request.headers().len(), request.headers().get(COOKIE)), (1, Some(&cookie)));
    }
}
