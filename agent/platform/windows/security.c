/* Access lists: what we make for ourselves, and whether others can change what we rely on. */
#include <stdio.h>
#include <stdlib.h>

#include <winsock2.h>

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include "agent/base/memory.h"
#include "agent/platform/windows/system.h"

#define SECURITY_PATH_SHOWN 200

/* The account that owns the Windows installation itself: NT SERVICE\TrustedInstaller. */
static const wchar_t security_installer[] =
    L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";

/* Our own account; freed by the caller. NULL: GetLastError() says why. */
static TOKEN_USER *
security_user(void)
{
    HANDLE token;
    DWORD size = 0;
    TOKEN_USER *user = NULL;
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        (void)GetTokenInformation(token, TokenUser, NULL, 0, &size);
        user = sw_calloc(1, size + sizeof(*user));
        if (!GetTokenInformation(token, TokenUser, user, size, &size)) {
            free(user);
            user = NULL;
        }
        CloseHandle(token);
    }
    return user;
}

bool
win_private_init(struct win_private *private, struct sw_err *err)
{
    wchar_t text[256];
    wchar_t *sid = NULL;
    *private = (struct win_private){.attributes = {.nLength = sizeof(private->attributes)}};
    TOKEN_USER *user = security_user();
    bool done = user != NULL && ConvertSidToStringSidW(user->User.Sid, &sid);
    if (done) {
        /* Protected, full access, inherited by files and folders. */
        swprintf(text, sizeof(text) / sizeof(text[0]),
            L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;%ls)", sid);
        done = ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text, SDDL_REVISION_1, &private->descriptor, NULL);
    }
    DWORD code = GetLastError();
    private->attributes.lpSecurityDescriptor = private->descriptor;
    LocalFree(sid);
    free(user);
    return done || win_fail(err, code, "find out who we are");
}

void
win_private_fini(struct win_private *private)
{
    LocalFree(private->descriptor);
    *private = (struct win_private){.descriptor = NULL};
}

static bool
security_is_trusted(PSID sid)
{
    static const WELL_KNOWN_SID_TYPE known[] = {WinLocalSystemSid, WinBuiltinAdministratorsSid,
        WinCreatorOwnerSid, WinCreatorOwnerRightsSid};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (IsWellKnownSid(sid, known[i])) {
            return true;
        }
    }
    TOKEN_USER *user = security_user();
    bool trusted = user != NULL && EqualSid(user->User.Sid, sid);
    free(user);
    wchar_t *text = NULL;
    if (!trusted && ConvertSidToStringSidW(sid, &text)) {
        trusted = wcscmp(text, security_installer) == 0;
    }
    LocalFree(text);
    return trusted;
}

/* "DOMAIN\name", or the SID's own text. */
static void
security_name(PSID sid, char *text, size_t size)
{
    wchar_t name[256];
    wchar_t domain[256];
    DWORD name_size = 256;
    DWORD domain_size = 256;
    SID_NAME_USE use;
    wchar_t *plain = NULL;
    if (LookupAccountSidW(NULL, sid, name, &name_size, domain, &domain_size, &use)) {
        char *narrow_name = win_narrow(name);
        char *narrow_domain = win_narrow(domain);
        snprintf(
            text, size, "%.60s%s%.60s", narrow_domain, domain[0] != L'\0' ? "\\" : "", narrow_name);
        free(narrow_name);
        free(narrow_domain);
    } else if (ConvertSidToStringSidW(sid, &plain)) {
        char *narrow = win_narrow(plain);
        snprintf(text, size, "%.120s", narrow);
        free(narrow);
        LocalFree(plain);
    } else {
        snprintf(text, size, "somebody");
    }
}

static DWORD
security_mask(enum win_access access)
{
    const DWORD own = WRITE_DAC | WRITE_OWNER | DELETE | GENERIC_ALL | GENERIC_WRITE;
    switch (access) {
    case WIN_ACCESS_READ:
        return own | FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_READ_DATA | GENERIC_READ;
    case WIN_ACCESS_REPLACE:
        return own | FILE_WRITE_DATA | FILE_APPEND_DATA;
    default:
        /* To add something beside it, as all users may in C:\, harms nobody. */
        return own | FILE_DELETE_CHILD;
    }
}

/* The first one who has any of those rights and should not: NULL, nobody. */
static PSID
security_find_stranger(ACL *list, DWORD mask)
{
    for (DWORD i = 0; list != NULL && i < list->AceCount; i++) {
        void *entry;
        if (!GetAce(list, i, &entry)) {
            continue;
        }
        ACCESS_ALLOWED_ACE *ace = entry;
        bool counts = (ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE ||
                          ace->Header.AceType == ACCESS_ALLOWED_CALLBACK_ACE_TYPE) &&
                      (ace->Header.AceFlags & INHERIT_ONLY_ACE) == 0;
        if (counts && (ace->Mask & mask) != 0 && !security_is_trusted(&ace->SidStart)) {
            return &ace->SidStart;
        }
    }
    return NULL;
}

bool
win_access_check(HANDLE file, const char *path, enum win_access access, struct sw_err *err)
{
    PSID owner = NULL;
    ACL *list = NULL;
    void *descriptor = NULL;
    char name[128];
    DWORD code = GetSecurityInfo(file, SE_FILE_OBJECT,
        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &list, NULL,
        &descriptor);
    if (code != ERROR_SUCCESS) {
        return win_fail(err, code, "%s: ask who may change it", path);
    }
    static const char *const verbs[] = {"read or change", "change", "replace what lies in"};
    PSID stranger = list != NULL ? security_find_stranger(list, security_mask(access)) : NULL;
    bool good = false;
    if (list == NULL) {
        sw_err_set(err, "%.*s: has no access list, anybody can change it: icacls \"%.*s\" /reset",
            SECURITY_PATH_SHOWN, path, SECURITY_PATH_SHOWN, path);
    } else if (owner != NULL && !security_is_trusted(owner)) {
        security_name(owner, name, sizeof(name));
        sw_err_set(err,
            "%.*s: belongs to %s, who can change it: icacls \"%.*s\" /setowner Administrators",
            SECURITY_PATH_SHOWN, path, name, SECURITY_PATH_SHOWN, path);
    } else if (stranger != NULL) {
        security_name(stranger, name, sizeof(name));
        sw_err_set(err, "%.*s: %s can %s it: icacls \"%.*s\" /inheritance:d /remove \"%s\"",
            SECURITY_PATH_SHOWN, path, name, verbs[access], SECURITY_PATH_SHOWN, path, name);
    } else {
        good = true;
    }
    LocalFree(descriptor);
    return good;
}
