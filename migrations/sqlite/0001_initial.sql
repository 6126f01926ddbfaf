-- 0001: the first schema.
--
-- Records have columns for keys, parents and searches; the record itself is `doc` (JSON).
-- EUIs are the signed 64 bit integer of their bits. Times are microseconds since 1970 UTC.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE tenant (
    id      BLOB PRIMARY KEY,
    name    TEXT NOT NULL,
    rev     INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    doc     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE user (
    id      BLOB PRIMARY KEY,
    email   TEXT NOT NULL COLLATE NOCASE UNIQUE,
    rev     INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    doc     TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE tenant_user (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenant (id),
    user_id   BLOB NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    rev       INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    doc       TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX tenant_user_tenant ON tenant_user (tenant_id);
CREATE INDEX tenant_user_user ON tenant_user (user_id);

CREATE TABLE api_key (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB REFERENCES tenant (id),
    name      TEXT NOT NULL,
    rev       INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    doc       TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX api_key_tenant ON api_key (tenant_id);

CREATE TABLE application (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenant (id),
    name      TEXT NOT NULL,
    rev       INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    doc       TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX application_tenant ON application (tenant_id);

CREATE TABLE device_profile (
    id        BLOB PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenant (id),
    name      TEXT NOT NULL,
    rev       INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    doc       TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_profile_tenant ON device_profile (tenant_id);

-- What start-up reads of a million devices stands in columns of its own.
CREATE TABLE device (
    dev_eui           INTEGER PRIMARY KEY,
    application_id    BLOB NOT NULL REFERENCES application (id),
    device_profile_id BLOB NOT NULL REFERENCES device_profile (id),
    join_eui          BLOB,
    is_disabled       INTEGER NOT NULL,
    skip_fcnt_check   INTEGER NOT NULL,
    name              TEXT NOT NULL,
    rev               INTEGER NOT NULL,
    created           INTEGER NOT NULL,
    updated           INTEGER NOT NULL,
    doc               TEXT NOT NULL
);
CREATE INDEX device_application ON device (application_id);
CREATE INDEX device_profile_of ON device (device_profile_id);

CREATE TABLE gateway (
    gateway_id INTEGER PRIMARY KEY,
    tenant_id  BLOB NOT NULL REFERENCES tenant (id),
    name       TEXT NOT NULL,
    rev        INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    doc        TEXT NOT NULL
);
CREATE INDEX gateway_tenant ON gateway (tenant_id);

-- Root keys (sealed), the state of joining, and every DevNonce ever used (TS001 6.2.4).
CREATE TABLE device_keys (
    dev_eui INTEGER PRIMARY KEY REFERENCES device (dev_eui) ON DELETE CASCADE,
    sealed  BLOB NOT NULL
);
CREATE TABLE join_state (
    dev_eui        INTEGER PRIMARY KEY,
    join_nonce     INTEGER NOT NULL,
    last_dev_nonce INTEGER NOT NULL
);
CREATE TABLE dev_nonce (
    dev_eui  INTEGER NOT NULL,
    join_eui INTEGER NOT NULL,
    nonce    INTEGER NOT NULL,
    PRIMARY KEY (dev_eui, join_eui, nonce)
) WITHOUT ROWID;

-- Live state: folded from the journal in order of the key. `rev` decides races; journal rows up to
-- `seq` are older than the row (also those of a device that was deleted and made anew).
CREATE TABLE device_state (
    dev_eui  INTEGER PRIMARY KEY REFERENCES device (dev_eui) ON DELETE CASCADE,
    rev      INTEGER NOT NULL,
    last_pos INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    state    BLOB NOT NULL,
    active   BLOB,
    pending  BLOB
);
CREATE TABLE journal (
    seq      INTEGER PRIMARY KEY,
    dev_eui  INTEGER NOT NULL,
    rev      INTEGER NOT NULL,
    last_pos INTEGER NOT NULL,
    state    BLOB NOT NULL
);

CREATE TABLE queue (
    id      BLOB PRIMARY KEY,
    dev_eui INTEGER NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    ord     INTEGER NOT NULL,
    item    BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX queue_device ON queue (dev_eui);

CREATE TABLE attempt (
    id      INTEGER PRIMARY KEY,
    dev_eui INTEGER NOT NULL,
    time    INTEGER NOT NULL,
    settled INTEGER NOT NULL,
    attempt BLOB NOT NULL
);

-- The outbox is a list of segment tables outbox_N, made as they fill and dropped whole.
CREATE TABLE outbox_segment (
    n         INTEGER PRIMARY KEY,
    first_pos INTEGER NOT NULL,
    created   INTEGER NOT NULL
);

CREATE TABLE audit (
    id    INTEGER PRIMARY KEY,
    time  INTEGER NOT NULL,
    entry TEXT NOT NULL
);
