/*
 * field_priv.h - what the parts of field share: single members by their address.
 */
#pragma once

#include "core/field.h"

/* Bytes of a member; of an F_OBJ, as far as its last described member reaches. */
size_t field_size(const struct field *field);

/* The description of an element of an F_ARR. */
struct field field_element(const struct field *array);

/* Sets one member to its default. The default text must fit the kind (our own invariant). */
void field_default_at(const struct field *field, void *at, struct arena *arena);

/* What the member points to is copied into the arena. */
void field_own(const struct field *field, void *at, struct arena *arena);

bool field_is_zero(const struct field *field, const void *at);
bool field_is_default_at(const struct field *field, const void *at);
bool field_equal(const struct field *field, const void *a, const void *b);

/* The integers a member may hold. *max is that of the type for F_U64 without a range. */
void field_range(const struct field *field, int64_t *min, uint64_t *max);

/* Reads a scalar kind. false if the node does not fit; the member may then be half written. */
bool field_read_scalar(const struct field *field, void *at, const struct node *node,
                       struct arena *arena);

/* FIELD_PEER: the row of a member by its name or another of its names; NULL if there is none. */
const struct field *field_find_peer(const struct field *table, const char *name);

/* FIELD_PEER: makes a peer's value what the kinds read. false if it says nothing. */
bool field_peer_value(const struct field *field, struct node *value);

/* field_wipe of one member; of plain octets. */
void field_wipe_at(const struct field *field, void *at);
void field_wipe_octets(void *p, size_t n);

/* The first value of an F_ENUM without a name, which prints as "". */
uint8_t field_enum_gap(const struct field *field);

/* "an integer from 0 to 15": what a member expects, in the arena. */
const char *field_expects(const struct field *field, struct arena *arena);

void field_print_at(const struct field *field, const void *at, struct jw *jw,
                    const struct field_style *style);
