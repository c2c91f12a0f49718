/* What is the same for every post of a client: for http.c alone. */
#ifndef SW_NET_HTTP_SETTINGS_H
#define SW_NET_HTTP_SETTINGS_H

#include "sinks/net/curl_table.h"
#include "sinks/net/http.h"

struct sw_http_callbacks {
    CURLSH *share; /* of TLS sessions */
    /* Their contexts come with each post. */
    size_t (*on_head)(char *bytes, size_t one, size_t size, void *context);
    size_t (*on_body)(char *bytes, size_t one, size_t size, void *context);
};

/* What libcurl says of the first setting that it does not take. */
CURLcode sw_http_settings(const struct sw_curl_table *curl, CURL *easy,
    const struct sw_http_options *options, const struct sw_http_callbacks *callbacks);

#endif
