/*
 * crud.c - list, create, read, replace, merge and delete for every type of record.
 *
 * One way for all: the field table reads and prints, resource.c knows what is special. Each write
 * commits the record together with its audit entry.
 */
#include "api/crud.h"

#include "api/api_priv.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 3

static enum record_type type_of(const struct call *call)
{
    return (enum record_type)call->endpoint->type;
}

/* The key that the path names. */
static struct record_key path_key(const struct call *call)
{
    const struct call_param *last = &call->params[call->param_count - 1];
    struct record_key key;

    if (last->is_eui)
        return record_key_eui(last->eui);
    key = record_key_uuid(&call->params[0].uuid);
    if (type_of(call) == REC_TENANT_USER) {
        memcpy(key.b + 16, last->uuid.b, 16);
        key.n = 32;
    }
    return key;
}

/* ---- entity tags ----------------------------------------------------------------------------- */

static void put_etag(struct call *call, uint64_t rev)
{
    call_header(call, "ETag", arena_printf(&call->arena, "\"%llu\"", (unsigned long long)rev));
}

/* *rev 0: no condition. */
static int read_if_match(struct call *call, uint64_t *rev)
{
    const char *text = http_header(call->request, "If-Match");
    char *end;

    *rev = 0;
    if (!text || strcmp(text, "*") == 0)
        return 0;
    if (*text == '"' && text[1] >= '0' && text[1] <= '9') {
        *rev = strtoull(text + 1, &end, 10);
        if (*rev && strcmp(end, "\"") == 0)
            return 0;
    }
    return call_fail(call, 400, "If-Match must be an entity tag that this server gave");
}

/* ---- lists ----------------------------------------------------------------------------------- */

const char *cursor_text(struct call *call, const struct record_key *key)
{
    char text[2 * sizeof(key->b) + 1];

    return arena_strdup(&call->arena, hex_write(text, key->b, key->n));
}

int cursor_read(struct call *call, size_t n, struct record_key *key)
{
    const char *text = http_query(call->request, "cursor");

    key->n = 0;
    if (!text)
        return 0;
    if (!hex_read(key->b, n, text, strlen(text)))
        return call_fail(call, 400, "cursor is none that this server gave");
    key->n = (uint8_t)n;
    return 0;
}

static const char *snake_of(struct call *call, const char *camel)
{
    char *text = arena_alloc(&call->arena, 2 * strlen(camel) + 1), *p = text;

    for (; *camel; camel++) {
        if (*camel >= 'A' && *camel <= 'Z') {
            *p++ = '_';
            *p++ = (char)(*camel - 'A' + 'a');
        } else {
            *p++ = *camel;
        }
    }
    return text;
}

static int add_filter(struct call *call, struct record_query *query, const struct field *field)
{
    const char *text = http_query(call->request, field->name);
    struct uuid *id = arena_new(&call->arena, struct uuid);

    if (!text || query->filter_count == 4)
        return 0;
    if (!uuid_read(id, text))
        return call_fail(call, 400, "%s is malformed", field->name);
    query->filters[query->filter_count++] = (struct record_filter){
        .column = snake_of(call, field->name), .value = {id->b, sizeof(id->b)}};
    return 0;
}

/* ?tenantId= narrows down the list of tenants, so that it works for devices as well. */
static int narrow(struct call *call, struct record_query *query)
{
    const char *text = http_query(call->request, "tenantId");
    struct uuid *id = arena_new(&call->arena, struct uuid);

    if (!text)
        return 0;
    if (!uuid_read(id, text))
        return call_fail(call, 400, "tenantId is malformed");
    query->tenants = id;
    query->tenant_count = auth_may(&call->who, id, (enum scope)call->endpoint->scope);
    return 0;
}

static int read_query(struct call *call, enum record_type type, struct record_query *query)
{
    struct uuid *tenants;
    int status = call_query_limit(call, &query->limit);

    auth_tenants(&call->who, (enum scope)call->endpoint->scope, &call->arena, &tenants,
                 &query->tenant_count);
    query->tenants = tenants;
    if (!status)
        status = cursor_read(call, record_types[type].key_n, &query->after);
    if (!status && type == REC_TENANT_USER) {
        const struct call_param *tenant = call_param(call, "tenantId");

        query->filters[query->filter_count++] =
            (struct record_filter){.column = "tenant_id", .value = {tenant->uuid.b, 16}};
    } else if (!status) {
        status = narrow(call, query);
    }
    for (const struct field *f = record_types[type].fields; !status && f->kind != F_END; f++) {
        if (f->flags & F_PARENT && strcmp(f->name, "tenantId") != 0)
            status = add_filter(call, query, f);
    }
    query->search = http_query(call->request, "search");
    query->want_total = true;
    return status;
}

