/* UTF-8 everywhere else, UTF-16 here. */
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/string.h"
#include "agent/platform/windows/system.h"

#define TEXT_LONG 240 /* characters: below MAX_PATH by what a folder leaves for names in it */

/* A lone surrogate as WTF-8 writes it: ED, A0 to BF, 80 to BF. */
static bool
text_is_surrogate(const unsigned char *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xED && bytes[1] >= 0xA0 && bytes[1] <= 0xBF &&
           (bytes[2] & 0xC0) == 0x80;
}

static wchar_t *
text_put(wchar_t *at, uint32_t code_point)
{
    if (code_point >= 0x10000) {
        *at++ = (wchar_t)(0xD800 + ((code_point - 0x10000) >> 10));
        code_point = 0xDC00 + ((code_point - 0x10000) & 0x3FF);
    }
    *at++ = (wchar_t)code_point;
    return at;
}

wchar_t *
win_wide(const char *text)
{
    size_t size = strlen(text);
    wchar_t *wide = sw_calloc(size + 1, sizeof(*wide));
    wchar_t *end = wide;
    while (size > 0) {
        uint32_t code_point;
        size_t used = sw_utf8_next(text, size, &code_point);
        const unsigned char *bytes = (const unsigned char *)text;
        if (code_point == SW_UTF8_BAD && text_is_surrogate(bytes, size)) {
            code_point = 0xD000u | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
            used = 3;
        }
        end = text_put(end, code_point == SW_UTF8_BAD ? 0xFFFD : code_point);
        text += used;
        size -= used;
    }
    return wide;
}

char *
win_narrow(const wchar_t *text)
{
    struct sw_buf buf;
    sw_buf_init(&buf, SIZE_MAX / 2);
    for (; *text != L'\0'; text++) {
        uint32_t code_point = *text;
        if (code_point >= 0xD800 && code_point < 0xDC00 && text[1] >= 0xDC00 && text[1] < 0xE000) {
            code_point = 0x10000 + ((code_point - 0xD800) << 10) + (text[1] - 0xDC00u);
            text++;
        }
        sw_utf8_add(&buf, code_point);
    }
    return sw_buf_take(&buf);
}

/* \\?\ switches off everything that makes paths of people work, so only where nothing else does. */
static wchar_t *
text_lengthen(wchar_t *full, size_t size)
{
    bool is_share = full[0] == L'\\' && full[1] == L'\\';
    if (size < TEXT_LONG || (is_share && (full[2] == L'?' || full[2] == L'.'))) {
        return full;
    }
    const wchar_t *prefix = is_share ? L"\\\\?\\UNC" : L"\\\\?\\";
    const wchar_t *rest = is_share ? full + 1 : full;
    wchar_t *longer = sw_calloc(size + 16, sizeof(*longer));
    wcscpy(longer, prefix);
    wcscat(longer, rest);
    free(full);
    return longer;
}

static wchar_t *
text_expand(const char *path)
{
    const size_t size = sizeof(WIN_PROGRAM_DATA) - 1;
    const char *folder = sw_environment_get("ProgramData");
    if (_strnicmp(path, WIN_PROGRAM_DATA, size) != 0) {
        return win_wide(path);
    }
    struct sw_buf buf;
    sw_buf_init(&buf, SIZE_MAX / 2);
    sw_buf_printf(&buf, "%s%s", folder != NULL ? folder : "C:\\ProgramData", path + size);
    wchar_t *wide = win_wide(sw_buf_text(&buf));
    sw_buf_fini(&buf);
    return wide;
}

wchar_t *
win_path(const char *path, struct sw_err *err)
{
    wchar_t *wide = text_expand(path);
    DWORD size = GetFullPathNameW(wide, 0, NULL, NULL);
    wchar_t *full = size > 0 ? sw_calloc((size_t)size + 1, sizeof(*full)) : NULL;
    DWORD used = full != NULL ? GetFullPathNameW(wide, size, full, NULL) : 0;
    if (used == 0 || used >= size) {
        win_fail(err, used == 0 ? GetLastError() : ERROR_FILENAME_EXCED_RANGE, "%s", path);
        free(full);
        free(wide);
        return NULL;
    }
    free(wide);
    return text_lengthen(full, used);
}
