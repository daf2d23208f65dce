//! What programs say to each other by notes, as far as the mesh can tell: state, which each program tells all others whenever it has
//! changed and again to everybody who is connected anew, so that all know the latest; and jobs, each for the program of one host,
//! which it may refuse. So groups and watches work, in JavaScript.

use std::collections::BTreeMap;

use bytestring::ByteString;
use distribus_mesh::{Input, NoteKind, Payload, SendError};

use super::World;
use super::model::{Life, Message, Model};
use super::script::MS;

const STATE: &str = "\"s\"";
const JOB: &str = "\"m\"";

/// What a program has told, and knows of others.
#[derive(Debug, Default)]
pub struct Notebook {
    /// Which version of its own state is the latest.
    pub version: u64,
    /// By the host's id, the version of its state that it has told here last, as long as it is connected.
    pub known: BTreeMap<String, u64>,
    /// By the host's id, the number of the note that tells it the state, and which version that is: one at a time.
    pub told: BTreeMap<String, (u64, u64)>,
}

impl World {
    /// The program's state changes, and it tells everybody.
    pub fn change_state(&mut self, n: usize) {
        self.hosts[n].program.notebook.version += 1;
        let hosts: Vec<String> = self.hosts[n]
            .connections
            .values()
            .filter_map(|(_, host)| host.clone())
            .collect();
        for host in hosts {
            if !self.hosts[n].program.notebook.told.contains_key(&host) {
                self.tell_state(n, host);
            }
        }
    }

    /// Tells the program of a host the state of this one.
    pub fn tell_state(&mut self, n: usize, host: String) {
        if !self.profile.wide {
            return;
        }
        let id = self.model.next_id();
        let version = self.hosts[n].program.notebook.version;
        let payload = Payload::one(Some(format!("[\"state {id}\",{version}]").into()));
        if let Some(seq) = self.write_note(n, &host, NoteKind::State, payload) {
            let told = &mut self.hosts[n].program.notebook.told;
            told.insert(host, (seq, version));
        }
    }

    /// Jobs for the program of some connected host.
    pub fn act_jobs(&mut self, n: usize) {
        let hosts = self.hosts[n].connections.values();
        let hosts: Vec<String> = hosts.filter_map(|(_, host)| host.clone()).collect();
        let Some(host) = self.rng.choice(hosts) else {
            return;
        };
        let count = self.count();
        let payload = self.payload(count);
        if !matches!(payload, Payload::Undefined { .. }) {
            let job = self.chance(70);
            let kind = if job {
                NoteKind::Job
            } else {
                NoteKind::Question
            };
            self.write_note(n, &host, kind, payload);
        }
    }

    /// So much is published that the queues are full, and while they are the state changes.
    pub fn act_flood(&mut self, n: usize, m: usize) {
        let time = self.micros(100 * MS, 2_000 * MS);
        self.pause(m, time);
        self.trace(|_| format!("{n} says much while program {m} pauses for {time:?}"));
        for _ in 0..2 {
            self.act_publish(n);
            self.act_jobs(n);
            self.change_state(n);
        }
    }

    fn write_note(
        &mut self,
        n: usize,
        host: &str,
        kind: NoteKind,
        payload: Payload,
    ) -> Option<u64> {
        let head = if kind == NoteKind::State { STATE } else { JOB };
        let h = &mut self.hosts[n];
        if !h.alive {
            return None;
        }
        let (seq, life) = (h.sends, h.life);
        h.sends += u64::from(payload.count());
        self.trace(|w| {
            let (id, count) = (w.model.next_id(), payload.count());
            format!("{n} notes {id} (+{count}) to {host}: {head}")
        });
        self.model.noted(life, host, kind, &payload);
        let input = Input::Note {
            seq,
            host: ByteString::from(host),
            head: Some(ByteString::from(head)),
            kind,
            payload,
        };
        self.input(n, life, input);
        Some(seq)
    }

