// The messages of Concord's protocol. Generated from collab-protocol/src by its tests; do not edit:
// change the Rust types and run `CONCORD_BLESS=1 cargo test -p collab-protocol`.
// docs/protocol.md shows each message by example.

/** An operation over a whole document: n > 0 keeps n characters, n < 0 deletes -n, a text inserts. */
export type OperationJson = (number | string)[];

/** A document: 32 lower-case hexadecimal digits. */
export type DocumentId = string;

/** One editing replica: 32 lower-case hexadecimal digits. */
export type ClientId = string;

/** A line of history: 32 lower-case hexadecimal digits. */
export type Epoch = string;

/** xxh64 (seed 0) of a text's UTF-8: 16 lower-case hexadecimal digits. */
export type TextHash = string;

/** A message of a chat: 32 lower-case hexadecimal digits. */
export type MessageId = string;

/** A notification: 32 lower-case hexadecimal digits. */
export type NotificationId = string;

/** A named version: 32 lower-case hexadecimal digits. */
export type VersionId = string;

/** A person: an opaque text of at most 64 characters. */
export type UserId = string;

/** A topic: 1 to 128 of letters, digits, and `._:-`. */
export type TopicName = string;

/** A kind of event: 1 to 64 of letters, digits, and `._:-`. */
export type EventName = string;

/** What tells an event from others. */
export type EventId = string;

/** A joined document within one connection. */
export type ChannelId = number;

/** A person within one document. */
export type AuthorNumber = number;

/** One live session within one document. */
export type SessionNumber = number;

/** A selection or caret, in scalar values. */
export type SelectionRange = [anchor: number, head: number];

/** One entry of an `ops` frame. */
export type Entry = { op: OperationJson; by: AuthorNumber } | { op: OperationJson; to: number } | { ack: number } | { check: TextHash };

/**
 * What a server accepts, told in `welcome` so that a client can keep within it: it splits large
 * edits before it sends them and composes more per submission when it would be too fast.
 *
 * These bind what a client sends, not what it receives.
 */
export type WireLimits = {
  /** One message, in bytes. A larger one ends the connection with close code 1009. */
  message_bytes_max: number;
  /** Text inserted by one operation, in UTF-8 bytes. */
  text_bytes_max: number;
  /** Components of one operation. */
  components_max: number;
  /** A document's text, in UTF-8 bytes. */
  document_bytes_max: number;
  /** Submissions a second that one user may make to one document for any length of time. */
  submissions_per_s: number;
  /** Submissions that may come at once before that rate binds. */
  submissions_burst: number;
  /** Selected ranges of one session. */
  ranges_max: number;
  /** Documents joined over one connection. */
  documents_max: number;
  /** Committed operations a document keeps at hand; a session further behind gets them composed. */
  ring_len: number;
  /** Topics watched over one connection. */
  topics_max: number;
  /** An event's data, in bytes of JSON. */
  event_bytes_max: number;
};

/** Why a submission was not committed. [`RejectCode::retryable`] says what to do next. */
export type RejectCode = "bad_op" | "bad_text" | "bad_ranges" | "future_base" | "stale_seq" | "seq_reuse" | "text_too_large" | "too_many_components" | "document_full" | "document_deleted" | "forbidden" | "doc_corrupt" | "slow_down" | "storage_unavailable" | "overloaded";

/** Why something other than a submission could not be done. */
export type ErrorCode = "bad_message" | "bad_channel" | "not_joined" | "not_found" | "document_deleted" | "forbidden" | "access_revoked" | "client_taken" | "too_many_documents" | "too_many_topics" | "event_too_large" | "bad_ranges" | "message_too_large" | "unauthenticated" | "foreign_origin" | "bad_request" | "revision_ahead" | "too_many_versions" | "too_many_people" | "document_full" | "slow_down" | "storage_unavailable" | "overloaded" | "doc_corrupt" | "internal";

/** Why something asked of a chat is not done. */
export type ChatCode = "id_reuse" | "text_too_long" | "bad_text" | "bad_mentions" | "bad_ref" | "no_message" | "not_yours" | "message_deleted" | "forbidden" | "not_found" | "document_deleted" | "too_many_open" | "slow_down" | "storage_unavailable" | "overloaded";

/** What a person may do with a document. */
export type Role = "owner" | "editor" | "commenter" | "viewer";

/** A message from a client. */
export type ClientMessage = { "type": "auth" } & Auth | { "type": "join" } & Join | { "type": "submit" } & Submit | { "type": "select" } & Select | { "type": "leave" } & Leave | { "type": "ping" } & Ping | { "type": "chat_open" } & ChatOpen | { "type": "chat_send" } & ChatSend | { "type": "chat_edit" } & ChatEdit | { "type": "chat_delete" } & ChatDelete | { "type": "chat_before" } & ChatBefore | { "type": "chat_typing" } & ChatTyping | { "type": "chat_read" } & ChatRead | { "type": "chat_locate" } & ChatLocate | { "type": "watch" } & Watch | { "type": "unwatch" } & Unwatch | { "type": "tell" } & Tell | { "type": "figures_open" } & FiguresOpen | { "type": "figures_close" } & FiguresClose;

