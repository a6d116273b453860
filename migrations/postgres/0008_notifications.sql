-- Notifications: what each person is told until they have read it, whatever device they read it on.

-- The ends of a person's notifications. Its row is locked by who adds or reads, so that numbers and
-- changes have no gaps.
create table notification_box (
    tenant_id   text    not null,
    person_id   text    not null,
    last_number bigint  not null,
    last_change bigint  not null,
    constraint notification_box_pk primary key (tenant_id, person_id),
    constraint notification_box_range check (last_change >= last_number and last_number >= 0)
)
-- Moves with every change: room on its page lets it move without touching an index.
with (fillfactor = 50);

create table notification (
    tenant_id       text    not null,
    person_id       text    not null,
    -- Its place: the highest is the latest. One that is told anew gets another.
    number          bigint  not null,
    notification_id uuid    not null,
    -- What it is about, so that the same is told once: a message, a document, a back end's key.
    topic_key       text    not null,
    time_ms         bigint  not null,
    -- When it was read; null until then.
    read_ms         bigint,
    -- The last change of it; changes of a person's notifications are counted 1, 2, 3…
    change          bigint  not null,
    -- What it says: JSON.
    body            text    not null,
    constraint notification_pk primary key (tenant_id, person_id, number),
    constraint notification_box_fk foreign key (tenant_id, person_id)
        references notification_box (tenant_id, person_id),
    constraint notification_number_range check (number > 0 and change >= number)
);

create unique index notification_topic on notification (tenant_id, person_id, topic_key);

-- Who was away asks for what has changed since.
create index notification_change on notification (tenant_id, person_id, change);
