//! Hosts that others have told us of and that are to be dialled: few at a time, no more than so many a second, and whoever tells of many
//! holds up nobody but itself.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytestring::ByteString;

use crate::words::{LinkId, Time};

/// So many dials go on at a time, and so many of them because of one teller: what others tell does not wait for it.
pub const MOST_AT_ONCE: usize = 16;
const MOST_OF_ONE: usize = 12;

/// So many hosts wait to be dialled. Beyond that, those give way of whom the one has told last that has told most.
const MOST_WAITING: usize = 4096;

/// So many dials may come to nothing at once, and then one in that time.
const BURST: u32 = 512;
const EVERY: Duration = Duration::from_millis(16);

/// A host that is to be dialled. `W` is who waits for that.
#[derive(Debug)]
pub struct Entry<W> {
    /// Who is there, as we were told.
    pub host: Option<ByteString>,
    pub waiters: Vec<W>,
    /// What was news when we were told.
    pub mark: u64,
    /// It is connected over this relayed link, and a direct one would be better.
    pub relayed: Option<LinkId>,
    place: (LinkId, u64),
}

/// All that waits to be dialled, by url (or by the id of a host that goes by it), and the dials that go on.
#[derive(Debug)]
pub struct Hearsay<W> {
    entries: HashMap<ByteString, Entry<W>>,
    /// The urls, by teller and in the order in which it has told them.
    order: BTreeMap<(LinkId, u64), ByteString>,
    /// How many wait because of each teller.
    counts: HashMap<LinkId, usize>,
    /// How many entries name each host.
    hosts: HashMap<ByteString, usize>,
    next: u64,
    /// Whose turn it was.
    last: LinkId,
    /// The links that are dialled, and because of whom.
    dials: BTreeMap<LinkId, LinkId>,
    /// When all dials that came to nothing are paid for.
    paid: Time,
}

impl<W> Default for Hearsay<W> {
    fn default() -> Self {
        Hearsay {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            counts: HashMap::new(),
            hosts: HashMap::new(),
            next: 0,
            last: LinkId(0),
            dials: BTreeMap::new(),
            paid: Time::ZERO,
        }
    }
}

impl<W> Hearsay<W> {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn get_mut(&mut self, url: &str) -> Option<&mut Entry<W>> {
        self.entries.get_mut(url)
    }

    pub fn contains(&self, url: &str) -> bool {
        self.entries.contains_key(url)
    }

    /// Whether that host waits to be dialled, under whatever url.
    pub fn names(&self, host: &str) -> bool {
        self.hosts.contains_key(host)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ByteString, &Entry<W>)> {
        self.order
            .values()
            .filter_map(|url| self.entries.get_key_value(url))
    }

