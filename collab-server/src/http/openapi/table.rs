//! Every operation of the REST interface.

use collab_protocol::ErrorCode::{self, *};

/// One method of one path.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// The path as the router has it.
    pub(super) path: &'static str,
    /// Its name for programs.
    pub(super) id: &'static str,
    pub(super) tag: &'static str,
    pub(super) about: &'static str,
    pub(super) query: Vec<Parameter>,
    /// The schema of its body, and whether there must be one.
    pub(super) takes: Option<(&'static str, bool)>,
    /// Whether its body is messages, a line each.
    pub(super) takes_messages: bool,
    /// The status and body of an answer that is no error.
    pub(super) gives: (u16, Body),
    /// Whether an answer that is held already may be asked after.
    pub(super) is_cached: bool,
    pub(super) errors: &'static [ErrorCode],
}

/// A parameter behind the path.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) about: &'static str,
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub(super) enum Body {
    None,
    Text,
    /// JSON of this schema.
    Json(&'static str),
    /// JSON that describes itself.
    Any,
    /// Messages, as they come or in one piece.
    Messages,
}

impl Operation {
    fn query(mut self, query: impl Into<Vec<Parameter>>) -> Self {
        self.query = query.into();
        self
    }

    fn takes(mut self, schema: &'static str) -> Self {
        self.takes = Some((schema, true));
        self
    }

    fn takes_messages(mut self) -> Self {
        self.takes_messages = true;
        self
    }

    fn may_take(mut self, schema: &'static str) -> Self {
        self.takes = Some((schema, false));
        self
    }

    fn cached(mut self) -> Self {
        self.is_cached = true;
        self
    }

    fn errors(mut self, errors: &'static [ErrorCode]) -> Self {
        self.errors = errors;
        self
    }
}

/// `route` is a method and a path, `name` a tag and a name for programs.
fn operation(
    route: &'static str,
    name: &'static str,
    gives: (u16, Body),
    about: &'static str,
) -> Operation {
    let (method, path) = route.split_once(' ').expect("a method and a path");
    let (tag, id) = name.split_once(' ').expect("a tag and a name");
    let (query, takes, errors) = (Vec::new(), None, &[][..]);
    Operation {
        method,
        path,
        id,
        tag,
        about,
        query,
        takes,
        takes_messages: false,
        gives,
        is_cached: false,
        errors,
    }
}

const fn number(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "integer", required: false, about }
}

const fn needed(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "integer", required: true, about }
}

const fn text(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "string", required: false, about }
}

const fn flag(name: &'static str, about: &'static str) -> Parameter {
    Parameter { name, kind: "boolean", required: false, about }
}

/// What looking something up in a document may be answered.
const READS: &[ErrorCode] = &[NotFound, DocumentDeleted, Forbidden];

/// What changing something of a document may be answered.
const CHANGES: &[ErrorCode] =
    &[BadRequest, NotFound, DocumentDeleted, Forbidden, ForeignOrigin, SlowDown];

/// What changing a document's text may be answered.
const EDITS: &[ErrorCode] = &[
    BadRequest,
    NotFound,
    RevisionAhead,
    DocumentDeleted,
    Forbidden,
    ForeignOrigin,
    MessageTooLarge,
    DocumentFull,
    SlowDown,
    Overloaded,
    DocCorrupt,
];

/// What looking into a document's past may be answered.
const LOOKS_BACK: &[ErrorCode] = &[
    BadRequest,
    NotFound,
    RevisionAhead,
    DocumentDeleted,
    Forbidden,
    SlowDown,
    Overloaded,
    DocCorrupt,
];

/// Every operation, in the order of the document's paths.
pub(super) fn operations() -> Vec<Operation> {
    let parts = [
        documents(),
        edits(),
        history(),
        past_texts(),
        versions(),
        sharing(),
        people(),
        notifications(),
        sessions(),
    ];
    parts.into_iter().flatten().collect()
}

