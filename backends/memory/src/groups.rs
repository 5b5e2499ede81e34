//! Admission of group members: one is handed out at a time, the others cost nothing.

use longshore_core::{GroupName, MessageId};

use crate::schema::{Place, Queue, State};

impl Queue {
    /// Adds a due message to its group; it is ready at once if nobody is before it.
    pub(crate) fn join(&mut self, group: &GroupName, place: Place) {
        if let Some(row) = self.live.get_mut(&place.id) {
            row.state = State::Behind;
        }
        self.groups
            .entry(group.clone())
            .or_default()
            .behind
            .insert(place);
        self.admit(group);
    }

    /// Makes the next member ready if there is no head and nothing holds the group.
    pub(crate) fn admit(&mut self, name: &GroupName) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.head.is_some() || !group.parked_by.is_empty() {
            return;
        }
        let Some(next) = group.behind.pop_first() else {
            self.groups.remove(name);
            return;
        };
        group.head = Some(next.id);
        self.make_ready(next.id);
    }

    /// Makes a message the head without making it ready: it was delivered before and backs off.
    pub(crate) fn make_head(&mut self, name: &GroupName, id: MessageId) {
        self.groups.entry(name.clone()).or_default().head = Some(id);
    }

    /// Holds a group until this dead member is redriven or discarded.
    pub(crate) fn park(&mut self, name: &GroupName, id: MessageId) {
        let group = self.groups.entry(name.clone()).or_default();
        group.parked_by.insert(id);
    }

    /// Ends what [`Self::park`] began; the caller admits.
    pub(crate) fn unpark(&mut self, name: &GroupName, id: MessageId) {
        if let Some(group) = self.groups.get_mut(name) {
            group.parked_by.remove(&id);
        }
    }

    /// The first of the members that wait behind the head.
    pub(crate) fn first_behind(&self, name: &GroupName) -> Option<Place> {
        self.groups
            .get(name)
            .and_then(|group| group.behind.first().copied())
    }
}
