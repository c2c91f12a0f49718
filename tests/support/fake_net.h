/*
 * Name servers and a network that do as a test says. Linked into a test program, these functions
 * take the place of getaddrinfo() and sendmmsg(); names that no test has set are the system's.
 */
#ifndef SW_TESTS_FAKE_NET_H
#define SW_TESTS_FAKE_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name has these addresses ("127.0.0.1 127.0.0.2"); "" : there is no such name. */
void fake_name_set(const char *name, const char *addresses);

/* From now on no lookup of that name ends; false: those that hang end now, and are waited for. */
void fake_name_hang(bool hangs);

/* How often the name was looked up. */
unsigned fake_name_count(void);
/* Until it was looked up so often (a lookup has a thread of its own). */
void fake_name_wait(unsigned count);

/* sendmmsg() takes whole datagrams of so many more bytes, then fails with code. UINT64_MAX: it is
 * the system's. */
void fake_send_room(uint64_t bytes, int code);

/* How many datagrams the calls of sendmmsg() were given since the last time this was asked: "1 8".
 */
const char *fake_send_calls(void);

/* Forgets everything, waits for lookups that hang. */
void fake_net_reset(void);

#endif
