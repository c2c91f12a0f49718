#include "sinks/net/curl_table.h"

#include <pthread.h>

#include "agent/platform/platform.h"

#define CURL_LIBRARY "libcurl.so.4"

/* CURLOPT_PROTOCOLS_STR, the youngest thing that we cannot do without. */
#define CURL_VERSION_MIN      0x075500
#define CURL_VERSION_MIN_TEXT "7.85.0"

static bool
curl_open(struct sw_library *library, struct sw_err *err)
{
    if (!sw_library_open(library, CURL_LIBRARY, err)) {
        return sw_err_wrap(err, "libcurl cannot be loaded (install the package libcurl4)");
    }
    return true;
}

static bool
curl_fill(struct sw_curl_table *table, const struct sw_library *library, struct sw_err *err)
{
    sw_symbol symbol;
#define X(result, name, parameters)                                                                \
    symbol = sw_library_symbol(library, "curl_" #name);                                            \
    if (symbol == NULL) {                                                                          \
        return sw_err_set(                                                                         \
            err, CURL_LIBRARY " is too old: it has no curl_" #name " (install libcurl4)");         \
    }                                                                                              \
    table->name = (result(*) parameters)symbol;
    SW_CURL_FUNCTIONS(X)
#undef X
    const curl_version_info_data *info = table->version_info(CURLVERSION_NOW);
    if (info->version_num < CURL_VERSION_MIN) {
        return sw_err_set(err, "libcurl %s is too old (needed: " CURL_VERSION_MIN_TEXT " or later)",
            info->version);
    }
    CURLcode code = table->global_init(CURL_GLOBAL_DEFAULT);
    return code == CURLE_OK ||
           sw_err_set(err, "libcurl does not start: %s", table->easy_strerror(code));
}

/* The one state that belongs to the process and not to a sink: what is loaded is loaded once. */
const struct sw_curl_table *
sw_curl_table_get(struct sw_err *err)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static struct sw_curl_table table;
    static bool is_ready;
    pthread_mutex_lock(&mutex);
    if (!is_ready) {
        struct sw_library library = {NULL};
        is_ready = curl_open(&library, err) && curl_fill(&table, &library, err);
        if (!is_ready) {
            sw_library_close(&library);
        }
    }
    const struct sw_curl_table *ready = is_ready ? &table : NULL;
    pthread_mutex_unlock(&mutex);
    return ready;
}

bool
sw_curl_is_there(struct sw_err *err)
{
    struct sw_library library = {NULL};
    return curl_open(&library, err);
}
