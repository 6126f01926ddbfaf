/* air.c - texts of the results of a transmission, from the one table; the codec of rungs. */
#include "lorawan/air.h"

const char *tx_result_text(enum tx_result result)
{
    static const char *const texts[TX_RESULT_COUNT] = {
#define X(name, text) [name] = (text),
        TX_RESULT_TABLE(X)
#undef X
    };

    return (unsigned)result < TX_RESULT_COUNT ? texts[result] : texts[TX_UNKNOWN];
}

void data_rate_write(struct wr *wr, const struct data_rate *rate)
{
    wr_u8(wr, rate->kind);
    wr_u8(wr, rate->sf);
    wr_u8(wr, rate->coding_rate);
    wr_u8(wr, rate->grid_steps);
    wr_var(wr, rate->bandwidth_hz);
    wr_var(wr, rate->bit_rate);
}

void data_rate_read(struct rd *rd, struct data_rate *rate)
{
    rate->kind = rd_u8(rd);
    rate->sf = rd_u8(rd);
    rate->coding_rate = rd_u8(rd);
    rate->grid_steps = rd_u8(rd);
    rate->bandwidth_hz = (uint32_t)rd_var(rd);
    rate->bit_rate = (uint32_t)rd_var(rd);
}

void rung_write(struct wr *wr, const struct rung *rung)
{
    wr_u64be(wr, rung->gateway.v);
    wr_var(wr, rung->frequency_hz);
    data_rate_write(wr, &rung->rate);
    wr_u8(wr, (uint8_t)rung->eirp_dbm);
    wr_u8(wr, rung->window);
}

void rung_read(struct rd *rd, struct rung *rung)
{
    rung->gateway.v = rd_u64be(rd);
    rung->frequency_hz = (uint32_t)rd_var(rd);
    data_rate_read(rd, &rung->rate);
    rung->eirp_dbm = (int8_t)rd_u8(rd);
    rung->window = rd_u8(rd);
}
