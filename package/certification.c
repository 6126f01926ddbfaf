/* certification.c - the rows of TS009. */
#include "package/certification.h"

#include "package/rows.h"

struct mode {
    uint8_t value;
};
struct count {
    uint16_t value;
};
struct octets {
    struct bytes data;
};
struct carrier {
    uint16_t timeout_s;
    uint32_t frequency_hz;
    int8_t power_dbm;
};
struct versions {
    uint8_t firmware[4], lorawan[4], regional_parameters[4];
};

/* clang-format off */
#define NONE(cid, name)       PKG_BARE(cid, LW_DOWN, 1, name)
#define VALUE(cid, name)      PKG_DOWN(cid, 1, 1, 0, name, mode, LW_NUM(mode, value, 0, 8))
#define COUNT(cid, name)      PKG_UP(cid, 2, 1, 0, name, count, LW_NUM(count, value, 0, 16))
#define OCTETS(cid, dir, name) PKG_ROW(cid, dir, 0, LW_COMMAND_TO_END, 1, 0, name, octets, NULL, LW_TAIL(octets, data, 0))

static const struct lw_command rows[] = {
    PKG_VERSION_ROWS,
    NONE(0x01, "DutResetReq"),
    NONE(0x02, "DutJoinReq"),
    PKG_DOWN(0x03, 1, 1, 0, "SwitchClassReq", mode, LW_MODE(mode, value, 0)),
    VALUE(0x04, "AdrBitChangeReq"),
    VALUE(0x05, "RegionalDutyCycleCtrlReq"),
    VALUE(0x06, "TxPeriodicityChangeReq"),
    VALUE(0x07, "TxFramesCtrlReq"),
    OCTETS(0x08, LW_UP, "EchoPayloadAns"),
    OCTETS(0x08, LW_DOWN, "EchoPayloadReq"),
    COUNT(0x09, "RxAppCntAns"),
    NONE(0x09, "RxAppCntReq"),
    NONE(0x0a, "RxAppCntResetReq"),
    NONE(0x20, "LinkCheckReq"),
    NONE(0x21, "DeviceTimeReq"),
    VALUE(0x22, "PingSlotInfoReq"),
    VALUE(0x40, "BeaconRxStatusIndCtrl"),
    OCTETS(0x41, LW_UP, "BeaconRxStatusInd"),
    NONE(0x42, "BeaconCntReq"),
    COUNT(0x43, "BeaconCntAns"),
    NONE(0x44, "BeaconCntRstReq"),
    OCTETS(0x52, LW_UP, "FragSessionCntAns"),
    OCTETS(0x52, LW_DOWN, "FragSessionCntReq"),
    OCTETS(0x53, LW_DOWN, "RelayModeCtrlReq"),
    PKG_DOWN(0x7d, 6, 1, 0, "TxCwReq", carrier,
        LW_NUM(carrier, timeout_s, 0, 16),
        LW_FREQ(carrier, frequency_hz, 16),
        LW_SIGNED(carrier, power_dbm, 40, 8)),
    NONE(0x7e, "DutFPort224DisableReq"),
    PKG_UP(0x7f, 12, 1, 0, "DutVersionAns", versions,
        LW_OCTETS(versions, firmware, 0, 32),
        LW_OCTETS(versions, lorawan, 32, 32),
        LW_OCTETS(versions, regional_parameters, 64, 32)),
    NONE(0x7f, "DutVersionReq"),
};
/* clang-format on */

const struct lw_commands pkg_certification = {rows, sizeof(rows) / sizeof(rows[0])};
