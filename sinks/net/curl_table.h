/*
 * libcurl, loaded when the first sink needs it: it costs 8 MB resident, which an agent without such
 * a sink shall not pay. This folder is the one place that knows it.
 */
#ifndef SW_NET_CURL_TABLE_H
#define SW_NET_CURL_TABLE_H

#include <curl/curl.h>
#include <stdbool.h>

#include "agent/base/error.h"

/* result, name behind curl_, parameters */
#define SW_CURL_FUNCTIONS(X)                                                                       \
    X(CURLcode, global_init, (long flags))                                                         \
    X(curl_version_info_data *, version_info, (CURLversion age))                                   \
    X(CURL *, easy_init, (void))                                                                   \
    X(void, easy_cleanup, (CURL * easy))                                                           \
    X(CURLcode, easy_setopt, (CURL * easy, CURLoption option, ...))                                \
    X(CURLcode, easy_getinfo, (CURL * easy, CURLINFO info, ...))                                   \
    X(const char *, easy_strerror, (CURLcode code))                                                \
    X(CURLM *, multi_init, (void))                                                                 \
    X(CURLMcode, multi_cleanup, (CURLM * multi))                                                   \
    X(CURLMcode, multi_setopt, (CURLM * multi, CURLMoption option, ...))                           \
    X(CURLMcode, multi_add_handle, (CURLM * multi, CURL * easy))                                   \
    X(CURLMcode, multi_remove_handle, (CURLM * multi, CURL * easy))                                \
    X(CURLMcode, multi_perform, (CURLM * multi, int *running))                                     \
    X(CURLMcode, multi_poll,                                                                       \
        (CURLM * multi, struct curl_waitfd extra[], unsigned extra_count, int timeout_ms,          \
            int *ready))                                                                           \
    X(CURLMcode, multi_wakeup, (CURLM * multi))                                                    \
    X(CURLMsg *, multi_info_read, (CURLM * multi, int *left))                                      \
    X(const char *, multi_strerror, (CURLMcode code))                                              \
    X(CURLSH *, share_init, (void))                                                                \
    X(CURLSHcode, share_setopt, (CURLSH * share, CURLSHoption option, ...))                        \
    X(CURLSHcode, share_cleanup, (CURLSH * share))

struct sw_curl_table {
#define X(result, name, parameters) result(*name) parameters;
    SW_CURL_FUNCTIONS(X)
#undef X
};

/* The functions, ready to be called; NULL: err says what is missing, and the next call tries again.
 * Any thread. It stays loaded until the process ends. */
const struct sw_curl_table *sw_curl_table_get(struct sw_err *err);

/* Whether the library is there, without starting it. Where it is, it stays loaded: not every
 * library that it brings along survives being unloaded. */
bool sw_curl_is_there(struct sw_err *err);

#endif
