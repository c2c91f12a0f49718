/*
 * Nothing is loaded here: what the agent loads on Linux is linked in, and answers by name from this
 * table. A DLL found by name could come from any folder of the search path. The names are those of
 * the one list that sinks/net keeps.
 */
#include <string.h>

#include "agent/platform/windows/system.h"
#include "sinks/net/curl_table.h"

static const struct {
    const char *name;
    sw_symbol symbol;
} library_curl[] = {
#define X(result, name, parameters) {"curl_" #name, (sw_symbol)curl_##name},
    SW_CURL_FUNCTIONS(X)
#undef X
};

bool
sw_library_open(struct sw_library *library, const char *name, struct sw_err *err)
{
    static int is_open;
    library->handle = NULL;
    if (strncmp(name, "libcurl.", 8) != 0) {
        return sw_err_set(err, "%s is not part of this program", name);
    }
    library->handle = &is_open;
    return true;
}

sw_symbol
sw_library_symbol(const struct sw_library *library, const char *name)
{
    for (size_t i = 0;
         library->handle != NULL && i < sizeof(library_curl) / sizeof(library_curl[0]); i++) {
        if (strcmp(library_curl[i].name, name) == 0) {
            return library_curl[i].symbol;
        }
    }
    return NULL;
}

void
sw_library_close(struct sw_library *library)
{
    library->handle = NULL;
}
