#include "config/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/memory.h"

#define ARENA_BLOCK_SIZE 4096

struct sw_arena_block {
    struct sw_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void
sw_arena_init(struct sw_arena *arena, size_t max)
{
    *arena = (struct sw_arena){.max = max};
}

void
sw_arena_fini(struct sw_arena *arena)
{
    while (arena->blocks != NULL) {
        struct sw_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

static struct sw_arena_block *
arena_grow(struct sw_arena *arena, size_t size)
{
    size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
    struct sw_arena_block *block = sw_calloc(1, sizeof(*block) + room);
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *
sw_arena_take(struct sw_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > arena->max) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    if (size > arena->max - arena->used) {
        return NULL;
    }
    struct sw_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        block = arena_grow(arena, size);
    }
    void *memory = block->bytes + block->used;
    block->used += size;
    arena->used += size;
    return memory;
}

char *
sw_arena_text(struct sw_arena *arena, struct sw_str text)
{
    char *copy = sw_arena_take(arena, text.size + 1);
    if (copy != NULL && text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    return copy;
}