/**
 * Says who is there, as the first message of a connection whose upgrade did not; later it brings a
 * fresh token of the same person, so that the session lasts as long as that.
 */
export type Auth = {
  /** The token. Never in a URL, never in a log. */
  token: string;
};

/** Opens a document. */
export type Join = {
  /** The document. */
  doc: DocumentId;
  /** The replica that joins; a live session of the same one is closed with 4409. */
  client: ClientId;
  /** The revision that the client holds, if it holds any: it then gets operations, not the text. */
  since?: number;
  /** The epoch that `since` belongs to; needed with it. */
  epoch?: Epoch;
};

/** Offers one edit. It is answered exactly once: by an ack in the stream, by `ack`, or by `reject`. */
export type Submit = {
  /** The document's channel. */
  ch: ChannelId;
  /** The client's number for this submission: 1, 2, 3… within the document. */
  seq: number;
  /** The revision that the operation was made on. */
  rev: number;
  /** The operation. */
  op: OperationJson;
  /** The selections after the operation, if they are to be shown. */
  ranges?: Array<SelectionRange>;
};

/**
 * Tells the carets and selections of this session. Sent only while nothing is pending; otherwise
 * they ride with the next submission.
 */
export type Select = {
  /** The document's channel. */
  ch: ChannelId;
  /** The revision whose text the offsets are in. */
  rev: number;
  /** The selections; none takes the caret away. */
  ranges: Array<SelectionRange>;
};

/** Closes a document on this connection; answered by `left`. */
export type Leave = {
  /** The document's channel. */
  ch: ChannelId;
};

/** Asks for a `pong` with the same `t`. */
export type Ping = {
  /** Any number; a client puts its clock there, in milliseconds. */
  t: number;
};

/** Hears from now on what is told in a topic; answered by `watching`. */
export type Watch = {
  /** The topic. */
  topic: TopicName;
};

/** Hears no more of a topic. Nothing is answered. */
export type Unwatch = {
  /** The topic. */
  topic: TopicName;
};

/**
 * Tells everybody who watches a topic something; answered by `told`, or by an error with the same
 * `topic` and `n`.
 */
export type Tell = {
  /** The topic. */
  topic: TopicName;
  /** Any number, which comes back in the answer. */
  n: number;
  /** What kind of event it is; `message` if left out. */
  name?: EventName;
  /** Anything. */
  data: unknown;
};

/** Opens a document's chat on this connection; answered by `chat_opened` or `chat_reject`. */
export type ChatOpen = {
  /** The document. */
  doc: DocumentId;
  /** The change that the client holds everything up to, if it holds any. */
  since?: number;
};

/** Says something. Answered once by `chat_ack` or `chat_reject`, however often it is sent. */
export type ChatSend = {
  /** The chat's channel. */
  ch: ChannelId;
  /** A new id, kept when the same message is sent again. */
  id: MessageId;
  /** What to say. */
  text: string;
  /** Whom it names, in order and apart. */
  mentions?: Array<ChatMention>;
  /** What it is about. */
  ref?: ChatReference;
};

/** Says it otherwise: one's own message gets another text. */
export type ChatEdit = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Which message. */
  id: MessageId;
  /** What it says from now on. */
  text: string;
  /** Whom it names from now on. */
  mentions?: Array<ChatMention>;
};

/** Takes a message back: one's own, or as the document's owner anybody's. */
export type ChatDelete = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Which message. */
  id: MessageId;
};

/** Asks for what was said before; answered by `chat_page`. */
export type ChatBefore = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Messages with lower numbers than this are asked for. */
  number: number;
};

/** Tells that this person types, or not any more. */
export type ChatTyping = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Whether they type. To be said again every few seconds while they do. */
  on: boolean;
};

/** Tells up to where this person has read. */
export type ChatRead = {
  /** The chat's channel. */
  ch: ChannelId;
  /** The last message that they have seen. */
  number: number;
};

/** Asks where a stretch of the text is now; answered by `chat_located`. */
export type ChatLocate = {
  /** The chat's channel. */
  ch: ChannelId;
  /** The stretch. */
  ref: ChatReference;
  /** The revision to carry it to, if not the latest. */
  to?: number;
};

/** A message from a server. */
export type ServerMessage = { "type": "welcome" } & Welcome | { "type": "joined" } & Joined | { "type": "ops" } & Ops | { "type": "ack" } & Ack | { "type": "reject" } & Reject | { "type": "presence" } & Presence | { "type": "slow_down" } & SlowDown | { "type": "error" } & ErrorMessage | { "type": "pong" } & Pong | { "type": "left" } & Left | { "type": "renamed" } & Renamed | { "type": "deleted" } & Deleted | { "type": "restored" } & Restored | { "type": "access" } & Access | { "type": "chat_opened" } & ChatOpened | { "type": "chat" } & ChatNews | { "type": "chat_page" } & ChatPage | { "type": "chat_ack" } & ChatAck | { "type": "chat_reject" } & ChatReject | { "type": "chat_typing" } & ChatTypists | { "type": "chat_read" } & ChatSeen | { "type": "chat_located" } & ChatLocated | { "type": "watching" } & Watching | { "type": "told" } & Told | { "type": "event" } & Event | { "type": "missed" } & Missed | { "type": "notified" } & Notified | { "type": "figures" } & Figures | { "type": "figures_refused" } & FiguresRefused;

