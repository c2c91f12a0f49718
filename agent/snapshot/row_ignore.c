#include "agent/snapshot/row_ignore.h"

#include <string.h>

static bool
ignore_matches(struct sw_globs globs, struct sw_str name)
{
    for (size_t i = 0; i < globs.count; i++) {
        if (sw_glob_match(sw_str_of(globs.patterns[i]), name)) {
            return true;
        }
    }
    return false;
}

/* alice of EXAMPLE\alice and of alice@example.com. */
static struct sw_str
ignore_bare_user(struct sw_str user)
{
    for (size_t i = user.size; i > 0; i--) {
        if (user.data[i - 1] == '\\') {
            return (struct sw_str){user.data + i, user.size - i};
        }
    }
    const char *at = user.size > 0 ? memchr(user.data, '@', user.size) : NULL;
    return at != NULL ? (struct sw_str){user.data, (size_t)(at - user.data)} : user;
}

/* 10.0.0.5 of \\10.0.0.5, fe80::1 of \\[fe80::1]: as events tell it and people write it. */
static struct sw_str
ignore_bare_client(struct sw_str client)
{
    while (client.size > 0 && client.data[0] == '\\') {
        client.data++;
        client.size--;
    }
    if (client.size > 2 && client.data[0] == '[' && client.data[client.size - 1] == ']') {
        return (struct sw_str){client.data + 1, client.size - 2};
    }
    return client;
}

bool
sw_row_is_ignored(const struct sw_row *row, struct sw_globs users, struct sw_globs clients)
{
    if (users.count > 0 && row->user.data != NULL &&
        (ignore_matches(users, row->user) || ignore_matches(users, ignore_bare_user(row->user)))) {
        return true;
    }
    return clients.count > 0 && (ignore_matches(clients, row->client) ||
                                    ignore_matches(clients, ignore_bare_client(row->client)));
}
