/*
 * reference_ts002.c - docs/reference/ts002.md from the field tables of roaming/.
 *
 * usage: reference_ts002 [FILE]     prints the page, or compares it with FILE (exit status 1:
 * stale)
 */
#include "roaming/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns -------------------------------------------------------------------------------- */

static void put_type(FILE *out, const struct field *row)
{
    static const char *const names[] = {
        [F_BOOL] = "boolean",
        [F_U8] = "integer",
        [F_U32] = "integer",
        [F_I32] = "integer",
        [F_DOUBLE] = "number",
        [F_STR] = "string",
        [F_HEX] = "hex",
        [F_EUI] = "hex, 8 octets",
        [F_ADDR] = "hex, 4 octets",
        [F_NETID] = "hex, 3 octets",
        [F_HEXBLOB] = "hex",
        [F_ENUM] = "string",
        [F_TIME] = "time",
        [F_OBJ] = "object",
        [F_ARR] = "array",
        [F_RAW] = "any",
        [F_MHZ] = "number of MHz",
    };

    fputs(names[row->kind], out);
    if (row->kind == F_ARR && row->elem == F_MHZ)
        fputs(" of MHz", out);
    if (row->kind == F_HEX)
        fprintf(out, ", %zu octet%s", row->size, row->size == 1 ? "" : "s");
    if (row->kind == F_HEXBLOB)
        fprintf(out, ", at most %zu octets", row->size ? row->size : 1024);
    if ((row->range.min || row->range.max) && row->kind != F_MHZ && row->kind != F_ARR)
        fprintf(out, ", %lld to %lld", (long long)row->range.min, (long long)row->range.max);
}

static void put_needed(FILE *out, unsigned marks)
{
    static const struct {
        enum roam_mark mark;
        const char *text;
    } texts[] = {
        {ROAM_M, "mandatory"},
        {ROAM_O, "optional"},
        {ROAM_MS, "mandatory on Success"},
        {ROAM_OS, "optional on Success"},
        {ROAM_OF, "optional on failure"},
        {ROAM_M_PHY, "mandatory with PHYPayload"},
        {ROAM_M_FRM, "mandatory with FRMPayload"},
        {ROAM_C, "by a rule"},
        {ROAM_1_1_ONLY, "1.1 only"},
        {ROAM_TOLERATED, "may be missing when read"},
    };
    const char *separator = "";

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!(marks & texts[i].mark))
            continue;
        fprintf(out, "%s%s", separator, texts[i].text);
        separator = "; ";
    }
}

static void put_values(FILE *out, const struct field *row)
{
    const char *before = row->help ? ": " : "", *last = "";

    for (size_t i = 0; row->names[i]; i++) {
        if (!*row->names[i] || strcmp(row->names[i], last) == 0)
            continue;
        fprintf(out, "%s`%s`", before, row->names[i]);
        last = row->names[i];
        before = ", ";
    }
}

static void put_notes(FILE *out, const struct field *row)
{
    const char *separator = row->help || row->kind == F_ENUM ? "; " : "";

    fputs(row->help ? row->help : "", out);
    if (row->kind == F_ENUM)
        put_values(out, row);
    for (const char *const *also = row->also; also && *also; also++)
        fprintf(out, "%sread as `%s` too", separator, *also);
    for (const struct field_alias *alias = row->aliases; alias && alias->text; alias++) {
        if (strcmp(alias->text, "*") != 0 && strcmp(alias->text, row->names[alias->value]) != 0)
            fprintf(out, "; `%s` is read as `%s`", alias->text, row->names[alias->value]);
    }
    fputs(row->flags & F_NOCASE ? "; in either case" : "", out);
}

static void put_table(FILE *out, const struct field *table)
{
    fputs("| member | type | when | notes |\n|---|---|---|---|\n", out);
    for (const struct field *row = table + 1; row->kind != F_END; row++) {
        fprintf(out, "| `%s` | ", row->name);
        put_type(out, row);
        fputs(" | ", out);
        put_needed(out, row->marks);
        fputs(" | ", out);
        put_notes(out, row);
        fputs(" |\n", out);
    }
    fputs("\n", out);
}

/* ---- page ----------------------------------------------------------------------------------- */

static void put_objects(FILE *out)
{
    static const struct {
        const char *name;
        const struct field *table;
    } objects[] = {
        {"Result", roam_result_fields},
        {"KeyEnvelope", roam_key_envelope_fields},
        {"ULMetaData", roam_ul_meta_data_fields},
        {"DLMetaData", roam_dl_meta_data_fields},
        {"GWInfoElement", roam_gw_info_fields},
        {"DeviceProfile", roam_device_profile_fields},
        {"ServiceProfile", roam_service_profile_fields},
        {"RoutingProfile", roam_routing_profile_fields},
        {"VSExtension", roam_vs_extension_fields},
    };

    fputs("## Objects\n\n", out);
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        fprintf(out, "### %s\n\n", objects[i].name);
        put_table(out, objects[i].table);
    }
}

static void put_messages(FILE *out)
{
    fputs("## Messages\n\n", out);
    for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
        fprintf(out, "### %s\n\n", roam_type_text(type));
        if (roam_type_is_1_1(type))
            fputs("Protocol version 1.1 only.\n\n", out);
        if (roam_type_fields(type)[1].kind == F_END)
            fputs("Nothing but the header.\n\n", out);
        else
            put_table(out, roam_type_fields(type));
    }
}

