//! The one error type of the crate: every message states operation, rule, received values and next step.

/// What went wrong, by domain. Python maps each variant to its own exception class.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// Shapes, ranks or axes do not fit the operation's rule.
    #[error("{op}: expected {expected}, got {got}")]
    Shape {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// An operation does not accept a dtype, or two dtypes do not mix.
    #[error("{op}: expected {expected}, got {got}")]
    DType {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// An argument lies outside its domain.
    #[error("{op}: expected {expected}, got {got}")]
    Value {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// An index lies outside the axis it points into.
    #[error("{op}: expected {expected}, got {got}")]
    Index {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// A device is absent, or tensors of two devices meet.
    #[error("{op}: expected {expected}, got {got}")]
    Device {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// Recording, capture or the gradient tape forbids the request.
    #[error("{op}: expected {expected}, got {got}")]
    Graph {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// A check on data failed while a step ran: a non-finite loss or gradient.
    #[error("{op}: expected {expected}, got {got}")]
    NonFinite {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// A file is missing, unreadable or malformed.
    #[error("{op}: expected {expected}, got {got}")]
    Io {
        /// Operation that was asked for.
        op: String,
        /// The rule, in words and values.
        expected: String,
        /// What was received.
        got: String,
    },
    /// A broken invariant of the library itself.
    #[error("{op}: internal error: {what}; please report this with the program that led to it")]
    Bug {
        /// Operation that was asked for.
        op: String,
        /// The invariant that broke.
        what: String,
    },
}

/// Result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! constructor {
    ($(#[$doc:meta])* $name:ident, $variant:ident) => {
        $(#[$doc])*
        pub fn $name(op: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
            Self::$variant { op: op.into(), expected: expected.into(), got: got.into() }
        }
    };
}

impl Error {
    constructor!(
        /// Build an [`Error::Shape`].
        shape, Shape);
    constructor!(
        /// Build an [`Error::DType`].
        dtype, DType);
    constructor!(
        /// Build an [`Error::Value`].
        value, Value);
    constructor!(
        /// Build an [`Error::Index`].
        index, Index);
    constructor!(
        /// Build an [`Error::Device`].
        device, Device);
    constructor!(
        /// Build an [`Error::Graph`].
        graph, Graph);
    constructor!(
        /// Build an [`Error::NonFinite`].
        non_finite, NonFinite);
    constructor!(
        /// Build an [`Error::Io`].
        io, Io);

    /// Build an [`Error::Bug`].
    pub fn bug(op: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Bug { op: op.into(), what: what.into() }
    }

    /// The fields `(op, expected, got)`; for a bug, `expected` is the broken invariant.
    pub fn fields(&self) -> (&str, &str, &str) {
        match self {
            Self::Shape { op, expected, got }
            | Self::DType { op, expected, got }
            | Self::Value { op, expected, got }
            | Self::Index { op, expected, got }
            | Self::Device { op, expected, got }
            | Self::Graph { op, expected, got }
            | Self::NonFinite { op, expected, got }
            | Self::Io { op, expected, got } => (op, expected, got),
            Self::Bug { op, what } => (op, what, ""),
        }
    }
}
