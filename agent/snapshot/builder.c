#include "agent/snapshot/builder.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"
#include "agent/base/sha256.h"
#include "agent/base/time_text.h"

#define NAME_KEPT     1024                /* bytes of a name over SW_NAME_MAX */
#define NAMES_MAX     ((size_t)1 << 30)   /* bytes of all names of one look */
#define CHUNK_FIRST   ((size_t)4 << 10)   /* bytes; doubles up to … */
#define CHUNK_LARGEST ((size_t)256 << 10) /* … this */
#define ROWS_FIRST    32
#define SHORTENED_MAX (NAME_KEPT + 3 + 2 * SW_SHA256_SIZE)

void
sw_builder_clear_rows(struct sw_builder *builder)
{
    while (builder->chunks != NULL) {
        struct builder_chunk *next = builder->chunks->next;
        free(builder->chunks);
        builder->chunks = next;
    }
    free(builder->rows);
    builder->rows = NULL;
    builder->count = builder->capacity = builder->with_id = builder->names_size = 0;
}

struct sw_builder *
sw_builder_new(void)
{
    struct sw_builder *builder = sw_calloc(1, sizeof(*builder));
    sw_builder_clear(builder);
    return builder;
}

void
sw_builder_free(struct sw_builder *builder)
{
    if (builder != NULL) {
        sw_builder_clear(builder);
        free(builder);
    }
}

void
sw_builder_clear(struct sw_builder *builder)
{
    sw_builder_clear_rows(builder);
    free(builder->server);
    builder->server = NULL;
    builder->facts = (struct sw_look_facts){
        .taken_at_ns = SW_TIME_NONE, .took_ns = -1, .level = -1, .position = -1};
}

struct sw_look_facts *
sw_builder_facts(struct sw_builder *builder)
{
    return &builder->facts;
}

size_t
sw_builder_count(const struct sw_builder *builder)
{
    return builder->count;
}

/* The name itself, or its short form written to `room` when it is over SW_NAME_MAX. */
static struct sw_str
builder_shorten(struct sw_str name, char room[SHORTENED_MAX])
{
    if (name.size <= SW_NAME_MAX) {
        return name;
    }
    uint8_t digest[SW_SHA256_SIZE];
    sw_sha256(digest, name.data, name.size);
    size_t size = sw_utf8_cut(name.data, name.size, NAME_KEPT);
    memcpy(room, name.data, size);
    memcpy(room + size, "\xE2\x80\xA6", 3);
    sw_hex_encode(room + size + 3, digest, sizeof(digest));
    return (struct sw_str){room, size + 3 + 2 * sizeof(digest)};
}

void
sw_builder_set_server(struct sw_builder *builder, struct sw_str server)
{
    char room[SHORTENED_MAX];
    server = builder_shorten(server, room);
    char *copy = sw_strndup(server.data, server.size);
    free(builder->server);
    builder->server = copy;
    builder->facts.server = (struct sw_str){copy, server.size};
}

static char *
builder_reserve(struct sw_builder *builder, size_t size)
{
    struct builder_chunk *chunk = builder->chunks;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = chunk == NULL ? CHUNK_FIRST : chunk->size * 2;
        room = room < CHUNK_LARGEST ? room : CHUNK_LARGEST;
        chunk = malloc(sizeof(*chunk) + room);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct builder_chunk){.next = builder->chunks, .size = room};
        builder->chunks = chunk;
    }
    chunk->used += size;
    return chunk->bytes + chunk->used - size;
}

/* Makes *name the builder's own. Whole looks often share a transport or a client, so the last
 * row's copy serves again. */
static bool
builder_keep(struct sw_builder *builder, struct sw_str *name, struct sw_str last)
{
    if (name->data == NULL) {
        name->size = 0;
        return true;
    }
    if (name->size == 0) {
        name->data = "";
        return true;
    }
    if (sw_str_equal(*name, last)) {
        *name = last;
        return true;
    }
    char room[SHORTENED_MAX];
    struct sw_str kept = builder_shorten(*name, room);
    char *copy =
        builder->names_size <= NAMES_MAX - kept.size ? builder_reserve(builder, kept.size) : NULL;
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, kept.data, kept.size);
    builder->names_size += kept.size;
    *name = (struct sw_str){copy, kept.size};
    return true;
}

static bool
builder_grow(struct sw_builder *builder, struct sw_err *err)
{
    if (builder->count < builder->capacity) {
        return true;
    }
    if (builder->count >= SW_ROWS_MAX) {
        return sw_err_set(err, "more than %d sessions: one look can hold no more", SW_ROWS_MAX);
    }
    size_t capacity = builder->capacity > 0 ? builder->capacity * 2 : ROWS_FIRST;
    capacity = capacity < SW_ROWS_MAX ? capacity : SW_ROWS_MAX;
    struct sw_row *rows = realloc(builder->rows, capacity * sizeof(*rows));
    if (rows == NULL) {
        return sw_err_set(err, "out of memory at %zu sessions", builder->count);
    }
    builder->rows = rows;
    builder->capacity = capacity;
    return true;
}

bool
sw_builder_add(struct sw_builder *builder, const struct sw_row *row, struct sw_err *err)
{
    if (!builder_grow(builder, err)) {
        return false;
    }
    struct sw_row kept = *row;
    struct sw_row last = builder->count > 0 ? builder->rows[builder->count - 1] : SW_ROW_EMPTY;
    if (kept.client.data == NULL) {
        kept.client = SW_STR("");
    }
    if (kept.id.size == 0) {
        kept.id = (struct sw_str){NULL, 0};
    }
    if (kept.active > SW_ACTIVE_MAX) {
        kept.active = SW_UNKNOWN;
    }
    if (!builder_keep(builder, &kept.id, last.id) ||
        !builder_keep(builder, &kept.client, last.client) ||
        !builder_keep(builder, &kept.user, last.user) ||
        !builder_keep(builder, &kept.client_type, last.client_type) ||
        !builder_keep(builder, &kept.transport, last.transport)) {
        return sw_err_set(err, "no room for the names of more than %zu sessions (%zu bytes so far)",
            builder->count, builder->names_size);
    }
    builder->with_id += kept.id.data != NULL;
    builder->rows[builder->count++] = kept;
    return true;
}