/// An answer with a body of this schema.
const fn json(status: u16, schema: &'static str) -> (u16, Body) {
    (status, Body::Json(schema))
}

/// An answer that says it all by its status.
const NOTHING: (u16, Body) = (204, Body::None);

/// Documents themselves.
fn documents() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "post /api/documents",
            "documents createDocument",
            json(201, "DocumentInfo"),
            "Create a document.",
        )
        .may_take("CreateDocument")
        .errors(&[BadRequest, MessageTooLarge, ForeignOrigin, SlowDown, Overloaded]),
        op(
            "get /api/documents",
            "documents listDocuments",
            json(200, "DocumentList"),
            "List one's own documents and those one has opened, latest first.",
        )
        .query([
            text("q", "A part of the title."),
            number("limit", "How many, 1 to 200; 50 if absent."),
            text("cursor", "Where the page before ended."),
            flag("deleted", "Whether to list what is deleted instead."),
        ])
        .errors(&[BadRequest]),
        op(
            "get /api/documents/{id}",
            "documents readDocument",
            json(200, "DocumentInfo"),
            "Look a document up.",
        )
        .errors(READS),
        op(
            "patch /api/documents/{id}",
            "documents renameDocument",
            json(200, "DocumentInfo"),
            "Give a document another title.",
        )
        .takes("RenameDocument")
        .errors(CHANGES),
        op(
            "delete /api/documents/{id}",
            "documents deleteDocument",
            NOTHING,
            "Delete a document; it can be restored.",
        )
        .errors(&[NotFound, Forbidden, ForeignOrigin, SlowDown]),
        op(
            "post /api/documents/{id}/restore",
            "documents restoreDocument",
            json(200, "DocumentInfo"),
            "Restore a deleted document.",
        )
        .errors(&[NotFound, Forbidden, ForeignOrigin, SlowDown]),
        op(
            "get /api/documents/{id}/text",
            "documents readText",
            (200, Body::Text),
            "Read a text: the latest, that of a revision, or that of a time.",
        )
        .query([
            number("revision", "The revision."),
            number("time_ms", "The time, in place of a revision."),
        ])
        .cached()
        .errors(LOOKS_BACK),
    ]
}

/// A document's text, changed without a connection.
fn edits() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "put /api/documents/{id}/text",
            "documents setText",
            json(200, "TextEdited"),
            "Give a document another text, as one edit.",
        )
        .takes("SetText")
        .errors(EDITS),
        op(
            "post /api/documents/{id}/edits",
            "documents editText",
            json(200, "TextEdited"),
            "Change a document's text in some places, as one edit.",
        )
        .takes("EditText")
        .errors(EDITS),
    ]
}

/// A document's past.
fn history() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "get /api/documents/{id}/history",
            "history listOperations",
            json(200, "HistoryPage"),
            "Read committed operations, in order.",
        )
        .query([
            number("after", "The revision before the first one; 0 if absent."),
            number("limit", "How many, 1 to 1000; 100 if absent."),
        ])
        .errors(LOOKS_BACK),
        op(
            "get /api/documents/{id}/history/summary",
            "history summarizeHistory",
            json(200, "HistorySummary"),
            "See a document's whole history in a few stretches.",
        )
        .query([number("buckets", "How many, 1 to 1000; 200 if absent.")])
        .errors(LOOKS_BACK),
        op(
            "get /api/documents/{id}/seen",
            "history readSeen",
            json(200, "SeenMark"),
            "See how far one has looked at a document.",
        )
        .errors(READS),
        op(
            "put /api/documents/{id}/seen",
            "history markSeen",
            json(200, "SeenMark"),
            "Note how far one has looked at a document.",
        )
        .takes("MarkSeen")
        .errors(&[
            BadRequest,
            NotFound,
            RevisionAhead,
            DocumentDeleted,
            ForeignOrigin,
            SlowDown,
        ]),
    ]
}