/** The first message of every connection. */
export type Welcome = {
  /** Who the server takes the client for. */
  user: WelcomeUser;
  /** What the server accepts. */
  limits: WireLimits;
  /** How often the server pings, in milliseconds. */
  heartbeat_ms: number;
};

/** The person behind a connection. */
export type WelcomeUser = {
  /** The person's id. */
  id: UserId;
  /** The name others see. */
  name: string;
  /** The colour others see, 0 to 11. */
  color: number;
};

/**
 * A document is open.
 *
 * With `text`: the text at `rev`, which is the head. Without: the client's own revision, and the
 * operations since follow.
 */
export type Joined = {
  /** The number for this document on this connection. */
  ch: ChannelId;
  /** The document, so that the answer finds its question. */
  doc: DocumentId;
  /** The line of history that revisions belong to; to be named on resume. */
  epoch: Epoch;
  /** The revision to count from. */
  rev: number;
  /** The text at `rev`. */
  text?: string;
  /** The hash of the text at `rev`, where the text is sent. */
  hash?: TextHash;
  /** The document's title. */
  title: string;
  /** What this person may do. */
  role: Role;
  /** The last submission of this client that is committed; 0 for none. */
  seq: number;
  /** The revision that `seq` was committed as; 0 for none. */
  seq_rev: number;
  /** Everyone else who is there. */
  people: Array<Person>;
};

/** A live session of somebody. */
export type Person = {
  /** The session; two tabs of one person are two. */
  session: SessionNumber;
  /** The person's number as an author. */
  by: AuthorNumber;
  /** The person's id. */
  user: UserId;
  /** The person's name. */
  name: string;
  /** The person's colour, 0 to 11. */
  color: number;
  /** The selections, where the session has told any. */
  ranges?: Array<SelectionRange>;
};

/** Somebody who wrote an operation, there or not. */
export type Author = {
  /** The number that entries use. */
  by: AuthorNumber;
  /** The person's id. */
  user: UserId;
  /** The person's name. */
  name: string;
  /** The person's colour, 0 to 11. */
  color: number;
};

/** Committed operations. Every revision arrives once, in order, as part of one of these. */
export type Ops = {
  /** The document's channel. */
  ch: ChannelId;
  /** The revision before the first entry. */
  rev: number;
  /** The entries. */
  ops: Array<Entry>;
  /** The authors that this frame is the first to use. */
  people?: Array<Author>;
};

/** A resent submission was committed long ago. */
export type Ack = {
  /** The document's channel. */
  ch: ChannelId;
  /** The submission's number. */
  seq: number;
  /** The revision it was committed as. */
  rev: number;
};

/** A submission was not committed. */
export type Reject = {
  /** The document's channel. */
  ch: ChannelId;
  /** The submission's number. */
  seq: number;
  /** Why. */
  code: RejectCode;
  /** More, for a developer. */
  message?: string;
  /** For a code that is to be tried again: after how many milliseconds. */
  retry_ms?: number;
};

/** Who came, moved or went. The latest word on a session holds. */
export type Presence = {
  /** The document's channel. */
  ch: ChannelId;
  /** The revision whose text the ranges are in. The operations up to it came before. */
  rev: number;
  /** Sessions that came or changed; never the receiver's own. */
  people: Array<Person>;
  /** Sessions that went. */
  gone?: Array<SessionNumber>;
};

/** Send less often. */
export type SlowDown = {
  /** For how long to hold back, in milliseconds. */
  ms: number;
};

/** Something other than a submission could not be done. */
export type ErrorMessage = {
  /** What. */
  code: ErrorCode;
  /** Whether the connection closes now. */
  fatal: boolean;
  /** The document that a `join` named. */
  doc?: DocumentId;
  /** The channel that a message named. */
  ch?: ChannelId;
  /** The topic that a message named. */
  topic?: TopicName;
  /** The number of a `tell`. */
  n?: number;
  /** More, for a developer. */
  message?: string;
};

/** The answer to a `ping`. */
export type Pong = {
  /** What the `ping` said. */
  t: number;
};

/** A document is closed on this connection, asked for or not; its channel number is spent. */
export type Left = {
  /** The document's channel. */
  ch: ChannelId;
};

/** A document has a new title. */
export type Renamed = {
  /** The document's channel. */
  ch: ChannelId;
  /** The title. */
  title: string;
};

/** A document was deleted and takes no edits. Its channel stays, and so does its text. */
export type Deleted = {
  /** The document's channel. */
  ch: ChannelId;
};

