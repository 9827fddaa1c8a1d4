//! Whether a target answers yet.
//!
//! A pod that Kubernetes calls ready is not yet known to every proxy and name server: for seconds its service refuses, has no
//! name, or a sidecar says 503 for it. So before the load of a hook begins, one request after another is sent, a few a
//! second, until one is answered. None of them counts.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::load::{Engine, Unreflected};
use crate::plan::{Arrivals, Plan, Schedule, Stop};
use crate::stats::{Code, Detail, Measures, Summary};

/// From the beginning of one request to that of the next.
const APART: Duration = Duration::from_millis(200);
/// How long one may take: a target that takes the connection and says nothing is asked again.
const ANSWER: Duration = Duration::from_secs(2);
/// gRPC's status for a server that cannot be reached.
const UNAVAILABLE: u8 = 14;

/// Why a load does not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotReady {
    /// Nothing has answered; the first trouble in words.
    Silent(String),
    /// The plan cannot be sent at all: a certificate, a key or a proxy that cannot work.
    Impossible(String),
}

/// The plan with what only its servers know.
///
/// # Errors
/// They are not reached, or do not say what fits.
pub(super) async fn settled(engine: &Engine, plan: &Arc<Plan>) -> Result<Arc<Plan>, NotReady> {
    engine.settled(plan).await.map_err(|error| match error {
        Unreflected::Unreached(why) => NotReady::Silent(why),
        Unreflected::Refused(why) => NotReady::Impossible(why),
    })
}

/// Waits until the plan's first target answers, `patience` at most, and returns the plan with what only its servers know.
/// A target that has said only that it is unavailable, or has taken connections and said nothing, is reached then: that is
/// what the load will see.
///
/// # Errors
/// Nothing has answered, or the plan cannot be sent.
pub(super) async fn ready(engine: &Engine, plan: &Arc<Plan>, patience: Duration) -> Result<Arc<Plan>, NotReady> {
    let began = Instant::now();
    let plan = loop {
        let next = Instant::now() + APART;
        match settled(engine, plan).await {
            Err(NotReady::Silent(_)) if began.elapsed() < patience => tokio::time::sleep_until(next).await,
            other => break other?,
        }
    };
    answered(engine, &plan, patience.saturating_sub(began.elapsed())).await.map(|()| plan)
}

/// Waits until a request of the plan is answered.
async fn answered(engine: &Engine, plan: &Plan, patience: Duration) -> Result<(), NotReady> {
    let probe = Arc::new(single(plan));
    let measures = Arc::new(Measures::default());
    let began = Instant::now();
    let (mut reached, mut trouble) = (false, None);
    loop {
        let next = Instant::now() + APART;
        let load =
            engine.run(&probe, &measures, Detail::Window).map_err(|error| NotReady::Impossible(error.to_string()))?;
        let summary = load.finish().await;
        match heard(&summary) {
            Heard::Answer => return Ok(()),
            Heard::Unavailable => reached = true,
            Heard::Nothing => {
                reached |= summary.reached;
                trouble = trouble.or(summary.first_error);
            }
        }
        if began.elapsed() >= patience {
            return if reached {
                Ok(())
            } else {
                Err(NotReady::Silent(trouble.unwrap_or_else(|| "no answer".to_owned())))
            };
        }
        tokio::time::sleep_until(next).await;
    }
}

/// One request of the plan, by its first target.
fn single(plan: &Plan) -> Plan {
    let stop = Stop { count: Some(1), duration: None };
    Plan {
        targets: plan.targets.iter().take(1).cloned().collect(),
        schedule: Schedule { arrivals: Arrivals::Closed, stop, warmup: Duration::ZERO },
        lanes: 1,
        max_lanes: 1,
        timeout: Some(plan.timeout.map_or(ANSWER, |timeout| timeout.min(ANSWER))),
        ..plan.clone()
    }
}

enum Heard {
    Answer,
    Unavailable,
    Nothing,
}

fn heard(summary: &Summary) -> Heard {
    let said = |code: &Code| !matches!(code, Code::None);
    let away = |code: &Code| matches!(code, Code::Http(503) | Code::Grpc(UNAVAILABLE));
    let mut codes = summary.codes.keys().filter(|code| said(code));
    match (codes.clone().any(|code| !away(code)), codes.next().is_some()) {
        (true, _) => Heard::Answer,
        (false, true) => Heard::Unavailable,
        (false, false) => Heard::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};

    use super::*;
    use crate::spec::{Id, SpecBuilder};

    fn plan(address: SocketAddr) -> Plan {
        let mut builder = SpecBuilder::new();
        builder.give(Id::Url, format!("http://{address}/"));
        builder.build(&|_| Err(std::io::Error::other("no files"))).unwrap().plan
    }

    #[test]
    fn a_target_that_takes_connections_and_says_nothing_is_reached_when_the_patience_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let plan = Plan { timeout: Some(Duration::from_millis(100)), ..plan(listener.local_addr().unwrap()) };
        assert_eq!(wait(&plan, Duration::from_millis(300)), Ok(()));
    }

    /// A server that gives one connection after another the next of these statuses, and the last one again and again.
    fn serve(listener: TcpListener, statuses: &'static [u16]) {
        std::thread::spawn(move || {
            let last = statuses.last().copied().into_iter().cycle();
            for status in statuses.iter().copied().chain(last) {
                let Ok((mut stream, _)) = listener.accept() else { return };
                let _ = stream.read(&mut [0; 1024]);
                let _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        });
    }

    fn wait(plan: &Plan, patience: Duration) -> Result<(), NotReady> {
        wait_while(plan, patience, async {})
    }

    fn wait_while(plan: &Plan, patience: Duration, meanwhile: impl Future<Output = ()>) -> Result<(), NotReady> {
        let engine = Engine::start(1).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let plan = Arc::new(plan.clone());
        runtime.block_on(async { tokio::join!(ready(&engine, &plan, patience), meanwhile).0.map(|_| ()) })
    }

    #[test]
    fn a_target_is_ready_with_its_first_answer_but_unavailable_is_none_until_the_patience_ends() {
        for (statuses, why) in [
            (&[200][..], "an answer"),
            (&[500], "a broken release answers too, and is to fail at once"),
            (&[503, 503, 404], "unavailable for a while"),
            (&[503], "unavailable for good: the load is to show it"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let plan = plan(listener.local_addr().unwrap());
            serve(listener, statuses);
            let patience = if statuses == [503] { Duration::from_millis(300) } else { Duration::from_secs(30) };
            assert_eq!(wait(&plan, patience), Ok(()), "{why}");
        }
    }

    #[test]
    fn a_target_that_comes_up_late_is_waited_for_and_one_that_never_does_is_not_reached() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let never = wait(&plan(address), Duration::from_millis(300));
        assert!(matches!(&never, Err(NotReady::Silent(why)) if why.contains("refused")), "{never:?}");
        let late = plan(address);
        let come = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            serve(TcpListener::bind(address).unwrap(), &[200]);
        };
        assert_eq!(wait_while(&late, Duration::from_secs(30), come), Ok(()));
    }
}
