//! What a plan needs to know before it can be sent: the types of gRPC messages that the server itself is asked for.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};

use crate::plan::{Messages, Plan};
use crate::proto::settle;
use crate::stats::Ns;
use crate::wire::{Clock as _, Coarse, Dialer, Transport, TransportError, Unreflected, reflect};

/// How long a server may take to describe itself.
const LIMIT: Duration = Duration::from_secs(10);

/// The plan with what only its servers know: the types of gRPC messages. A plan that asks for nothing is itself.
///
/// # Errors
/// A server is not reached, does not say, or what it says does not fit the plan.
pub async fn settled(plan: &Arc<Plan>) -> Result<Arc<Plan>, Unreflected> {
    over(plan, || Transport::new(plan.wire, &plan.tls, &plan.via)).await
}

/// The same, over connections of the caller's own.
pub(super) async fn over(
    plan: &Arc<Plan>,
    transport: impl FnOnce() -> Result<Transport, TransportError>,
) -> Result<Arc<Plan>, Unreflected> {
    if !plan.asks() {
        return Ok(Arc::clone(plan));
    }
    let transport = transport().map_err(|error| Unreflected::Refused(error.to_string()))?;
    let plan = Plan::clone(plan);
    // What it waits for never leaves its thread.
    let asking = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = runtime.map_err(|error| Unreflected::Unreached(format!("tollgate itself: {error}")))?;
        runtime.block_on(ask(plan, transport))
    });
    let broken = |_| Unreflected::Refused("tollgate itself broke on it; its log says where".to_owned());
    asking.await.map_err(broken)?.map(Arc::new)
}

async fn ask(mut plan: Plan, transport: Transport) -> Result<Plan, Unreflected> {
    let clock = Coarse::new();
    for target in plan.targets.iter_mut().filter(|target| target.call.messages == Messages::Asked) {
        let limit = plan.timeout.map_or(LIMIT, |timeout| timeout.min(LIMIT));
        let dialer = Dialer::new(target.origin.clone(), transport.clone(), 0);
        let catalog = reflect(&dialer, &target.request, clock.now() + Ns::from(limit), &clock).await?;
        settle(target, &catalog).map_err(|unfit| Unreflected::Refused(unfit.to_string()))?;
    }
    Ok(plan)
}
