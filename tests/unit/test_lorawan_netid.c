/* NetIDs, DevAddr blocks and names of the DNS, against the vectors of TS002. */
#include "lorawan/netid.h"
#include "tests/vectors.h"

START_TEST(net_id_vectors)
{
    struct json_object *root = vec_load("backend-interfaces.json"), *list = vec(root, "netid");

    ck_assert_uint_eq(vec_count(list), 12);
    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *v = vec_at(list, i);
        struct lw_net_id id = {(uint32_t)vec_u64(v, "NetID")};
        struct lw_block block = lw_net_id_block(id), again;
        char text[LW_BLOCK_TEXT];

        ck_assert_int_eq(lw_net_id_type(id), vec_int(v, "type"));
        ck_assert_int_eq(lw_nwk_id(id), vec_int(v, "NwkID"));
        ck_assert_int_eq(lw_nwk_addr_bits(id), vec_int(v, "NwkAddrBits"));
        ck_assert_str_eq(lw_block_text(text, block), vec_str(v, "prefix"));
        ck_assert_uint_eq(block.base.v, vec_u64(v, "min"));
        ck_assert_uint_eq(lw_block_last(block).v, vec_u64(v, "max"));
        ck_assert_int_eq(lw_block_read(text, &again), OK);
        ck_assert(again.base.v == block.base.v && again.bits == block.bits);
    }
    json_object_put(root);
}
END_TEST

START_TEST(dev_addr_vectors)
{
    struct json_object *root = vec_load("backend-interfaces.json"), *list = vec(root, "devaddr");

    ck_assert_uint_eq(vec_count(list), 11);
    for (size_t i = 0; i < vec_count(list); i++) {
        struct json_object *v = vec_at(list, i);
        struct lw_dev_addr addr = {(uint32_t)vec_u64(v, "DevAddr")};
        bool typed = vec(v, "type") != NULL;

        ck_assert_int_eq(lw_dev_addr_type(addr), typed ? vec_int(v, "type") : -1);
        ck_assert_int_eq(lw_dev_addr_nwk_id(addr), typed ? vec_int(v, "NwkID") : 0);
    }
    json_object_put(root);
}
END_TEST

START_TEST(blocks_cover)
{
    struct lw_block lease = {{0x27abcd00}, 24}, all = {{0}, 0}, one = {{0xfe780680}, 32};
    struct lw_block pair = {{0xfe780680}, 31};
    struct lw_net_id shared[] = {{0x60000a}, {0x60080a}, {0x60100a}};

    ck_assert(lw_block_covers(lease, (struct lw_dev_addr){0x27abcd00}));
    ck_assert(lw_block_covers(lease, (struct lw_dev_addr){0x27abcdff}));
    ck_assert(!lw_block_covers(lease, (struct lw_dev_addr){0x27abce00}));
    ck_assert(!lw_block_covers(lease, (struct lw_dev_addr){0x27abccff}));
    ck_assert(lw_block_covers(all, (struct lw_dev_addr){0xffffffff}));
    ck_assert(lw_block_covers(one, one.base) && lw_block_last(one).v == one.base.v);
    ck_assert(!lw_block_covers(one, (struct lw_dev_addr){0xfe780681}));
    ck_assert(lw_block_covers(pair, (struct lw_dev_addr){0xfe780681}));
    ck_assert(!lw_block_covers(pair, (struct lw_dev_addr){0xfe780682}));
    ck_assert_uint_eq(lw_block_last(pair).v, 0xfe780681);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(lw_block_covers(lw_net_id_block(shared[i]), (struct lw_dev_addr){0xe0140001}));
        ck_assert(lw_dev_addr_matches((struct lw_dev_addr){0xe0140001}, shared[i]));
        ck_assert(lw_dev_addr_matches((struct lw_dev_addr){0xe015ffff}, shared[i]));
        ck_assert(!lw_dev_addr_matches((struct lw_dev_addr){0xe0160000}, shared[i]));
        ck_assert(!lw_dev_addr_matches((struct lw_dev_addr){0xe013ffff}, shared[i]));
    }
    ck_assert_uint_eq(lw_dev_addr_make(shared[0], 0xffffffff).v, 0xe015ffff);
}
END_TEST