/** A deleted document was restored and takes edits again. */
export type Restored = {
  /** The document's channel. */
  ch: ChannelId;
};

/**
 * What this person may do with an open document has changed. Who may do nothing any more gets the
 * error `access_revoked` and `left` instead.
 */
export type Access = {
  /** The document's channel. */
  ch: ChannelId;
  /** What the person may do from now on. */
  role: Role;
};

/**
 * Asks for figures from now on: those of the last 15 minutes at once, then at most once a second
 * what came since. Asked again, they begin anew.
 */
export type FiguresOpen = {
  /** Of what; the server where one may see it, if left out, and else one's own documents. */
  of?: FiguresOf;
};

/** Wants no more figures. Nothing is answered. */
export type FiguresClose = Record<symbol, never>;

/** What figures are of. */
export type FiguresOf = "server" | "own";

/** How much went on. At most one of these goes to a connection in any second, whatever happens. */
export type Figures = {
  /** Of what. */
  of: FiguresOf;
  /** Whether they begin anew: what was told before is to be forgotten. */
  first: boolean;
  /** Second by second, oldest first: those that were not told yet. */
  seconds: Array<SecondFigures>;
  /** The busiest documents now, at most 20. */
  documents: Array<DocumentFigures>;
};

/** Figures are not given; nothing was. */
export type FiguresRefused = {
  /** Why: `forbidden`, `overloaded`, `slow_down`. */
  code: ErrorCode;
};

/** How much went on in one second. */
export type SecondFigures = {
  /**
   * When it ended, in milliseconds since 1970. Where a server had no time it is more than a second
   * after the one before, and its counts are of all that time.
   */
  time_ms: number;
  /** People in documents, counted once in each. */
  people: number;
  /** Documents with somebody in them. */
  documents: number;
  /** Operations made durable. */
  operations: number;
  /** More, where they are of the server. */
  server?: ServerFigures;
};

/** How much went on in one second on a server as a whole. */
export type ServerFigures = {
  /** Open connections of clients. */
  connections: number;
  /** Documents in memory. */
  loaded: number;
  /** Bytes read from connections of clients. */
  bytes_received: number;
  /** Bytes written to them. */
  bytes_sent: number;
  /** Submissions answered by a reject, by code; those that there were. */
  rejects?: { [key in RejectCode]?: number };
  /** From an append to its being durable; absent where there was none. */
  append?: Spread;
  /** From a commit to its being taken for a session. */
  fanout?: Spread;
  /** From a submission to its answer on the connection. */
  answer?: Spread;
  /** Memory of the process; absent where the system does not tell. */
  memory_bytes?: number;
};

/** How long something took, to a quarter. */
export type Spread = {
  /** Half of them took at most this. */
  p50_us: number;
  /** 99 in 100 took at most this. */
  p99_us: number;
};

/** How much goes on in one document. */
export type DocumentFigures = {
  /** Tells it from others on this server, and nothing else. */
  number: number;
  /** Which document it is, where one may do everything with it. */
  doc?: DocumentId;
  /** People in it. */
  people: number;
  /** Operations in the last second, */
  operations: number;
  /** and in the last minute. */
  operations_minute: number;
};

/** From now on everything told in a topic comes here. */
export type Watching = {
  /** The topic. */
  topic: TopicName;
};

/** What a `tell` said is on its way to whoever watches. */
export type Told = {
  /** The topic. */
  topic: TopicName;
  /** The number of the `tell`. */
  n: number;
};

/** What a room is of. */
export type RoomKind = "user" | "tenant" | "topic";

/**
 * Something was told to a room that this connection is in. At most once: what finds no connection
 * is not told later.
 */
export type Event = {
  /** What the room is of. */
  room: RoomKind;
  /** Which topic, where it is one. */
  topic?: TopicName;
  /** What kind of event it is, as the application calls it. */
  name: EventName;
  /** Anything. */
  data: unknown;
  /** Tells it from others. */
  id: EventId;
  /** When the server took it, in milliseconds since 1970. */
  time_ms: number;
  /** Who told it, where it was a person. */
  by?: UserId;
};

/**
 * This connection took its events too slowly: some are lost, the oldest ones. Or, in its person's
 * room, nobody knows whether any are.
 */
export type Missed = {
  /** What the room is of that they were told in. */
  room: RoomKind;
  /** Which topic, where it is one. */
  topic?: TopicName;
  /** How many; 0 where nobody knows. */
  events: number;
};

/** Whom an event is for, as a back end says it. */
export type EventTarget = { "user": UserId } | { "tenant": boolean } | { "topic": TopicName };

/** The body of `POST /api/events`. */
export type NewEvent = {
  /** Whom it is for. */
  to: EventTarget;
  /** What kind of event it is, as the application calls it. */
  name: EventName;
  /** Anything. */
  data: unknown;
  /** An id of the caller's: the same within ten minutes is told once. */
  id?: EventId;
};

/** The body of `POST /api/topics/{topic}`. */
export type PublishValue = {
  /** What kind of event it is; `value` if left out. */
  name?: EventName;
  /** Anything. */
  data: unknown;
};

