#include <string.h>

#include "sinks/sink.h"

extern const struct sw_sink_class sw_sink_file;
extern const struct sw_sink_class sw_sink_syslog;
extern const struct sw_sink_class sw_sink_webhook;

const struct sw_sink_class *const sw_sink_classes[] = {
    &sw_sink_file,
    &sw_sink_syslog,
    &sw_sink_webhook,
    NULL,
};

const struct sw_sink_class *
sw_sink_class_find(const char *name)
{
    for (size_t i = 0; sw_sink_classes[i] != NULL; i++) {
        if (strcmp(sw_sink_classes[i]->part.name, name) == 0) {
            return sw_sink_classes[i];
        }
    }
    return NULL;
}
