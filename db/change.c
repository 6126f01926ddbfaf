/* change.c - see change.h. */
#include "db/change.h"

#include "core/map.h"

struct op *change_add(struct change *change, struct arena *arena, enum op_kind kind)
{
    struct op *op = arena_new(arena, struct op);

    op->kind = kind;
    if (change->last)
        change->last->next = op;
    else
        change->first = op;
    change->last = op;
    change->bytes += sizeof(*op);
    return op;
}

bool op_is_event_of(const struct op *op, struct lw_eui dev_eui)
{
    return op->kind == OP_EVENT && op->event.dev_eui.v == dev_eui.v;
}

const struct op *change_state_of(const struct change *change, struct lw_eui dev_eui)
{
    const struct op *op = change->first;

    while (op && !(op->kind == OP_STATE && op->state.dev_eui.v == dev_eui.v))
        op = op->next;
    return op;
}

bool op_deletes_device(const struct op *op, uint64_t *eui)
{
    struct rd rd = rd_of(op->record.key.b, 8);

    if (op->kind != OP_RECORD_DEL || op->record.type != REC_DEVICE)
        return false;
    *eui = rd_u64be(&rd);
    return true;
}

bool change_deletes(const struct change *change, struct lw_eui dev_eui)
{
    uint64_t eui;

    for (const struct op *op = change->first; op; op = op->next) {
        if (op_deletes_device(op, &eui) && eui == dev_eui.v)
            return true;
    }
    return false;
}

size_t change_first_repeat(struct change **batch, size_t n,
                           bool (*touches)(const struct op *op, uint64_t *eui))
{
    struct map seen;
    size_t cut = n;

    map_init(&seen);
    map_reserve(&seen, n);
    for (size_t i = 0; i < n && cut == n; i++) {
        for (const struct op *op = batch[i]->first; op && cut == n; op = op->next) {
            uint64_t eui;
            const void *former = touches(op, &eui) ? map_put(&seen, eui, batch[i]) : NULL;

            if (former && former != batch[i])
                cut = i;
        }
    }
    map_fini(&seen);
    return cut;
}

enum err change_check(const struct change *change, bool loaded)
{
    for (const struct op *op = change->first; op; op = op->next) {
        if (op->kind == OP_STATE) {
            if (!loaded || change_deletes(change, op->state.dev_eui) ||
                change_state_of(change, op->state.dev_eui) != op)
                return ERR_BAD_STATE;
        } else if (op->kind == OP_EVENT) {
            if (!loaded || change_deletes(change, op->event.dev_eui))
                return ERR_BAD_STATE;
        }
    }
    return OK;
}
