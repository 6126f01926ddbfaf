/* air.c - texts of the results of a transmission, from the one table. */
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
