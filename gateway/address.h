/*
 * address.h - internet addresses of gateways as plain values, and allowed blocks.
 *
 * IPv4 addresses are kept in their IPv6 form (::ffff:a.b.c.d), so that there is one comparison.
 * Pure, but for address_of_sockaddr and its counterpart, which only convert.
 */
#pragma once

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
    uint8_t ip[16];
    uint16_t port; /* host order */
};

/* A block of addresses. */
struct cidr {
    uint8_t ip[16];
    uint8_t bits; /* 0..128; an IPv4 block of n bits has 96 + n */
};

#define ADDRESS_TEXT 64

bool address_equal(const struct address *a, const struct address *b); /* with the port */
bool address_same_ip(const struct address *a, const struct address *b);
struct address address_of_sockaddr(const struct sockaddr *sa);
/* Fills `to` for a socket of `family` (AF_INET or AF_INET6) and answers its length. */
socklen_t address_to_sockaddr(const struct address *address, int family,
                              struct sockaddr_storage *to);

/* "192.0.2.1:1700", "[2001:db8::1]:1700"; `to` has ADDRESS_TEXT bytes. */
char *address_text(char *to, const struct address *address);
/* The same form back; numeric only. */
MUST_CHECK enum err address_read(const char *text, struct address *address);

/* "192.0.2.0/24", "2001:db8::/32" or a single address. */
MUST_CHECK enum err cidr_read(const char *text, struct cidr *cidr);
bool cidr_has(const struct cidr *cidr, const struct address *address);