/** An event was taken. */
export type EventTaken = {
  /** Its id: the caller's, or else a new one. */
  id: EventId;
};

/**
 * A chat is open.
 *
 * Answers a `chat_open` without `since` with the latest messages; one with `since` with every
 * message that has changed behind it, unless those are too many: then with the latest, and
 * `since` is absent.
 */
export type ChatOpened = {
  /** The number for this chat on this connection. */
  ch: ChannelId;
  /** The document, so that the answer finds its question. */
  doc: DocumentId;
  /** What this person may do: commenters and above may write. */
  role: Role;
  /** Where the client's messages are brought up to date from. */
  since?: number;
  /** Messages, by number. */
  messages: Array<ChatMessage>;
  /** Whom they are by. */
  people: Array<ChatPerson>;
  /** The chat's last message; 0 for none. */
  last: number;
  /** The chat's last change, up to which the client then holds everything. */
  change: number;
  /** The last message that this person has read, on any device. */
  read: number;
  /** How many of others' messages lie behind it, 1,000 at most. */
  unread: number;
};

/** Messages that were sent, edited or deleted, in the order in which that happened. */
export type ChatNews = {
  /** The chat's channel. */
  ch: ChannelId;
  /** The change up to which the client then holds everything. */
  change: number;
  /** The messages as they are now. */
  messages: Array<ChatMessage>;
  /** Whom they are by. */
  people: Array<ChatPerson>;
};

/** What was said before. */
export type ChatPage = {
  /** The chat's channel. */
  ch: ChannelId;
  /** What was asked: messages with lower numbers than this. */
  before: number;
  /**
   * Messages, by number, 50 at most. Where the first has number 1, or there is none, no more lie
   * before.
   */
  messages: Array<ChatMessage>;
  /** Whom they are by. */
  people: Array<ChatPerson>;
};

/** What was asked of a message is done, now or when it was asked before. */
export type ChatAck = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Which message. */
  id: MessageId;
  /** Its number. */
  number: number;
  /** Its last change. */
  change: number;
};

/** What was asked of a chat is not done. */
export type ChatReject = {
  /** The chat's channel, unless it was about to be opened. */
  ch?: ChannelId;
  /** The document that a `chat_open` named. */
  doc?: DocumentId;
  /** The message that was to be sent, edited or deleted. */
  id?: MessageId;
  /** Why. */
  code: ChatCode;
  /** For a code that is to be tried again: after how many milliseconds. */
  retry_ms?: number;
};

/** Who types now, the receiver left out. The latest word holds for ten seconds at most. */
export type ChatTypists = {
  /** The chat's channel. */
  ch: ChannelId;
  /** Everybody who types, eight at most. */
  people: Array<ChatPerson>;
};

/** How far this person has read, here or on another device. */
export type ChatSeen = {
  /** The chat's channel. */
  ch: ChannelId;
  /** The last message that they have read. */
  number: number;
  /** How many of others' messages lie behind it, 1,000 at most. */
  unread: number;
};

/** Where a stretch of the text is now. */
export type ChatLocated = {
  /** The chat's channel. */
  ch: ChannelId;
  /** The stretch that was asked for. */
  ref: ChatReference;
  /** Where it is at a later revision. */
  at?: ChatReference;
  /** The revision at which the last of it was deleted. */
  gone?: number;
};

/** A message as everybody sees it. */
export type ChatMessage = {
  /** Its place in the chat: 1, 2, 3… */
  number: number;
  /** The id that its author gave it. */
  id: MessageId;
  /** Who wrote it. */
  user: UserId;
  /** When the server took it. */
  time_ms: number;
  /** What it says; empty once it is deleted. */
  text: string;
  /** Whom it names, in order. */
  mentions?: Array<ChatMention>;
  /** What it is about. */
  ref?: ChatReference;
  /** When its author last changed it. */
  edited_ms?: number;
  /** When it was deleted. It keeps its place. */
  deleted_ms?: number;
};

/** Names somebody in a message's text. */
export type ChatMention = {
  /** Where the name begins in the text, its `@` included. */
  start: number;
  /** Where it ends. */
  end: number;
  /** Who is meant. */
  user: UserId;
};

/** A stretch of a document's text at one revision. */
export type ChatReference = {
  /** The revision whose text the offsets are in. */
  rev: number;
  /** Where it begins. */
  start: number;
  /** Where it ends, behind `start`. */
  end: number;
};

/** Somebody whom a frame of a chat names. */
export type ChatPerson = {
  /** The person. */
  user: UserId;
  /** The name others see. */
  name: string;
  /** The colour others see, 0 to 11. */
  color: number;
};