    /// All of them, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<W>> {
        self.entries.values_mut()
    }

    /// Adds a url that is not there yet, because of that teller. Gives whoever gives way, perhaps that one itself.
    pub fn push(
        &mut self,
        teller: LinkId,
        url: ByteString,
        host: Option<ByteString>,
        waiter: W,
        mark: u64,
    ) -> Option<(ByteString, Entry<W>)> {
        self.next += 1;
        let place = (teller, self.next);
        if let Some(host) = &host {
            *self.hosts.entry(host.clone()).or_default() += 1;
        }
        *self.counts.entry(teller).or_default() += 1;
        self.order.insert(place, url.clone());
        let entry = Entry {
            host,
            waiters: vec![waiter],
            mark,
            relayed: None,
            place,
        };
        self.entries.insert(url, entry);
        if self.entries.len() <= MOST_WAITING {
            return None;
        }
        let most = self.counts.iter().max_by_key(|(link, n)| (**n, **link));
        let most = *most?.0;
        let (_, url) = self.order.range((most, 0)..=(most, u64::MAX)).next_back()?;
        let url = url.clone();
        self.take(&url).map(|entry| (url, entry))
    }

    /// Takes out what waits at that url.
    pub fn take(&mut self, url: &str) -> Option<Entry<W>> {
        let entry = self.entries.remove(url)?;
        self.order.remove(&entry.place);
        if let Some(count) = self.counts.get_mut(&entry.place.0) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&entry.place.0);
            }
        }
        if let Some(host) = &entry.host {
            self.unname(host);
        }
        Some(entry)
    }

    /// That host is there, as we were told last.
    pub fn expect(&mut self, url: &str, host: Option<ByteString>) {
        if let Some(host) = host
            && let Some(entry) = self.entries.get_mut(url)
            && let Some(before) = entry.host.replace(host.clone())
            && before != host
        {
            self.unname(&before);
            *self.hosts.entry(host).or_default() += 1;
        }
    }

    fn unname(&mut self, host: &ByteString) {
        if let Some(count) = self.hosts.get_mut(host) {
            *count -= 1;
            if *count == 0 {
                self.hosts.remove(host);
            }
        }
    }

    /// Takes out everything.
    pub fn clear(&mut self) -> Vec<Entry<W>> {
        let urls: Vec<ByteString> = self.order.values().cloned().collect();
        urls.iter().filter_map(|url| self.take(url)).collect()
    }

    /// Whether a host of which that teller tells would be dialled at once.
    pub fn would_begin(&self, teller: LinkId, now: Time) -> bool {
        self.entries.is_empty() && self.has_room(now) && self.may_dial(teller)
    }

    /// Whether one more may be dialled now.
    pub fn has_room(&self, now: Time) -> bool {
        self.dials.len() < MOST_AT_ONCE && self.is_paid(now)
    }

    fn is_paid(&self, now: Time) -> bool {
        self.paid.saturating_sub(now) <= (BURST - 1) * EVERY
    }

    fn may_dial(&self, teller: LinkId) -> bool {
        self.dials.values().filter(|t| **t == teller).count() < MOST_OF_ONE
    }

    /// The teller of which the next one is to be dialled: all take turns.
    fn next_teller(&self) -> Option<LinkId> {
        let after = |link: LinkId| {
            let mut later = self.order.range((LinkId(link.0.saturating_add(1)), 0)..);
            later.next().map(|((teller, _), _)| *teller)
        };
        let first = || self.order.first_key_value().map(|((teller, _), _)| *teller);
        let start = after(self.last).or_else(first)?;
        let mut teller = start;
        loop {
            if self.may_dial(teller) {
                return Some(teller);
            }
            teller = after(teller).or_else(first)?;
            if teller == start {
                return None;
            }
        }
    }

    /// Takes out whoever is to be dialled next, if anybody is: with because of whom. It is to be [begun](Hearsay::begin), unless nobody wants it any more.
    pub fn next(&mut self, now: Time) -> Option<(LinkId, ByteString, Entry<W>)> {
        if self.entries.is_empty() || !self.has_room(now) {
            return None;
        }
        let teller = self.next_teller()?;
        self.last = teller;
        let (_, url) = self.order.range((teller, 0)..).next()?;
        let url = url.clone();
        let entry = self.take(&url)?;
        Some((teller, url, entry))
    }

    /// That link is dialled because of that teller.
    pub fn begin(&mut self, link: LinkId, teller: LinkId, now: Time) {
        self.dials.insert(link, teller);
        self.paid = self.paid.max(now) + EVERY;
    }

    /// The dial of that link goes on as that of another one.
    pub fn go_on(&mut self, link: LinkId, next: LinkId) {
        if let Some(teller) = self.dials.remove(&link) {
            self.dials.insert(next, teller);
        }
    }

    /// That link is not dialled any more. `well`: it came to a good end, and counts for nothing.
    pub fn end(&mut self, link: LinkId, well: bool) {
        if self.dials.remove(&link).is_some() && well {
            self.paid = self.paid.saturating_sub(EVERY);
        }
    }

    /// When the next one is to be dialled, if that is only a matter of time.
    pub fn deadline(&self) -> Option<Time> {
        if self.dials.len() >= MOST_AT_ONCE || self.next_teller().is_none() {
            return None;
        }
        Some(self.paid.saturating_sub((BURST - 1) * EVERY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Those tellers tell of so many hosts each.
    fn told(tellers: &[(u64, usize)]) -> Hearsay<()> {
        let mut hearsay = Hearsay::default();
        for (teller, count) in tellers {
            for n in 0..*count {
                hearsay.push(LinkId(*teller), format!("{teller}-{n}").into(), None, (), 0);
            }
        }
        hearsay
    }

    /// The tellers whose hosts are dialled now, none of which answers.
    fn dialled(hearsay: &mut Hearsay<()>, links: &mut u64, now: Time) -> Vec<u64> {
        let mut tellers = Vec::new();
        while let Some((teller, ..)) = hearsay.next(now) {
            *links += 1;
            hearsay.begin(LinkId(*links), teller, now);
            tellers.push(teller.0);
        }
        tellers
    }

    #[test]
    fn tellers_take_turns_and_none_has_all_places() {
        let mut hearsay = told(&[(1, 100), (2, 2), (3, 1)]);
        let begun = dialled(&mut hearsay, &mut 1000, Time::ZERO);
        assert_eq!(begun[..6], [1, 2, 3, 1, 2, 1]);
        assert_eq!(begun.len(), MOST_OF_ONE + 3);
        assert_eq!(hearsay.deadline(), None);
        hearsay.push(LinkId(4), "4".into(), None, (), 0);
        assert_eq!(dialled(&mut hearsay, &mut 2000, Time::ZERO), [4]);
    }

    #[test]
    fn a_dial_ends_another_one_begins_until_too_many_have_come_to_nothing() {
        let mut hearsay = told(&[(1, 2000)]);
        let (mut links, mut begun) = (0, 0);
        loop {
            let more = dialled(&mut hearsay, &mut links, Time::ZERO).len();
            if more == 0 {
                break;
            }
            begun += more;
            (0..=links).for_each(|link| hearsay.end(LinkId(link), false));
        }
        assert_eq!(begun, BURST as usize);
        assert_eq!(hearsay.deadline(), Some(EVERY));
        let early = EVERY - Duration::from_millis(1);
        assert!(dialled(&mut hearsay, &mut links, early).is_empty());
        assert_eq!(dialled(&mut hearsay, &mut links, 3 * EVERY), [1, 1, 1]);
    }

    #[test]
    fn who_answers_counts_for_nothing() {
        let mut hearsay = told(&[(1, 2000)]);
        let mut links = 0;
        while !dialled(&mut hearsay, &mut links, Time::ZERO).is_empty() {
            (0..=links).for_each(|link| hearsay.end(LinkId(link), true));
        }
        assert!(hearsay.is_empty() && hearsay.order.is_empty() && hearsay.counts.is_empty());
    }

    #[test]
    fn whoever_tells_of_most_gives_way_when_there_are_too_many() {
        let mut hearsay = told(&[(1, MOST_WAITING)]);
        let gives_way = |hearsay: &mut Hearsay<()>, teller, url: &'static str| {
            let host = Some(ByteString::from_static("h"));
            let gone = hearsay.push(LinkId(teller), url.into(), host, (), 0);
            gone.map(|(url, _)| url)
        };
        let last = format!("1-{}", MOST_WAITING - 1);
        assert_eq!(gives_way(&mut hearsay, 2, "a"), Some(last.into()));
        assert_eq!(gives_way(&mut hearsay, 1, "b"), Some("b".into()));
        assert!(hearsay.names("h") && hearsay.contains("a"));
        assert!(hearsay.take("a").is_some() && !hearsay.names("h"));
        assert_eq!(hearsay.clear().len(), MOST_WAITING - 1);
        assert!(hearsay.counts.is_empty() && hearsay.order.is_empty());
    }
}
