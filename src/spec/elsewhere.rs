//! The load of a line, on another server.

use super::address::{Address, address};
use super::mistake::{Wrong, wrong};
use crate::plan::{Plan, Request, Target, Wire};

/// Reads where the release in service is. A line has its own way to say who asks.
pub(super) fn primary(text: &str) -> Result<Address, Wrong> {
    let address = address(text)?;
    if address.credentials.is_some() {
        return Err(wrong("beside cmd it takes no user and password: describe the load with url in its place"));
    }
    Ok(address)
}

/// The plan's first target at this address. What is asked, and a `Host` that names somebody else, stay as they are.
pub(super) fn elsewhere(plan: &Plan, address: Address) -> Option<Target> {
    let target = plan.targets.first()?;
    let is_its_own = target.request.authority == target.origin.authority();
    let authority = if is_its_own { address.origin.authority() } else { target.request.authority.clone() };
    // The path of a gRPC request is its method.
    let path = if plan.wire == Wire::Grpc { target.request.path.clone() } else { address.path };
    let request = Request { authority, path, ..target.request.clone() };
    Some(Target { url: address.url, origin: address.origin, request, ..target.clone() })
}