/** A document as lists and `GET /api/documents/{id}` show it. Times are milliseconds since 1970. */
export type DocumentInfo = {
  /** The document. */
  id: DocumentId;
  /** Its title; may be empty. */
  title: string;
  /** When it was created. */
  created_ms: number;
  /** When its text or title last changed. */
  updated_ms: number;
  /** When the asking person last opened it. */
  opened_ms?: number;
  /** How many operations are committed. */
  revision: number;
  /** The length of its text, in scalar values. */
  len_chars: number;
  /** How many sessions are in it now. */
  here: number;
  /** What the asking person may do. */
  role: Role;
  /** When it was deleted; it can be restored. */
  deleted_ms?: number;
};

/** A page of documents. */
export type DocumentList = {
  /** The documents, latest opened or changed first. */
  documents: Array<DocumentInfo>;
  /** What to ask with for the next page; absent on the last one. */
  cursor?: string;
};

/** The body of `POST /api/documents`. */
export type CreateDocument = {
  /** The title, at most 200 characters. */
  title?: string;
  /** The text to begin with. CR LF and CR become LF. */
  text?: string;
};

/** The body of `PATCH /api/documents/{id}`. */
export type RenameDocument = {
  /** The new title, at most 200 characters. */
  title: string;
};

/** The asking person. */
export type Me = {
  /** The person's id. */
  id: UserId;
  /** The name others see. */
  name: string;
  /** The colour others see, 0 to 11. */
  color: number;
  /** Whether the person is a guest, known by a cookie only. */
  guest: boolean;
};

/** The body of `PUT /api/me`; what is absent stays. */
export type UpdateMe = {
  /** The name, 1 to 40 characters after trimming. */
  name?: string;
  /** The colour, 0 to 11. */
  color?: number;
};

/** The body of every answer that is an error. */
export type ErrorBody = {
  /** The error. */
  error: ErrorDetail;
};

/** What went wrong with a request. */
export type ErrorDetail = {
  /** The code. */
  code: ErrorCode;
  /** A sentence for a person. */
  message: string;
  /** With `unauthenticated`: where to sign in, if the server was told. */
  sign_in_url?: string;
};

/** Somebody who is named in an answer about history, as others see them now. */
export type HistoryAuthor = {
  /** The person. */
  user: UserId;
  /** The name others see. */
  name: string;
  /** The colour others see, 0 to 11. */
  color: number;
};

/** One committed operation. */
export type HistoryEntry = {
  /** The revision it led to; 1 for the first. */
  revision: number;
  /** When it was committed. */
  time_ms: number;
  /** Whose it is. */
  author: UserId;
  /** The operation, from the text one revision before to the text at this one. */
  op: OperationJson;
};

/** A page of committed operations, in order. */
export type HistoryPage = {
  /** The document's last revision. */
  revision: number;
  /** The operations. */
  entries: Array<HistoryEntry>;
  /** Everybody whom the entries name. */
  authors: Array<HistoryAuthor>;
  /** The `after` of the next page; absent on the last one. */
  next?: number;
};

/** What happened in one stretch of revisions. */
export type HistoryBucket = {
  /** The first revision of the stretch. */
  from: number;
  /** Its last revision. */
  to: number;
  /** The earliest time in it. */
  from_ms: number;
  /** The latest time in it. */
  to_ms: number;
  /** How many operations it has. */
  operations: number;
  /** Who wrote them, who wrote most first. */
  authors: Array<UserId>;
};

/** A document's whole history at a glance. */
export type HistorySummary = {
  /** The document's last revision. */
  revision: number;
  /** The time of its first operation; of its creation while there is none. */
  first_ms: number;
  /** The time of its last operation; of its creation while there is none. */
  last_ms: number;
  /** Stretches of equally many revisions, the last one perhaps shorter, in order. */
  buckets: Array<HistoryBucket>;
  /** Everybody whom the buckets name. */
  authors: Array<HistoryAuthor>;
};

/** What leads from the text at one revision to the text at a later one. */
export type RevisionDiff = {
  /** The earlier revision. */
  from: number;
  /** The later one. */
  to: number;
  /** Everything between them as one operation. */
  op: OperationJson;
};

/** Neighbouring characters that one person wrote in one go. */
export type AttributedRun = {
  /** How many characters. */
  len: number;
  /** Whose they are. */
  author: UserId;
  /** The latest revision that wrote one of them. */
  revision: number;
  /** When that was. */
  time_ms: number;
};

/** Who wrote the characters of a text. */
export type Attribution = {
  /** The revision of the text. */
  revision: number;
  /** The text's length. */
  len_chars: number;
  /** Everybody whom the runs name. */
  authors: Array<HistoryAuthor>;
  /** The runs, without a gap from the offset that was asked for. */
  runs: Array<AttributedRun>;
  /** The `from` to go on with where one answer could not hold all; absent otherwise. */
  next?: number;
};

/** A revision with a name. */
export type Version = {
  /** Its id. */
  id: VersionId;
  /** The revision. */
  revision: number;
  /** The name. */
  name: string;
  /** Who named it. */
  author: UserId;
  /** When it was named. */
  time_ms: number;
};

/** A document's named versions. */
export type VersionList = {
  /** The versions, by revision. */
  versions: Array<Version>;
  /** Everybody whom they name. */
  authors: Array<HistoryAuthor>;
};

