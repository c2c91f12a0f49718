/* Sockets, for the two files that use them. */
#ifndef SW_PLATFORM_WINDOWS_WINSOCK_H
#define SW_PLATFORM_WINDOWS_WINSOCK_H

#include <winsock2.h>

#include <ws2tcpip.h>

#include "agent/base/error.h"

/* Winsock wants to be started before anything else; done once, any thread, never undone. In udp.c.
 */
bool win_sockets_start(struct sw_err *err);

#endif
