#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <winsock2.h>

#include <windows.h>

#include <bcrypt.h>
#include <shellapi.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

#define HOST_NAME_MAX 256

/* What the console had before us; 0: not changed. */
static UINT host_code_page;

static void
host_restore_console(void)
{
    SetConsoleOutputCP(host_code_page);
}

/* Records and documents are bytes: no carriage return is put in, no Ctrl+Z ends them. */
static void
host_set_streams(void)
{
    (void)_setmode(0, _O_BINARY);
    (void)_setmode(1, _O_BINARY);
    (void)_setmode(2, _O_BINARY);
    /* Not a matter of course here: what is logged would come at the end. */
    (void)setvbuf(stderr, NULL, _IONBF, 0);
    if ((sw_is_terminal(1) || sw_is_terminal(2)) && GetConsoleOutputCP() != CP_UTF8) {
        host_code_page = GetConsoleOutputCP();
        if (host_code_page != 0 && SetConsoleOutputCP(CP_UTF8)) {
            atexit(host_restore_console);
        }
    }
}

/* Argument strings live as long as the program. */
void
sw_program_init(int *argc, char ***argv)
{
    int count = 0;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    if (wide != NULL) {
        char **narrow = sw_calloc((size_t)count + 1, sizeof(*narrow));
        for (int i = 0; i < count; i++) {
            narrow[i] = win_narrow(wide[i]);
        }
        LocalFree(wide);
        *argc = count;
        *argv = narrow;
    }
    /* A file that is not there shall be an error, not a window that asks for a disk; programs are
     * not looked for in the current folder. */
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    (void)SetDllDirectoryW(L"");
    (void)SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    host_set_streams();
}

/* ---- environment */

static pthread_once_t host_environment_once = PTHREAD_ONCE_INIT;
static char **host_environment; /* "NAME=value"; ends with NULL */

static void
host_read_environment(void)
{
    wchar_t *block = GetEnvironmentStringsW();
    size_t count = 0;
    for (const wchar_t *at = block; at != NULL && *at != L'\0'; at += wcslen(at) + 1) {
        count++;
    }
    host_environment = sw_calloc(count + 1, sizeof(*host_environment));
    const wchar_t *at = block;
    for (size_t i = 0; i < count; i++) {
        host_environment[i] = win_narrow(at);
        at += wcslen(at) + 1;
    }
    if (block != NULL) {
        FreeEnvironmentStringsW(block);
    }
}

const char *
sw_environment_get(const char *name)
{
    size_t size = strlen(name);
    pthread_once(&host_environment_once, host_read_environment);
    for (size_t i = 0; host_environment[i] != NULL; i++) {
        if (_strnicmp(host_environment[i], name, size) == 0 && host_environment[i][size] == '=') {
            return host_environment[i] + size + 1;
        }
    }
    return NULL;
}

/* ---- machine */

void
sw_random(void *context, uint8_t *bytes, size_t size)
{
    (void)context;
    while (size > 0) {
        ULONG now = size < 65536 ? (ULONG)size : 65536;
        if (BCryptGenRandom(NULL, bytes, now, BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
            fputs("sharewatch: the system gives no random bytes\n", stderr);
            abort();
        }
        bytes += now;
        size -= now;
    }
}

void
sw_host_name(struct sw_buf *buf)
{
    wchar_t name[HOST_NAME_MAX];
    DWORD size = HOST_NAME_MAX;
    if (!GetComputerNameExW(ComputerNameDnsHostname, name, &size) || name[0] == L'\0') {
        sw_buf_add_text(buf, "localhost");
        return;
    }
    char *narrow = win_narrow(name);
    sw_buf_add(buf, narrow, strcspn(narrow, "."));
    free(narrow);
}

/* The process heap gives memory back by itself. */
void
sw_memory_tune(void)
{
}

void
sw_memory_trim(void)
{
    (void)HeapCompact(GetProcessHeap(), 0);
}

/* Administrators who have not been asked for their consent are none. */
bool
sw_is_superuser(void)
{
    BYTE sid[SECURITY_MAX_SID_SIZE];
    DWORD size = sizeof(sid);
    BOOL is_member = FALSE;
    return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, sid, &size) &&
           CheckTokenMembership(NULL, sid, &is_member) && is_member;
}

/* Accounts have no numbers here. */
bool
sw_user_name(uint32_t uid, struct sw_buf *buf)
{
    (void)uid;
    (void)buf;
    return false;
}

void
sw_service_notify(const char *state)
{
    (void)state;
}

/* Not isatty(): it takes every device for a terminal, also NUL. */
bool
sw_is_terminal(int fd)
{
    static const DWORD which[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    DWORD mode;
    return fd >= 0 && fd < 3 && GetConsoleMode(GetStdHandle(which[fd]), &mode);
}
