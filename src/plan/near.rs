//! Addresses that only neighbours have.

use std::net::{IpAddr, Ipv6Addr};

/// Where one cloud serves over IPv6 what it serves at 169.254.169.254.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether clouds may hand out credentials there to whoever is near: 169.254.0.0/16 and fe80::/10, also where IPv6 wraps
/// the one in the other, and fd00:ec2::254.
#[must_use]
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local() || address == METADATA,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_near_in_every_form() {
        for (address, near) in [
            ("169.254.169.254", true),
            ("169.253.255.255", false),
            ("::ffff:169.254.0.1", true),
            ("fe80::1", true),
            ("febf::1", true),
            ("fec0::1", false),
            ("fd00:ec2::254", true),
            ("fd00:ec2::255", false),
            ("127.0.0.1", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(is_near(address.parse().unwrap()), near, "{address}");
        }
    }
}
