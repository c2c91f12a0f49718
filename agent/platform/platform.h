/*
 * The whole port contract: what the agent asks of an operating system. posix/ and windows/ hold
 * the same file names (append.c, clock.c, file.c, host.c, latch.c, library.c, path.c, process.c,
 * resolve.c, signals.c, stream.c, thread.c, udp.c); nothing outside this folder knows which system
 * it runs on. Threads, mutexes and conditions are the pthread API everywhere (winpthreads on
 * Windows).
 *
 * Paths and texts are UTF-8. Every descriptor is opened so that programs we start do not inherit
 * it. Functions that can fail return false with err set; a code in it is an errno everywhere.
 */
#ifndef SW_PLATFORM_H
#define SW_PLATFORM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "agent/base/string.h"

/* Where configuration and state are when nobody names another place. A path may begin with
 * %ProgramData% on Windows. */
#ifdef _WIN32
#define SW_DEFAULT_CONFIG    "%ProgramData%\\sharewatch\\sharewatch.yaml"
#define SW_DEFAULT_STATE_DIR "%ProgramData%\\sharewatch\\state"
#else
#define SW_DEFAULT_CONFIG    "/etc/sharewatch/sharewatch.yaml"
#define SW_DEFAULT_STATE_DIR "/var/lib/sharewatch"
#endif

/* ---- clock.c */

/* Nanoseconds since 1970-01-01 UTC; may step either way. */
int64_t sw_clock_wall_ns(void);

/* Seconds that the system's zone is east of UTC at a time, summer time included; 0 if unknown. */
int64_t sw_clock_local_offset_s(int64_t wall_ns);

/* A clock that only goes forward and counts sleep; begins anew at boot. All deadlines are on it. */
int64_t sw_clock_boot_ns(void);

/* Names this boot, so that boot-clock readings of another are not compared: "" if unknown. */
#define SW_BOOT_ID_SIZE 64
void sw_clock_boot_id(char text[SW_BOOT_ID_SIZE]);

/* ---- thread.c */

/* Starts a thread with a small stack (128 KiB; more under sanitizers) and all signals blocked. */
bool sw_thread_start(
    pthread_t *thread, void *(*run)(void *), void *argument, const char *name, struct sw_err *err);

/* The same with a stack of 1 MiB, for what runs code that we do not know (name services). */
bool sw_thread_start_roomy(
    pthread_t *thread, void *(*run)(void *), void *argument, const char *name, struct sw_err *err);

/* A condition variable for sw_cond_wait_until. */
void sw_cond_init(pthread_cond_t *cond);

/* pthread_cond_timedwait on the boot clock; until_ns INT64_MAX waits for ever. true: the time is
 * over. Spurious returns (false) happen. Where the machine slept meanwhile it may end late, by the
 * time asleep at most; sw_latch_wait and sw_signals_wait end right after it wakes. */
bool sw_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ns);

/* ---- latch.c: a flag that is set once and that anybody can wait for, also with poll(). */

struct sw_latch {
    int fds[2]; /* the platform's own business */
    bool set;   /* read and written atomically */
};

bool sw_latch_init(struct sw_latch *latch, struct sw_err *err);
void sw_latch_fini(struct sw_latch *latch);
/* Any thread; never blocks. */
void sw_latch_set(struct sw_latch *latch);
bool sw_latch_is_set(const struct sw_latch *latch);
/* Blocks until the latch is set (true) or the boot clock passes until_ns (false). */
bool sw_latch_wait(const struct sw_latch *latch, int64_t until_ns);

/* ---- host.c */

/* The arguments as UTF-8 (kept until the program ends), standard streams as plain bytes. First of
 * all in main(). */
void sw_program_init(int *argc, char ***argv);

/* A variable of the environment, borrowed for good; NULL: not set. */
const char *sw_environment_get(const char *name);

/* Cryptographically random bytes; aborts if the system has none. */
void sw_random(void *context, uint8_t *bytes, size_t size);

/* The machine's name as other machines say it, without domain where the system has it so. */
void sw_host_name(struct sw_buf *buf);

/* Turns the allocator's habits towards a small resident size (one arena, memory given back). To
 * be called once, before threads. */
void sw_memory_tune(void);

