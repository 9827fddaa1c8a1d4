//! What is done for every request: the path made plain, the handler found and guarded, the answer counted and logged.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any, get, post};
use http::{HeaderMap, Request, Uri, header};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use tower_http::catch_panic::CatchPanicLayer;

use super::hook::Peer;
use super::receipt::Receipt;
use super::reply::{Reply, Status};
use super::{App, alerts, api, canaries, gates, probes, reports, tasks};

/// The label of a path that is none of ours.
const OTHER: &str = "other";

/// All there is to ask, ready to answer.
#[derive(Clone, Debug)]
pub struct Front {
    app: Arc<App>,
    routes: TowerToHyperService<Router>,
    paths: Arc<[&'static str]>,
}

/// The paths, in the order in which a caller who missed is told them. Any method may ask where the loadtester does not look
/// at methods either.
fn routes() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
    vec![
        ("/", any(tasks::plain)),
        ("/rollout", any(tasks::rollout)),
        ("/pre-rollout", any(tasks::pre_rollout)),
        ("/confirm", any(tasks::confirm)),
        ("/rollback", any(tasks::rollback)),
        ("/gate/check", any(gates::check_confirm)),
        ("/gate/open", any(gates::open_confirm)),
        ("/gate/close", any(gates::close_confirm)),
        ("/gate/approve", any(gates::approve)),
        ("/gate/halt", any(gates::halt)),
        ("/rollback/check", any(gates::check_rollback)),
        ("/rollback/open", any(gates::open_rollback)),
        ("/rollback/close", any(gates::close_rollback)),
        ("/event", any(reports::event)),
        ("/post-rollout", any(reports::post_rollout)),
        ("/alertmanager", any(alerts::alertmanager)),
        ("/healthz", any(probes::healthz)),
        ("/readyz", any(probes::readyz)),
        ("/metrics", any(probes::metrics)),
        ("/api/v1/gates", get(api::gates).fallback(only("GET, HEAD"))),
        ("/api/v1/gates/{namespace}/{name}", get(api::gates_of).fallback(only("GET, HEAD"))),
        ("/api/v1/canaries", get(canaries::all).fallback(only("GET, HEAD"))),
        ("/api/v1/canaries/{namespace}/{name}", get(canaries::one).fallback(only("GET, HEAD"))),
        ("/api/v1/canaries/{namespace}/{name}/verdict", get(canaries::verdict).fallback(only("GET, HEAD"))),
        (
            "/api/v1/canaries/{namespace}/{name}/override",
            post(canaries::rule).delete(canaries::unrule).fallback(only("POST, DELETE")),
        ),
        ("/api/v1/canaries/{namespace}/{name}/stop", post(canaries::stop).fallback(only("POST"))),
        ("/api/v1/stop", post(canaries::stop_all).fallback(only("POST"))),
        ("/api/v1/log-level", get(api::log_level).put(api::set_log_level).fallback(only("GET, HEAD, PUT"))),
        ("/api/v1/openapi.json", get(api::openapi).fallback(only("GET, HEAD"))),
    ]
}

