//! What a producer may say about a message beside its body.

use longshore_core::{Due, GroupName, Headers, Lane, NameError, NewMessage, TraceContext};

/// The options that one message and a batch of them share.
#[derive(Debug, Default)]
pub(crate) struct MessageOptions {
    pub(crate) headers: Headers,
    pub(crate) group: Option<GroupName>,
    pub(crate) lane: Lane,
    pub(crate) due: Option<Due>,
    pub(crate) expires: Option<Due>,
    pub(crate) trace: Option<TraceContext>,
    /// The first name that was refused: told when the request is awaited, so that the builder
    /// reads as one sentence.
    pub(crate) refused: Option<NameError>,
}

impl MessageOptions {
    pub(crate) fn set_group(&mut self, group: &str) {
        match GroupName::new(group) {
            Ok(group) => self.group = Some(group),
            Err(error) => self.refuse(error),
        }
    }

    pub(crate) fn refuse(&mut self, error: NameError) {
        self.refused.get_or_insert(error);
    }

    /// Writes the options that were set into a message.
    pub(crate) fn apply(&self, message: &mut NewMessage) {
        if !self.headers.is_empty() {
            message.headers = self.headers.clone();
        }
        if self.group.is_some() {
            message.group.clone_from(&self.group);
        }
        if self.lane != Lane::default() {
            message.lane = self.lane;
        }
        message.due = self.due.or(message.due);
        message.expires = self.expires.or(message.expires);
        if self.trace.is_some() {
            message.trace.clone_from(&self.trace);
        }
    }
}

/// Writes the setters of the shared options onto a builder with a field `options`.
macro_rules! option_setters {
    () => {
        /// Delivers it this long after the store took it.
        pub fn delay(mut self, span: ::std::time::Duration) -> Self {
            self.options.due = Some(::longshore_core::Due::In(span));
            self
        }

        /// Delivers it at this time.
        pub fn at(mut self, time: ::longshore_core::Timestamp) -> Self {
            self.options.due = Some(::longshore_core::Due::At(time));
            self
        }

        /// Lets it expire this long after the store took it. Default: the queue's setting. What
        /// would expire before it is due is refused.
        pub fn expires(mut self, span: ::std::time::Duration) -> Self {
            self.options.expires = Some(::longshore_core::Due::In(span));
            self
        }

        /// Lets it expire at this time.
        pub fn expires_at(mut self, time: ::longshore_core::Timestamp) -> Self {
            self.options.expires = Some(::longshore_core::Due::At(time));
            self
        }

        /// Gives it a priority. Default normal.
        pub fn priority(mut self, lane: ::longshore_core::Lane) -> Self {
            self.options.lane = lane;
            self
        }

        /// Puts it into a group: members are worked one at a time, in order.
        pub fn group(mut self, group: impl AsRef<str>) -> Self {
            self.options.set_group(group.as_ref());
            self
        }

        /// Adds a header; an earlier one of that name is replaced.
        pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.options.headers.insert(name, value);
            self
        }

        /// Adds headers.
        pub fn headers<N: Into<String>, V: Into<String>>(
            mut self,
            headers: impl IntoIterator<Item = (N, V)>,
        ) -> Self {
            for (name, value) in headers {
                self.options.headers.insert(name, value);
            }
            self
        }

        /// Lets W3C trace context travel with it.
        pub fn trace(mut self, context: ::longshore_core::TraceContext) -> Self {
            self.options.trace = Some(context);
            self
        }

        /// Ends each call of the store by then, its repeats included. Default: the call timeout of
        /// the connection (5 s).
        pub fn timeout(mut self, span: ::std::time::Duration) -> Self {
            self.timeout = span;
            self
        }
    };
}
pub(crate) use option_setters;
