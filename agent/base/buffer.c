#include "agent/base/buffer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

#define BUF_FIRST_CAPACITY 256

void
sw_buf_init(struct sw_buf *buf, size_t max)
{
    *buf = (struct sw_buf){.max = max};
}

void
sw_buf_fini(struct sw_buf *buf)
{
    free(buf->data);
    sw_buf_init(buf, buf->max);
}

void
sw_buf_clear(struct sw_buf *buf)
{
    buf->failed = false;
    sw_buf_truncate(buf, 0);
}

void
sw_buf_truncate(struct sw_buf *buf, size_t size)
{
    if (buf->data != NULL && size <= buf->size) {
        buf->size = size;
        buf->data[size] = '\0';
    }
}

char *
sw_buf_reserve(struct sw_buf *buf, size_t size)
{
    if (buf->failed) {
        return NULL;
    }
    if (size > buf->max || buf->size > buf->max - size) {
        buf->failed = true;
        return NULL;
    }
    size_t needed = buf->size + size + 1;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : BUF_FIRST_CAPACITY;
        while (capacity < needed) {
            capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : needed;
        }
        if (capacity - 1 > buf->max) {
            capacity = buf->max + 1;
        }
        char *data = realloc(buf->data, capacity);
        if (data == NULL) {
            buf->failed = true;
            return NULL;
        }
        buf->data = data;
        buf->data[buf->size] = '\0';
        buf->capacity = capacity;
    }
    return buf->data + buf->size;
}

void
sw_buf_add_growing(struct sw_buf *buf, const void *bytes, size_t size)
{
    char *room = sw_buf_reserve(buf, size);
    if (room != NULL) {
        if (size > 0) {
            memcpy(room, bytes, size);
        }
        room[size] = '\0';
        buf->size += size;
    }
}

void
sw_buf_add_text(struct sw_buf *buf, const char *text)
{
    sw_buf_add(buf, text, strlen(text));
}

char *
sw_uint_put(char *at, uint64_t number)
{
    char digits[SW_UINT_TEXT_MAX];
    size_t first = sizeof(digits);
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(at, digits + first, sizeof(digits) - first);
    return at + (sizeof(digits) - first);
}

void
sw_buf_add_uint(struct sw_buf *buf, uint64_t number)
{
    char digits[SW_UINT_TEXT_MAX];
    sw_buf_add(buf, digits, (size_t)(sw_uint_put(digits, number) - digits));
}

void
sw_buf_add_int(struct sw_buf *buf, int64_t number)
{
    if (number < 0) {
        sw_buf_add_char(buf, '-');
        sw_buf_add_uint(buf, (uint64_t)0 - (uint64_t)number);
    } else {
        sw_buf_add_uint(buf, (uint64_t)number);
    }
}

void
sw_buf_printf(struct sw_buf *buf, const char *format, ...)
{
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    if (size >= 0) {
        char *room = sw_buf_reserve(buf, (size_t)size);
        if (room != NULL) {
            vsnprintf(room, (size_t)size + 1, format, again);
            buf->size += (size_t)size;
        }
    }
    va_end(again);
    va_end(args);
}

char *
sw_buf_take(struct sw_buf *buf)
{
    char *data = buf->data != NULL ? buf->data : sw_strdup("");
    buf->data = NULL; /* moved to the caller */
    sw_buf_init(buf, buf->max);
    return data;
}

const char *
sw_buf_text(const struct sw_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}