/** The body of `POST /api/documents/{id}/versions`. */
export type CreateVersion = {
  /** The name, 1 to 120 characters on one line. */
  name: string;
  /** The revision; the document's last one where it is absent. */
  revision?: number;
};

/** The body of `PATCH /api/documents/{id}/versions/{version}`. */
export type RenameVersion = {
  /** The new name, 1 to 120 characters on one line. */
  name: string;
};

/** The body of `POST /api/documents/{id}/restore-revision`. */
export type RestoreRevision = {
  /** The revision whose text the document is to have again. */
  revision: number;
};

/** A revision was restored. */
export type RevisionRestored = {
  /**
   * The revision that the restoring became; the document's last one where there was nothing to
   * change.
   */
  revision: number;
};

/** The body of `PUT /api/documents/{id}/seen`. */
export type MarkSeen = {
  /** The revision that the person has looked at. */
  revision: number;
};

/** How far the asking person has looked at a document, on any device. */
export type SeenMark = {
  /** The latest revision they have looked at; 0 for none. */
  revision: number;
  /** When that was noted; absent when nothing was. */
  time_ms?: number;
  /** The document's last revision. */
  head: number;
};

/** The body of `PUT /api/documents/{id}/text`. */
export type SetText = {
  /** The text that the document is to have. What has changed in it is committed as one edit. */
  text: string;
  /**
   * The revision that it was made from: what others have changed since stays. The latest one if
   * absent, and then the document has exactly this text.
   */
  revision?: number;
  /** A key of the caller's: the same one again changes nothing and is answered as the first time. */
  id?: EventId;
};

/** One place where a text is changed. */
export type TextEdit = {
  /** Where it begins. */
  at: number;
  /** How many characters go; none if absent. */
  delete?: number;
  /** What comes in their place; nothing if absent. */
  insert?: string;
};

/** The body of `POST /api/documents/{id}/edits`. */
export type EditText = {
  /** The revision whose text the edits are of: what others have changed since stays. */
  revision: number;
  /**
   * Where and what, from the beginning of the text on, each behind the one before: 1 to 1000.
   * They become one edit.
   */
  edits: Array<TextEdit>;
  /** A key of the caller's: the same one again changes nothing and is answered as the first time. */
  id?: EventId;
};

/** A text was changed. */
export type TextEdited = {
  /** The revision that it was committed as; where there was nothing to change, the latest one. */
  revision: number;
};

/**
 * Something happened to this person's notifications: one change of them. It comes to all their
 * connections. Who misses one sees it by the numbers, and asks for what is behind the last that
 * they hold: `GET /api/notifications?since=`.
 */
export type Notified = {
  /** Which change it is. */
  change: number;
  /** How many are unread after it. */
  unread: number;
  /** What is new, or told anew. */
  notifications?: Array<Notification>;
  /** What is read now. */
  read?: Array<NotificationId>;
  /** Everything up to this number is read now. */
  read_to?: number;
};

/** A notification as its person sees it. */
export type Notification = {
  /** Tells it from others, whatever becomes of it. */
  id: NotificationId;
  /** Its place: the highest is the latest. */
  number: number;
  /** When it was told, or told anew. */
  time_ms: number;
  /** Whether the person has read it. */
  read: boolean;
  /** What it is about. */
  about: NotificationAbout;
};

/** What a notification is about. */
export type NotificationAbout = { "kind": "mentioned" } & MentionedInChat | { "kind": "shared" } & SharedWithYou | { "kind": "edited" } & EditedWhileAway | { "kind": "app" } & ToldByApp;

/** Somebody named this person in the chat of a document that they may open. */
export type MentionedInChat = {
  /** The document whose chat it is. */
  doc: DocumentId;
  /** Its title then; may be empty. */
  title: string;
  /** Who wrote the message. */
  by: ChatPerson;
  /** The message. What it says is in the chat alone, where it may be edited and taken back. */
  message: MessageId;
};

/** A document was shared with this person by name. */
export type SharedWithYou = {
  /** The document. */
  doc: DocumentId;
  /** Its title then; may be empty. */
  title: string;
  /** Who shared it; absent where a back end did. */
  by?: ChatPerson;
  /** What the person may do with it since. */
  role: Role;
};

/**
 * Others edited a document of this person's while they did not have it open. There is one for each
 * document: it tells of more edits until it is read, and then begins anew.
 */
export type EditedWhileAway = {
  /** The document. */
  doc: DocumentId;
  /** Its title then; may be empty. */
  title: string;
  /** Who edited it: the first five. */
  by: Array<ChatPerson>;
  /** How many people did, as far as they were counted: at most 50. */
  people: number;
  /** How many operations they committed. */
  edits: number;
  /** The last revision that it tells of. */
  rev: number;
};

/** Something the application's back end has to tell. */
export type ToldByApp = {
  /** What kind of event it is, as the application calls it. */
  name: EventName;
  /** What is shown: 1 to 200 characters. */
  title: string;
  /** More of it, at most 1000 characters. */
  body?: string;
  /** Where it leads: a path of the same origin, or an `http` or `https` address. */
  url?: string;
  /** Anything, for the application's page. */
  data?: unknown;
};

