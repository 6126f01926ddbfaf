/*
 * dialect.c - the differences, one row each. What a peer wants otherwise is added here and nowhere
 * else.
 */
#include "roaming/dialect.h"

#include "roaming/message.h"

#define UL       roam_ul_meta_data_fields
#define DL       roam_dl_meta_data_fields
#define SP       roam_service_profile_fields
#define GW       roam_gw_info_fields
#define CODE_ROW (&roam_result_fields[ROAM_RESULT_CODE])

/* clang-format off */
static const struct field_rule standard_1_0[] = {
    {FIELD_NAMES, CODE_ROW, NULL, roam_result_names_1_0},
    {0},
};

/* It reads version numbers but speaks 1.0 whatever they are, so there is one list. */
static const struct field_rule chirpstack[] = {
    {FIELD_NAMES, CODE_ROW, NULL, roam_result_names_1_0},
    {FIELD_ALWAYS, &UL[ROAM_UL_GW_INFO], NULL, NULL},
    {FIELD_ALWAYS, &DL[ROAM_DL_GW_INFO], NULL, NULL},
    {FIELD_ALWAYS, &SP[ROAM_SP_HAS], NULL, NULL},
    {FIELD_ALSO, &SP[ROAM_SP_ID], "ServiceProfile", NULL},
    {0},
};

static const struct field_rule helium_1_0[] = {
    {FIELD_NAMES, CODE_ROW, NULL, roam_result_names_1_0},
    {FIELD_RENAME, &GW[ROAM_GW_ID], "GWID", NULL},
    {0},
};

static const struct field_rule helium_1_1[] = {
    {FIELD_RENAME, &GW[ROAM_GW_ID], "GWID", NULL},
    {0},
};

/* Bits of the types that a peer's parser refuses. */
#define TYPE(type) (UINT32_C(1) << (type))
#define HANDOVER (TYPE(ROAM_HR_START_REQ) | TYPE(ROAM_HR_START_ANS) | TYPE(ROAM_HR_STOP_REQ) | \
                  TYPE(ROAM_HR_STOP_ANS) | TYPE(ROAM_PROFILE_REQ) | TYPE(ROAM_PROFILE_ANS))
#define ONLY_1_1 (TYPE(ROAM_XMIT_LOC_REQ) | TYPE(ROAM_XMIT_LOC_ANS) | TYPE(ROAM_PR_START_NOTIF) | \
                  TYPE(ROAM_ERROR_NOTIF))

static const struct {
    const char *name;
    unsigned hex;
    const struct field_rule *rules_1_0, *rules_1_1;
    uint32_t refuses;
} dialects[ROAM_DIALECT_COUNT] = {
    [ROAM_STANDARD]   = {"standard", 0, standard_1_0, NULL, 0},
    [ROAM_CHIRPSTACK] = {"chirpstack", 0, chirpstack, chirpstack, HANDOVER | ONLY_1_1},
    [ROAM_TTS]        = {"tts", JW_HEX_UPPER, standard_1_0, NULL, HANDOVER | ONLY_1_1},
    [ROAM_HELIUM]     = {"helium", JW_HEX_UPPER | JW_HEX_0X, helium_1_0, helium_1_1, HANDOVER},
};
/* clang-format on */

_Static_assert(ROAM_TYPE_COUNT <= 32, "types are bits");

const char *roam_dialect_text(enum roam_dialect dialect)
{
    return (unsigned)dialect < ROAM_DIALECT_COUNT ? dialects[dialect].name : "";
}

struct field_style roam_dialect_style(enum roam_dialect dialect, unsigned version, bool secrets)
{
    bool old = version == ROAM_1_0;

    return (struct field_style){
        .view = FIELD_VIEW_PEER | (secrets ? (unsigned)FIELD_VIEW_SECRETS : 0),
        .hex = dialects[dialect].hex,
        .without = old ? ROAM_1_1_ONLY : 0,
        .rules = old ? dialects[dialect].rules_1_0 : dialects[dialect].rules_1_1,
    };
}

bool roam_dialect_takes(enum roam_dialect dialect, unsigned type)
{
    return !(dialects[dialect].refuses & TYPE(type));
}
