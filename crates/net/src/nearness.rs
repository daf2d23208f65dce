//! How near an address is, and whether a dial may lead there. An address is judged after the name has been looked up, and that same
//! address is connected to: no spelling of it gets past, and no name that means something else the next time.

use std::net::{IpAddr, Ipv4Addr};

use distribus_mesh::{DialError, Nearness, Reach};

use crate::ws::target::shown;

/// How near that address is.
pub fn of(address: IpAddr) -> Nearness {
    match address.to_canonical() {
        // Connecting to the unspecified address leads to this machine.
        IpAddr::V4(v4) if v4.is_loopback() || v4.octets()[0] == 0 => Nearness::Machine,
        IpAddr::V6(v6) if v6.is_loopback() || v6.is_unspecified() => Nearness::Machine,
        IpAddr::V4(v4) if v4.is_link_local() => Nearness::Network,
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Nearness::Network,
        _ => Nearness::Elsewhere,
    }
}

/// How near the other end of a socket is, of which these are the addresses. Whoever has the address of this end is this machine.
pub fn of_peer(peer: IpAddr, local: IpAddr) -> Nearness {
    match peer.to_canonical() == local.to_canonical() {
        true => Nearness::Machine,
        false => of(peer),
    }
}

/// Whether a dial may lead to that address.
///
/// Debian has a machine look its own name up as 127.0.1.1. Hosts of one machine that know each other by that name meet there, also when
/// another machine has told them of each other. Services that listen at 127.0.0.1 alone are not to be found at that address.
pub fn is_within(reach: Reach, address: IpAddr) -> bool {
    let is_own_name = || match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() && v4 != Ipv4Addr::LOCALHOST,
        IpAddr::V6(_) => false,
    };
    of(address) <= reach.told || (reach.namesake && is_own_name())
}

/// A url leads to no address that is within reach, but to this one.
pub fn beyond(url: &str, address: IpAddr) -> DialError {
    let (where_to, who) = match of(address) {
        Nearness::Network => ("a link-local address", "from such a one"),
        _ => ("this machine", "on it"),
    };
    DialError::not_allowed(format!(
        "Not dialled: {} leads to {where_to} ({address}), and no host {who} has told of it. The option \"dial\" of this host can allow it",
        shown(url)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    const NEAR: [&str; 10] = [
        "127.0.0.1",
        "127.0.1.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:0.0.0.0",
        "::ffff:7f00:1",
    ];
    const LINK_LOCAL: [&str; 5] = [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "febf::1",
        "::ffff:169.254.169.254",
    ];
    const FAR: [&str; 7] = [
        "10.0.0.1",
        "192.168.1.1",
        "128.0.0.1",
        "1.0.0.1",
        "fec0::1",
        "fd00::1",
        "2001:db8::1",
    ];

    #[test]
    fn addresses_are_of_this_machine_of_its_link_or_elsewhere_however_they_are_written() {
        let all = |list: &[&str], near| list.iter().all(|text| of(ip(text)) == near);
        assert!(all(&NEAR, Nearness::Machine));
        assert!(all(&LINK_LOCAL, Nearness::Network));
        assert!(all(&FAR, Nearness::Elsewhere));
    }

    #[test]
    fn the_other_end_of_a_socket_is_this_machine_if_its_address_is_a_loopback_one_or_that_of_this_end()
     {
        let near = |peer, local| of_peer(ip(peer), ip(local));
        assert_eq!(near("127.0.0.1", "127.0.0.1"), Nearness::Machine);
        assert_eq!(near("10.0.0.5", "10.0.0.5"), Nearness::Machine);
        assert_eq!(near("::ffff:10.0.0.5", "10.0.0.5"), Nearness::Machine);
        assert_eq!(near("10.0.0.6", "10.0.0.5"), Nearness::Elsewhere);
        assert_eq!(near("10.0.0.5", "127.0.0.1"), Nearness::Elsewhere);
        assert_eq!(near("fe80::2", "fe80::1"), Nearness::Network);
    }

    #[test]
    fn a_dial_leads_no_nearer_than_whoever_has_told_of_it() {
        let within = |told, namesake| {
            let reach = Reach { told, namesake };
            let all = [&NEAR[..], &LINK_LOCAL, &FAR].concat();
            let all = all.into_iter().filter(|text| is_within(reach, ip(text)));
            all.collect::<Vec<&str>>()
        };
        let far_and_link_local = [&LINK_LOCAL[..], &FAR].concat();
        let everything = [&NEAR[..], &LINK_LOCAL, &FAR].concat();
        assert_eq!(within(Nearness::Elsewhere, false), FAR);
        assert_eq!(within(Nearness::Network, false), far_and_link_local);
        assert_eq!(within(Nearness::Machine, false), everything);
        assert_eq!(within(Nearness::Program, false), everything);
        let own_name = ["127.0.1.1", "127.255.255.254"];
        assert_eq!(
            within(Nearness::Elsewhere, true),
            [&own_name[..], &FAR].concat()
        );
    }

    #[test]
    fn the_error_says_why_and_what_can_be_done_about_it_and_shows_no_credentials() {
        let error = beyond("ws://user:secret@host", ip("169.254.169.254"));
        assert!(error.is_not_allowed());
        let text = "Not dialled: ws://host leads to a link-local address (169.254.169.254), and no host from such a one has told of it. \
            The option \"dial\" of this host can allow it";
        assert_eq!(error.message, text);
    }
}
