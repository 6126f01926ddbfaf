/* Fragments: whatever set of them has the rank gives the block back, and nothing else does. */
#include "core/arena.h"
#include "package/fragment.h"
#include "tests/suite.h"

#include <string.h>

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

/* A block of random octets, and a decoder for it. */
struct bench {
    uint8_t octets[4000];
    struct bytes block;
    struct pkg_frag_cut cut;
    struct pkg_frag_decoder decoder;
    void *room;
    unsigned version;
};

static void bench_init(struct bench *b, size_t length, uint8_t frag_size, unsigned version,
                       uint16_t rows)
{
    for (size_t i = 0; i < length; i++)
        b->octets[i] = (uint8_t)draw(256);
    b->block = (struct bytes){b->octets, length};
    b->version = version;
    ck_assert_int_eq(pkg_frag_cut(length, frag_size, 0, &b->cut), OK);
    b->room = xmalloc(pkg_frag_room(b->cut.nb_frag, frag_size, rows));
    ck_assert_int_eq(pkg_frag_begin(&b->decoder, version, b->cut.nb_frag, frag_size, rows, b->room),
                     OK);
}

static void bench_fini(struct bench *b)
{
    free(b->room);
}

static enum pkg_frag_result send(struct bench *b, uint16_t n)
{
    uint8_t data[255];

    pkg_frag_encode(b->version, b->block, &b->cut, n, data);
    return pkg_frag_add(&b->decoder, n, (struct bytes){data, b->cut.frag_size});
}

static void expect_whole(struct bench *b)
{
    ck_assert(b->decoder.is_done);
    ck_assert_mem_eq(b->decoder.block, b->octets, b->block.n);
    for (size_t i = 0; i < b->cut.padding; i++)
        ck_assert_uint_eq(b->decoder.block[b->block.n + i], 0);
}

START_TEST(a_block_is_cut)
{
    struct pkg_frag_cut cut;

    ck_assert_int_eq(pkg_frag_cut(100, 10, 10, &cut), OK);
    ck_assert(cut.nb_frag == 10 && cut.padding == 0);
    ck_assert_int_eq(pkg_frag_cut(101, 10, 10, &cut), OK);
    ck_assert(cut.nb_frag == 11 && cut.padding == 9 && cut.frag_size == 10);
    ck_assert_int_eq(pkg_frag_cut(0, 10, 0, &cut), ERR_INVALID);
    ck_assert_int_eq(pkg_frag_cut(10, 0, 0, &cut), ERR_INVALID);
    ck_assert_int_eq(pkg_frag_cut(16383, 1, 0, &cut), OK);
    ck_assert_int_eq(pkg_frag_cut(16383, 1, 1, &cut), ERR_LIMIT);
    ck_assert_int_eq(pkg_frag_cut(16384, 1, 0, &cut), ERR_LIMIT);
    ck_assert_uint_eq(pkg_frag_coded(10, 15), 2);
    ck_assert_uint_eq(pkg_frag_coded(20, 10), 2);
    ck_assert_uint_eq(pkg_frag_coded(20, 0), 0);
}
END_TEST

START_TEST(lines_have_their_weight)
{
    uint8_t line[PKG_FRAG_LINE_MAX];

    for (uint16_t m = 1; m < 300; m++) {
        for (unsigned version = 1; version <= 2; version++) {
            unsigned ones = 0;

            pkg_frag_line(version, m, draw(1000) + 1, line);
            for (unsigned i = 0; i < (m + 7u) / 8 * 8; i++)
                ones += line[i / 8] >> i % 8 & 1;
            ck_assert_uint_le(ones, m / 2u);
            ck_assert(version == 1 || ones == m / 2u);
            ck_assert(m % 8 == 0 || line[m / 8] >> m % 8 == 0);
        }
    }
    pkg_frag_line(2, PKG_FRAG_MOST, 1, line);
    pkg_frag_line(2, 8192, 8191, line);
}
END_TEST