/// What else is asked of a path of the API: as axum does it, who may GET may ask for the head alone.
fn only(allowed: &'static str) -> impl Fn() -> std::future::Ready<Reply> + Clone + Send + Sync + 'static {
    move || {
        let words = allowed.replace(", HEAD", "").replace(", ", " or ");
        std::future::ready(Reply::new(Status::WrongMethod(allowed), &format!("expected {words}")))
    }
}

impl Front {
    /// The service with all its paths.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self::with(app, routes())
    }

    fn with(app: Arc<App>, routes: Vec<(&'static str, MethodRouter<Arc<App>>)>) -> Self {
        let paths: Arc<[&'static str]> = routes.iter().map(|(path, _)| *path).collect();
        let missed = Reply::new(Status::NotFound, &missed(&paths));
        let router = routes.into_iter().fold(Router::new(), |router, (path, method)| router.route(path, method));
        let counted = Arc::clone(&app);
        let guard = CatchPanicLayer::custom(move |_| {
            counted.metrics.panicked();
            Reply::new(Status::Trouble, "tollgate broke on this request; its log says where").into_response()
        });
        let router = router.fallback(move || std::future::ready(missed.clone())).layer(guard);
        Self { routes: TowerToHyperService::new(router.with_state(Arc::clone(&app))), app, paths }
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    /// Answers one request.
    pub(super) async fn answer(self, peer: Peer, mut request: Request<Body>) -> Response {
        let started = Instant::now();
        request.extensions_mut().insert(peer);
        if let Some(plain) = plain(request.uri()) {
            *request.uri_mut() = plain;
        }
        let path = self.label(request.uri().path());
        let method = request.method().clone();
        let of_api = request.uri().path().starts_with("/api/");
        let wants_json = wants_json(request.headers());
        let mut response = match self.routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        let failed = !response.status().is_success();
        if (wants_json || of_api && failed)
            && let Some(reply) = reply_of(&mut response, of_api)
        {
            let receipt = Receipt::of(&mut response);
            response = reply.into_json();
            receipt.and_then(|receipt| response.extensions_mut().insert(receipt));
        }
        let (status, took) = (response.status().as_u16(), started.elapsed());
        self.app.metrics.answered(path, status, took);
        tracing::debug!(%method, path, status, peer = %peer.0, took_ms = took.as_secs_f64() * 1e3, "answered");
        response
    }

    /// The path as a label.
    fn label(&self, path: &str) -> &'static str {
        let fits = |route: &&&'static str| {
            let mut parts = path.split('/');
            let all = route.split('/').all(|part| match parts.next() {
                Some(given) => part.starts_with('{') && !given.is_empty() || part == given,
                None => false,
            });
            all && parts.next().is_none()
        };
        self.paths.iter().find(fits).copied().unwrap_or(OTHER)
    }
}

/// What was said, if it was said in a line. What the router itself refuses of the API is a path with parts that are no text.
fn reply_of(response: &mut Response, of_api: bool) -> Option<Reply> {
    let said = response.extensions_mut().remove::<Reply>();
    let odd = of_api && response.status().is_client_error();
    said.or_else(|| odd.then(|| Reply::new(Status::BadInput, "the path cannot be read")))
}

/// What there is: the hooks and probes on the line that Flagger shows, the rest below it.
fn missed(paths: &[&str]) -> String {
    let (api, hooks): (Vec<&str>, Vec<&str>) = paths.iter().partition(|path| path.starts_with("/api/"));
    format!("no such path; there are {}\nand {}", hooks.join(" "), api.join(" "))
}

/// Whether the answer should be JSON.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or("").trim());
    types.any(|kind| kind == "application/json" || kind == "application/problem+json")
}

/// The same address with `//`, `/./` and `/../` resolved; `None` where there are none. Go's server sends such callers on to
/// the plain path, and Flagger follows.
fn plain(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let odd = |part: &str| part.is_empty() || part == "." || part == "..";
    let inner = path.strip_prefix('/')?;
    if !inner.trim_end_matches('/').split('/').any(odd) && !inner.ends_with("//") || inner.is_empty() {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in inner.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let slash = if path.ends_with('/') && !parts.is_empty() { "/" } else { "" };
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("/{}{slash}{query}", parts.join("/")).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Engine;
    use crate::server::Settings;
    use crate::state::{Memory, Store};
    use crate::task::Live;
    use crate::telemetry::Logs;
    use http_body_util::BodyExt as _;

    async fn ask(front: &Front, path: &str) -> (u16, String) {
        let peer = Peer("127.0.0.1:9".parse().unwrap());
        let response = front.clone().answer(peer, Request::get(path).body(Body::empty()).unwrap()).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_handler_that_panics_answers_and_takes_nothing_with_it() {
        async fn broken() -> Reply {
            panic!("injected")
        }
        let store: Arc<dyn Store> = Arc::new(Memory);
        let loads = Live::new(Arc::new(Engine::start(1).unwrap()), tokio::runtime::Handle::current());
        let app = App::new(Settings::default(), &store, loads, Logs::none()).unwrap();
        let front = Front::with(app, routes().into_iter().chain([("/broken", any(broken))]).collect());
        for _ in 0..3 {
            let broke = (424, "tollgate broke on this request; its log says where".to_owned());
            assert_eq!(ask(&front, "/broken").await, broke);
            assert_eq!(ask(&front, "/healthz").await, (200, "OK".to_owned()));
        }
        let (_, page) = ask(&front, "/metrics").await;
        assert!(page.contains("tollgate_panics_total 3\n"), "{page}");
        assert!(page.contains("tollgate_hook_requests_total{path=\"/broken\",status=\"424\"} 3\n"), "{page}");
    }

    #[test]
    fn an_odd_path_is_made_plain_as_go_does() {
        for (given, expected) in [
            ("/gate/check", None),
            ("/gate/check/", None),
            ("/", None),
            ("/gate/check?a=//b", None),
            ("//gate/check", Some("/gate/check")),
            ("/gate//check", Some("/gate/check")),
            ("/gate/check//", Some("/gate/check/")),
            ("/a/../gate/./check?x=1", Some("/gate/check?x=1")),
            ("/../..", Some("/")),
            ("/..", Some("/")),
            ("//", Some("/")),
        ] {
            let shown = plain(&given.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(shown.as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        for (accept, expected) in [
            ("*/*", false),
            ("text/plain", false),
            ("application/json", true),
            ("text/html, application/json;q=0.9", true),
            ("application/problem+json", true),
            ("application/jsonlines", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(wants_json(&headers), expected, "{accept}");
        }
    }
}
