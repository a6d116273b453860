//! Settings that belong together, for a purpose.

/// What a server takes that stands open to anybody: a setting, its value, and why.
pub const PUBLIC_SITE: &[(&str, &str, &str)] = &[
    ("text_bytes_max", "10000", "10,000 characters of plain text; a longer paste goes in parts"),
    ("submissions_per_s", "100", "more than anybody types, and less than a script likes"),
    ("connections_per_user_max", "5", "a few tabs and a telephone"),
    ("document_bytes_max", "1048576", "a book; larger ones cost everybody who opens them"),
    ("documents_per_connection_max", "16", "nobody has more of them open in one tab"),
    ("creates_per_s", "1", "with what may come at once, below"),
    ("creates_burst", "20", "a person makes documents by hand"),
    ("history_per_s", "20", "as many as dragging the history's slider asks"),
    ("history_burst", "100", "and opening it"),
    ("history_per_user_max", "4", "so that four people cannot take all places"),
    ("anonymous_connections_per_address_max", "200", "a school that comes in at once"),
    ("guest_connections_per_address_max", "1000", "that school, once it is in"),
    ("guest_creates_per_address_per_s", "5", "with what may come at once, below"),
    ("guest_creates_per_address_burst", "300", "a school that begins to write"),
    ("anonymous_per_s", "20", "new guests of one address"),
    ("anonymous_burst", "400", "the same school"),
    ("log_format", "json", "for whoever collects logs"),
];