static void print_page(struct call *call, enum record_type type, const struct record_page *page)
{
    struct jw *jw = &call->out;

    resource_live(call, type, page->records, page->n);
    jw_object(jw);
    jw_key(jw, "items");
    jw_array(jw);
    for (size_t i = 0; i < page->n; i++)
        resource_print(call, type, page->records[i], i);
    jw_end_array(jw);
    jw_key(jw, "nextCursor");
    if (page->more) {
        jw_str(jw, cursor_text(call, &page->last));
    } else {
        jw_null(jw);
    }
    jw_key_uint(jw, "totalCount", page->total);
    jw_end_object(jw);
}

/* The tenant in the path must be there and seen. */
static int check_parent(struct call *call)
{
    struct record_key key;
    void *tenant;

    if (type_of(call) != REC_TENANT_USER)
        return 0;
    key = record_key_uuid(&call->params[0].uuid);
    return call_object(call, REC_TENANT, &key, &tenant);
}

int crud_list(struct call *call)
{
    enum record_type type = type_of(call);
    struct record_query query = {0};
    struct record_page page;
    int status = check_parent(call);
    enum err err;

    if (!status)
        status = read_query(call, type, &query);
    if (status)
        return status;
    err = store_record_list(call->reader, type, &query, &call->arena, &page);
    if (err)
        return call_err(call, err);
    print_page(call, type, &page);
    return 200;
}

/* ---- one record ------------------------------------------------------------------------------ */

static void print_one(struct call *call, enum record_type type, void *record)
{
    resource_live(call, type, &record, 1);
    resource_print(call, type, record, 0);
    put_etag(call, ((const struct record_head *)record)->rev);
}

int crud_get(struct call *call)
{
    struct record_key key = path_key(call);
    void *record;
    int status = call_object(call, type_of(call), &key, &record);

    if (!status)
        print_one(call, type_of(call), record);
    return status ? status : 200;
}

static void put_location(struct call *call, enum record_type type, const struct record_key *key)
{
    const char *path = call->request->path, *id = call_key_text(call, type, key);

    if (type == REC_GATEWAY)
        path = "/api/v1/gateways";
    call_header(call, "Location", arena_printf(&call->arena, "%s/%s", path, id));
}

static struct op *put_op(struct call *call, enum record_type type, void *record, uint64_t expected)
{
    struct op *op = call_op(call, OP_RECORD_PUT);

    op->record = (struct op_record){.type = type,
                                    .key = record_key_of(type, record),
                                    .record = record,
                                    .expected_rev = expected,
                                    .utc_us = clock_utc(call->clock)};
    return op;
}

int crud_store_new(struct call *call, enum record_type type, void *record)
{
    struct record_key key = record_key_of(type, record);
    struct uuid tenant = call_tenant_of(call, type, record);
    const char *secret = NULL;
    struct audit audit = {.action = "create",
                          .type = record_types[type].name,
                          .id = call_key_text(call, type, &key),
                          .tenant = &tenant};
    enum err err;

    if (type == REC_API_KEY)
        secret = auth_key_make(record, &call->arena);
    (void)put_op(call, type, record, 0);
    call_audit(call, &audit);
    err = call_save(call);
    if (err)
        return call_err(call, err);
    put_location(call, type, &key);
    print_one(call, type, record);
    if (secret) {
        call->out.n--; /* the closing brace: the secret is shown this once */
        jw_key_str(&call->out, "key", secret);
        jw_end_object(&call->out);
    }
    return 201;
}

int crud_create(struct call *call)
{
    enum record_type type = type_of(call);
    void *record = arena_alloc(&call->arena, record_types[type].size);
    int status = check_parent(call);

    if (!status)
        status = call_read(call, record_types[type].fields, record, FIELD_CREATE, NULL);
    if (!status)
        status = resource_key(call, type, record);
    if (!status && record_resolve(type, record, &call->errors) && !call->errors.n)
        status = 422;
    if (!status)
        status = resource_check(call, type, NULL, record);
    if (!status)
        status = call_checked(call);
    return status ? status : crud_store_new(call, type, record);
}

/* ---- changes --------------------------------------------------------------------------------- */

static bool member_equal(const struct field *f, const void *a, const void *b)
{
    struct jw left, right;
    bool equal;

    jw_init(&left, CALL_OUT_MAX);
    jw_init(&right, CALL_OUT_MAX);
    field_print_value(f, a, &left, FIELD_VIEW_ROW);
    field_print_value(f, b, &right, FIELD_VIEW_ROW);
    equal = bytes_equal(jw_bytes(&left), jw_bytes(&right));
    jw_free(&left);
    jw_free(&right);
    return equal;
}

