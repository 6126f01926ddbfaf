/* err.c - texts and names of the errors, from the one table. */
#include "core/err.h"

const char *err_text(enum err err)
{
    static const char *const texts[ERR_COUNT] = {[OK] = "no error",
#define X(name, text) [name] = (text),
                                                 ERR_TABLE(X)
#undef X
    };

    return (unsigned)err < ERR_COUNT ? texts[err] : "unknown error";
}

const char *err_name(enum err err)
{
    static const char *const names[ERR_COUNT] = {[OK] = "OK",
#define X(name, text) [name] = #name,
                                                 ERR_TABLE(X)
#undef X
    };

    return (unsigned)err < ERR_COUNT ? names[err] : "ERR_UNKNOWN";
}
