/* The source types' descriptors, for the registry. */
#ifndef SW_SOURCES_SOURCES_H
#define SW_SOURCES_SOURCES_H

#include "agent/source.h"

extern const struct sw_source_class sw_source_exec;
extern const struct sw_source_class sw_source_replay;
extern const struct sw_source_class sw_source_samba;

#endif
