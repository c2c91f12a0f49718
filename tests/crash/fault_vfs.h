/*
 * An SQLite VFS over the default one that can fail, for tests only.
 *
 * Every xOpen, xWrite, xSync, xTruncate and xDelete of a main database, WAL or journal is counted
 * from 1. A plan says what happens at which of them. One plan at a time, for the whole process;
 * any thread may do the I/O, one thread arms.
 *
 *     sw_fault_vfs_register(false);
 *     options.vfs = SW_FAULT_VFS;
 *     sw_fault_arm(&(struct sw_fault_plan){.at = 17, .kind = SW_FAULT_FULL});
 *
 * A whole program is armed from outside: its test build calls sw_fault_vfs_from_environment()
 * before it opens anything, which reads
 *
 *     SHAREWATCH_TEST_FAULT="kind=ioerr at=17 count=3"
 *
 * and makes the VFS the default one. Without the variable nothing happens. There KILL and POWER end
 * the process at once, with SW_FAULT_EXIT_STATUS: a program that lives on would go on sending what
 * was never stored.
 */
#ifndef SW_FAULT_VFS_H
#define SW_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

#define SW_FAULT_VFS         "sw-fault"
#define SW_FAULT_ENVIRONMENT "SHAREWATCH_TEST_FAULT"
#define SW_FAULT_EXIT_STATUS 99

/* X(NAME, "name in the environment") */
#define SW_FAULT_KINDS(X)                                                                          \
    X(NONE, "none")                                                                                \
    /* Fails with SQLITE_IOERR_*; nothing is done. */                                              \
    X(IOERR, "ioerr")                                                                              \
    /* A write does its first half and fails with SQLITE_FULL; other calls fail with it. */        \
    X(FULL, "full")                                                                                \
    /* A write does its first half and fails with SQLITE_IOERR_WRITE; others as IOERR. */          \
    X(SHORT, "short")                                                                              \
    /* It is done, and reported as failed: SQLITE_IOERR_*. */                                      \
    X(LIE, "lie")                                                                                  \
    /* From here on nothing reaches the files and everything "succeeds": a kill -9, of which the   \
     * program does not know. Close, disarm, and open again to see what is left. */                \
    X(KILL, "kill")                                                                                \
    /* As KILL, and what was not synced is undone: all of it, or (seed != 0) a part of it. */      \
    X(POWER, "power")                                                                              \
    /* The process ends with status 99, before the call; of a write the first half is done. */     \
    X(EXIT, "exit")

enum sw_fault_kind {
#define X(name, text) SW_FAULT_##name,
    SW_FAULT_KINDS(X)
#undef X
};

struct sw_fault_plan {
    enum sw_fault_kind kind;
    uint64_t at;    /* the first call that fails; counted from the arming */
    uint64_t count; /* so many in a row fail; 0 is 1. KILL, POWER and EXIT: for ever */
    uint64_t seed;  /* POWER: which writes survive; 0: none that was not synced */
};

/* Makes the VFS known to SQLite, and the default one if wanted. Once or more often. */
void sw_fault_vfs_register(bool make_default);

/* false: the variable is there and makes no sense (said on standard error). */
bool sw_fault_vfs_from_environment(void);

/* Counts from 0 again. NULL: nothing fails. */
void sw_fault_arm(const struct sw_fault_plan *plan);

/* Calls since the arming, and how many of them the plan has met. */
uint64_t sw_fault_calls(void);
uint64_t sw_fault_fired(void);

#endif
