/* The system as loading sees it: the host that was handed in, or the real one. */
#ifndef SW_CONFIG_HOST_H
#define SW_CONFIG_HOST_H

#include "config/config.h"

bool sw_config_host_read(const struct sw_config_host *host, const char *path, size_t max,
    struct sw_buf *buf, struct sw_err *err);
bool
sw_config_host_is_trusted(const struct sw_config_host *host, const char *path, struct sw_err *err);
bool sw_config_host_exists(const struct sw_config_host *host, const char *path);
const char *sw_config_host_env(const struct sw_config_host *host, const char *name);

#endif
