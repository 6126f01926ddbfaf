/* certification.h - TS009: what a test bench asks of a device (port 224). The server only names
 * these commands to people; payloads whose layout no public source confirms are told as octets. */
#pragma once

#include "package/package.h"

extern const struct lw_commands pkg_certification;