static void put_rules(FILE *out)
{
    fputs(
        "## Rules\n\n"
        "Those of the rows above that are mandatory *by a rule*, and rules between them:\n\n"
        "- `Result` is in every answer and notification. With 1.1 a network sends its "
        "`SenderNSID`.\n"
        "- JoinAns, RejoinAns and HRStartAns on Success: either `NwkSKey` (LoRaWAN 1.0) or "
        "`FNwkSIntKey`,\n  `SNwkSIntKey` and `NwkSEncKey` (1.1); the first two also `AppSKey` or "
        "`SessionKeyID` or both.\n"
        "- JoinReq, RejoinReq and HRStartReq: OptNeg, bit 7 of `DLSettings`, is set for a "
        "`MACVersion` of 1.1,\n  else not.\n"
        "- PRStartReq: we send `ULMetaData` with `DevEUI` for a join, with `DevAddr` for data.\n"
        "- PRStartAns: at most one of `NwkSKey` and `FNwkSIntKey`; we send `FCntUp` with it, "
        "`DevEUI` with a\n  Lifetime above 0, and a Lifetime with Deferred.\n"
        "- HRStartReq: a `PHYPayload`, or `DevEUI` alone. We send `ULMetaData` with `DevEUI`. "
        "HRStartAns has\n  profile and timestamp with StaleDeviceProfile.\n"
        "- ProfileAns: profile and timestamp if the type is Handover.\n"
        "- XmitDataReq: one of `PHYPayload` and `FRMPayload`, one of `ULMetaData` and "
        "`DLMetaData`.\n"
        "- `DLMetaData` with a `FRMPayload` has an `FPort` above 0, else InvalidFPort; without one "
        "it has\n  `DLFreq1` with `DataRate1`, or `DLFreq2` with `DataRate2`, or both. We send "
        "`RXDelay1` for class A,\n  and class B in 1.1 only.\n"
        "- `DeviceProfile`: we send what its classes need and, for a device without join, its "
        "radio\n  parameters.\n"
        "- Sizes, else FrameSizeError: Join-request 23, Rejoin-request 19 or 24, Join-accept 17 or "
        "33, CFList\n  16 octets.\n"
        "- XmitLocReq is refused: nobody knows its members.\n\n",
        out);
}

static void put_dialects(FILE *out)
{
    fputs(
        "## Dialects\n\n"
        "What a peer is told differently. All of it is read from everybody.\n\n"
        "| dialect | difference |\n|---|---|\n"
        "| `standard` | hex in lower case |\n"
        "| `chirpstack` | `GWInfo` is always there; a `ServiceProfile` is complete and has its id "
        "as `ServiceProfile` too; ResultCodes of 1.0 in either version |\n"
        "| `tts` | hex in upper case |\n"
        "| `helium` | hex in upper case after `0x`; `GWID` for a gateway's `ID` |\n\n"
        "A peer is not sent what it cannot read:\n\n| dialect | messages |\n|---|---|\n",
        out);
    for (enum roam_dialect dialect = 0; dialect < ROAM_DIALECT_COUNT; dialect++) {
        const char *separator = "not: ";

        fprintf(out, "| `%s` | ", roam_dialect_text(dialect));
        for (enum roam_type type = 0; type < ROAM_TYPE_COUNT; type++) {
            if (roam_dialect_takes(dialect, type))
                continue;
            fprintf(out, "%s%s", separator, roam_type_text(type));
            separator = ", ";
        }
        fprintf(out, "%s |\n", *separator == 'n' ? "all" : "");
    }
    fputs("\n", out);
}

static void put_results(FILE *out)
{
    fputs("## ResultCodes\n\n| 1.0 | 1.1 | meaning |\n|---|---|---|\n", out);
    for (enum roam_result_code code = 0; code < ROAM_RESULT_COUNT; code++)
        fprintf(out, "| `%s` | `%s` | %s |\n", roam_result_names_1_0[code],
                roam_result_names_1_1[code], roam_result_help(code));
    fputs("\nThe codes for drop reasons, as in metrics and the frame log:\n\n| reason | code |\n"
          "|---|---|\n",
          out);
    for (enum drop drop = DROP_NONE + 1; drop < DROP_COUNT; drop++)
        fprintf(out, "| `%s` | `%s` |\n", drop_label(drop),
                roam_result_names_1_1[roam_result_of_drop(drop)]);
}

static void put_page(FILE *out)
{
    fputs(
        "# Messages of Backend Interfaces\n\n"
        "Made from the field tables in `roaming/` by `tests/reference_ts002.c`; do not edit.\n\n"
        "Protocol versions 1.0 and 1.1 (TS002-1.0.0, TS002-1.1.0). Hex is printed in the dialect "
        "of the\n"
        "peer and read in either case, with or without `0x`; unknown members are ignored and "
        "`null` is\n"
        "absent. *By a rule*: see [Rules](#rules). *May be missing when read*: some servers leave "
        "it out;\n"
        "it is always sent. A message has at most 64 KiB.\n\n## Header\n\n",
        out);
    put_table(out, roam_header_fields);
    put_messages(out);
    put_rules(out);
    put_dialects(out);
    put_objects(out);
    put_results(out);
}

int main(int argc, char **argv)
{
    char *page = NULL, *kept;
    size_t n = 0, m;
    FILE *out = argc > 1 ? open_memstream(&page, &n) : stdout, *file;
    bool same;

    put_page(out);
    if (argc == 1)
        return EXIT_SUCCESS;
    fclose(out);
    kept = xmalloc(n + 1);
    file = fopen(argv[1], "r");
    m = file ? fread(kept, 1, n + 1, file) : 0;
    same = m == n && memcmp(page, kept, n) == 0;
    if (file)
        fclose(file);
    free(kept);
    free(page);
    if (!same)
        fprintf(stderr, "%s is stale: reference_ts002 > %s\n", argv[1], argv[1]);
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
