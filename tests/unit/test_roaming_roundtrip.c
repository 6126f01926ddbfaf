/*
 * Random messages of every type, version and dialect, filled from the field tables: printed and
 * read they are the same, but for what the dialect cannot say. Cut or altered texts are refused or
 * mean something that can be printed.
 */
#include "core/clock.h"
#include "tests/roaming_stable.h"
#include "tests/unit/roaming.h"

#include <math.h>

#define ROUNDS 40

static uint64_t state = 20261121;

static uint64_t draw(void)
{
    state += 0x9e3779b97f4a7c15;
    return hash_u64(state);
}

static uint64_t below(uint64_t n)
{
    return draw() % n;
}

/* ---- filling from the tables ---------------------------------------------------------------- */

static const struct field *met[512];
static size_t met_n;

static void meet(const struct field *row)
{
    for (size_t i = 0; i < met_n; i++) {
        if (met[i] == row)
            return;
    }
    ck_assert_uint_lt(met_n, 512);
    met[met_n++] = row;
}

static void fill_object(const struct field *table, void *object);

static int64_t draw_integer(const struct field *row, int64_t min, int64_t max)
{
    if (row->range.min || row->range.max) {
        min = row->range.min;
        max = row->range.max;
    }
    switch (below(4)) {
    case 0: return min;
    case 1: return max;
    default: return min + (int64_t)below((uint64_t)(max - min) + 1);
    }
}

static double draw_double(const struct field *row)
{
    double min = row->range.max ? (double)row->range.min : -1e6;
    double max = row->range.max ? (double)row->range.max : 1e6;
    double v = min + (max - min) * ((double)(draw() >> 11) / 9007199254740992.0);

    return below(2) ? v : round(v);
}

static const char *draw_string(const struct field *row)
{
    static const char *const parts[] = {"a",  "Z9", "\xc3\xa4", "\"",           "\\", "/",
                                        "\n", "\t", "\x01",     "\xe2\x82\xac", " "};
    size_t n = below(6), most = row->size ? row->size : 1024;
    const char *text = "";

    while (n-- > 0)
        text = arena_printf(&arena, "%s%s", text, parts[below(11)]);
    return strlen(text) <= most ? text : "";
}

static struct bytes draw_octets(const struct field *row)
{
    size_t most = row->size && row->size < 300 ? row->size : 300;
    size_t least = row->flags & F_EMPTY ? 0 : 1, n = least + below(most - least + 1);
    uint8_t *p = arena_alloc(&arena, n ? n : 1);

    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)draw();
    return (struct bytes){p, n};
}

/* Of values with one name only the first can come back. */
static uint8_t draw_enum(const struct field *row)
{
    uint8_t n = 0, i, first = 0;

    while (row->names[n])
        n++;
    do
        i = (uint8_t)below(n);
    while (!*row->names[i]);
    while (strcmp(row->names[first], row->names[i]) != 0)
        first++;
    return first;
}

static const struct node *draw_node(void)
{
    static const char *const texts[] = {"{}", "[1,null,true]", "\"x\"", "{\"a\":{\"b\":[-1.5]}}",
                                        "7"};
    const char *text = texts[below(5)], *why;
    const struct node *node;

    ck_assert_int_eq(json_read(text, strlen(text), &arena, &node, &why), OK);
    return node;
}

static struct array draw_array(const struct field *row)
{
    struct array array = {.n = below(4)};

    array.p = arena_alloc(&arena, array.n * row->size + 1);
    for (size_t i = 0; i < array.n; i++) {
        char *at = (char *)array.p + i * row->size;

        if (row->elem == F_OBJ)
            fill_object(row->sub, at);
        else
            *(uint32_t *)(void *)at = (uint32_t)draw_integer(row, 0, UINT32_MAX);
    }
    return array;
}

