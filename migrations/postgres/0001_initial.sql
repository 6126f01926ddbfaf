-- 0001: the first schema. The same tables as SQLite's 0001 where nothing else is said.
--
-- Records have columns for keys, parents and searches; the record itself is `doc` (JSON).
-- EUIs are the signed 64 bit integer of their bits. Times are microseconds since 1970 UTC.
-- Texts are compared by octets (COLLATE "C"), so that only ASCII letters have two cases.

CREATE TABLE schema_migration (
    number  integer PRIMARY KEY,
    name    text NOT NULL,
    applied timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE meta (
    key   text COLLATE "C" PRIMARY KEY,
    value bytea NOT NULL
);

-- Ends the transaction when a condition does not hold, so that what follows in the pipeline (the
-- COMMIT above all) is not done. The code is a SQLSTATE of our own, see db/postgres.h.
CREATE FUNCTION godwit_must(good boolean, code text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT good THEN
        RAISE EXCEPTION USING ERRCODE = code, MESSAGE = 'refused: ' || code;
    END IF;
    RETURN true;
END
$$;

CREATE TABLE tenant (
    id      bytea PRIMARY KEY,
    name    text COLLATE "C" NOT NULL,
    rev     bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    doc     text NOT NULL
);

CREATE TABLE "user" (
    id      bytea PRIMARY KEY,
    email   text COLLATE "C" NOT NULL,
    rev     bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    doc     text NOT NULL
);
CREATE UNIQUE INDEX user_email ON "user" (lower(email));

CREATE TABLE tenant_user (
    id        bytea PRIMARY KEY,
    tenant_id bytea NOT NULL REFERENCES tenant (id),
    user_id   bytea NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
    rev       bigint NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    doc       text NOT NULL
);
CREATE INDEX tenant_user_tenant ON tenant_user (tenant_id);
CREATE INDEX tenant_user_user ON tenant_user (user_id);

CREATE TABLE api_key (
    id        bytea PRIMARY KEY,
    tenant_id bytea REFERENCES tenant (id),
    name      text COLLATE "C" NOT NULL,
    rev       bigint NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    doc       text NOT NULL
);
CREATE INDEX api_key_tenant ON api_key (tenant_id);

CREATE TABLE application (
    id        bytea PRIMARY KEY,
    tenant_id bytea NOT NULL REFERENCES tenant (id),
    name      text COLLATE "C" NOT NULL,
    rev       bigint NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    doc       text NOT NULL
);
CREATE INDEX application_tenant ON application (tenant_id);

CREATE TABLE device_profile (
    id        bytea PRIMARY KEY,
    tenant_id bytea NOT NULL REFERENCES tenant (id),
    name      text COLLATE "C" NOT NULL,
    rev       bigint NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    doc       text NOT NULL
);
CREATE INDEX device_profile_tenant ON device_profile (tenant_id);

-- What start-up reads of a million devices stands in columns of its own.
CREATE TABLE device (
    dev_eui           bigint PRIMARY KEY,
    application_id    bytea NOT NULL REFERENCES application (id),
    device_profile_id bytea NOT NULL REFERENCES device_profile (id),
    join_eui          bytea,
    is_disabled       boolean NOT NULL,
    skip_fcnt_check   boolean NOT NULL,
    name              text COLLATE "C" NOT NULL,
    rev               bigint NOT NULL,
    created           bigint NOT NULL,
    updated           bigint NOT NULL,
    doc               text NOT NULL
);
CREATE INDEX device_application ON device (application_id);
CREATE INDEX device_profile_of ON device (device_profile_id);

CREATE TABLE gateway (
    gateway_id bigint PRIMARY KEY,
    tenant_id  bytea NOT NULL REFERENCES tenant (id),
    name       text COLLATE "C" NOT NULL,
    rev        bigint NOT NULL,
    created    bigint NOT NULL,
    updated    bigint NOT NULL,
    doc        text NOT NULL
);
CREATE INDEX gateway_tenant ON gateway (tenant_id);

-- Root keys (sealed), the state of joining, and every DevNonce ever used (TS001 6.2.4).
CREATE TABLE device_keys (
    dev_eui bigint PRIMARY KEY REFERENCES device (dev_eui) ON DELETE CASCADE,
    sealed  bytea NOT NULL
);
CREATE TABLE join_state (
    dev_eui        bigint PRIMARY KEY,
    join_nonce     bigint NOT NULL,
    last_dev_nonce bigint NOT NULL
);
CREATE TABLE dev_nonce (
    dev_eui  bigint NOT NULL,
    join_eui bigint NOT NULL,
    nonce    bigint NOT NULL,
    PRIMARY KEY (dev_eui, join_eui, nonce)
);

-- Live state: one row per device, made with its record (rev 0: no state yet). `rev` decides races.
-- `before_pos` is last_pos before the last event, from which the event's row takes it. Rows change
-- all the time and no index knows the columns that do: room in each page keeps them in their place.
CREATE TABLE device_state (
    dev_eui    bigint PRIMARY KEY REFERENCES device (dev_eui) ON DELETE CASCADE,
    rev        bigint NOT NULL DEFAULT 0,
    last_pos   bigint NOT NULL DEFAULT 0,
    before_pos bigint NOT NULL DEFAULT 0,
    state      bytea NOT NULL DEFAULT '',
    active     bytea,
    pending    bytea
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE queue (
    id      bytea PRIMARY KEY,
    dev_eui bigint NOT NULL REFERENCES device (dev_eui) ON DELETE CASCADE,
    ord     bigint NOT NULL,
    item    bytea NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX queue_device ON queue (dev_eui);

CREATE TABLE attempt (
    id      bigint PRIMARY KEY,
    dev_eui bigint NOT NULL,
    time    bigint NOT NULL,
    settled boolean NOT NULL,
    attempt bytea NOT NULL
) WITH (fillfactor = 60);

-- Events. The partitions outbox_N are ranges of positions, attached ahead and dropped whole.
CREATE TABLE outbox (
    pos     bigint NOT NULL PRIMARY KEY,
    prev    bigint NOT NULL,
    dev_eui bigint NOT NULL,
    time    bigint NOT NULL,
    type    smallint NOT NULL,
    facts   bytea NOT NULL
) PARTITION BY RANGE (pos);
CREATE TABLE outbox_segment (
    n         bigint PRIMARY KEY,
    first_pos bigint NOT NULL,
    end_pos   bigint NOT NULL,
    bytes     bigint NOT NULL DEFAULT 0
);

-- One row per transaction of a writer, by which it learns the outcome of a COMMIT whose answer was
-- lost: it puts a row with `saved` false under the same number, which waits for the transaction,
-- and finds `saved` true or keeps the transaction from ever being saved. Kept for a short while.
CREATE TABLE commit_mark (
    writer bigint NOT NULL,
    n      bigint NOT NULL,
    saved  boolean NOT NULL,
    PRIMARY KEY (writer, n)
);

CREATE TABLE audit (
    id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    time  bigint NOT NULL,
    entry text NOT NULL
);
