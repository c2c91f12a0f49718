#include "config/host.h"

#include "agent/platform/platform.h"

bool
sw_config_host_read(const struct sw_config_host *host, const char *path, size_t max,
    struct sw_buf *buf, struct sw_err *err)
{
    return host != NULL && host->read != NULL ? host->read(host->context, path, max, buf, err)
                                              : sw_file_read(path, max, buf, err);
}

bool
sw_config_host_is_trusted(const struct sw_config_host *host, const char *path, struct sw_err *err)
{
    return host != NULL && host->is_trusted != NULL ? host->is_trusted(host->context, path, err)
                                                    : sw_file_is_trusted(path, err);
}

bool
sw_config_host_exists(const struct sw_config_host *host, const char *path)
{
    return host != NULL && host->exists != NULL ? host->exists(host->context, path)
                                                : sw_file_exists(path);
}

const char *
sw_config_host_env(const struct sw_config_host *host, const char *name)
{
    return host != NULL && host->env != NULL ? host->env(host->context, name)
                                             : sw_environment_get(name);
}
