/* postgres_value.c - parameters, arrays and results in PostgreSQL's binary form. */
#include "db/postgres.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Types of elements, from the catalogue of types (they never change). */
static const struct {
    Oid oid;
    uint8_t size;
} elements[] = {
    [PG_INT2] = {21, 2}, [PG_INT8] = {20, 8}, [PG_BOOL] = {16, 1}, [PG_BYTEA] = {17, 0}};

#define ARRAY_HEADER 20

/* ---- parameters ------------------------------------------------------------------------------ */

static void add(struct pg_params *params, const void *value, size_t n)
{
    assert(params->n < PG_PARAMS_MAX);
    params->values[params->n] = value;
    params->lengths[params->n] = (int)n;
    params->formats[params->n++] = 1;
}

void pg_int(struct pg_params *params, int64_t v)
{
    struct wr wr = wr_of(params->numbers[params->n], 8);

    wr_u64be(&wr, (uint64_t)v);
    add(params, wr.start, 8);
}

void pg_bool(struct pg_params *params, bool v)
{
    params->numbers[params->n][0] = v;
    add(params, params->numbers[params->n], 1);
}

void pg_eui(struct pg_params *params, struct lw_eui eui)
{
    pg_int(params, (int64_t)eui.v);
}

void pg_octets(struct pg_params *params, struct bytes b)
{
    add(params, b.n ? (const void *)b.p : "", b.n);
}

void pg_blob(struct pg_params *params, struct bytes b)
{
    add(params, b.n ? b.p : NULL, b.n);
}

void pg_text(struct pg_params *params, const char *text)
{
    add(params, text, strlen(text));
}

void pg_value(struct pg_params *params, const struct sql_value *value)
{
    if (value->null)
        add(params, NULL, 0);
    else if (value->type == SQL_TYPE_INTEGER)
        pg_int(params, value->i);
    else if (value->type == SQL_TYPE_BOOL)
        pg_bool(params, value->i != 0);
    else
        pg_octets(params, value->b);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

/* Room for n octets more; where they go. */
static uint8_t *grow(struct pg_array *array, size_t n)
{
    uint8_t *at;

    if (array->n + n > array->room) {
        array->room = 2 * (array->n + n);
        array->p = xrealloc(array->p, array->room);
    }
    at = array->p + array->n;
    array->n += n;
    return at;
}

static void put_length(struct pg_array *array, uint32_t n)
{
    struct wr wr = wr_of(grow(array, 4), 4);

    wr_u32be(&wr, n);
    array->count++;
}

void pg_array_begin(struct pg_array *array, enum pg_element element)
{
    array->element = element;
    array->n = 0;
    array->count = 0;
    array->has_null = false;
    (void)grow(array, ARRAY_HEADER);
}

void pg_array_int(struct pg_array *array, int64_t v)
{
    uint8_t size = elements[array->element].size, *at;

    put_length(array, size);
    at = grow(array, size);
    for (uint8_t i = size; i-- > 0; v >>= 8)
        at[i] = (uint8_t)v;
}

void pg_array_octets(struct pg_array *array, struct bytes b)
{
    put_length(array, (uint32_t)b.n);
    if (b.n)
        memcpy(grow(array, b.n), b.p, b.n);
}

void pg_array_null(struct pg_array *array)
{
    put_length(array, UINT32_MAX);
    array->has_null = true;
}

/* Dimensions, whether there are NULLs, type, size, lower bound. */
void pg_array_param(struct pg_array *array, struct pg_params *params)
{
    struct wr wr = wr_of(array->p, ARRAY_HEADER);

    wr_u32be(&wr, 1);
    wr_u32be(&wr, array->has_null);
    wr_u32be(&wr, elements[array->element].oid);
    wr_u32be(&wr, array->count);
    wr_u32be(&wr, 1);
    add(params, array->p, array->n);
}

void pg_array_free(struct pg_array *array)
{
    free(array->p);
    *array = (struct pg_array){0};
}

/* ---- results --------------------------------------------------------------------------------- */

int64_t pg_get_int(const PGresult *result, int row, int column)
{
    struct rd rd = rd_of(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));

    switch (rd_left(&rd)) {
    case 8: return (int64_t)rd_u64be(&rd);
    case 4: return (int32_t)rd_u32be(&rd);
    case 2: return (int16_t)rd_u16be(&rd);
    case 1: return rd_u8(&rd);
    default: return 0;
    }
}

struct bytes pg_get_octets(const PGresult *result, int row, int column, struct arena *arena)
{
    struct bytes b = {.p = (const uint8_t *)PQgetvalue(result, row, column),
                      .n = (size_t)PQgetlength(result, row, column)};

    if (!b.n)
        return (struct bytes){0};
    if (arena)
        b.p = arena_memdup(arena, b.p, b.n);
    return b;
}

static struct record_key get_key(const PGresult *result, int row, int column)
{
    struct bytes id = pg_get_octets(result, row, column, NULL);
    struct record_key key = {.n = 0};

    if (id.n && id.n <= sizeof(key.b)) { /* an integer is an EUI, octet for octet */
        key.n = (uint8_t)id.n;
        memcpy(key.b, id.p, id.n);
    }
    return key;
}

struct record_row pg_get_record(const PGresult *result, int row)
{
    return (struct record_row){.key = get_key(result, row, 4),
                               .rev = (uint64_t)pg_get_int(result, row, 0),
                               .created_us = pg_get_int(result, row, 1),
                               .updated_us = pg_get_int(result, row, 2),
                               .doc = pg_get_octets(result, row, 3, NULL)};
}
