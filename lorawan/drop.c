/* drop.c - labels and help texts of the drop reasons, from the one table. */
#include "lorawan/drop.h"

const char *drop_label(enum drop drop)
{
    static const char *const labels[DROP_COUNT] = {[DROP_NONE] = "",
#define X(name, label, help) [name] = (label),
                                                   DROP_TABLE(X)
#undef X
    };

    return (unsigned)drop < DROP_COUNT ? labels[drop] : "";
}

const char *drop_help(enum drop drop)
{
    static const char *const helps[DROP_COUNT] = {[DROP_NONE] = "",
#define X(name, label, help) [name] = (help),
                                                  DROP_TABLE(X)
#undef X
    };

    return (unsigned)drop < DROP_COUNT ? helps[drop] : "";
}
