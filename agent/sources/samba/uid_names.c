#include "agent/sources/samba/uid_names.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

void
sw_uid_names_fini(struct sw_uid_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        free(names->items[i].name);
    }
    free(names->items);
    names->items = NULL;
    names->count = 0;
    names->capacity = 0;
}

/* Index of the first item whose uid is not below. */
static size_t
names_find(const struct sw_uid_names *names, uint32_t uid)
{
    size_t low = 0;
    size_t high = names->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->items[middle].uid < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool
names_has(const struct sw_uid_names *names, size_t at, uint32_t uid)
{
    return at < names->count && names->items[at].uid == uid;
}

void
sw_uid_names_learn(struct sw_uid_names *names, uint32_t uid, struct sw_str name)
{
    if (name.size > SW_UID_NAME_SIZE_MAX || memchr(name.data, '\0', name.size) != NULL) {
        return;
    }
    size_t at = names_find(names, uid);
    if (names_has(names, at, uid)) {
        if (!sw_str_is(name, names->items[at].name)) {
            free(names->items[at].name);
            names->items[at].name = sw_strndup(name.data, name.size);
        }
        return;
    }
    if (names->count == SW_UID_NAMES_MAX) {
        return;
    }
    if (names->count == names->capacity) {
        names->capacity = names->capacity > 0 ? 2 * names->capacity : 16;
        names->items = sw_realloc(names->items, names->capacity, sizeof(*names->items));
    }
    memmove(&names->items[at + 1], &names->items[at], (names->count - at) * sizeof(*names->items));
    names->items[at] = (struct sw_uid_name){uid, sw_strndup(name.data, name.size)};
    names->count++;
}

void
sw_uid_names_add(struct sw_uid_names *names, uint32_t uid, struct sw_buf *buf)
{
    size_t at = names_find(names, uid);
    if (names_has(names, at, uid)) {
        sw_buf_add_text(buf, names->items[at].name);
        return;
    }
    size_t from = buf->size;
    if (names->lookup == NULL || !names->lookup(uid, buf)) {
        sw_buf_truncate(buf, from);
        sw_buf_add_uint(buf, uid);
    }
    if (!buf->failed) {
        sw_uid_names_learn(names, uid, (struct sw_str){buf->data + from, buf->size - from});
    }
}
