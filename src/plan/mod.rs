//! What load to produce: target, schedule, lanes and limits; valid by construction. Pure.

mod call;
mod draw;
mod hosts;
mod near;
mod rate;
mod schedule;
mod split;
mod target;
mod turns;
mod way;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use call::{Call, MOST_MESSAGE, Messages};
pub use draw::{Drawing, Drawn, Picked, Piece, Source, Template};
pub use hosts::Hosts;
pub use near::is_near;
pub use rate::{Rate, RateError};
pub use schedule::{Arrivals, Dues, LaneDues, Schedule, Stage, Stop};
pub use split::Split;
pub use target::{Host, Identify, Origin, Request, Target};
pub use turns::{Turns, dealt};
pub use way::{Identity, Proxy, Tls, Trust, Via, Wire};

/// One load, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where it goes and what it asks; at least one.
    pub targets: Vec<Target>,
    /// The protocol that carries it.
    pub wire: Wire,
    /// Whom to trust where a target is reached over TLS.
    pub tls: Tls,
    /// What connections go through.
    pub via: Via,
    /// When requests are due and when the load ends.
    pub schedule: Schedule,
    /// Lanes to start with (hey's `-c`), at least 1.
    pub lanes: u32,
    /// Most lanes when the target holds requests past the next due time; at least `lanes`. In a closed loop, `lanes`.
    pub max_lanes: u32,
    /// Lanes that share one connection where the protocol can carry several requests at once; at least 1.
    pub streams: u32,
    /// Most connections that lanes share; `None` for as many as the lanes need. At least 1.
    pub links: Option<u32>,
    /// Longest wait for one whole answer, from the send; `None` waits for ever.
    pub timeout: Option<Duration>,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Age at which a connection is replaced between two requests; `None` keeps it.
    pub connection_age: Option<Duration>,
    /// Whose answers count; `None` counts everybody's.
    pub identify: Option<Identify>,
    /// Redirects to follow before an answer counts; 0 takes a redirect as an answer like any other.
    pub redirects: u32,
    /// What drawn values follow from, together with the request's number; without any, of no meaning.
    pub seed: u64,
    /// What results are told apart by; empty for all together.
    pub split: Vec<Split>,
}

impl Plan {
    /// The weights of the targets, in their order.
    #[must_use]
    pub fn weights(&self) -> Vec<u32> {
        self.targets.iter().map(|target| target.weight).collect()
    }

    /// The addresses that the plan names itself: its targets', those pinned for them, and its proxy's.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let hosts = self.targets.iter().map(|target| &target.origin.host);
        let proxy = if let Via::Proxy(proxy) = &self.via { Some(&proxy.host) } else { None };
        let named =
            hosts.chain(proxy).filter_map(|host| if let Host::Ip(address) = host { Some(*address) } else { None });
        let pinned = self.targets.iter().flat_map(|target| &target.origin.pinned).map(SocketAddr::ip);
        named.chain(pinned).collect()
    }

    /// Which target each request goes to. A sample's class is the number of its target.
    #[must_use]
    pub fn turns(&self) -> Turns {
        Turns::new(&self.weights())
    }

    /// How many different servers the targets are on.
    #[must_use]
    pub fn servers(&self) -> usize {
        let origins = || self.targets.iter().map(|target| &target.origin);
        origins().enumerate().filter(|(at, origin)| !origins().take(*at).any(|earlier| earlier == *origin)).count()
    }

    /// Most connections at once where each lane has its own. In a closed loop a lane has one to each server; under a rate
    /// it has its own target.
    #[must_use]
    pub fn connections(&self) -> u64 {
        let each = if self.schedule.arrivals == Arrivals::Closed { self.servers() } else { 1 };
        u64::from(self.max_lanes) * each as u64
    }

    /// Whether its servers have to be asked before it can be sent: for the types of gRPC messages.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.targets.iter().any(|target| target.call.messages == Messages::Asked)
    }

    /// Whether any value is drawn, so that the seed means something.
    #[must_use]
    pub fn draws(&self) -> bool {
        self.targets.iter().any(|target| target.drawn.is_some())
    }
}
