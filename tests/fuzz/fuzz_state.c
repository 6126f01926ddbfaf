/* What ns/ keeps in the store: states of sessions, queue items, attempts. */
#include "ns/attempt.h"
#include "ns/queue.h"
#include "ns/session.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void read_state(struct bytes encoded, struct arena *arena)
{
    struct session session = {0};
    struct device_status status = {0};

    if (session_state_read(encoded, &session, &status) == OK &&
        session_state_read(session_state_write(&session, &status, arena), &session, &status) != OK)
        abort();
}

static void read_item(struct bytes encoded, struct arena *arena)
{
    const struct uuid id = {{1}};
    struct queue_item *item, *again;

    if (queue_item_read(&id, 1, encoded, &item))
        return;
    if (queue_item_read(&id, 1, queue_item_write(item, arena), &again))
        abort();
    free(item);
    free(again);
}

static void read_attempt(struct bytes encoded, struct arena *arena)
{
    struct attempt attempt;

    if (attempt_read(1, (struct lw_eui){2}, encoded, &attempt) == OK &&
        attempt_read(1, (struct lw_eui){2}, attempt_write(&attempt, arena), &attempt) != OK)
        abort();
}

/* The first octet chooses the decoder. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct bytes rest;

    if (size < 1 || size > 4096)
        return 0;
    rest = (struct bytes){data + 1, size - 1};
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    if (data[0] % 3 == 0)
        read_state(rest, &arena);
    else if (data[0] % 3 == 1)
        read_item(rest, &arena);
    else
        read_attempt(rest, &arena);
    arena_reset(&arena);
    return 0;
}