/** The answer to `GET /api/notifications`. */
export type NotificationPage = {
  /** Notifications, latest first; 50 at most. */
  notifications: Array<Notification>;
  /** How many are unread, on all pages. */
  unread: number;
  /** The last change that all of this is after. */
  change: number;
  /**
   * Present where these are all that changed behind that change. Absent where too much has, and
   * in answers to other questions: then these are the latest, and what was held counts no more.
   */
  since?: number;
  /** Whether there are earlier ones behind the last of these. */
  more: boolean;
};

/** The body of `POST /api/notifications/read`: `ids`, or `to`, or neither for everything. */
export type ReadNotifications = {
  /** These are read: at most 100. */
  ids?: Array<NotificationId>;
  /** Everything up to this number is read. */
  to?: number;
};

/** Its answer: how it stands now. */
export type NotificationsRead = {
  /** How many are unread. */
  unread: number;
  /** The last change. */
  change: number;
};

/** The body of `POST /api/notifications`. */
export type NewNotification = {
  /** Whom to tell: 1 to 100 people of the back end's tenant. */
  to: Array<UserId>;
  /** What kind of event it is, as the application calls it. */
  name: EventName;
  /** What is shown: 1 to 200 characters. */
  title: string;
  /** More of it, at most 1000 characters. */
  body?: string;
  /** Where it leads: a path of the same origin, or an `http` or `https` address. */
  url?: string;
  /** Anything, for the application's page. */
  data?: unknown;
  /**
   * A key of the caller's: the same one again makes nothing and is answered the same, as long as
   * the person's notification is kept.
   */
  id?: EventId;
};

/** A notification is stored for everybody that it is for. */
export type NotificationTaken = {
  /** Its key: the caller's, or else a new one. */
  id: EventId;
};

/**
 * What a document's link gives to somebody who is not among its people. The link is the
 * document's id, which nobody can guess.
 */
export type LinkAccess = "off" | "view" | "edit";

/** What a person is given by name. It holds whatever the link gives. */
export type GivenRole = "owner" | "editor" | "commenter" | "viewer" | "none";

/** Where somebody's role comes from. */
export type AccessBy = "owner" | "member" | "link";

/** One of those who may open a document, or who are kept out by name. */
export type SharingPerson = {
  /** The person's id. */
  user: UserId;
  /** The person's name. */
  name: string;
  /** The person's colour, 0 to 11. */
  color: number;
  /** What they may do. */
  role: GivenRole;
  /** Where that comes from. */
  by: AccessBy;
};

/** With whom a document is shared. */
export type Sharing = {
  /** What the link gives. */
  link: LinkAccess;
  /**
   * The owner, then who was named, then who opened the link, each by name. Who is kept out is
   * told to the owner only.
   */
  people: Array<SharingPerson>;
  /** What the asking person may do. */
  role: Role;
};

/** The body of `PUT /api/documents/{id}/sharing`. */
export type UpdateSharing = {
  /** What the link gives from now on. */
  link: LinkAccess;
};

/** The body of `PUT /api/documents/{id}/people/{user}`. */
export type SetPerson = {
  /** What the person is given; `owner` hands the document over to them. */
  role: GivenRole;
};

/** The reject codes after which the same submission is sent again. */
export const RETRYABLE_REJECTS: ReadonlySet<RejectCode> = new Set([
  'slow_down',
  'storage_unavailable',
  'overloaded',
]);

/** The codes after which the same is asked of a chat again. */
export const RETRYABLE_CHAT: ReadonlySet<ChatCode> = new Set([
  'slow_down',
  'storage_unavailable',
  'overloaded',
]);

/** What each close code asks of the client. */
export const CLOSE_RETRY: Readonly<Record<number, 'yes' | 'later' | 'with_new_token' | 'no'>> = {
  1001: 'yes', // going away
  1002: 'yes', // protocol error
  1007: 'yes', // text is not UTF-8
  1009: 'no', // message too large
  1011: 'yes', // internal error
  1012: 'yes', // restarting
  1013: 'later', // overloaded
  4400: 'no', // bad messages
  4401: 'with_new_token', // not authenticated
  4403: 'no', // forbidden
  4408: 'yes', // not authenticated in time
  4409: 'no', // replaced by a newer session
  4429: 'later', // too many connections
  4430: 'yes', // too slow
};

export const SUBPROTOCOL = 'concord.v1';
export const SOCKET_PATH = '/api/socket';
export const COLOR_COUNT = 12;
export const NAME_CHARS_MAX = 40;
export const TITLE_CHARS_MAX = 200;
export const CHAT_TEXT_CHARS_MAX = 4000;
export const CHAT_MENTIONS_MAX = 32;
export const CHAT_PAGE_LEN = 50;
export const NOTIFICATION_PAGE_LEN = 50;
export const VERSION_NAME_CHARS_MAX = 120;