static void fill(const struct field *row, void *at)
{
    switch (row->kind) {
    case F_BOOL: *(bool *)at = below(2); break;
    case F_U8: *(uint8_t *)at = (uint8_t)draw_integer(row, 0, UINT8_MAX); break;
    case F_U32:
    case F_MHZ: *(uint32_t *)at = (uint32_t)draw_integer(row, 0, UINT32_MAX); break;
    case F_I32: *(int32_t *)at = (int32_t)draw_integer(row, INT32_MIN, INT32_MAX); break;
    case F_DOUBLE: *(double *)at = draw_double(row); break;
    case F_STR: *(const char **)at = draw_string(row); break;
    case F_HEX:
        for (size_t i = 0; i < row->size; i++)
            ((uint8_t *)at)[i] = (uint8_t)draw();
        break;
    case F_EUI: *(uint64_t *)at = draw(); break;
    case F_ADDR: *(uint32_t *)at = (uint32_t)draw(); break;
    case F_NETID: *(uint32_t *)at = (uint32_t)below(1u << 24); break;
    case F_HEXBLOB: *(struct bytes *)at = draw_octets(row); break;
    case F_ENUM: *(uint8_t *)at = draw_enum(row); break;
    case F_TIME:
        *(int64_t *)at =
            (int64_t)below(9223372036) * US_PER_S + (int64_t)(below(3) ? below(1000000) : 0);
        break;
    case F_RAW: *(const struct node **)at = draw_node(); break;
    case F_OBJ: fill_object(row->sub, at); break;
    case F_ARR: *(struct array *)at = draw_array(row); break;
    default: ck_abort_msg("%s: a kind that is not filled", row->name);
    }
}

static void fill_object(const struct field *table, void *object)
{
    struct roam_empty *any = object;

    for (size_t i = 1; table[i].kind != F_END; i++) {
        ck_assert_uint_lt(i, 64);
        if (!below(3))
            continue;
        any->has |= ROAM_BIT(i);
        meet(&table[i]);
        fill(&table[i], (char *)object + table[i].offset);
    }
}

static struct roam_id draw_id(void)
{
    switch (below(3)) {
    case 0: return roam_id_of_net_id((struct lw_net_id){(uint32_t)below(1u << 24)});
    case 1: return roam_id_of_join_eui((struct lw_eui){draw()});
    default: return roam_id_of_text("as.example.org");
    }
}

static struct roam_message draw_message(enum roam_type type, enum roam_version version)
{
    struct roam_message message = {0};

    fill_object(roam_header_fields, &message.header);
    fill_object(roam_type_fields(type), &message.empty);
    message.header.protocol_version = roam_version_text(version);
    message.header.type = (uint8_t)type;
    message.header.sender = draw_id();
    message.header.receiver = draw_id();
    for (unsigned i = ROAM_HEADER_PROTOCOL_VERSION; i <= ROAM_HEADER_MESSAGE_TYPE; i++)
        roam_put(&message.header, i);
    return message;
}

/* ---- what a dialect cannot say -------------------------------------------------------------- */

static size_t size_of(const struct field *row)
{
    return row->kind == F_EUI ? 8 : 4; /* of those that are of 1.1 only */
}

static void forget_1_1(const struct field *table, void *object)
{
    struct roam_empty *any = object;

    for (size_t i = 1; table[i].kind != F_END; i++) {
        if (!(table[i].marks & ROAM_1_1_ONLY))
            continue;
        any->has &= ~ROAM_BIT(i);
        memset((char *)object + table[i].offset, 0, size_of(&table[i]));
    }
}

static void complete(struct roam_service_profile *sp)
{
    uint64_t mask = sp->has & ROAM_BIT(ROAM_SP_CHANNEL_MASK); /* empty hex is absent */

    for (unsigned i = 1; roam_service_profile_fields[i].kind != F_END; i++)
        roam_put(sp, i);
    sp->has = (sp->has & ~ROAM_BIT(ROAM_SP_CHANNEL_MASK)) | mask;
}

/* ChirpStack is always told the gateways, and all of a service profile. */
static void complete_all(const struct field *table, void *object)
{
    struct roam_empty *any = object;

    for (size_t i = 1; table[i].kind != F_END; i++) {
        void *at = (char *)object + table[i].offset;

        if (table[i].kind != F_OBJ || !roam_has(any, i))
            continue;
        if (table[i].sub == roam_service_profile_fields)
            complete(at);
        else if (table[i].sub == roam_ul_meta_data_fields)
            roam_put((struct roam_ul_meta_data *)at, ROAM_UL_GW_INFO);
        else if (table[i].sub == roam_dl_meta_data_fields)
            roam_put((struct roam_dl_meta_data *)at, ROAM_DL_GW_INFO);
    }
}

static struct roam_message as_heard(const struct roam_message *said, enum roam_dialect dialect,
                                    enum roam_version version)
{
    struct roam_message heard = *said;
    struct roam_result *result = &heard.header.result;

    if (version == ROAM_1_0) {
        forget_1_1(roam_header_fields, &heard.header);
        forget_1_1(roam_type_fields(heard.header.type), &heard.empty);
    }
    if ((version == ROAM_1_0 || dialect == ROAM_CHIRPSTACK) &&
        (result->code == ROAM_NO_ACTION || result->code == ROAM_FRAME_REPLAYED))
        result->code = ROAM_OTHER;
    if (dialect == ROAM_CHIRPSTACK)
        complete_all(roam_type_fields(heard.header.type), &heard.empty);
    return heard;
}

