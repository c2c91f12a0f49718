#include <dlfcn.h>
#include <string.h>

#include "agent/platform/platform.h"

bool
sw_library_open(struct sw_library *library, const char *name, struct sw_err *err)
{
    library->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (library->handle == NULL) {
        const char *why = dlerror();
        return sw_err_set(err, "%s", why != NULL ? why : name);
    }
    return true;
}

sw_symbol
sw_library_symbol(const struct sw_library *library, const char *name)
{
    /* POSIX promises that the two kinds of pointers are alike, C does not: hence no cast. */
    void *address = dlsym(library->handle, name);
    sw_symbol symbol = NULL;
    memcpy(&symbol, &address, sizeof(symbol));
    return symbol;
}

void
sw_library_close(struct sw_library *library)
{
    if (library->handle != NULL) {
        dlclose(library->handle);
        library->handle = NULL;
    }
}
