/* fuzz_semtech.c - a whole datagram: header, then what its identifier says. */
#include "gateway/semtech.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static void on_rx(void *ctx, const struct semtech_rx *rx)
{
    *(size_t *)ctx += rx->phy_len;
    if (!rx->phy_len || rx->copy.crc != CRC_OK || !rx->copy.frequency_hz)
        abort(); /* promised by semtech.h */
}

static void on_stat(void *ctx, const struct semtech_stat *stat)
{
    *(size_t *)ctx += stat->rx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    struct semtech_sink sink = {.rx = on_rx, .stat = on_stat, .ctx = &seen};
    struct semtech_header header;
    struct semtech_tx_ack ack;

    if (semtech_read_header(data, size, &header) != OK)
        return 0;
    data += SEMTECH_HEADER;
    size -= SEMTECH_HEADER;
    if (header.id == SEMTECH_PUSH_DATA)
        (void)!semtech_read_push(data, size, &sink);
    else if (header.id == SEMTECH_TX_ACK)
        (void)!semtech_read_tx_ack(data, size, &ack);
    return 0;
}
