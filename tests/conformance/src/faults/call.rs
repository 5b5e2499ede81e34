//! The calls that can be made to fail.

macro_rules! calls {
    ($($variant:ident $name:literal,)+) => {
        /// A method of one of the store traits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is the method of that name")]
        pub enum Call {
            $($variant,)+
        }

        impl Call {
            /// All calls.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name of the method.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

calls! {
    Enqueue "enqueue",
    Receive "receive",
    Extend "extend",
    Settle "settle",
    Queues "queues",
    Stats "stats",
    Configure "configure",
    Settings "settings",
    Peek "peek",
    Find "find",
    Cancel "cancel",
    Reschedule "reschedule",
    Purge "purge",
    Pause "pause",
    Resume "resume",
    MarkMoving "mark_moving",
    Delete "delete",
    DeadLetters "dead_letters",
    Redrive "redrive",
    Discard "discard",
    Export "export",
    Adopt "adopt",
    Workers "workers",
    Check "check",
    Announce "announce",
    Acquire "acquire",
    Renew "renew",
    Release "release",
    Current "current",
    Load "load",
    List "list",
    Save "save",
    Append "append",
    Turn "turn",
    Parts "parts",
    Answer "answer",
    Finish "finish",
    ListAggregates "list aggregates",
    Epochs "epochs",
    ChangeEpochs "change epochs",
}
