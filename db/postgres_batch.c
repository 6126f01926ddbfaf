/*
 * postgres_batch.c - what comes with each frame: states, events and attempts of all changes of a
 * transaction, gathered into arrays, one statement each.
 *
 * W_LIVE is the statement that counts: it updates a device's row only if its rev is the one that
 * the change was built on, hands the position of the device's former event to the new one, and
 * raises an error if not every row was updated, so that the COMMIT behind it in the pipeline is not
 * done.
 */
#include "db/change.h"
#include "db/postgres.h"

enum { L_EUI, L_REV, L_STATE, L_POS, L_LAST, L_TIME, L_TYPE, L_FACTS };
enum { E_POS, E_PREV, E_EUI, E_TIME, E_TYPE, E_FACTS };
enum { A_ID, A_EUI, A_TIME, A_SETTLED, A_ATTEMPT };

static void begin(struct pg_batch *batch)
{
    static const enum pg_element live[] = {PG_INT8, PG_INT8, PG_BYTEA, PG_INT8,
                                           PG_INT8, PG_INT8, PG_INT2,  PG_BYTEA};
    static const enum pg_element events[] = {PG_INT8, PG_INT8, PG_INT8, PG_INT8, PG_INT2, PG_BYTEA};
    static const enum pg_element attempts[] = {PG_INT8, PG_INT8, PG_INT8, PG_BOOL, PG_BYTEA};

    for (size_t i = 0; i < 8; i++)
        pg_array_begin(&batch->live[i], live[i]);
    for (size_t i = 0; i < 6; i++)
        pg_array_begin(&batch->events[i], events[i]);
    for (size_t i = 0; i < 5; i++)
        pg_array_begin(&batch->attempts[i], attempts[i]);
}

void batch_free(struct pg_batch *batch)
{
    for (size_t i = 0; i < 8; i++)
        pg_array_free(&batch->live[i]);
    for (size_t i = 0; i < 6; i++)
        pg_array_free(&batch->events[i]);
    for (size_t i = 0; i < 5; i++)
        pg_array_free(&batch->attempts[i]);
}

/* The device's first or last event in a change, or the one before `end`; NULL: none. */
static const struct op *event_of(const struct change *change, struct lw_eui dev_eui, bool first,
                                 const struct op *end)
{
    const struct op *found = NULL;

    for (const struct op *op = change->first; op != end; op = op->next) {
        if (op_is_event_of(op, dev_eui)) {
            found = op;
            if (first)
                break;
        }
    }
    return found;
}

/* A row of W_LIVE: a device's new state, its first event, or both. */
static void add_live(struct pg_batch *batch, const struct change *change, struct lw_eui dev_eui,
                     const struct op_state *state)
{
    const struct op *first = event_of(change, dev_eui, true, NULL);
    const struct op *last = event_of(change, dev_eui, false, NULL);
    struct pg_array *a = batch->live;

    pg_array_int(&a[L_EUI], (int64_t)dev_eui.v);
    if (state) {
        pg_array_int(&a[L_REV], (int64_t)state->rev);
        pg_array_octets(&a[L_STATE], state->state);
    } else {
        pg_array_null(&a[L_REV]);
        pg_array_null(&a[L_STATE]);
    }
    if (first) {
        pg_array_int(&a[L_POS], (int64_t)first->event.pos);
        pg_array_int(&a[L_LAST], (int64_t)last->event.pos);
        pg_array_int(&a[L_TIME], first->event.utc_us);
        pg_array_int(&a[L_TYPE], first->event.type);
        pg_array_octets(&a[L_FACTS], first->event.facts);
    } else {
        for (size_t i = L_POS; i <= L_FACTS; i++)
            pg_array_null(&a[i]);
    }
}

/* An event after its device's first in the change: the one before it is known. */
static void add_event(struct pg_batch *batch, const struct op_event *event, uint64_t prev)
{
    struct pg_array *a = batch->events;

    pg_array_int(&a[E_POS], (int64_t)event->pos);
    pg_array_int(&a[E_PREV], (int64_t)prev);
    pg_array_int(&a[E_EUI], (int64_t)event->dev_eui.v);
    pg_array_int(&a[E_TIME], event->utc_us);
    pg_array_int(&a[E_TYPE], event->type);
    pg_array_octets(&a[E_FACTS], event->facts);
}

static void add_attempt(struct pg_batch *batch, const struct op_attempt *attempt)
{
    struct pg_array *a = batch->attempts;

    pg_array_int(&a[A_ID], (int64_t)attempt->id);
    pg_array_int(&a[A_EUI], (int64_t)attempt->dev_eui.v);
    pg_array_int(&a[A_TIME], attempt->utc_us);
    pg_array_int(&a[A_SETTLED], attempt->settled);
    pg_array_octets(&a[A_ATTEMPT], attempt->attempt);
}

void batch_add(struct store *store, struct change *change)
{
    struct pg_batch *batch = &store->batch;

    for (struct op *op = change->first; op; op = op->next) {
        if (op->kind == OP_EVENT)
            op->event.pos = store->outbox_next++;
    }
    for (struct op *op = change->first; op; op = op->next) {
        const struct op *former;

        if (op->kind == OP_STATE) {
            add_live(batch, change, op->state.dev_eui, &op->state);
        } else if (op->kind == OP_EVENT) {
            former = event_of(change, op->event.dev_eui, false, op);
            if (former)
                add_event(batch, &op->event, former->event.pos);
            else if (!change_state_of(change, op->event.dev_eui))
                add_live(batch, change, op->event.dev_eui, NULL);
        } else if (op->kind == OP_ATTEMPT_PUT &&
                   map_get(&batch->attempt_at, op->attempt.id) == op) {
            add_attempt(batch, &op->attempt);
        }
    }
}

static enum err send_array(struct store *store, enum pg_write name, struct pg_array *arrays,
                           size_t n, struct change *change)
{
    struct pg_params params = {0};

    if (!arrays[0].count)
        return OK;
    for (size_t i = 0; i < n; i++)
        pg_array_param(&arrays[i], &params);
    if (name == W_LIVE)
        pg_int(&params, arrays[0].count);
    return write_send(store, name, &params, change, NULL);
}

/* One statement cannot write a row twice: the last attempt under an id is the one that counts. */
static void find_attempts(struct pg_batch *batch, struct change **changes, size_t n)
{
    map_init(&batch->attempt_at);
    for (size_t i = 0; i < n; i++) {
        for (struct op *op = changes[i]->first; !changes[i]->result && op; op = op->next) {
            if (op->kind == OP_ATTEMPT_PUT)
                (void)map_put(&batch->attempt_at, op->attempt.id, op);
        }
    }
}

void batch_begin(struct pg_batch *batch, struct change **changes, size_t n)
{
    begin(batch);
    find_attempts(batch, changes, n);
}

enum err batch_send(struct store *store, struct change *only)
{
    struct pg_batch *batch = &store->batch;
    enum err err = send_array(store, W_ATTEMPTS, batch->attempts, 5, only);

    if (!err)
        err = send_array(store, W_LIVE, batch->live, 8, only);
    return err ? err : send_array(store, W_EVENTS, batch->events, 6, only);
}

void batch_end(struct pg_batch *batch)
{
    map_fini(&batch->attempt_at);
}
