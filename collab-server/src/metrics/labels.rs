//! The values of labels, as closed lists.

/// A limit that somebody met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Connections of one address over which nobody is known.
    AddressConnections,
    /// Connections, or sessions over HTTP, of one address's guests.
    AddressGuests,
    /// Requests of one address without an identity.
    AddressRequests,
    /// Documents and versions made by one address's guests.
    AddressCreates,
    /// Connections of one person.
    UserConnections,
    /// Submissions of one person to one document.
    Submissions,
    /// Documents opened over one connection, by their rate or their number.
    Joins,
    /// Other messages of one connection.
    Messages,
    /// Documents and versions made by one person.
    Creates,
    /// Other changes by one person over REST.
    Writes,
    /// Questions about the past by one person.
    Past,
    /// Large bodies under way, of one person or all together.
    Uploads,
    /// Messages of one person in one chat.
    Chat,
    /// Events told to topics by one person.
    Tells,
}

impl Limit {
    /// Its name in the figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Limit::AddressConnections => "address_connections",
            Limit::AddressGuests => "address_guests",
            Limit::AddressCreates => "address_creates",
            Limit::AddressRequests => "address_requests",
            Limit::UserConnections => "user_connections",
            Limit::Submissions => "submissions",
            Limit::Joins => "joins",
            Limit::Messages => "messages",
            Limit::Creates => "creates",
            Limit::Writes => "writes",
            Limit::Past => "past",
            Limit::Uploads => "uploads",
            Limit::Chat => "chat",
            Limit::Tells => "tells",
        }
    }
}

/// Why a connection did not become secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsFailure {
    /// It spoke plain HTTP.
    Plain,
    /// The two ends did not agree, or the other one went.
    Refused,
    /// It took too long.
    Slow,
}

impl TlsFailure {
    /// Its name in the figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            TlsFailure::Plain => "plain",
            TlsFailure::Refused => "refused",
            TlsFailure::Slow => "slow",
        }
    }
}