/* Without loss no coded fragment is needed; repetitions change nothing. */
START_TEST(all_plain)
{
    struct bench b;

    bench_init(&b, 95, 10, 1, 0);
    for (uint16_t n = 1; n < 10; n++) {
        ck_assert_uint_eq(pkg_frag_missing(&b.decoder), 11u - n);
        ck_assert_int_eq(send(&b, n), PKG_FRAG_MORE);
        ck_assert_int_eq(send(&b, n), PKG_FRAG_MORE);
    }
    ck_assert_int_eq(send(&b, 10), PKG_FRAG_DONE);
    expect_whole(&b);
    ck_assert_int_eq(send(&b, 3), PKG_FRAG_DONE);
    ck_assert_int_eq(send(&b, 14), PKG_FRAG_DONE);
    bench_fini(&b);
}
END_TEST

/* Fragments in random order, plain and coded mixed, with losses: done exactly when as many of them
 * are independent as there are pieces. */
static void lossy(size_t length, uint8_t frag_size, unsigned version, unsigned loss)
{
    struct bench b;
    unsigned taken = 0, sent = 0;
    enum pkg_frag_result result = PKG_FRAG_MORE;

    bench_init(&b, length, frag_size, version, (uint16_t)(length / frag_size + 1));
    while (result != PKG_FRAG_DONE) {
        uint16_t n = (uint16_t)(sent < b.cut.nb_frag ? sent + 1 : 1 + draw(3u * b.cut.nb_frag + 9));
        unsigned before = pkg_frag_missing(&b.decoder);

        ck_assert_msg(++sent < 40u * b.cut.nb_frag + 400, "%u pieces stay unsolved", before);
        if (sent <= b.cut.nb_frag && draw(100) < loss)
            continue;
        result = send(&b, n);
        ck_assert(result == PKG_FRAG_MORE || result == PKG_FRAG_DONE);
        ck_assert_uint_le(before - pkg_frag_missing(&b.decoder), 1);
        taken += before - pkg_frag_missing(&b.decoder);
        ck_assert_int_eq(result == PKG_FRAG_DONE, pkg_frag_missing(&b.decoder) == 0);
    }
    ck_assert_uint_eq(taken, b.cut.nb_frag);
    expect_whole(&b);
    bench_fini(&b);
}

START_TEST(losses_are_made_up)
{
    for (unsigned round = 0; round < 300; round++) {
        size_t length = 1 + draw(1500);

        lossy(length, (uint8_t)(1 + draw(60)), 1 + round % 2, 10 * draw(11));
    }
    lossy(4000, 10, 1, 30);
    lossy(4000, 10, 2, 30);
}
END_TEST

/* With each independent fragment the rank must grow: compared with elimination on paper. */
static unsigned rank_of(uint8_t matrix[64][2], unsigned count, unsigned m)
{
    unsigned rank = 0;

    for (unsigned i = 0; i < m; i++) {
        unsigned found = rank;

        while (found < count && !(matrix[found][i / 8] >> i % 8 & 1))
            found++;
        if (found == count)
            continue;
        for (unsigned k = 0; k < 2; k++) {
            uint8_t swap = matrix[found][k];

            matrix[found][k] = matrix[rank][k];
            matrix[rank][k] = swap;
        }
        for (unsigned r = 0; r < count; r++) {
            if (r != rank && matrix[r][i / 8] >> i % 8 & 1) {
                matrix[r][0] ^= matrix[rank][0];
                matrix[r][1] ^= matrix[rank][1];
            }
        }
        rank++;
    }
    return rank;
}

START_TEST(the_rank_is_right)
{
    for (unsigned round = 0; round < 200; round++) {
        uint8_t lines[64][2] = {{0}}, scratch[64][2];
        unsigned count = 0;
        struct bench b;

        bench_init(&b, 12, 1, 1 + round % 2, 12);
        while (pkg_frag_missing(&b.decoder) && count < 64) {
            uint16_t n = (uint16_t)(1 + draw(40));

            if (n <= 12)
                lines[count][(n - 1) / 8] = (uint8_t)(1 << (n - 1) % 8);
            else
                pkg_frag_line(b.version, 12, n - 12u, lines[count]);
            (void)send(&b, n);
            count++;
            memcpy(scratch, lines, sizeof(lines));
            ck_assert_uint_eq(pkg_frag_missing(&b.decoder), 12 - rank_of(scratch, count, 12));
        }
        bench_fini(&b);
    }
}
END_TEST

