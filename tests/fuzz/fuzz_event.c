/* The facts of every type of event. What is read must be written and read again. */
#include "db/event.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* The first octet chooses the type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct event_facts facts;
    enum event_type type;

    if (size < 1 || size > 4096)
        return 0;
    arena_init(&arena, ARENA_REQUEST_LIMIT);
    type = (enum event_type)(data[0] % EVENT_TYPE_COUNT);
    if (event_facts_read(type, (struct bytes){data + 1, size - 1}, &arena, &facts) == OK) {
        struct bytes again = event_facts_write(type, &facts, &arena);

        if (event_facts_read(type, again, &arena, &facts) != OK)
            abort();
    }
    arena_reset(&arena);
    return 0;
}
