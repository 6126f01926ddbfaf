/*
 * decode_command.c - commands and payloads in words, from the rows that the codec reads by:
 * whatever the tables know is explained without a line of its own here.
 */
#include "cmd/decode.h"
#include "core/clock.h"
#include "lorawan/frame.h"
#include "lorawan/gps.h"
#include "lorawan/mac.h"
#include "package/package.h"
#include "relay/forward.h"

#include <stdio.h>

static void print_octets(struct bytes b, bool reversed)
{
    for (size_t i = 0; i < b.n; i++)
        (void)printf("%02x", b.p[reversed ? b.n - 1 - i : i]);
}

/* The smallest and the greatest of 32 bits mean "now" and "never" rather than a time. */
static void print_gps(int64_t gps_s)
{
    char text[CLOCK_TEXT];

    (void)printf("%lld", (long long)gps_s);
    if (gps_s && gps_s != UINT32_MAX)
        (void)printf(" (%s)", clock_text(text, lw_utc_of_gps(gps_s * US_PER_S)));
}

static void print_number(const struct lw_field *field, struct bytes payload)
{
    int64_t value = lw_field_get(field, payload);
    char text[LW_DEV_ADDR_TEXT];

    if (field->encoding == LW_ADDR)
        (void)fputs(lw_dev_addr_text(text, (struct lw_dev_addr){(uint32_t)value}), stdout);
    else if (field->encoding == LW_GPS)
        print_gps(value);
    else if (field->encoding == LW_CLASS && value <= LW_CLASS_C)
        (void)putchar("ABC"[value]);
    else
        (void)printf("%lld", (long long)value);
}

static void print_fields(const struct lw_command *def, struct bytes payload);

static void print_list(const struct lw_command *item, struct bytes range)
{
    for (size_t at = 0; at + item->length <= range.n; at += item->length) {
        (void)putchar(at ? ',' : '[');
        print_fields(item, (struct bytes){range.p + at, item->length});
    }
    (void)fputs(range.n ? " ]" : "[]", stdout);
}

/* Whether a number lies in what was sent: a time after an error does not. */
static bool is_there(const struct lw_field *field, struct bytes payload)
{
    return (size_t)field->bit + field->width <= 8 * payload.n;
}

static void print_fields(const struct lw_command *def, struct bytes payload)
{
    for (const struct lw_field *field = def->fields; field->name; field++) {
        if (!is_there(field, payload))
            continue;
        (void)printf(" %s=", field->name);
        if (lw_field_is_number(field))
            print_number(field, payload);
        else if (field->encoding == LW_LIST)
            print_list(field->item, lw_field_range(field, payload));
        else
            print_octets(lw_field_range(field, payload), field->encoding == LW_PREFIX);
    }
}

static void print_command(const struct lw_cmd *cmd)
{
    (void)printf("  %02x %s", cmd->cid, cmd->def->name);
    print_fields(cmd->def, cmd->payload);
    (void)putchar('\n');
}

static void print_stop(const struct lw_cmd_iter *iter)
{
    if (iter->stop != LW_CMD_END)
        (void)printf("  %s from octet %zu on\n",
                     iter->stop == LW_CMD_UNKNOWN ? "an unknown command" : "a cut command",
                     iter->at);
}

void decode_mac(struct bytes stream, enum lw_direction direction)
{
    struct lw_cmd_iter iter = lw_mac_iter_of(stream, direction);
    struct lw_cmd cmd;

    while (lw_cmd_next(&iter, &cmd))
        print_command(&cmd);
    print_stop(&iter);
}

static void print_package(const struct pkg *pkg, struct bytes payload, enum lw_direction direction,
                          unsigned version)
{
    struct pkg_iter iter = pkg_iter_of(pkg, version ? version : pkg->version, payload, direction);
    struct lw_cmd cmd;

    decode_line("  package", pkg->name);
    while (pkg_next(&iter, &cmd))
        print_command(&cmd);
    print_stop(&iter.commands);
    if (iter.is_multi)
        (void)printf("  token %u\n", iter.token);
}

/* The channel is not judged here: it depends on a region that nobody told. */
static void print_forwarded(struct bytes payload, enum lw_direction direction)
{
    struct relay_forward_uplink forward;

    if (direction == LW_DOWN) {
        decode_line("  relay", "ForwardDownlinkReq");
        decode_nested(payload);
        return;
    }
    decode_line("  relay", "ForwardUplinkReq");
    if (relay_forward_uplink_read(payload, region_get(REGION_EU868), &forward) ==
            DROP_MALFORMED_FRAME &&
        !forward.frame.phy.n) {
        decode_line("", "cut before the frame");
        return;
    }
    (void)printf("  frequency_hz=%u dr=%u rssi_dbm=%d snr_db=%d wor_channel=%u\n",
                 forward.metadata.frequency_hz, forward.metadata.dr, forward.metadata.rssi_dbm,
                 forward.metadata.snr_db, forward.metadata.wor_channel);
    decode_nested(forward.frame.phy);
}

bool decode_payload(int port, struct bytes payload, enum lw_direction direction, unsigned version)
{
    const struct pkg *pkg = pkg_by_port(port);

    if (port == 0)
        decode_mac(payload, direction);
    else if (port == LW_PORT_RELAY)
        print_forwarded(payload, direction);
    else if (pkg)
        print_package(pkg, payload, direction, version);
    else
        return false;
    return true;
}
