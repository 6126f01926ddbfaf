/*
 * queue.c - the downlink queue of a device over REST; the queue itself is at its home worker.
 */
#include "api/routes.h"

#include <stdlib.h>
#include <string.h>

struct queue_input {
    uint8_t f_port, priority, on_uncertain;
    struct bytes data;
    const struct node *object;
    bool confirmed, is_encrypted;
    int64_t expires_us;
    uint32_t fcnt_down;
    struct uuid id;
    int64_t created_us;
    const char *state;
    uint8_t attempts;
};

/* clang-format off */
static const char *const uncertain_names[] = {"resend", "fail", NULL};

const struct field queue_fields[] = {
    {"id",          F_UUID, F_RO, AT(struct queue_input, id)},
    {"fPort",       F_U8,   F_REQ, AT(struct queue_input, f_port), .range = {1, 223}},
    {"data",        F_BLOB, 0, AT(struct queue_input, data), .size = QUEUE_DATA_MAX, .help = "base64, at most 242 octets."},
    {"object",      F_RAW,  F_OPTIONAL, AT(struct queue_input, object), .help = "Needs a codec."},
    {"confirmed",   F_BOOL, 0, AT(struct queue_input, confirmed), .def = "false"},
    {"priority",    F_U8,   0, AT(struct queue_input, priority), .def = "0", .help = "Higher goes first."},
    {"expiresAt",   F_TIME, F_NULLABLE, AT(struct queue_input, expires_us)},
    {"isEncrypted", F_BOOL, 0, AT(struct queue_input, is_encrypted), .def = "false", .help = "data is encrypted under fCntDown already."},
    {"fCntDown",    F_U32,  F_NULLABLE, AT(struct queue_input, fcnt_down)},
    {"onUncertain", F_ENUM, 0, AT(struct queue_input, on_uncertain), .names = uncertain_names, .def = "resend", .help = "After a crash left no result."},
    {"createdAt",   F_TIME, F_RO, AT(struct queue_input, created_us)},
    {"state",       F_STR,  F_RO, AT(struct queue_input, state)},
    {"attempts",    F_U8,   F_RO, AT(struct queue_input, attempts)},
    {0},
};
/* clang-format on */

enum { Q_DATA = 1 << 2, Q_OBJECT = 1 << 3, Q_FCNT = 1 << 8 };

static void print_item(struct jw *jw, const struct queue_item *item)
{
    struct queue_input out = {.f_port = item->f_port,
                              .priority = item->priority,
                              .on_uncertain = item->on_uncertain,
                              .data = {item->data, item->data_n},
                              .confirmed = item->confirmed,
                              .is_encrypted = item->is_encrypted,
                              .expires_us = item->expires_us,
                              .id = item->id,
                              .created_us = item->created_us,
                              .state = queue_state_names[item->state],
                              .attempts = item->attempts};

    jw_object(jw);
    for (const struct field *f = queue_fields; f->kind != F_END; f++) {
        if (f->flags & F_OPTIONAL)
            continue;
        jw_key(jw, f->name);
        if (strcmp(f->name, "fCntDown") != 0)
            field_print_value(f, &out, jw, FIELD_VIEW_PUBLIC);
        else if (item->has_fcnt)
            jw_uint(jw, item->fcnt_down);
        else
            jw_null(jw);
    }
    jw_end_object(jw);
}

int queue_list(struct call *call)
{
    struct device_view view;
    struct ns_call *question;
    struct jw *jw = &call->out;
    enum err err;
    int status = call_device(call, &view);

    if (status)
        return status;
    question = ns_call_new(ACT_QUEUE_LIST, view.device->dev_eui);
    err = call_ask(call, question);
    jw_object(jw);
    jw_key(jw, "items");
    jw_array(jw);
    for (size_t i = 0; i < question->item_count; i++)
        print_item(jw, question->items[i]);
    jw_end_array(jw);
    jw_key(jw, "nextCursor");
    jw_null(jw);
    jw_key_uint(jw, "totalCount", question->item_count);
    jw_end_object(jw);
    ns_call_free(question);
    return call_err(call, err);
}

static void check_input(struct call *call, const struct queue_input *in, uint64_t present)
{
    if (in->object)
        field_error_add(&call->errors, "object", 0, "needs a codec, not in this version");
    else if (!(present & Q_DATA))
        field_error_add(&call->errors, "data", 0, "is missing");
    if (in->is_encrypted && !(present & Q_FCNT))
        field_error_add(&call->errors, "fCntDown", 0, "is missing: isEncrypted needs it");
    if (!in->is_encrypted && present & Q_FCNT)
        field_error_add(&call->errors, "fCntDown", 0, "may be given with isEncrypted only");
    if (in->expires_us && in->expires_us <= clock_utc(call->clock))
        field_error_add(&call->errors, "expiresAt", 0, "is in the past");
}

static struct queue_item *item_of(struct call *call, const struct queue_input *in)
{
    struct queue_item *item = queue_item_new(in->data.n);

    item->created_us = clock_utc(call->clock);
    item->id = uuid_new(item->created_us);
    item->expires_us = in->expires_us;
    item->f_port = in->f_port;
    item->priority = in->priority;
    item->on_uncertain = in->on_uncertain;
    item->confirmed = in->confirmed;
    item->is_encrypted = in->is_encrypted;
    item->has_fcnt = in->is_encrypted;
    item->fcnt_down = in->fcnt_down;
    item->data_n = (uint16_t)in->data.n;
    if (in->data.n)
        memcpy(item->data, in->data.p, in->data.n);
    return item;
}

int queue_add(struct call *call)
{
    struct device_view view;
    struct queue_input in = {0};
    struct ns_call *question;
    uint64_t present = 0;
    enum err err;
    int status = call_device(call, &view);

    if (!status)
        status = call_read(call, queue_fields, &in, FIELD_CREATE, &present);
    if (status)
        return status;
    check_input(call, &in, present);
    status = call_checked(call);
    if (status)
        return status;
    question = ns_call_new(ACT_QUEUE_ADD, view.device->dev_eui);
    question->item = item_of(call, &in);
    err = call_ask(call, question);
    if (!err) {
        char id[UUID_TEXT];

        call_header(call, "Location",
                    arena_printf(&call->arena, "%s/%s", call->request->path,
                                 uuid_text(id, &question->items[0]->id)));
        print_item(&call->out, question->items[0]);
    }
    ns_call_free(question);
    return err ? call_err(call, err) : 201;
}

static int take_out(struct call *call, struct uuid id)
{
    struct device_view view;
    struct ns_call *question;
    enum err err;
    int status = call_device(call, &view);

    if (status)
        return status;
    question = ns_call_new(ACT_QUEUE_REMOVE, view.device->dev_eui);
    question->item_id = id;
    err = call_ask(call, question);
    ns_call_free(question);
    return err ? call_err(call, err) : 204;
}

int queue_clear(struct call *call)
{
    return take_out(call, (struct uuid){{0}});
}

int queue_remove(struct call *call)
{
    struct uuid id = call_param(call, "id")->uuid;

    /* The nil UUID would mean all of them. */
    return uuid_is_zero(&id) ? call_fail(call, 404, "there is no such item") : take_out(call, id);
}
