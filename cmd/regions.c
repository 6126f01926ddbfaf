/*
 * regions.c - prints the regional parameters as Markdown, from the tables the server works with:
 * docs/reference/regions.md is made by it.
 */
#include "cmd/cmd.h"
#include "region/class_b.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HZ_TEXT 16
#define NEWEST  RP002_1_0_5

/* "868.1", "865.0625": MHz without what is zero behind the first digit. */
static const char *mhz(char to[HZ_TEXT], uint32_t hz)
{
    int n = snprintf(to, HZ_TEXT, "%" PRIu32 ".%06" PRIu32, hz / 1000000, hz % 1000000);

    while (n > 2 && to[n - 1] == '0' && to[n - 2] != '.')
        to[--n] = '\0';
    return to;
}

static void print_mhz(uint32_t hz)
{
    char text[HZ_TEXT];

    (void)fputs(mhz(text, hz), stdout);
}

static void print_rate(const struct data_rate *rate)
{
    if (!rate)
        (void)fputs("-", stdout);
    else if (rate->kind == MOD_LORA)
        (void)printf("SF%u / %g kHz", rate->sf, rate->bandwidth_hz / 1000.0);
    else if (rate->kind == MOD_FSK)
        (void)printf("FSK %" PRIu32 " bit/s", rate->bit_rate);
    else
        (void)printf("LR-FHSS %u/3, %" PRIu32 " kHz", rate->coding_rate, rate->bandwidth_hz / 1000);
}

/* "0-5, 12": the members of a set of data rates. */
static void print_drs(unsigned drs)
{
    const char *comma = "";

    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        unsigned last = dr;

        if (!(drs >> dr & 1))
            continue;
        while (drs >> (last + 1) & 1)
            last++;
        (void)printf(last > dr ? "%s%u-%u" : "%s%u", comma, dr, last);
        comma = ", ";
        dr = last;
    }
}

static uint16_t drs_of(uint8_t min_dr, uint8_t max_dr, uint16_t more)
{
    unsigned drs = more;

    for (unsigned dr = min_dr; dr <= max_dr; dr++)
        drs |= 1u << dr;
    return (uint16_t)drs;
}

/* ---- data rates ------------------------------------------------------------------------------ */

static void print_direction(const struct region *region, enum lw_direction direction, unsigned dr)
{
    unsigned since = region->rates_since[direction][dr];

    print_rate(region_rate(region, direction, dr));
    if (since)
        (void)printf(", since %s", region_revision_text(since));
    (void)fputs(" | ", stdout);
}

static void print_rates(const struct region *region)
{
    (void)puts("| DR | uplink | downlink | backs off to |\n|---|---|---|---|");
    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        int next = region_dr_backoff(region, dr);

        if (!region_rate(region, LW_UP, dr) && !region_rate(region, LW_DOWN, dr))
            continue;
        (void)printf("| %u | ", dr);
        print_direction(region, LW_UP, dr);
        print_direction(region, LW_DOWN, dr);
        if (next >= 0)
            (void)printf("DR%d |\n", next);
        else
            (void)puts("- |");
    }
}

/* ---- channels -------------------------------------------------------------------------------- */

static void print_list(const char *what, const struct region_channel *channels, unsigned count)
{
    if (!count || !channels[0].frequency_hz)
        return;
    (void)printf("%s: ", what);
    for (unsigned i = 0; i < count && channels[i].frequency_hz; i++) {
        (void)fputs(i ? ", " : "", stdout);
        print_mhz(channels[i].frequency_hz);
    }
    (void)fputs(" MHz, DR", stdout);
    print_drs(drs_of(channels[0].min_dr, channels[0].max_dr, channels[0].more_drs));
    (void)puts(".\n");
}

