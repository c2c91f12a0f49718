/*
 * Where smbd keeps its lock files, and what they say about smbd itself. smbstatus answers "nobody"
 * with status 0 when it reads another lock folder or cannot see smbd's processes; the locks that a
 * running smbd holds tell these apart from a server that nobody uses.
 */
#ifndef SW_SOURCES_SAMBA_SMBD_PLACE_H
#define SW_SOURCES_SAMBA_SMBD_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/error.h"
#include "agent/platform/platform.h"

struct sw_smbd_place {
    char *pid_file;     /* smbd.pid, locked by smbd for its life; NULL: not known yet */
    char *locking_file; /* locking.tdb, made by smbd and held open by it */
    bool guessed;       /* testparm did not say: the system's usual folder */
};

/* Asks testparm (NULL: guesses) for the folders of smb_conf (NULL: Samba's default). */
void sw_smbd_place_find(struct sw_smbd_place *place, const char *testparm, const char *smb_conf,
    int64_t deadline_ns, const struct sw_latch *stop);
void sw_smbd_place_fini(struct sw_smbd_place *place);

bool sw_smbd_place_equal(const struct sw_smbd_place *a, const struct sw_smbd_place *b);

enum sw_smbd {
    SW_SMBD_STOPPED,   /* nobody holds smbd.pid */
    SW_SMBD_RUNS,      /* as one of the processes that we see */
    SW_SMBD_ELSEWHERE, /* in another PID namespace: smbstatus sees the wrong processes or none */
    SW_SMBD_UNKNOWN,   /* err says why it cannot be told */
};

enum sw_smbd sw_smbd_place_state(const struct sw_smbd_place *place, struct sw_err *err);

/* The pure part: what the lock's holder as we see it (0: a process of another namespace) and the
 * number smbd wrote into its file (0: none) say together. */
enum sw_smbd sw_smbd_place_judge(int64_t holder, uint64_t written);

#endif
