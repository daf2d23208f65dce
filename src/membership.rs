//! What has become of a member, as the crossing says it.

use distribus_mesh::Change;

use crate::contract::memberships;
use crate::memory;

/// What a member that has left has held is given back to the system.
pub fn written(change: &Change) -> &'static str {
    match change {
        Change::Join => memberships::JOIN,
        Change::Leave => {
            memory::give_back_soon();
            memberships::LEAVE
        }
        Change::Disconnect => memberships::DISCONNECT,
        Change::Reconnect => memberships::RECONNECT,
    }
}
