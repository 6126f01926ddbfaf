/* address.c - see address.h. */
#include "gateway/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool address_same_ip(const struct address *a, const struct address *b)
{
    return memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->port == b->port && address_same_ip(a, b);
}

static bool is_v4(const uint8_t *ip)
{
    return memcmp(ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

struct address address_of_sockaddr(const struct sockaddr *sa)
{
    struct address address = {0};

    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof(in));
        memcpy(address.ip, v4_prefix, sizeof(v4_prefix));
        memcpy(address.ip + 12, &in.sin_addr, 4);
        address.port = ntohs(in.sin_port);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        memcpy(address.ip, &in6.sin6_addr, 16);
        address.port = ntohs(in6.sin6_port);
    }
    return address;
}

socklen_t address_to_sockaddr(const struct address *address, int family,
                              struct sockaddr_storage *to)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};

    memset(to, 0, sizeof(*to));
    memcpy(&in.sin_addr, address->ip + 12, 4);
    memcpy(&in6.sin6_addr, address->ip, 16);
    if (family == AF_INET)
        memcpy(to, &in, sizeof(in));
    else
        memcpy(to, &in6, sizeof(in6));
    return family == AF_INET ? sizeof(in) : sizeof(in6);
}

char *address_text(char *to, const struct address *address)
{
    char ip[INET6_ADDRSTRLEN];

    if (is_v4(address->ip)) {
        (void)inet_ntop(AF_INET, address->ip + 12, ip, sizeof(ip));
        (void)snprintf(to, ADDRESS_TEXT, "%s:%u", ip, (unsigned)address->port);
    } else {
        (void)inet_ntop(AF_INET6, address->ip, ip, sizeof(ip));
        (void)snprintf(to, ADDRESS_TEXT, "[%s]:%u", ip, (unsigned)address->port);
    }
    return to;
}

static bool read_ip(const char *text, uint8_t *ip)
{
    if (inet_pton(AF_INET6, text, ip) == 1)
        return true;
    memcpy(ip, v4_prefix, sizeof(v4_prefix));
    return inet_pton(AF_INET, text, ip + 12) == 1;
}

static bool read_number(const char *text, unsigned long max, unsigned long *v)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *v = strtoul(text, &end, 10);
    return !*end && *v <= max;
}

enum err address_read(const char *text, struct address *address)
{
    char ip[ADDRESS_TEXT];
    const char *colon = strrchr(text, ':');
    size_t n = colon ? (size_t)(colon - text) : 0;
    unsigned long port;

    if (!colon || n >= sizeof(ip) || !read_number(colon + 1, UINT16_MAX, &port))
        return ERR_INVALID;
    memcpy(ip, text, n);
    ip[n] = '\0';
    if (n > 2 && ip[0] == '[' && ip[n - 1] == ']') {
        memmove(ip, ip + 1, n - 2);
        ip[n - 2] = '\0';
    } else if (strchr(ip, ':')) {
        return ERR_INVALID; /* IPv6 without brackets: is the end a port? */
    }
    address->port = (uint16_t)port;
    return read_ip(ip, address->ip) ? OK : ERR_INVALID;
}

enum err cidr_read(const char *text, struct cidr *cidr)
{
    char ip[ADDRESS_TEXT];
    const char *slash = strchr(text, '/');
    size_t n = slash ? (size_t)(slash - text) : strlen(text);
    unsigned long bits = 0, offset;

    if (n >= sizeof(ip))
        return ERR_INVALID;
    memcpy(ip, text, n);
    ip[n] = '\0';
    if (!read_ip(ip, cidr->ip))
        return ERR_INVALID;
    offset = strchr(ip, ':') ? 0 : 96;
    if (slash && !read_number(slash + 1, 128 - offset, &bits))
        return ERR_INVALID;
    cidr->bits = (uint8_t)(slash ? offset + bits : 128);
    return OK;
}

bool cidr_has(const struct cidr *cidr, const struct address *address)
{
    size_t whole = cidr->bits / 8;
    unsigned rest = cidr->bits % 8;

    if (memcmp(cidr->ip, address->ip, whole) != 0)
        return false;
    return !rest || (cidr->ip[whole] ^ address->ip[whole]) >> (8 - rest) == 0;
}