/* Gives free memory back to the system. */
void sw_memory_trim(void);

bool sw_is_superuser(void);

/* The user's name for a numeric id (smbstatus -n); false when there is none. */
bool sw_user_name(uint32_t uid, struct sw_buf *buf);

/* Tells the service manager, if there is one (sd_notify protocol: "READY=1", "STATUS=…"). */
void sw_service_notify(const char *state);

/* Text a person types at the terminal, or reads there: is fd 0 (1, 2) a terminal? */
bool sw_is_terminal(int fd);

/* ---- library.c: a shared library that is only loaded when it is needed. A system where it is
 * linked in instead answers from a table of its own. */

struct sw_library {
    void *handle; /* the platform's own business; NULL: closed */
};

/* A function whose type only the caller knows. */
typedef void (*sw_symbol)(void);

/* name: as the system's loader looks for it ("libcurl.so.4"). */
bool sw_library_open(struct sw_library *library, const char *name, struct sw_err *err);
/* NULL: it has none of that name. */
sw_symbol sw_library_symbol(const struct sw_library *library, const char *name);
void sw_library_close(struct sw_library *library);

/* ---- signals.c: the main thread's way to hear from outside. */

enum sw_signal { SW_SIGNAL_NONE, SW_SIGNAL_STOP, SW_SIGNAL_RELOAD, SW_SIGNAL_WAKE };

/* Blocks the signals that sw_signals_wait reports (SIGTERM, SIGINT, SIGHUP) and ignores SIGPIPE.
 * Before any thread is started. */
void sw_signals_init(void);

/* The next one, or NONE when the boot clock passes until_ns (INT64_MAX: never). */
enum sw_signal sw_signals_wait(int64_t until_ns);

/* Makes sw_signals_wait return WAKE, so that the main thread looks at what other threads say. Any
 * thread. */
void sw_signals_wake(void);

/* Ends the program at once if a second stop comes (default action again); one that comes within
 * 50 ms is the first one's twin and does not count. */
void sw_signals_second_stop_kills(void);

/* ---- file.c */

/* From now on what this process makes is its owner's alone, unless its mode is set afterwards. To
 * be called once, before threads. */
void sw_files_private(void);

/* Makes a folder (0700, its parents must exist) or accepts one that is ours. */
bool sw_folder_make(const char *path, struct sw_err *err);

/* false when path lies on a network file system, on which locks and syncs cannot be trusted. */
bool sw_folder_is_local(const char *path, struct sw_err *err);

/* Takes the lock file path (made if missing) for this process; *lock is an open descriptor that
 * keeps it. false, with *taken true, when another process has it. */
bool sw_lock_take(const char *path, int *lock, bool *taken, struct sw_err *err);
void sw_lock_release(int lock);

/* Whether some process holds a lock on the whole file (as smbd does on smbd.pid). A file that is
 * not there is not locked. false: cannot be told. */
bool sw_lock_is_held(const char *path, bool *held, struct sw_err *err);

/* Reads a whole file of at most max bytes. Initialises *buf with that maximum; the caller gives it
 * to sw_buf_fini in every case. Follows symbolic links, as configuration and secrets often are:
 * ask sw_file_is_trusted first. Everything else here refuses a link as the last part of a path. */
bool sw_file_read(const char *path, size_t max, struct sw_buf *buf, struct sw_err *err);

/* false (err names the path and the remedy) when somebody other than root and ourselves can write
 * the file, a folder above it, or one on the way of a symbolic link that leads to it. */
bool sw_file_is_trusted(const char *path, struct sw_err *err);

bool sw_file_exists(const char *path);

/* Makes an empty file that is ours alone (0600); one that is there stays as it is. */
bool sw_file_make(const char *path, struct sw_err *err);

/* A file that is not there is fine. */
bool sw_file_remove(const char *path, struct sw_err *err);

/* Calls visit for each name in a folder, `.` and `..` left out, in no order. What visit removes or
 * makes may be told or not. */
bool sw_folder_each(const char *path, void (*visit)(void *context, const char *name), void *context,
    struct sw_err *err);

/* Makes a rename or a new file in path's folder durable. */
bool sw_folder_sync(const char *path, struct sw_err *err);

/* ---- path.c */