static void print_blocks(const char *what, const struct region_block *blocks)
{
    for (unsigned i = 0; i < REGION_BLOCKS_MAX && blocks[i].count; i++) {
        const struct region_block *b = &blocks[i];

        (void)printf("| %s | %u-%u | ", what, b->first, b->first + b->count - 1u);
        print_mhz(b->base_hz);
        (void)fputs(" to ", stdout);
        print_mhz(b->base_hz + (b->count - 1u) * b->step_hz);
        (void)printf(" | %g | ", b->step_hz / 1000.0);
        print_drs(drs_of(b->min_dr, b->max_dr, b->more_drs));
        (void)puts(" |");
    }
}

static void print_channels(const struct region *region)
{
    if (region->plan == REGION_DYNAMIC) {
        print_list("Default channels", region->defaults, REGION_DEFAULTS_MAX);
        print_list("Usual further channels, if none are configured", region->extras,
                   REGION_EXTRAS_MAX);
        (void)printf("A device has %u channels at most.", region->max_channels);
    } else {
        (void)puts("| | channels | MHz | step, kHz | DR |\n|---|---|---|---|---|");
        print_blocks("up", region->uplinks);
        print_blocks("down", region->downlinks);
        (void)printf("\nRX1 is sent on downlink channel = uplink channel mod %u.",
                     region->rx1_modulus);
    }
    (void)fputs(" Join-Requests: DR", stdout);
    print_drs(region->join_drs);
    (void)puts(".");
}

static void print_joins(const struct region *region)
{
    bool any = false;

    for (uint8_t i = 0; i < REGION_COMMON_JOINS; i++) {
        const struct region_join *join = region_common_join(i);

        if (join->plan != region->id)
            continue;
        if (!any)
            (void)puts("\n| join channel | uplink, MHz | RX1, MHz | RX2, MHz, also afterwards |\n"
                       "|---|---|---|---|");
        any = true;
        (void)printf("| %u | ", i);
        print_mhz(join->uplink_hz);
        (void)fputs(" | ", stdout);
        print_mhz(join->rx1_hz);
        (void)fputs(" | ", stdout);
        print_mhz(join->rx2_hz);
        (void)puts(" |");
    }
}

/* ---- payload sizes --------------------------------------------------------------------------- */

static void print_size(const struct region_payloads *p, unsigned repeater, unsigned dwell,
                       unsigned dr)
{
    for (unsigned direction = 0; direction < 2; direction++) {
        unsigned n = p->n[repeater][dwell][direction][dr];

        (void)(n ? printf(" %u |", n) : printf(" - |"));
    }
}

static bool any_size(const struct region_payloads *p, unsigned dr)
{
    for (unsigned i = 0; i < 8; i++) {
        if (p->n[i >> 2][i >> 1 & 1][i & 1][dr])
            return true;
    }
    return false;
}

static void print_sizes(const struct region *region, const struct region_payloads *p)
{
    bool dwell = region->tx_param_setup && region->dwell_ms;

    (void)printf(
        "| DR | up | down |%s up, repeater | down, repeater |%s\n|---|---|---|%s---|---|%s\n",
        dwell ? " up, dwell | down, dwell |" : "", dwell ? " up, both | down, both |" : "",
        dwell ? "---|---|" : "", dwell ? "---|---|" : "");
    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        if (!any_size(p, dr))
            continue;
        (void)printf("| %u |", dr);
        for (unsigned repeater = 0; repeater < 2; repeater++) {
            print_size(p, repeater, 0, dr);
            if (dwell)
                print_size(p, repeater, 1, dr);
        }
        (void)puts("");
    }
}

/* Revisions with the same sizes have one table. */
static void print_payloads(const struct region *region)
{
    for (unsigned first = 0; first < REGION_REVISION_COUNT; first++) {
        unsigned last = first;

        if (!region->payloads[first])
            continue;
        while (last + 1 < REGION_REVISION_COUNT &&
               region->payloads[last + 1] == region->payloads[first])
            last++;
        (void)printf("\n%s", region_revision_text(first));
        if (last > first)
            (void)printf(" to %s", region_revision_text(last));
        (void)puts(":\n");
        print_sizes(region, region->payloads[first]);
        first = last;
    }
}

/* ---- windows --------------------------------------------------------------------------------- */

