/* Messages that are too large, too deep or too many, and a writer without room. */
#include "tests/unit/roaming_quirk.h"

/* ---- limits --------------------------------------------------------------------------------- */

START_TEST(huge_deep_and_crowded_messages_are_refused)
{
    char *text = arena_alloc(&arena, ROAM_BODY_MAX + 2);
    struct roam_message m;

    memset(text, ' ', ROAM_BODY_MAX + 1);
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX + 1, &arena, &m, &fault), ERR_LIMIT);
    ck_has(fault.description, "larger than 64 KiB");
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX, &arena, &m, &fault), ERR_MALFORMED);
    memset(text, '[', 4096);
    ck_assert_int_eq(roam_message_read(text, 4096, &arena, &m, &fault), ERR_MALFORMED);
    ck_has(fault.description, "nested too deeply");
    for (size_t i = 1; i < ROAM_BODY_MAX; i += 2)
        memcpy(text + i, "1,", 2);
    text[ROAM_BODY_MAX - 2] = '1';
    text[ROAM_BODY_MAX - 1] = ']';
    ck_assert_int_eq(roam_message_read(text, ROAM_BODY_MAX, &arena, &m, &fault), ERR_MALFORMED);
    ck_has(fault.description, "too many");
    ck_assert_int_eq(read_bad("[]"), ERR_MALFORMED);
    ck_assert_int_eq(read_bad("null"), ERR_MALFORMED);
    ck_assert_str_eq(fault.description, "must be an object");
    ck_assert_int_eq(read_bad("{'a':1"), ERR_MALFORMED);
    ck_assert_int_eq(read_bad("{'MessageType':'PRStopReq','MessageType':'PRStopReq'}"),
                     ERR_MALFORMED);
}
END_TEST

START_TEST(gateways_are_counted)
{
    char *list = arena_alloc(&arena, 4096);
    struct roam_message m;

    for (size_t i = 0; i < ROAM_GW_INFO_MAX; i++)
        strcat(list, "{},");
    m = read_good("PRStartReq", arena_printf(&arena, "'ULMetaData':{'GWInfo':[%s{}]}", list + 3));
    ck_assert_uint_eq(m.pr_start_req.ul.gw_info.n, ROAM_GW_INFO_MAX);
    ck_assert_int_eq(
        read_text(
            text_of("PRStartReq", arena_printf(&arena, "'ULMetaData':{'GWInfo':[%s{}]}", list)),
            &m),
        ERR_INVALID);
    ck_assert_str_eq(fault.description, "ULMetaData.GWInfo must have at most 256 elements");
}
END_TEST

/* The largest messages that are read at all, in an arena of just the room that is asked for. */
static enum err read_in_room(const char *before, const char *unit, size_t count, const char *after)
{
    size_t n = strlen(before), len = strlen(unit);
    char *text = arena_alloc(&arena, ROAM_BODY_MAX + 1);
    struct roam_message message;
    struct roam_fault what;
    struct arena room;
    enum err err;

    memcpy(text, before, n);
    for (; count > 0 && n + len + strlen(after) + 1 < ROAM_BODY_MAX; count--) {
        memcpy(text + n, unit, len);
        n += len;
        text[n++] = ',';
    }
    n--;
    memcpy(text + n, after, strlen(after) + 1);
    text = arena_strdup(&arena, quoted(text));
    arena_init(&room, ROAM_ARENA_ROOM);
    err = roam_message_read(text, strlen(text), &room, &message, &what);
    arena_reset(&room);
    return err;
}

START_TEST(crowded_messages_stay_in_their_room)
{
    static const struct {
        const char *before, *unit, *after;
    } crowds[] = {
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[", "0", "]}}"},
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[", "{'a':0}", "]}}"},
        {"{'MessageType':'PRStopReq','VSExtension':{'Object':[",
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'", "]}}"},
        {"{'MessageType':'PRStartReq','ULMetaData':{'GWInfo':[", "{'ID':'aa','ULToken':'aa'}",
         "]}}"},
        {"{'MessageType':'PRStartReq','ULMetaData':{'GWInfo':[", "{'DLAllowed':7,'ULToken':'a'}",
         "]}}"},
        {"{'MessageType':'ProfileAns','DeviceProfile':{'FactoryPresetFreqs':[", "'x'", "]}}"},
    };
    size_t read = 0;

    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        for (size_t count = 1; count < 8000; count += 1 + count / 7)
            read += read_in_room(crowds[i].before, crowds[i].unit, count, crowds[i].after) == OK;
    }
    ck_assert_uint_gt(read, 100);
}
END_TEST

START_TEST(a_writer_without_room_says_so)
{
    struct roam_message m = good("PRStopReq", "'DevEUI':'a0b1c2d3e4f50001'");
    struct jw jw;

    jw_init(&jw, 40);
    ck_assert_int_eq(roam_message_print(&m, ROAM_STANDARD, true, &jw), ERR_LIMIT);
    jw_free(&jw);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        huge_deep_and_crowded_messages_are_refused,
        gateways_are_counted,
        crowded_messages_stay_in_their_room,
        a_writer_without_room_says_so,
        NULL,
    };
    int status;

    arena_init(&arena, 256u << 20);
    status = run_suite(suite_of("roaming/limits", tests));
    arena_reset(&arena);
    return status;
}
