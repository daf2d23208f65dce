//! The letters, kinds and flags of the texts that cross. `lib/crossing/contract.js` has the same, `docs/internals/crossing.md`
//! explains them, and a test compares all three.

/// What a line says: its first character.
pub mod lines {
    pub const SEND: u8 = b's';
    pub const SEND_PATIENTLY: u8 = b'l';
    pub const REQUEST: u8 = b'q';
    pub const REPLY: u8 = b'r';
    pub const PUBLISH: u8 = b'p';
    pub const QUESTION: u8 = b'n';
    pub const STATE: u8 = b'k';
    pub const JOB: u8 = b'j';
    pub const PEERS: u8 = b'c';
    pub const CHANNELS: u8 = b't';
    pub const PATTERNS: u8 = b'w';
}

/// How a line carries its messages: its second character.
pub mod forms {
    pub const JSON_TEXT: u8 = b'0';
    pub const UNDEFINED: u8 = b'1';
    pub const STRING: u8 = b'2';
    pub const BUFFER: u8 = b'3';
    pub const UINT8_ARRAY: u8 = b'4';
}

/// In the place of the form: whether what a line names has come or gone.
pub mod changes {
    pub const MORE: u8 = b'+';
    pub const LESS: u8 = b'-';
}

/// Events, as they are written.
pub mod kinds {
    pub const MESSAGES: &str = "0";
    pub const UNDEFINED_MESSAGES: &str = "1";
    pub const MESSAGES_BESIDE: &str = "2";
    pub const UINT8_ARRAYS_BESIDE: &str = "3";
    pub const LOOKUP: &str = "4";
    pub const SETTLED: &str = "5";
    pub const FAILED: &str = "6";
    pub const DONE: &str = "7";
    pub const CONNECTED: &str = "8";
    pub const DISCONNECTED: &str = "9";
    pub const LOCATED: &str = "10";
    pub const FORGOTTEN: &str = "11";
    pub const TIMER_STARTED: &str = "12";
    pub const TIMER_STOPPED: &str = "13";
    pub const NETWORK_ID: &str = "14";
    pub const LIST: &str = "15";
    pub const UNREACHABLE: &str = "16";
    pub const MEMBER: &str = "18";
    pub const DROPPED: &str = "21";
    pub const GAP: &str = "22";
    pub const RELIEVED: &str = "23";
    pub const SLOW: &str = "24";
    pub const PULSE: &str = "25";
    pub const STALLED: &str = "26";
    pub const ACCEPTED: &str = "28";
    pub const GONE: &str = "29";
    pub const URL_TAKEN: &str = "30";
    pub const MAY_DIAL: &str = "31";
}

/// Flags of the events that bring messages.
pub mod flags {
    pub const NO_NAME: u8 = 1;
    pub const NO_SENDER: u8 = 2;
    pub const PUBLISHED: u8 = 4;
    pub const REQUESTED: u8 = 8;
    pub const REPLIED: u8 = 16;
    pub const NOTE: u8 = 32;
    pub const V1: u8 = 64;
}

/// What became of a member, in the event MEMBER.
pub mod memberships {
    pub const JOIN: &str = "0";
    pub const LEAVE: &str = "1";
    pub const DISCONNECT: &str = "2";
    pub const RECONNECT: &str = "3";
}

/// Replies to the questions of a batch.
pub mod replies {
    pub const NO_SUCH_PEER: &str = "0";
    pub const THREW: &str = "1";
    pub const HERE: &str = "2";
    pub const IDS: &str = "3";
    pub const OVERLOADED: &str = "4";
    pub const DIAL: &str = "5";
}

/// What became of a request: in the line REPLY, and in events with the flag REPLIED.
pub mod outcomes {
    pub const ANSWERED: &str = "0";
    pub const THREW: &str = "1";
    pub const NO_HANDLER: &str = "2";
}
