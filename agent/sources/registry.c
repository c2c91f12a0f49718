#include <string.h>

#include "agent/source.h"
#include "agent/sources/sources.h"

const struct sw_source_class *const sw_source_classes[] = {
    &sw_source_exec,
    &sw_source_replay,
#ifndef _WIN32
    &sw_source_samba,
#endif
    NULL,
};

const struct sw_source_class *
sw_source_class_find(const char *name)
{
    for (size_t i = 0; sw_source_classes[i] != NULL; i++) {
        if (strcmp(sw_source_classes[i]->part.name, name) == 0) {
            return sw_source_classes[i];
        }
    }
    return NULL;
}