/* Append the folder part of path ("." when it has none), and path if absolute, else folder/path. */
void sw_path_folder(const char *path, struct sw_buf *buf);
void sw_path_join(const char *folder, const char *path, struct sw_buf *buf);
bool sw_path_is_absolute(const char *path);

/* The last part of path, borrowed; with the slashes behind it, if there are any. */
const char *sw_path_name(const char *path);

/* The absolute path of what is there, without links on its way; freed by the caller. NULL: err. */
char *sw_path_resolve(const char *path, struct sw_err *err);

/* ---- stream.c */

/* Opens a regular file to read bytes; follows links. *size: what it has now. NULL: err. */
FILE *sw_file_open(const char *path, uint64_t *size, struct sw_err *err);

/* A file to write and read again that has no name, or is removed when it is closed. NULL: err. */
FILE *sw_file_temporary(struct sw_err *err);

/* ---- append.c: a file that records are only ever added to, or standard output. */

struct sw_append {
    int fd;                  /* -1: closed */
    bool is_ours;            /* opened by sw_append_open; standard output is not */
    bool waits;              /* may block for as long as nobody reads it */
    uint64_t device, number; /* which file it is, to notice that path leads elsewhere */
};

/* Opens the regular file path to read and append, or makes it, for its owner and group (0640, or
 * mode and group of `like`, the file it follows; NULL: none). A link, folder, pipe or device is
 * refused. One open at a time: *taken says that another process, or another part of this one,
 * writes it. *made: it was not there. */
bool sw_append_open(struct sw_append *file, const char *path, const struct sw_append *like,
    bool *made, bool *taken, struct sw_err *err);
void sw_append_open_stdout(struct sw_append *file);
void sw_append_close(struct sw_append *file); /* closed: fine */

/* Writes the parts one after the other, with as few calls of the system as it takes. A pipe or
 * terminal is waited for until the deadline or until stop (may be NULL) is set. *written counts the
 * bytes that went out, also when it fails. */
bool sw_append_write(struct sw_append *file, const struct sw_str *parts, size_t count,
    int64_t deadline_ns, const struct sw_latch *stop, uint64_t *written, struct sw_err *err);

/* The codes in err of sw_append_write that mean more than "it failed". */
bool sw_append_is_full(const struct sw_err *err);   /* disk, quota or the limit of a file's size */
bool sw_append_is_closed(const struct sw_err *err); /* nobody reads standard output any more */

/* Until the bytes are on the disk; true for what has none. */
bool sw_append_sync(struct sw_append *file, struct sw_err *err);

bool sw_append_size(const struct sw_append *file, uint64_t *size, struct sw_err *err);
bool sw_append_truncate(struct sw_append *file, uint64_t size, struct sw_err *err);
/* Appends at most max bytes from `from` on. */
bool sw_append_read(const struct sw_append *file, uint64_t from, size_t max, struct sw_buf *buf,
    struct sw_err *err);

/* Whether path still leads to this file (nobody has renamed or removed it). */
bool sw_append_is_at(const struct sw_append *file, const char *path);

/* Renames; what was at `to` goes. */
bool sw_file_rename(const char *from, const char *to, struct sw_err *err);

/* ---- process.c */

struct sw_process {
    const char *const *argv;     /* argv[0] is an absolute path; ends with NULL */
    const char *const *env;      /* all of the environment; ends with NULL */
    size_t stdout_max;           /* bytes; more is a failure */
    size_t stderr_max;           /* bytes kept; more is read and dropped */
    uint64_t memory_max;         /* address space in bytes; 0: no limit */
    int nice;                    /* added to ours */
    int64_t deadline_ns;         /* boot clock: then it is killed */
    const struct sw_latch *stop; /* set: killed; may be NULL */
};

struct sw_process_result {
    struct sw_buf out; /* stdout */
    struct sw_buf err; /* stderr */
    int exit_status;   /* -1: ended by a signal, or killed */
    int signal;        /* Windows: the low half of the exception's code */
};

/*
 * Runs a program to its end in a process group of its own: standard input is empty, descriptors
 * above 2 are closed, no shell. What is left of the group when it ends, overruns or floods is
 * killed. true: it ended by itself within its limits (whatever its exit status). false: it could
 * not be started, overran, wrote too much or was stopped; err says which. The result is filled
 * as far as it goes and must be given to sw_process_result_fini in both cases.
 */
