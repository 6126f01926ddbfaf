/*
 * decode_part.c - what is no LoRaWAN frame, or was taken out of one: a beacon, a decrypted payload.
 */
#include "cmd/cmd.h"
#include "cmd/decode.h"
#include "core/clock.h"
#include "lorawan/beacon.h"
#include "lorawan/gps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *hex, *beacon, *port, *version;
    enum lw_direction direction;
};

bool decode_flags(int argc, char **argv, const struct decode_flag *flags, size_t count,
                  const char **hex)
{
    for (int i = 1; i < argc; i++) {
        const char **to = NULL;

        for (size_t k = 0; k < count; k++)
            to = strcmp(argv[i], flags[k].flag) == 0 ? flags[k].to : to;
        if (to && i + 1 < argc)
            *to = argv[++i];
        else if (hex && argv[i][0] != '-' && !*hex)
            *hex = argv[i];
        else
            return false;
    }
    return true;
}

/* --down takes no value; it is taken out before the others are read. */
static bool parse(int argc, char **argv, struct options *o)
{
    const struct decode_flag flags[] = {
        {"--beacon", &o->beacon}, {"--port", &o->port}, {"--package-version", &o->version}};
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--down") == 0)
            o->direction = LW_DOWN;
        else
            argv[kept++] = argv[i];
    }
    return decode_flags(kept, argv, flags, sizeof(flags) / sizeof(flags[0]), &o->hex) && o->hex &&
           !o->beacon != !o->port;
}

bool decode_number(const char *text, uint32_t most, uint32_t *to)
{
    char *end;
    unsigned long long value = strtoull(text, &end, strncmp(text, "0x", 2) ? 10 : 16);

    if (text[0] < '0' || text[0] > '9' || *end || value > most)
        return false;
    *to = (uint32_t)value;
    return true;
}

static void print_beacon(const struct lw_beacon *beacon)
{
    char text[CLOCK_TEXT];
    double latitude, longitude;

    (void)printf("%-14s %u (%s)\n", "Time", beacon->time_gps_s,
                 clock_text(text, lw_utc_of_gps(beacon->time_gps_s * (int64_t)US_PER_S)));
    (void)printf("%-14s %u\n", "Prec", beacon->precision);
    (void)printf("%-14s %u\n", "InfoDesc", beacon->info_desc);
    decode_hex("Info", (struct bytes){beacon->info, sizeof(beacon->info)});
    if (!beacon->info_good) {
        decode_line("", "its CRC is wrong; that of the time is right");
    } else if (beacon->info_desc < LW_BEACON_ANTENNAS) {
        lw_beacon_place(beacon, &latitude, &longitude);
        (void)printf("%-14s %.5f %.5f (antenna %u)\n", "  place", latitude, longitude,
                     beacon->info_desc + 1);
    }
}

static int decode_beacon(const char *sf, struct bytes frame)
{
    uint32_t factor = 0;
    const struct lw_beacon_layout *layout =
        decode_number(sf, 12, &factor) ? lw_beacon_layout(factor) : NULL;
    struct lw_beacon beacon;

    if (!layout)
        return cmd_wrong("decode", "--beacon is followed by the spreading factor: 8, 9, 10 or 12");
    if (lw_beacon_read(frame, layout, &beacon) != OK)
        return cmd_fail("no beacon of SF%u: it has %zu octets, and a CRC over the time", factor,
                        lw_beacon_length(layout));
    print_beacon(&beacon);
    return EXIT_SUCCESS;
}

int decode_part(int argc, char **argv)
{
    struct options o = {.direction = LW_UP};
    uint8_t room[LW_PHY_MAX];
    uint32_t port, version = 0;
    size_t n;

    if (!parse(argc, argv, &o))
        return cmd_wrong(argv[0], "--beacon SF or --port N, and octets in hex are needed");
    n = hex_read_any(room, sizeof(room), o.hex, strlen(o.hex));
    if (n == SIZE_MAX)
        return cmd_fail("%s: must be hex, at most 255 octets", o.hex);
    if (o.beacon)
        return decode_beacon(o.beacon, (struct bytes){room, n});
    if (!decode_number(o.port, 255, &port) ||
        (o.version && !decode_number(o.version, DECODE_VERSION_MAX, &version)))
        return cmd_wrong(argv[0], "a port is 0..255, a package's version 1..254");
    if (!decode_payload((int)port, (struct bytes){room, n}, o.direction, version))
        return cmd_fail("port %u is an application's own", port);
    return EXIT_SUCCESS;
}