/// Texts of the past: how they differ, who wrote them, and bringing them back.
fn past_texts() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "get /api/documents/{id}/diff",
            "history compareRevisions",
            json(200, "RevisionDiff"),
            "Read what leads from one text to a later one.",
        )
        .query([needed("from", "The earlier revision."), needed("to", "The later one.")])
        .cached()
        .errors(LOOKS_BACK),
        op(
            "get /api/documents/{id}/attribution",
            "history attributeText",
            json(200, "Attribution"),
            "See who wrote the characters of a text.",
        )
        .query([
            number("revision", "The text's revision; the latest if absent."),
            number("from", "The first character; 0 if absent."),
            number("len", "How many characters; all if absent."),
            number("gap_ms", "Neighbours of one author within this time make one run."),
        ])
        .errors(LOOKS_BACK),
        op(
            "post /api/documents/{id}/restore-revision",
            "history restoreRevision",
            json(200, "RevisionRestored"),
            "Give a document the text of an earlier revision, as one more change.",
        )
        .takes("RestoreRevision")
        .errors(&[
            BadRequest,
            NotFound,
            RevisionAhead,
            DocumentDeleted,
            Forbidden,
            ForeignOrigin,
            DocumentFull,
            SlowDown,
            Overloaded,
            DocCorrupt,
        ]),
    ]
}

/// Revisions that have names.
fn versions() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "get /api/documents/{id}/versions",
            "versions listVersions",
            json(200, "VersionList"),
            "List the revisions that have names.",
        )
        .errors(READS),
        op(
            "post /api/documents/{id}/versions",
            "versions nameRevision",
            json(201, "Version"),
            "Give a revision a name.",
        )
        .takes("CreateVersion")
        .errors(&[
            BadRequest,
            NotFound,
            RevisionAhead,
            DocumentDeleted,
            Forbidden,
            ForeignOrigin,
            TooManyVersions,
            SlowDown,
        ]),
        op(
            "patch /api/documents/{id}/versions/{version}",
            "versions renameVersion",
            json(200, "Version"),
            "Give a named version another name.",
        )
        .takes("RenameVersion")
        .errors(CHANGES),
        op(
            "delete /api/documents/{id}/versions/{version}",
            "versions deleteVersion",
            NOTHING,
            "Take a version's name away; the revision stays.",
        )
        .errors(CHANGES),
    ]
}

/// With whom a document is shared.
fn sharing() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "get /api/documents/{id}/sharing",
            "sharing readSharing",
            json(200, "Sharing"),
            "See what a document's link gives, and its people.",
        )
        .errors(&[NotFound, DocumentDeleted]),
        op(
            "put /api/documents/{id}/sharing",
            "sharing setLink",
            json(200, "Sharing"),
            "Set what a document's link gives.",
        )
        .takes("UpdateSharing")
        .errors(&[BadRequest, NotFound, Forbidden, ForeignOrigin, SlowDown]),
        op(
            "put /api/documents/{id}/people/{user}",
            "sharing setPerson",
            json(200, "Sharing"),
            "Give somebody a role in a document; `owner` hands it over.",
        )
        .takes("SetPerson")
        .errors(&[BadRequest, NotFound, Forbidden, ForeignOrigin, TooManyPeople, SlowDown]),
        op(
            "delete /api/documents/{id}/people/{user}",
            "sharing removePerson",
            NOTHING,
            "Take somebody's role away, or leave a document oneself.",
        )
        .errors(&[
            BadRequest,
            NotFound,
            DocumentDeleted,
            Forbidden,
            ForeignOrigin,
            SlowDown,
        ]),
    ]
}

