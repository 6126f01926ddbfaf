/* roaming_quirk.h - messages with something odd in them, for the tests of what is taken. */
#pragma once

#include "tests/unit/roaming.h"

#define PHY "'PHYPayload':'80ffca14e08002000af049850ceef45feb'"
#define UL                                                                                         \
    "'ULMetaData':{'DataRate':5,'ULFreq':868.5,'RecvTime':'2026-03-01T12:00:00Z',"                 \
    "'RFRegion':'EU868','GWInfo':[]}"
#define DL "'DLMetaData':{'DLFreq1':868.1,'DataRate1':5,'RXDelay1':1,'ClassMode':'A','GWInfo':[]}"

static inline struct roam_message good(const char *type, const char *members)
{
    struct roam_message message = read_good(type, members);

    ck_assert_msg(roam_validate(&message, ROAM_RECEIVED, &arena, &fault) == OK, "%s",
                  fault.description);
    return message;
}

static inline struct roam_ul_meta_data uplink(const char *members)
{
    struct roam_message m = good(
        "PRStartReq",
        arena_printf(&arena,
                     PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                         "'RecvTime':'2026-03-01T12:00:00Z','RFRegion':'EU868','GWInfo':[]%s%s}",
                     *members ? "," : "", members));

    return m.pr_start_req.ul;
}

static inline struct roam_gw_info gateway(const char *members)
{
    struct roam_message m =
        good("PRStartReq", arena_printf(&arena,
                                        PHY ",'ULMetaData':{'DataRate':5,'ULFreq':868.5,"
                                            "'RecvTime':'2026-03-01T12:00:00Z','GWInfo':[{%s}]}",
                                        members));

    ck_assert_uint_eq(m.pr_start_req.ul.gw_info.n, 1);
    return *(struct roam_gw_info *)m.pr_start_req.ul.gw_info.p;
}

static inline enum err read_bad(const char *text)
{
    struct roam_message message;
    enum err err = read_text(quoted(text), &message);

    if (err != OK) {
        ck_assert_int_eq(fault.code, ROAM_MALFORMED);
        ck_assert(fault.description && *fault.description);
    }
    return err;
}
