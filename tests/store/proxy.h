/*
 * proxy.h - stands between the store and PostgreSQL and cuts connections when it is told to.
 *
 * A thread forwards what comes on a UNIX socket. It understands just enough of the protocol to know
 * units: a client's messages up to a Sync or a simple query, or its start. Unit number `at` is cut
 * and, if `forever`, all that follow, new connections too:
 *   CUT_BEFORE  the server never sees the unit
 *   CUT_HALF    it sees the first half of its octets
 *   CUT_AFTER   it does all of it, the answer is lost
 */
#pragma once

#include <stdbool.h>

enum proxy_cut { CUT_BEFORE, CUT_HALF, CUT_AFTER };

/* Starts the thread, once; the socket is .s.PGSQL.5432 in the folder that is returned. `host` and
 * `port` name the socket of the server. */
const char *proxy_start(const char *host, unsigned port);

/* Counts from 0 again and cuts as told; `at` 0: never. */
void proxy_arm(unsigned at, bool forever, enum proxy_cut cut);
/* No more cuts; counters stay. */
void proxy_mend(void);
unsigned proxy_count(void); /* units since proxy_arm */
unsigned proxy_hits(void);  /* units that were cut, connections that were refused */
