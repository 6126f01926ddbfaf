/* fuzz_text.c - what people and gateways write as text: hex, base64, times, addresses, ids. */
#include "core/arena.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "db/model.h"
#include "gateway/address.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* What was read must print to something that reads to the same. */
static void check_time(const char *text)
{
    char again[CLOCK_TEXT];
    int64_t us, us2;

    if (clock_read(text, &us) && clock_read(clock_text(again, us), &us2) &&
        us2 / US_PER_MS != us / US_PER_MS && us >= 0)
        abort();
}

static void check_bytes(const char *text, size_t n)
{
    uint8_t octets[512];
    char again[BASE64_LEN(512) + 1];
    size_t got = base64_read(octets, sizeof(octets), text, n);

    if (got != SIZE_MAX &&
        base64_read(octets, sizeof(octets), again, base64_write(again, octets, got)) != got)
        abort();
    (void)hex_read_any(octets, sizeof(octets), text, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[512];
    struct address address;
    struct cidr cidr;
    struct uuid id;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    check_time(text);
    check_bytes(text, size);
    if (address_read(text, &address) == OK && cidr_read(text, &cidr) == OK &&
        !cidr_has(&cidr, &address))
        abort();
    if (cidr_read(text, &cidr) == OK && cidr.bits > 128)
        abort();
    (void)uuid_read(&id, text);
    return 0;
}