/// People, and this description.
fn people() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op("get /api/me", "people readMe", json(200, "Me"), "See who one is."),
        op(
            "put /api/me",
            "people updateMe",
            json(200, "Me"),
            "Take another name or colour, which others see at once.",
        )
        .takes("UpdateMe")
        .errors(&[BadRequest, Forbidden, ForeignOrigin, SlowDown]),
        op(
            "post /api/events",
            "events tellEvent",
            json(202, "EventTaken"),
            "Tell a person, a tenant or a topic something, as a back end.",
        )
        .takes("NewEvent")
        .errors(&[
            BadRequest,
            Forbidden,
            EventTooLarge,
            MessageTooLarge,
            ForeignOrigin,
            SlowDown,
        ]),
        op(
            "post /api/topics/{topic}",
            "events publishValue",
            json(202, "EventTaken"),
            "Tell a topic a value, as a back end: of each second the latest is told.",
        )
        .takes("PublishValue")
        .errors(&[
            BadRequest,
            Forbidden,
            EventTooLarge,
            MessageTooLarge,
            ForeignOrigin,
            SlowDown,
            Overloaded,
        ]),
        op(
            "get /api/figures",
            "operation readFigures",
            json(200, "Figures"),
            "See how much went on, second by second, in the last 15 minutes.",
        )
        .query([text("of", "Of the server, or own: of one's own documents.")])
        .errors(&[BadRequest, Forbidden, SlowDown]),
        op(
            "get /api/openapi.json",
            "description readDescription",
            (200, Body::Any),
            "Read this description.",
        ),
    ]
}

/// What people are told until they have read it.
fn notifications() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "get /api/notifications",
            "notifications listNotifications",
            json(200, "NotificationPage"),
            "List one's own notifications, latest first, 50 at a time.",
        )
        .query([
            number("before", "Only those with lower numbers than this."),
            number(
                "since",
                "Those that changed behind this change, if they are no more than a page.",
            ),
        ])
        .errors(&[BadRequest]),
        op(
            "post /api/notifications/read",
            "notifications readNotifications",
            json(200, "NotificationsRead"),
            "Note what one has read, on all devices.",
        )
        .takes("ReadNotifications")
        .errors(&[BadRequest, MessageTooLarge, ForeignOrigin, SlowDown]),
        op(
            "post /api/notifications",
            "notifications notify",
            json(201, "NotificationTaken"),
            "Notify people, as a back end; the same key again notifies nobody.",
        )
        .takes("NewNotification")
        .errors(&[
            BadRequest,
            Forbidden,
            EventTooLarge,
            MessageTooLarge,
            ForeignOrigin,
            SlowDown,
        ]),
    ]
}

/// The session of a client over HTTP, where WebSockets do not pass.
fn sessions() -> Vec<Operation> {
    use self::operation as op;
    vec![
        op(
            "post /api/session",
            "sessions openSession",
            json(201, "SessionOpened"),
            "Open a session over HTTP; docs/protocol.md says what is said in it.",
        )
        .takes("OpenSession")
        .errors(&[BadRequest, MessageTooLarge, ForeignOrigin, SlowDown, Overloaded]),
        op("delete /api/session", "sessions endSession", NOTHING, "End a session at once.")
            .errors(&[NotFound, ForeignOrigin, SlowDown]),
        op(
            "get /api/session/events",
            "sessions receiveMessages",
            (200, Body::Messages),
            "Receive messages: a stream of events, or with poll_ms what there is.",
        )
        .query([
            number("after", "The last event that was received; 0 if absent."),
            number("poll_ms", "How long to wait for the first message, at most 25000."),
        ])
        .errors(&[BadRequest, NotFound, ForeignOrigin, SlowDown]),
        op("post /api/session/messages", "sessions sendMessages", NOTHING, "Send messages.")
            .takes_messages()
            .query([
                needed("n", "The number of the first message, from 1."),
                number("ack", "The last event that was received; 0 if absent."),
            ])
            .errors(&[BadRequest, NotFound, MessageTooLarge, ForeignOrigin, SlowDown]),
    ]
}