    /// The program takes a note, or does not.
    pub fn take_note(
        &mut self,
        n: usize,
        host: &str,
        head: &str,
        content: &Option<String>,
    ) -> bool {
        let (life, id) = (self.hosts[n].life, self.hosts[n].id.clone());
        let takes = head == STATE || self.chance(85);
        self.model.note_taken(life, (&id, host), content, takes);
        if head == STATE {
            let connections = &self.hosts[n].connections;
            assert!(
                connections
                    .values()
                    .any(|(_, h)| h.as_deref() == Some(host))
                    || self.hosts[n].closing.is_some(),
                "host {n}: a note of {host}, which is not connected"
            );
            let text = content.as_deref().unwrap_or_default();
            let version = text.trim_end_matches(']').rsplit(',').next();
            let version: u64 = version.and_then(|v| v.parse().ok()).expect("a version");
            let known = &mut self.hosts[n].program.notebook.known;
            let before = known.insert(host.to_owned(), version);
            assert!(
                before.is_none_or(|before| before <= version),
                "host {n}: version {version} of {host} came after {before:?}"
            );
        }
        takes
    }

    /// A note has ended, and perhaps the state has changed since. There is always room for state, and time.
    pub fn note_ended(&mut self, n: usize, seqs: std::ops::Range<u64>, error: Option<&SendError>) {
        let notebook = &mut self.hosts[n].program.notebook;
        let ended = notebook
            .told
            .iter()
            .find(|(_, (seq, _))| seqs.contains(seq));
        let Some((host, version)) = ended.map(|(host, (_, version))| (host.clone(), *version))
        else {
            return;
        };
        notebook.told.remove(&host);
        assert!(
            !matches!(
                error,
                Some(SendError::Overloaded { .. } | SendError::Timeout { .. })
            ),
            "host {n} could not tell its state to {host}: {error:?}"
        );
        let connected = self.hosts[n].connections.values();
        let connected = connected
            .filter(|(_, id)| *id == Some(host.clone()))
            .count()
            > 0;
        if connected && version < self.hosts[n].program.notebook.version {
            self.tell_state(n, host);
        }
    }

    /// Everybody knows the latest state of whoever is connected.
    pub fn assert_states(&self) {
        for (n, host) in self.hosts.iter().enumerate() {
            for (_, id) in host.connections.values() {
                let Some(other) = self.hosts.iter().find(|h| Some(&h.id) == id.as_ref()) else {
                    continue;
                };
                let known = host.program.notebook.known.get(&other.id).copied();
                let latest = other.program.notebook.version;
                assert_eq!(known, Some(latest), "what host {n} knows of {}", other.id);
            }
        }
    }
}

impl Model {
    /// Records notes before they are said.
    fn noted(&mut self, sender: Life, host: &str, kind: NoteKind, payload: &Payload) {
        self.counts.notes += u64::from(payload.count());
        let first = self.note(sender, payload, host, |_| {
            let mut note = Message::new(sender);
            note.host = Some(host.to_owned());
            note.job = kind == NoteKind::Job;
            note
        });
        let more = first..self.messages.len();
        self.lives[sender].sends.extend(more);
    }

    /// The program of a host has been brought a note, and has taken it or not. The two are known by their ids.
    fn note_taken(
        &mut self,
        at: Life,
        (id, from): (&str, &str),
        content: &Option<String>,
        takes: bool,
    ) {
        self.counts.delivered += 1;
        let Ok(number) = self.find(content, "", "noted") else {
            return;
        };
        let m = &mut self.messages[number];
        let sender = self.lives[m.sender].name.ends_with(from);
        assert!(
            m.host.as_deref() == Some(id) && sender,
            "message {number} came to {id} from {from}: {m:?}"
        );
        assert!(
            m.delivered.is_empty() && m.returned.is_empty(),
            "note {number} came twice: {m:?}"
        );
        assert!(
            m.outcome.may_still_arrive(),
            "note {number} came after {:?}",
            m.outcome
        );
        match takes {
            true => m.delivered.push(at),
            false => m.returned.push(at),
        }
        let sender = m.sender;
        self.in_order(sender, at, number);
    }
}
