-- The chat beside each document: its messages, and how far each person has read.

-- A chat's ends. Its row is locked by who adds to the chat, so that numbers have no gaps.
create table chat (
    document_id blob    not null,
    last_number integer not null,
    last_change integer not null,
    constraint chat_pk primary key (document_id),
    constraint chat_document_fk foreign key (document_id) references document (document_id),
    constraint chat_last_change_range check (last_change >= last_number and last_number >= 0)
) strict, without rowid;

create table chat_message (
    document_id  blob    not null,
    -- Its place: 1, 2, 3…
    number       integer not null,
    -- Given by its author, so that a message that is sent again is known.
    message_id   blob    not null,
    author_id    text    not null,
    time_ms      integer not null,
    body         text    not null,
    -- Whom it names: JSON as it goes over the wire.
    mentions     text    not null,
    -- The stretch of the document's text that it is about.
    ref_revision integer,
    ref_start    integer,
    ref_end      integer,
    edited_ms    integer,
    deleted_ms   integer,
    -- The last change of it; changes of a chat are counted 1, 2, 3…
    change       integer not null,
    -- BLAKE3 of what was first sent; empty once it is deleted.
    sent_hash    blob    not null,
    constraint chat_message_pk primary key (document_id, number),
    constraint chat_message_chat_fk foreign key (document_id) references chat (document_id),
    constraint chat_message_id_len check (length(message_id) = 16),
    constraint chat_message_number_range check (number > 0 and change >= number),
    constraint chat_message_ref_whole
        check ((ref_revision is null) = (ref_start is null)
           and (ref_revision is null) = (ref_end is null))
) strict, without rowid;

create unique index chat_message_id on chat_message (document_id, message_id);

-- Who was away asks for what has changed since.
create unique index chat_message_change on chat_message (document_id, change);

-- The last message that a person has read, whatever device they read it on.
create table chat_read (
    document_id blob    not null,
    person_id   text    not null,
    number      integer not null,
    constraint chat_read_pk primary key (document_id, person_id),
    constraint chat_read_chat_fk foreign key (document_id) references chat (document_id)
) strict, without rowid;