START_TEST(memory_is_bounded)
{
    struct bench b;
    unsigned refused = 0;

    bench_init(&b, 200, 10, 2, 3);
    for (uint16_t n = 21; n < 80; n++)
        refused += send(&b, n) == PKG_FRAG_NO_MEMORY;
    ck_assert_uint_gt(refused, 40);
    ck_assert_uint_eq(pkg_frag_missing(&b.decoder), 17);
    for (uint16_t n = 1; n <= 20 && !b.decoder.is_done; n++)
        (void)send(&b, n);
    expect_whole(&b);
    bench_fini(&b);
}
END_TEST

/* The rule of the other version gives garbage, which the MIC of version 2 tells. */
START_TEST(versions_do_not_mix)
{
    struct pkg_frag_session session = {1, 0, {1, 2, 3, 4}};
    struct lw_key key;
    struct bench b;
    uint8_t data[255];

    bench_init(&b, 400, 10, 2, 40);
    pkg_data_block_int_key(&(struct lw_key){{5}}, &key);
    /* all lines of version 2 have twenty pieces: an even number, so one must come as it is */
    ck_assert_int_eq(send(&b, 1), PKG_FRAG_MORE);
    for (uint16_t n = 41; !b.decoder.is_done && n < 2000; n++) {
        pkg_frag_encode(1, b.block, &b.cut, n, data);
        (void)pkg_frag_add(&b.decoder, n, (struct bytes){data, 10});
    }
    ck_assert(b.decoder.is_done);
    ck_assert_mem_ne(b.decoder.block, b.octets, 400);
    ck_assert_uint_ne(pkg_frag_mic(&key, &session, b.block),
                      pkg_frag_mic(&key, &session, (struct bytes){b.decoder.block, 400}));
    bench_fini(&b);
}
END_TEST

START_TEST(what_no_session_has)
{
    struct bench b;
    struct pkg_frag_decoder other;
    uint8_t data[11] = {0};

    bench_init(&b, 100, 10, 1, 4);
    ck_assert_int_eq(pkg_frag_add(&b.decoder, 0, (struct bytes){data, 10}), PKG_FRAG_REFUSED);
    ck_assert_int_eq(pkg_frag_add(&b.decoder, 16384, (struct bytes){data, 10}), PKG_FRAG_REFUSED);
    ck_assert_int_eq(pkg_frag_add(&b.decoder, 1, (struct bytes){data, 9}), PKG_FRAG_REFUSED);
    ck_assert_int_eq(pkg_frag_add(&b.decoder, 1, (struct bytes){data, 11}), PKG_FRAG_REFUSED);
    ck_assert_uint_eq(pkg_frag_missing(&b.decoder), 10);
    ck_assert_int_eq(pkg_frag_begin(&other, 1, 0, 10, 1, b.room), ERR_INVALID);
    ck_assert_int_eq(pkg_frag_begin(&other, 1, 10, 0, 1, b.room), ERR_INVALID);
    ck_assert_int_eq(pkg_frag_begin(&other, 1, 16384, 10, 1, b.room), ERR_INVALID);
    ck_assert_int_eq(pkg_frag_add(&b.decoder, PKG_FRAG_MOST, (struct bytes){data, 10}),
                     PKG_FRAG_MORE); /* the last that has a number */
    bench_fini(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_block_is_cut,      lines_have_their_weight, all_plain,
                                  losses_are_made_up,  the_rank_is_right,       memory_is_bounded,
                                  versions_do_not_mix, what_no_session_has,     NULL};

    return run_suite(suite_of("package_fragment", tests));
}
