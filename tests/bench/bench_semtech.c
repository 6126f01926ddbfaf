/* bench_semtech.c - time to read one PUSH_DATA of one and of three rxpk. Prints ns per rxpk. */
#include "core/clock.h"
#include "gateway/semtech.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RXPK                                                                                       \
    "{\"tmst\":3512348611,\"chan\":2,\"rfch\":0,\"freq\":866.349812,\"stat\":1,"                   \
    "\"modu\":\"LORA\",\"datr\":\"SF7BW125\",\"codr\":\"4/6\",\"rssi\":-35,\"lsnr\":5.1,"          \
    "\"size\":32,\"data\":\"QAQDAgGAAAABh2b3Q2xTvWPzS2qA6vCzrpXV1MP9Pws=\"}"
#define ROUNDS 400000

static void count(void *ctx, const struct semtech_rx *rx)
{
    *(uint64_t *)ctx += rx->phy_len;
}

static void run(const char *json, unsigned rxpks)
{
    uint64_t octets = 0;
    struct semtech_sink sink = {.rx = count, .ctx = &octets};
    size_t n = strlen(json);
    int64_t start = clock_mono(clock_system()), took;

    for (unsigned i = 0; i < ROUNDS / rxpks; i++)
        if (semtech_read_push(json, n, &sink) != OK)
            return;
    took = clock_mono(clock_system()) - start;
    (void)printf("%u rxpk, %zu octets: %" PRId64 " ns per rxpk (%" PRIu64 " octets read)\n", rxpks,
                 n, took * 1000 / (ROUNDS / rxpks * rxpks), octets);
}

int main(void)
{
    run("{\"rxpk\":[" RXPK "]}", 1);
    run("{\"rxpk\":[" RXPK "," RXPK "," RXPK "]}", 3);
    return 0;
}
