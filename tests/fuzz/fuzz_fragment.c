/* A fragment session as an outsider would drive it: the input chooses its shape and then, two
 * octets a fragment, which ones come, some of them damaged. If none was, a block that is done must
 * be the block that was sent. */
#include "package/fragment.h"
#include "tests/fuzz/fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DAMAGED 0x8000

struct session {
    struct pkg_frag_decoder decoder;
    struct pkg_frag_cut cut;
    struct bytes block;
    bool is_damaged;
};

static void add(struct session *s, uint16_t choice)
{
    uint16_t n = (uint16_t)(choice % (4u * s->cut.nb_frag + 1));
    uint8_t data[256] = {0};
    unsigned before = pkg_frag_missing(&s->decoder), after;
    enum pkg_frag_result result;

    if (n)
        pkg_frag_encode(s->decoder.version, s->block, &s->cut, n, data);
    if (choice & DAMAGED) {
        data[0] ^= 1;
        s->is_damaged = true;
    }
    result = pkg_frag_add(&s->decoder, n, (struct bytes){data, s->cut.frag_size});
    after = pkg_frag_missing(&s->decoder);
    assert(after <= before && before - after <= 1);
    assert((result == PKG_FRAG_REFUSED) == !n);
    assert(result != PKG_FRAG_NO_MEMORY || s->decoder.rows_used == s->decoder.rows);
    assert(!n || (result == PKG_FRAG_DONE) == (after == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static uint8_t octets[512];
    struct rd rd = rd_of(p, n);
    struct session s = {.is_damaged = false};
    size_t length = 1 + rd_u16le(&rd) % sizeof(octets);
    uint8_t frag_size = (uint8_t)(1 + rd_u8(&rd) % 64), version = 1 + (rd_u8(&rd) & 1);
    uint16_t rows = rd_u8(&rd);
    void *room;

    for (size_t i = 0; i < length; i++)
        octets[i] = (uint8_t)(i * 37 + version);
    s.block = (struct bytes){octets, length};
    assert(pkg_frag_cut(length, frag_size, 0, &s.cut) == OK);
    room = malloc(pkg_frag_room(s.cut.nb_frag, frag_size, rows));
    assert(room && pkg_frag_begin(&s.decoder, version, s.cut.nb_frag, frag_size, rows, room) == OK);
    while (rd_left(&rd) >= 2)
        add(&s, rd_u16le(&rd));
    assert(s.is_damaged || !s.decoder.is_done || !memcmp(s.decoder.block, octets, length));
    free(room);
    return 0;
}
