#include "sinks/net/curl_class.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/*
 * With TLS 1.3 a receiver refuses our certificate only after we believe the handshake is over, and
 * libcurl reports a plain failure to receive. What it says then is OpenSSL's text for the alert
 * (RFC 8446 §6.2); elsewhere this is trouble of the network, which is tried again sooner.
 */
static bool
curl_is_refusing_alert(const char *text)
{
    static const char *const alerts[] = {
        "alert certificate required",
        "alert bad certificate",
        "alert unsupported certificate",
        "alert certificate revoked",
        "alert certificate expired",
        "alert certificate unknown",
        "alert unknown ca",
        "alert access denied",
        "alert handshake failure",
        "alert protocol version",
        "alert insufficient security",
        "alert no application protocol",
        "alert unrecognized name",
        "tlsv1 unrecognized name",
        "unsupported protocol",
    };
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (strstr(text, alerts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

enum sw_http_class
sw_curl_class(int code, const char *text)
{
    switch ((CURLcode)code) {
    case CURLE_OPERATION_TIMEDOUT:
        return SW_HTTP_TIMEOUT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return SW_HTTP_REFUSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return curl_is_refusing_alert(text) ? SW_HTTP_REFUSED : SW_HTTP_NETWORK;
    default:
        return SW_HTTP_NETWORK;
    }
}