START_TEST(the_longest_block_wins)
{
    struct lw_block blocks[] = {
        {{0x26000000}, 7}, {{0x27abcd00}, 24}, {{0x27ab0000}, 16}, {{0xe0140000}, 15}};

    ck_assert_ptr_eq(lw_block_longest(blocks, 4, (struct lw_dev_addr){0x27abcd12}), &blocks[1]);
    ck_assert_ptr_eq(lw_block_longest(blocks, 4, (struct lw_dev_addr){0x27abce12}), &blocks[2]);
    ck_assert_ptr_eq(lw_block_longest(blocks, 4, (struct lw_dev_addr){0x26000000}), &blocks[0]);
    ck_assert_ptr_null(lw_block_longest(blocks, 4, (struct lw_dev_addr){0x28000000}));
    ck_assert_ptr_null(lw_block_longest(NULL, 0, (struct lw_dev_addr){0}));
    blocks[3] = blocks[1]; /* of two that are alike the first */
    ck_assert_ptr_eq(lw_block_longest(blocks, 4, (struct lw_dev_addr){0x27abcd12}), &blocks[1]);
}
END_TEST

START_TEST(block_texts)
{
    static const char *const bad[] = {
        "",
        "e0140000",
        "e0140000/",
        "e0140000/33",
        "e0140000/015",
        "e0140000/1x",
        "e0140000/-1",
        "e014000/15",
        "e014000g/15",
        "e0140000 15",
        "e0140001/15",
        "e0140000/010",
        "e0140000/ 7",
        "00000001/0",
        "e0140000/05",
        "e0000000/05", /* refused for its zero alone */
        "00000000/00",
    };
    struct lw_block block;
    char text[LW_BLOCK_TEXT];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(lw_block_read(bad[i], &block) == ERR_MALFORMED, "%s", bad[i]);
    ck_assert_int_eq(lw_block_read("00000000/0", &block), OK);
    ck_assert_int_eq(lw_block_read("e0140000/20", &block), OK);
    ck_assert_uint_eq(block.bits, 20);
    ck_assert_int_eq(lw_block_read("FFFFFFFF/32", &block), OK);
    ck_assert_str_eq(lw_block_text(text, block), "ffffffff/32");
}
END_TEST

START_TEST(names)
{
    char to[LW_NAME_MAX], zone[401];

    ck_assert_str_eq(lw_net_id_name(to, (struct lw_net_id){0x50a}, LW_NET_ID_ZONE),
                     "00050a.netids.lora-alliance.org");
    ck_assert_str_eq(lw_join_eui_name(to, (struct lw_eui){0x00005e100000002f}, LW_JOIN_EUI_ZONE),
                     "f.2.0.0.0.0.0.0.0.1.e.5.0.0.0.0.joineuis.lora-alliance.org");
    memset(zone, 'z', 400);
    zone[400] = '\0';
    ck_assert_uint_eq(strlen(lw_net_id_name(to, (struct lw_net_id){0xffffff}, zone)), 207);
    ck_assert_uint_eq(strlen(lw_join_eui_name(to, (struct lw_eui){0}, zone)), 232);
    ck_assert(lw_net_id_is_private((struct lw_net_id){0}));
    ck_assert(lw_net_id_is_private((struct lw_net_id){1}));
    ck_assert(!lw_net_id_is_private((struct lw_net_id){2}));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        net_id_vectors, dev_addr_vectors, blocks_cover, the_longest_block_wins, block_texts, names,
        NULL,
    };

    return run_suite(suite_of("lorawan/netid", tests));
}
