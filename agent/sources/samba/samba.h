/* What the files of this source share. */
#ifndef SW_SOURCES_SAMBA_SAMBA_H
#define SW_SOURCES_SAMBA_SAMBA_H

#include "agent/source.h"
#include "agent/sources/samba/smbd_place.h"

#define SW_SAMBA_NICE 5 /* smbstatus is no reason to serve files later */

/* All that Samba's programs are given: times in UTC, words in English. */
extern const char *const sw_samba_environment[];

struct sw_samba_conf {
    const char *smbstatus; /* NULL: found in the system's folders */
    const char *smb_conf;  /* NULL: Samba's default */
};

/* How one run of smbstatus ended. */
enum sw_samba_run {
    SW_SAMBA_RUN_OK,
    SW_SAMBA_RUN_FAILED,   /* err says why */
    SW_SAMBA_RUN_REFUSED,  /* it needs root */
    SW_SAMBA_RUN_TRY_TEXT, /* JSON was too much for its limits, or is not known to it */
};

struct sw_samba_command {
    const char *smbstatus;
    const char *smb_conf;
    bool text; /* -n -p instead of --json -p */
    bool fast; /* -f: also rows whose process is not seen */
    int64_t deadline_ns;
    const struct sw_latch *stop;
};

/* Runs smbstatus within its limits and judges exit status and standard error; the result must be
 * finished by the caller in all cases. */
enum sw_samba_run sw_samba_run(
    const struct sw_samba_command *command, struct sw_process_result *result, struct sw_err *err);

/* The pure part: an ended run. */
enum sw_samba_run
sw_samba_run_judge(const struct sw_process_result *result, bool text, struct sw_err *err);

#endif