static void ck_comes_back(const struct roam_message *said, enum roam_dialect dialect,
                          enum roam_version version)
{
    struct roam_message expected = as_heard(said, dialect, version), heard;
    const char *text = print_as(said, dialect);

    ck_assert_msg(read_text(text, &heard) == OK, "%s: %s", text, fault.description);
    ck_assert_msg(roaming_equal(&expected, &heard), "%s\n%s", text, print_as(&heard, dialect));
    ck_assert_str_eq(print_as(&heard, dialect), text);
}

START_TEST(random_messages_come_back)
{
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        for (unsigned i = 0; i < ROUNDS * 2 * ROAM_DIALECT_COUNT; i++) {
            enum roam_version version = i % 2;
            struct roam_message message = draw_message(type, version);

            ck_comes_back(&message, i / 2 % ROAM_DIALECT_COUNT, version);
            arena_reset(&arena);
        }
    }
}
END_TEST

static void ck_all_met(const struct field *table)
{
    for (size_t i = 1; table[i].kind != F_END; i++) {
        size_t j = 0;

        while (j < met_n && met[j] != &table[i])
            j++;
        ck_assert_msg(j < met_n, "%s was never filled", table[i].name);
        if (table[i].sub)
            ck_all_met(table[i].sub);
    }
}

START_TEST(no_member_was_forgotten)
{
    ck_all_met(roam_header_fields);
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++)
        ck_all_met(roam_type_fields(type));
}
END_TEST

START_TEST(routing_profiles_come_back)
{
    struct roam_routing_profile rp = {.has = ROAM_BIT(ROAM_RP_ID) | ROAM_BIT(ROAM_RP_AS_ID),
                                      .routing_profile_id = "rp-1",
                                      .as_id = "10.0.0.1"},
                                again;
    struct field_style style = roam_dialect_style(ROAM_STANDARD, ROAM_1_0, false);
    const struct node *node;
    const char *why;
    struct jw jw;

    jw_init(&jw, 1000);
    field_print_styled(roam_routing_profile_fields, &rp, &jw, &style);
    ck_assert_int_eq(json_read(jw.p, jw.n, &arena, &node, &why), OK);
    ck_assert_str_eq(node_get(node, "AS-ID")->text, "10.0.0.1");
    ck_assert_int_eq(
        field_read(roam_routing_profile_fields, &again, node, FIELD_PEER, &arena, NULL, NULL), OK);
    ck_assert(field_equal_all(roam_routing_profile_fields, &rp, &again));
    jw_free(&jw);
}
END_TEST

START_TEST(cut_messages_are_refused)
{
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        struct roam_message message = draw_message(type, ROAM_1_1), cut;
        const char *text = print_as(&message, ROAM_STANDARD);
        size_t len = strlen(text);

        for (size_t n = 0; n < len; n += 1 + len / 200) {
            ck_assert_int_eq(roam_message_read(text, n, &arena, &cut, &fault), ERR_MALFORMED);
            ck_assert(fault.code == ROAM_MALFORMED && *fault.description);
        }
        arena_reset(&arena);
    }
}
END_TEST

static const char noise[] = "\"{}[],:0123456789abcdefx.-enull \\\x80";

START_TEST(altered_messages_mean_something_or_are_refused)
{
    unsigned taken = 0;

    for (unsigned round = 0; round < 4000; round++) {
        struct roam_message message =
                                draw_message(round % ROAM_TYPE_COUNT, (enum roam_version)below(2)),
                            altered;
        char *text =
            arena_strdup(&arena, print_as(&message, (enum roam_dialect)below(ROAM_DIALECT_COUNT)));
        size_t len = strlen(text);

        for (size_t n = below(4) + 1; n > 0; n--)
            text[below(len)] = noise[below(sizeof(noise) - 1)];
        if (roam_message_read(text, len, &arena, &altered, &fault) == OK) {
            roaming_check_stable(&altered, &arena);
            (void)(roam_validate(&altered, ROAM_RECEIVED, &arena, &fault) == OK);
            taken++;
        }
        arena_reset(&arena);
    }
    ck_assert_uint_gt(taken, 100);
    ck_assert_uint_lt(taken, 3900);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        random_messages_come_back,
        no_member_was_forgotten,
        routing_profiles_come_back,
        cut_messages_are_refused,
        altered_messages_mean_something_or_are_refused,
        NULL,
    };
    int status;

    arena_init(&arena, 64u << 20);
    status = run_suite(suite_of("roaming/roundtrip", tests));
    arena_reset(&arena);
    return status;
}