bool sw_process_run(
    const struct sw_process *process, struct sw_process_result *result, struct sw_err *err);
void sw_process_result_fini(struct sw_process_result *result);

/* The least that a program needs here: PATH with the system's folders and what nothing runs
 * without; ends with NULL. */
const char *const *sw_process_environment(void);

/* ---- resolve.c: the addresses of a name. */

/* Of a receiver: plain data. */
struct sw_address {
    bool is_ipv6;
    uint8_t bytes[16]; /* IPv4: the first 4, the others are 0 */
    uint32_t scope;    /* of a link-local IPv6 address; 0 */
    uint16_t port;
};

bool sw_address_equal(const struct sw_address *a, const struct sw_address *b);
/* Appends 10.0.0.7 or 2001:db8::1, without the port. */
void sw_address_add(struct sw_buf *buf, const struct sw_address *address);

#define SW_ADDRESSES_MAX 16

struct sw_addresses {
    struct sw_address items[SW_ADDRESSES_MAX]; /* the system's order of preference */
    size_t count;
    int64_t found_at_ns; /* boot clock */
};

/* What looks up one name, again and again. One thread at a time. */
struct sw_resolver; /* opaque */

/* host: a name, or an IPv4 or IPv6 address (with %scope, without brackets). No I/O. */
struct sw_resolver *sw_resolver_new(const char *host, uint16_t port);
/* Never waits: a lookup that is under way ends by itself some day. NULL is fine. */
void sw_resolver_free(struct sw_resolver *resolver);

enum sw_lookup {
    SW_LOOKUP_DONE,   /* *found has at least one */
    SW_LOOKUP_FAILED, /* err says why */
    SW_LOOKUP_WAITS,  /* no answer yet when the time was over or stop was set; err says so */
};

/* Looks the name up and waits for the answer until the deadline (boot clock) or until stop (may be
 * NULL) is set. The system may take minutes and cannot be interrupted, so that it is asked by a
 * thread of its own: a lookup that is not waited for goes on, the next call waits for that one,
 * and there is never a second beside it. An address needs neither. */
enum sw_lookup sw_resolver_ask(struct sw_resolver *resolver, struct sw_addresses *found,
    int64_t deadline_ns, const struct sw_latch *stop, struct sw_err *err);

/* ---- udp.c: datagrams to one address. */

struct sw_udp {
    int fd; /* the platform's own business; -1: closed */
};

enum sw_udp_fault {
    SW_UDP_NONE,
    SW_UDP_REFUSED, /* nobody listens there: a datagram sent earlier, no saying which, came back */
    SW_UDP_UNREACHABLE, /* no way there (route, firewall), or an earlier one came back so */
    SW_UDP_TOO_BIG,     /* the next datagram does not fit; others may */
    SW_UDP_NO_ROOM,     /* the system's or the network card's queue is full at this moment */
    SW_UDP_WAITS,       /* nothing was taken until the deadline, or stop was set */
    SW_UDP_BROKEN,      /* anything else */
};

/* A socket that sends to that address and hears what the network says about it. Large datagrams
 * are sent in fragments. */
enum sw_udp_fault
sw_udp_open(struct sw_udp *udp, const struct sw_address *address, struct sw_err *err);
void sw_udp_close(struct sw_udp *udp); /* closed: fine */

/* Hands the datagrams to the system, as many a call as it takes; waits until the deadline or stop
 * (may be NULL) while it takes none. *sent of them, the first, are on their way, also when there
 * is a fault: then it is about the next, or (REFUSED, UNREACHABLE) perhaps about one before. */
enum sw_udp_fault sw_udp_send(struct sw_udp *udp, const struct sw_str *datagrams, size_t count,
    int64_t deadline_ns, const struct sw_latch *stop, size_t *sent, struct sw_err *err);

/* What the network has said since about datagrams that went out, waited for until the boot clock
 * passes until_ns (0: not at all). NONE: nothing bad. */
enum sw_udp_fault
sw_udp_hear(struct sw_udp *udp, int64_t until_ns, const struct sw_latch *stop, struct sw_err *err);

#endif
