/* One look of the samba source, between the files that share the work. */
#ifndef SW_SOURCES_SAMBA_LOOK_H
#define SW_SOURCES_SAMBA_LOOK_H

#include "agent/sources/samba/samba.h"
#include "agent/sources/samba/smbstatus.h"

#define SW_SAMBA_SAID_MAX 16 /* distinct lines of standard error that are logged */

struct sw_samba_state {
    struct sw_smbd_place place; /* as of the last time it was asked */
    bool place_doubted;         /* a look failed since: ask again */
    bool no_trace_said;
    struct sw_uid_names names;
    bool text;                /* the form of the next look */
    unsigned text_looks;      /* how long at least */
    unsigned text_looks_next; /* how long the next time JSON is too much */
    uint64_t said[SW_SAMBA_SAID_MAX];
    size_t said_count;
};

/* One look under way. */
struct sw_samba_look {
    struct sw_source *source;
    const struct sw_samba_conf *conf;
    struct sw_samba_state *state;
    const struct sw_look_request *request;
    struct sw_builder *builder;
    struct sw_err *err;
    char *smbstatus;
    char *testparm; /* NULL: not there, or not to be trusted */
    struct sw_smbstatus_counts counts;
    bool proven;
    bool server_stopped;
};

/* Finds smbstatus (configured or in the system's folders) and the testparm beside it; only
 * programs that nobody else can change. The look owns the paths. */
bool sw_samba_find_programs(struct sw_samba_look *look);

/* Logs each distinct line that smbstatus wrote to standard error once. */
void sw_samba_say_stderr(struct sw_samba_look *look, struct sw_str text);

/* smbstatus with the look's limits; text: which form. */
struct sw_samba_command sw_samba_command_of(const struct sw_samba_look *look, bool text);

/* Makes sure that the list in look->counts can be whole: that nobody is really nobody, and that
 * smbstatus sees smbd's processes. Sets proven and server_stopped; false: err says the doubt. */
bool sw_samba_believe(struct sw_samba_look *look);

#endif
