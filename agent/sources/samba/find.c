#include <stdlib.h>

#include "agent/base/memory.h"
#include "agent/sources/samba/look.h"

static char *
find_join(const char *folder, const char *name)
{
    struct sw_buf path;
    sw_buf_init(&path, 64 * 1024);
    sw_path_join(folder, name, &path);
    return sw_buf_take(&path);
}

/* Never by PATH: what root runs must not depend on who started it. */
static char *
find_program(const char *name)
{
    static const char *const folders[] = {"/usr/bin", "/usr/local/bin", "/usr/local/samba/bin",
        "/opt/samba/bin", "/usr/sbin", "/usr/local/sbin"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *path = find_join(folders[i], name);
        if (sw_file_exists(path)) {
            return path;
        }
        free(path);
    }
    return NULL;
}

static bool
find_smbstatus(struct sw_samba_look *look)
{
    const char *configured = look->conf->smbstatus;
    look->smbstatus = configured != NULL ? sw_strdup(configured) : find_program("smbstatus");
    if (look->smbstatus == NULL) {
        return sw_err_set(look->err,
            "smbstatus is in none of the system's folders: install Samba's client programs "
            "(Debian: package samba) or set the key smbstatus");
    }
    if (!sw_file_exists(look->smbstatus)) {
        return sw_err_set(look->err, "%s is not there: correct the key smbstatus or leave it out",
            look->smbstatus);
    }
    return sw_file_is_trusted(look->smbstatus, look->err);
}

/* The one beside smbstatus belongs to the same Samba. */
static void
find_testparm(struct sw_samba_look *look)
{
    struct sw_buf folder;
    sw_buf_init(&folder, 64 * 1024);
    sw_path_folder(look->smbstatus, &folder);
    look->testparm = find_join(sw_buf_text(&folder), "testparm");
    sw_buf_fini(&folder);
    if (!sw_file_exists(look->testparm)) {
        free(look->testparm);
        look->testparm = find_program("testparm");
    }
    if (look->testparm != NULL && !sw_file_is_trusted(look->testparm, NULL)) {
        free(look->testparm);
        look->testparm = NULL;
    }
}

bool
sw_samba_find_programs(struct sw_samba_look *look)
{
    if (!find_smbstatus(look)) {
        return false;
    }
    find_testparm(look);
    return true;
}