static void print_offsets(const struct region *region, enum region_revision revision, bool dwell)
{
    (void)fputs("| uplink |", stdout);
    for (unsigned offset = 0; offset <= region->max_dr_offset; offset++)
        (void)printf(" %u |", offset);
    (void)fputs("\n|---|", stdout);
    for (unsigned offset = 0; offset <= region->max_dr_offset; offset++)
        (void)fputs("---|", stdout);
    (void)puts("");
    for (unsigned dr = 0; dr < REGION_DRS; dr++) {
        if (!region_dr_valid(region, revision, LW_UP, dr))
            continue;
        (void)printf("| DR%u |", dr);
        for (unsigned offset = 0; offset <= region->max_dr_offset; offset++) {
            struct region_rx1 rx1 = {(uint8_t)dr, (uint8_t)offset, dwell, revision};

            (void)printf(" %d |", region_rx1_dr(region, &rx1));
        }
        (void)puts("");
    }
}

static void print_windows(const struct region *region)
{
    bool signalled = region->tx_param_setup && region->dwell_ms;
    bool differ = signalled &&
                  memcmp(&region->offsets[0], &region->offsets[1], sizeof(region->offsets[0])) != 0;

    (void)puts("\nDownlink data rate of RX1 by uplink data rate and RX1DROffset:\n");
    print_offsets(region, NEWEST, false);
    if (differ) {
        (void)puts("\nUnder the dwell time limit for downlinks:\n");
        print_offsets(region, NEWEST, true);
    }
    if (region->offsets_rp001) {
        (void)puts("\nIn RP001:\n");
        print_offsets(region, RP001_1_1B, false);
    }
    if (region->offsets_rp001 && differ) {
        (void)puts("\nIn RP001, under the dwell time limit:\n");
        print_offsets(region, RP001_1_1B, true);
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void print_power(const struct region *region)
{
    int before = region_max_eirp_cdbm(region, RP002_1_0_4);
    int now = region_max_eirp_cdbm(region, NEWEST);
    unsigned old = region_max_tx_power(region, RP001_1_0_2B);
    unsigned usual = region_max_tx_power(region, RP002_1_0_4);
    unsigned late = region_max_tx_power(region, NEWEST);

    (void)printf("| greatest EIRP of a device | %g dBm", before / 100.0);
    if (now != before)
        (void)printf("; since RP002-1.0.5 %g dBm", now / 100.0);
    (void)printf(" |\n| TXPower | 0 to %u, each 2 dB less", usual);
    if (old != usual)
        (void)printf("; in RP001-1.0.2B to %u", old);
    if (late != usual)
        (void)printf("; since RP002-1.0.5 to %u", late);
    (void)printf(" |\n| EIRP of gateways, unless configured | %d dBm", region->down_eirp_dbm);
    if (region_down_eirp(region, region->rx2_hz) != region->down_eirp_dbm)
        (void)printf("; in RX2 %d dBm", region_down_eirp(region, region->rx2_hz));
    (void)puts(" |");
}

/* What a device assumes of it before the first TxParamSetupReq. */
static const char *dwell_at_first(const struct region *region)
{
    if (region->uplink_dwell && region->downlink_dwell)
        return "; at first it counts";
    if (region->uplink_dwell)
        return "; at first it counts for uplinks";
    return region->downlink_dwell ? "; at first it counts for downlinks"
                                  : "; at first it does not count";
}

static void print_limits(const struct region *region)
{
    static const char *const lbt[] = {"", "in some countries", "required"};

    if (region->dwell_ms)
        (void)printf("| longest frame | %u ms%s%s |\n", region->dwell_ms,
                     region->tx_param_setup ? ", as set by TxParamSetupReq" : ", not signalled",
                     region->tx_param_setup ? dwell_at_first(region) : "");
    if (region->lbt.rule)
        (void)printf("| listen before talk | %s: %d dBm for %u ms |\n", lbt[region->lbt.rule],
                     region->lbt.threshold_dbm, region->lbt.sense_ms);
    for (unsigned i = 0; i < REGION_BANDS_MAX && region->bands[i].name; i++) {
        const struct region_band *band = &region->bands[i];

        (void)fputs("| duty cycle, ", stdout);
        print_mhz(band->min_hz);
        (void)fputs(" to ", stdout);
        print_mhz(band->max_hz);
        (void)printf(" MHz | %g %%, %d dBm EIRP |\n", band->duty_permille / 10.0,
                     band->max_eirp_dbm);
    }
}

static void print_commands(const struct region *region)
{
    (void)fputs("| commands | NewChannelReq and DlChannelReq: ", stdout);
    (void)printf("%s; TxParamSetupReq: %s |\n", region->new_channel ? "yes" : "no",
                 region->tx_param_setup ? "yes" : "no");
    if (region->cflist_type == 0)
        (void)printf("| CFList | type 0: channels %u to %u at DR0 to DR%u%s |\n",
                     region->cflist_first, region->cflist_first + 4u, region->cflist_max_dr,
                     region->fixed_list ? "; type 1 names frequencies of a list by number" : "");
    else
        (void)printf("| CFList | type 1: %u masks of 16 channels, since LoRaWAN %s |\n",
                     region->cflist_words, lw_version_text((enum lw_version)region->cflist_since));
}

static void print_rule(struct chmask_rule rule)
{
    switch (rule.action) {
    case CHMASK_GROUP:
        (void)printf("channels %u-%u", rule.first, rule.first + rule.count - 1u);
        break;
    case CHMASK_BANKS: (void)printf("%u banks of 8 channels", rule.count); break;
    case CHMASK_BLOCKS:
        (void)printf("%u blocks of 8 channels and their wide one", rule.count);
        break;
    case CHMASK_ALL_DEFINED: (void)fputs("all on", stdout); break;
    case CHMASK_ON_GROUP: (void)printf("0-%u on, mask of the others", rule.first - 1u); break;
    case CHMASK_OFF_GROUP: (void)printf("0-%u off, mask of the others", rule.first - 1u); break;
    default: (void)fputs("all off", stdout); break;
    }
}

static void print_masks(const struct region *region, enum region_revision revision,
                        const char *what)
{
    const struct chmask_rule *rules = region_chmask_rules(region, revision);
    const char *before = "";

    (void)printf("| %s | ", what);
    for (unsigned cntl = 0; cntl < CHMASK_RULES; cntl++) {
        if (rules[cntl].action == CHMASK_RFU)
            continue;
        (void)printf("%s%u: ", before, cntl);
        print_rule(rules[cntl]);
        before = "; ";
    }
    (void)puts(" |");
}

static void print_hop(const struct region *region, const char *what, const struct region_hop *hop,
                      uint8_t dr)
{
    (void)printf("| %s | ", what);
    print_mhz(hop->base_hz);
    if (hop->count) {
        (void)fputs(" to ", stdout);
        print_mhz(hop->base_hz + hop->step_hz * (hop->count - 1u));
    }
    (void)fputs(" MHz", stdout);
    if (hop->count)
        (void)printf(" in turn (%u channels)", hop->count);
    if (hop->join_step_hz)
        (void)printf(", and %g MHz more for each join channel after %u",
                     hop->join_step_hz / 1000000.0, hop->first_join);
    (void)printf("; DR%u, ", dr);
    print_rate(region_rate(region, LW_DOWN, dr));
    (void)puts(" |");
}

static void print_relays(const struct region *region)
{
    const struct region_relay *relay;

    for (unsigned i = 0; (relay = region_relay_channel(region, i)) != NULL; i++) {
        (void)printf("| relay channel %u | WOR ", i);
        print_mhz(relay->wor_hz);
        (void)fputs(" MHz, its ACK ", stdout);
        print_mhz(relay->ack_hz);
        (void)printf(" MHz; DR%u |\n", relay->dr);
    }
}

static void print_rules(const struct region *region)
{
    (void)puts("\n| | |\n|---|---|");
    (void)fputs("| RX2 | ", stdout);
    print_mhz(region->rx2_hz);
    (void)printf(" MHz, DR%u, ", region->rx2_dr);
    print_rate(region_rate(region, LW_DOWN, region->rx2_dr));
    (void)printf(" |\n| ADR | up to DR%u |\n", region->adr_max_dr);
    print_power(region);
    print_limits(region);
    print_commands(region);
    print_masks(region, RP002_1_0_4, "ChMaskCntl");
    if (region->chmask_1_0_5)
        print_masks(region, NEWEST, "ChMaskCntl, RP002-1.0.5");
    print_hop(region, "beacon", &region->beacon, region->beacon_dr);
    print_hop(region, "ping slots", &region->ping, region->ping_dr);
    print_relays(region);
}

static void print_region(const struct region *region)
{
    (void)printf("\n## %s\n\n", region_name(region->id));
    print_mhz(region->min_hz);
    (void)fputs(" to ", stdout);
    print_mhz(region->max_hz);
    (void)printf(" MHz; %s.\n\n", region->plan == REGION_DYNAMIC ? "the network makes the channels"
                                                                 : "channels are numbered");
    print_rates(region);
    (void)puts("");
    print_channels(region);
    print_joins(region);
    print_rules(region);
    (void)puts("\nMost octets of FOpts and FRMPayload together (N; the MACPayload has 8 more).");
    print_payloads(region);
    print_windows(region);
}

/* As the anchor of its heading: in small letters. */
static void print_link(const char *name)
{
    (void)printf("[%s](#", name);
    for (; *name; name++)
        (void)putchar(tolower((unsigned char)*name));
    (void)putchar(')');
}

static void print_contents(void)
{
    (void)puts(
        "# Regional parameters\n\n"
        "The channel plans that Godwit knows, as it works with them: RP001-1.0.2B to\n"
        "RP002-1.0.5, and 2.4 GHz. Written by `godwit regions`; do not edit.\n\n"
        "Frequencies in MHz. `-`: the data rate cannot be used. A device's revision is that of\n"
        "its profile; one that a plan does not have is taken for the last before it that has,\n"
        "else for the first after it.\n\n"
        "Several regions may be served at once (`network.regions`). A device is in the region of "
        "its\n"
        "profile, a frame in that of the gateway that heard it. A gateway whose record names none "
        "is\n"
        "taken to be in the first configured region that has the frame's channel and data rate;\n"
        "frames of devices of another one are dropped with the reason `region`. So where plans "
        "have\n"
        "channels in common (AU915 with AS923, AS923-2 and AS923-3; most plans of CN470 with each\n"
        "other) each gateway needs its region; the server warns of it as it starts\n"
        "(`regions_overlap`). A gateway without a region has the duty cycles of all configured "
        "ones,\n"
        "for each frequency the first that limits it.\n\n"
        "| name | MHz | channels | RX2 |\n|---|---|---|---|");
    for (enum region_id id = 0; id < REGION_COUNT; id++) {
        const struct region *region = region_get(id);

        (void)fputs("| ", stdout);
        print_link(region_name(id));
        (void)fputs(" | ", stdout);
        print_mhz(region->min_hz);
        (void)fputs(" to ", stdout);
        print_mhz(region->max_hz);
        (void)printf(" | %s | ",
                     region->plan == REGION_DYNAMIC ? "made by the network" : "numbered");
        print_mhz(region->rx2_hz);
        (void)printf(", DR%u |\n", region->rx2_dr);
    }
}

int cmd_regions(int argc, char **argv)
{
    enum region_id id;

    if (argc > 2)
        return cmd_wrong(argv[0], "one name at most");
    if (argc == 2 && region_find(argv[1], &id) != OK)
        return cmd_wrong(argv[0], "no region %s", argv[1]);
    if (argc == 2) {
        print_region(region_get(id));
        return EXIT_SUCCESS;
    }
    print_contents();
    for (id = 0; id < REGION_COUNT; id++)
        print_region(region_get(id));
    return EXIT_SUCCESS;
}
