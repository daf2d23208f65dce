//! Connecting to whichever of several addresses answers first (Happy Eyeballs, RFC 8305): a silent one holds nobody up.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// How long the last attempt has for itself before the next one begins.
const DELAY: Duration = Duration::from_millis(250);

/// No more addresses than this are tried: each may be a socket at the same time.
const MOST: usize = 64;

/// How the attempts ended at the addresses of a name, in the order in which they began.
pub type Failures = Vec<(SocketAddr, io::Error)>;

/// The order in which to try: the families take turns, and the resolver's order holds within each. Each address once.
pub fn order(addresses: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut turns: [VecDeque<SocketAddr>; 2] = Default::default();
    let mut first = None;
    for address in addresses {
        let first = *first.get_or_insert(address.is_ipv6());
        let family = &mut turns[usize::from(address.is_ipv6() != first)];
        if !family.contains(&address) {
            family.push_back(address);
        }
    }
    let mut order = Vec::new();
    while order.len() < MOST && turns.iter().any(|family| !family.is_empty()) {
        order.extend(turns.iter_mut().filter_map(VecDeque::pop_front));
    }
    order
}

/// Connects to the first address that answers before the deadline. The next attempt begins when the last one has failed or has been silent
/// for a while; when there are many, sooner, so that each is tried in the first half of the time. The others are given up then.
pub async fn connect<S, F>(
    addresses: &[SocketAddr],
    deadline: Instant,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<(S, SocketAddr), Failures>
where
    F: Future<Output = io::Result<S>>,
{
    let within = deadline.saturating_duration_since(Instant::now());
    let delay = DELAY.min(within / (2 * addresses.len().max(1) as u32));
    let mut failed: Vec<Option<io::Error>> = addresses.iter().map(|_| None).collect();
    let mut waiting = addresses.iter().copied().enumerate();
    let mut running: Vec<(usize, SocketAddr, Pin<Box<F>>)> = Vec::new();
    loop {
        let until = match waiting.next() {
            Some((n, address)) => {
                running.push((n, address, Box::pin(connect(address))));
                if waiting.len() == 0 {
                    deadline
                } else {
                    deadline.min(Instant::now() + delay)
                }
            }
            None if running.is_empty() => break,
            None => deadline,
        };
        let ended = poll_fn(|cx| {
            for (place, (_, _, attempt)) in running.iter_mut().enumerate() {
                if let Poll::Ready(result) = attempt.as_mut().poll(cx) {
                    return Poll::Ready((place, result));
                }
            }
            Poll::Pending
        });
        match tokio::time::timeout_at(until, ended).await {
            Ok((place, result)) => {
                let (n, address, _) = running.swap_remove(place);
                match result {
                    Ok(stream) => return Ok((stream, address)),
                    Err(error) => failed[n] = Some(error),
                }
            }
            Err(_) if until == deadline => break,
            Err(_) => {}
        }
    }
    let silent = || io::Error::from(io::ErrorKind::TimedOut);
    let failed = failed.into_iter().map(|e| e.unwrap_or_else(silent));
    Err(addresses.iter().copied().zip(failed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// What an address does: it answers, refuses or is silent, after so many milliseconds.
    #[derive(Clone, Copy)]
    enum Way {
        Answers(u64),
        Refuses(u64),
        Silent,
    }
    use Way::{Answers, Refuses, Silent};

    fn address(n: usize) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, n as u8], 1))
    }

    struct Outcome {
        /// Which address won.
        winner: Result<usize, Vec<io::ErrorKind>>,
        /// After how many milliseconds it was over.
        took: u128,
        /// When each attempt began.
        began: Vec<u128>,
    }

    /// On virtual time.
    fn race(ways: &[Way], within: u64) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let start = Instant::now();
            let began = RefCell::new(Vec::new());
            let addresses: Vec<SocketAddr> = (0..ways.len()).map(address).collect();
            let attempt = |at: SocketAddr| {
                began.borrow_mut().push(start.elapsed().as_millis());
                let way = addresses.iter().position(|a| *a == at).map(|n| ways[n]);
                async move {
                    match way {
                        Some(Answers(ms)) => {
                            tokio::time::sleep(Duration::from_millis(ms)).await;
                            Ok(())
                        }
                        Some(Refuses(ms)) => {
                            tokio::time::sleep(Duration::from_millis(ms)).await;
                            Err(io::ErrorKind::ConnectionRefused.into())
                        }
                        Some(Silent) | None => std::future::pending().await,
                    }
                }
            };
            let deadline = start + Duration::from_millis(within);
            let winner = match connect(&addresses, deadline, attempt).await {
                Ok(((), at)) => Ok(addresses.iter().position(|a| *a == at).expect("known")),
                Err(failures) => {
                    assert!(failures.iter().map(|(at, _)| at).eq(&addresses));
                    Err(failures.iter().map(|(_, error)| error.kind()).collect())
                }
            };
            Outcome {
                winner,
                took: start.elapsed().as_millis(),
                began: began.into_inner(),
            }
        })
    }

    #[test]
    fn families_take_turns_beginning_with_that_of_the_first_address() {
        let all = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"];
        let read = |text: &&str| text.parse::<SocketAddr>().expect("an address");
        let mixed = order(all.iter().map(read));
        let expected = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"];
        assert_eq!(mixed, expected.iter().map(read).collect::<Vec<_>>());
        let fours = ["1.1.1.1:1", "1.1.1.1:1", "[::1]:1"];
        let once = order(fours.iter().map(read));
        assert_eq!(
            once,
            ["1.1.1.1:1", "[::1]:1"]
                .iter()
                .map(read)
                .collect::<Vec<_>>()
        );
        assert_eq!(order((0..200).map(address)).len(), MOST);
    }

    #[test]
    fn a_silent_address_holds_the_next_one_up_for_a_quarter_of_a_second() {
        let outcome = race(&[Silent, Answers(10)], 5_000);
        assert_eq!((outcome.winner, outcome.took), (Ok(1), 260));
        let outcome = race(&[Silent, Silent, Answers(10)], 5_000);
        assert_eq!((outcome.winner, outcome.took), (Ok(2), 510));
    }

    #[test]
    fn an_address_that_refuses_holds_nobody_up() {
        let outcome = race(&[Refuses(1), Answers(10)], 5_000);
        assert_eq!((outcome.winner, outcome.took), (Ok(1), 11));
    }

    #[test]
    fn a_slow_address_still_wins_when_the_others_fail() {
        let outcome = race(&[Answers(3_000), Refuses(1), Silent], 5_000);
        assert_eq!((outcome.winner, outcome.took), (Ok(0), 3_000));
        assert_eq!(outcome.began, [0, 250, 251]);
    }

    #[test]
    fn one_deadline_counts_for_all_addresses_and_each_is_tried_before_it() {
        let outcome = race(&[Silent, Refuses(1), Silent], 5_000);
        let kinds = [
            io::ErrorKind::TimedOut,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::TimedOut,
        ];
        assert_eq!((outcome.winner, outcome.took), (Err(kinds.to_vec()), 5_000));
        // Shorter than the delay, and more addresses than the delay leaves time for.
        assert_eq!(race(&[Silent, Answers(1)], 100).winner, Ok(1));
        let mut many = vec![Silent; 60];
        many.push(Answers(1));
        assert_eq!(race(&many, 5_000).winner, Ok(60));
    }

    #[test]
    fn when_all_refuse_it_is_over_at_once() {
        let outcome = race(&[Refuses(1), Refuses(2)], 5_000);
        assert_eq!(outcome.took, 3);
        let kinds = vec![io::ErrorKind::ConnectionRefused; 2];
        assert_eq!(outcome.winner, Err(kinds));
        assert_eq!(race(&[], 5_000).winner, Err(Vec::new()));
    }
}