/* Names of the members that differ. */
static void audit_update(struct call *call, enum record_type type, const void *old, void *record)
{
    struct record_key key = record_key_of(type, record);
    struct uuid tenant = call_tenant_of(call, type, record);
    const char *names[64];
    struct audit audit = {.action = "update",
                          .type = record_types[type].name,
                          .id = call_key_text(call, type, &key),
                          .tenant = &tenant,
                          .changed = names};

    for (const struct field *f = record_types[type].fields; f->kind != F_END; f++) {
        if (f->flags & (F_RO | F_WO) || audit.changed_count == 64 || member_equal(f, old, record))
            continue;
        names[audit.changed_count++] = strcmp(f->name, "passwordHash") == 0 ? "password" : f->name;
    }
    call_audit(call, &audit);
}

/* What GET prints of a gateway beside its record may come back with a PUT: read only, left out. */
static void drop_live(struct call *call)
{
    static const char *const live[] = {"lastSeenAt", "state", "rttMs", "gpsLocked", "dutyCycle"};
    struct node *body = node_new(&call->arena, NODE_OBJECT);

    if (type_of(call) != REC_GATEWAY || call->body->kind != NODE_OBJECT)
        return;
    for (const struct node *child = call->body->child; child; child = child->next) {
        bool dropped = false;
        struct node *copy;

        for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
            dropped |= strcmp(child->key, live[i]) == 0;
        if (dropped)
            continue;
        copy = node_new(&call->arena, child->kind);
        *copy = *child;
        copy->next = NULL;
        node_append(body, copy);
    }
    call->body = body;
}

/* One attempt: load, change, check, save. */
static int change_once(struct call *call, enum field_mode mode, enum err *err)
{
    enum record_type type = type_of(call);
    struct record_key key = path_key(call);
    void *old, *record = NULL;
    uint64_t wanted, rev;
    int status = call_object(call, type, &key, &old);

    if (!status)
        status = read_if_match(call, &wanted);
    if (status)
        return status;
    rev = ((const struct record_head *)old)->rev;
    if (wanted && wanted != rev)
        return call_fail(call, 412, "the object has changed: its entity tag is \"%llu\"",
                         (unsigned long long)rev);
    *err = store_record_get(call->reader, type, &key, &call->arena, &record);
    if (*err)
        return call_err(call, *err);
    status = call->body ? 0 : call_body(call);
    if (!status)
        drop_live(call);
    if (!status)
        status = call_read(call, record_types[type].fields, record, mode, NULL);
    if (!status && record_resolve(type, record, &call->errors) && !call->errors.n)
        status = 422;
    if (!status)
        status = resource_check(call, type, old, record);
    if (!status)
        status = call_checked(call);
    if (status)
        return status;
    call->change = (struct change){0};
    (void)put_op(call, type, record, rev);
    audit_update(call, type, old, record);
    *err = call_save(call);
    if (*err)
        return *err == ERR_CONFLICT && wanted ? 412 : call_err(call, *err);
    print_one(call, type, record);
    return 200;
}

/* Without If-Match a change that met another one is made again on what is there now. */
static int change(struct call *call, enum field_mode mode)
{
    int status = 0;

    for (int i = 0; i < TRIES; i++) {
        enum err err = OK;

        status = change_once(call, mode, &err);
        if (status != 409 || err != ERR_CONFLICT)
            break;
    }
    return status;
}

int crud_replace(struct call *call)
{
    return change(call, FIELD_REPLACE);
}

int crud_merge(struct call *call)
{
    return change(call, FIELD_MERGE);
}

int crud_delete(struct call *call)
{
    enum record_type type = type_of(call);
    struct record_key key = path_key(call);
    struct uuid tenant;
    struct audit audit = {.action = "delete", .type = record_types[type].name, .tenant = &tenant};
    struct op *op;
    void *record;
    uint64_t wanted;
    enum err err;
    int status = call_object(call, type, &key, &record);

    if (!status)
        status = read_if_match(call, &wanted);
    if (!status && wanted && wanted != ((const struct record_head *)record)->rev)
        status = call_fail(call, 412, "the object has changed");
    if (status)
        return status;
    tenant = call_tenant_of(call, type, record);
    audit.id = call_key_text(call, type, &key);
    if (type == REC_DEVICE)
        call_op(call, OP_NONCE_CLEAR)->nonce.dev_eui = ((struct device_record *)record)->dev_eui;
    op = call_op(call, OP_RECORD_DEL);
    op->record = (struct op_record){.type = type, .key = key, .expected_rev = wanted};
    call_audit(call, &audit);
    err = call_save(call);
    if (err == ERR_CONFLICT && wanted)
        return 412;
    return err ? call_err(call, err) : 204;
}
