/* What a code of libcurl means for a sink. Pure. */
#ifndef SW_NET_CURL_CLASS_H
#define SW_NET_CURL_CLASS_H

enum sw_http_class {
    SW_HTTP_ANSWERED,    /* a whole head arrived: the status counts */
    SW_HTTP_NETWORK,     /* not reached, broken off, nonsense */
    SW_HTTP_TIMEOUT,     /* not in time */
    SW_HTTP_REFUSED,     /* a certificate, key or setting: trying again soon changes nothing */
    SW_HTTP_INTERRUPTED, /* by sw_http_interrupt */
};

/* code: a CURLcode other than CURLE_OK. text: what libcurl says about it, perhaps empty. */
enum sw_http_class sw_curl_class(int code, const char *text);

#endif
