#include "sinks/net/http_settings.h"

/* A connection in constant use would lead to an address that the name has left long ago. */
#define SETTINGS_CONNECTION_MAX_S 600L

/* The first option that libcurl does not take is the one that is told. */
struct settings {
    const struct sw_curl_table *curl;
    CURL *easy;
    CURLcode code;
};

static void
settings_number(struct settings *settings, CURLoption option, long number)
{
    if (settings->code == CURLE_OK) {
        settings->code = settings->curl->easy_setopt(settings->easy, option, number);
    }
}

static void
settings_text(struct settings *settings, CURLoption option, const char *text)
{
    if (settings->code == CURLE_OK) {
        settings->code = settings->curl->easy_setopt(settings->easy, option, text);
    }
}

/* For what a libcurl may have been built without, and then does not do: none of it is ours to ask.
 */
static void
settings_forgive(struct settings *settings, CURLcode without)
{
    if (settings->code == without) {
        settings->code = CURLE_OK;
    }
}

static void
settings_transport(struct settings *settings, const struct sw_http_options *options)
{
    settings_text(settings, CURLOPT_URL, options->url);
    settings_text(settings, CURLOPT_PROTOCOLS_STR, "http,https");
    settings_number(settings, CURLOPT_FOLLOWLOCATION, 0L);
    settings_number(settings, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    settings_number(settings, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    /* Not NULL, which would mean what the environment says. */
    settings_text(settings, CURLOPT_PROXY, options->proxy != NULL ? options->proxy : "");
    settings_text(settings, CURLOPT_NOPROXY, "");
    settings_number(settings, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    settings_number(settings, CURLOPT_TCP_KEEPALIVE, 1L);
    settings_number(settings, CURLOPT_MAXLIFETIME_CONN, SETTINGS_CONNECTION_MAX_S);
    settings_number(settings, CURLOPT_HTTP09_ALLOWED, 0L);
    settings_number(settings, CURLOPT_NOSIGNAL, 1L);
    if (settings->code == CURLE_OK) {
        settings_number(settings, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
        settings_forgive(settings, CURLE_UNSUPPORTED_PROTOCOL);
    }
}

static void
settings_tls(struct settings *settings, const struct sw_http_options *options)
{
    settings_number(settings, CURLOPT_SSL_VERIFYPEER, 1L);
    settings_number(settings, CURLOPT_SSL_VERIFYHOST, 2L);
    settings_number(settings, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    settings_number(settings, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    settings_number(settings, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    settings_number(settings, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (options->ca_file != NULL) {
        settings_text(settings, CURLOPT_CAINFO, options->ca_file);
        if (settings->code == CURLE_OK) {
            settings_text(settings, CURLOPT_CAPATH, NULL);
            settings_forgive(settings, CURLE_NOT_BUILT_IN);
        }
    }
    if (options->client_cert != NULL) {
        settings_text(settings, CURLOPT_SSLCERT, options->client_cert);
        settings_text(settings, CURLOPT_SSLKEY,
            options->client_key != NULL ? options->client_key : options->client_cert);
        /* Without one OpenSSL would ask the terminal for the passphrase of an encrypted key. */
        settings_text(settings, CURLOPT_KEYPASSWD, "");
    }
}

static void
settings_request(struct settings *settings, const struct sw_http_callbacks *callbacks)
{
    settings_number(settings, CURLOPT_POST, 1L);
    settings_text(settings, CURLOPT_USERAGENT, "sharewatch/" SW_VERSION);
    if (settings->code == CURLE_OK) {
        settings->code =
            settings->curl->easy_setopt(settings->easy, CURLOPT_HEADERFUNCTION, callbacks->on_head);
    }
    if (settings->code == CURLE_OK) {
        settings->code =
            settings->curl->easy_setopt(settings->easy, CURLOPT_WRITEFUNCTION, callbacks->on_body);
    }
    if (settings->code == CURLE_OK) {
        settings->code =
            settings->curl->easy_setopt(settings->easy, CURLOPT_SHARE, callbacks->share);
    }
    /* Otherwise the end of a post waits for a name server that does not answer. An older libcurl
     * has no such option, and waits. */
    (void)settings->curl->easy_setopt(settings->easy, CURLOPT_QUICK_EXIT, 1L);
}

CURLcode
sw_http_settings(const struct sw_curl_table *curl, CURL *easy,
    const struct sw_http_options *options, const struct sw_http_callbacks *callbacks)
{
    struct settings settings = {curl, easy, CURLE_OK};
    settings_transport(&settings, options);
    settings_tls(&settings, options);
    settings_request(&settings, callbacks);
    return settings.code;
}
