/*
 * Tables that describe configuration keys: the loader walks them, `help` prints them, `check`
 * explains with them. A key's value lands at an offset of a struct that is zeroed before.
 */
#ifndef SW_CONFIG_SCHEMA_H
#define SW_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sw_key_type {
    SW_KEY_STRING,    /* const char *; NULL if left out without default; min to max bytes */
    SW_KEY_PATH,      /* const char *; relative to the file's folder; "-" stays */
    SW_KEY_SECRET,    /* const char *; never printed; min to max bytes */
    SW_KEY_BOOL,      /* bool; true | false */
    SW_KEY_INT,       /* int64_t, min to max */
    SW_KEY_SIZE,      /* uint64_t bytes, min to max; unit needed: B KB MB GB KiB MiB GiB */
    SW_KEY_DURATION,  /* int64_t ns, min to max; unit needed: ms s m h d; plain 0 is fine */
    SW_KEY_RATE,      /* int64_t events a second, min to max; "2000/s"; plain 0 is fine */
    SW_KEY_WORD,      /* int: index into words */
    SW_KEY_STRINGS,   /* struct sw_key_strings: list of strings, min to max elements */
    SW_KEY_SECRETS,   /* struct sw_key_strings: one secret or a list; min to max, none is empty */
    SW_KEY_DURATIONS, /* struct sw_key_durations: ascending list, min to max elements */
    SW_KEY_PAIRS,     /* struct sw_key_pairs: free names, texts as secret as secrets; min to max */
    SW_KEY_MAP,       /* nested struct at offset, described by keys */
    SW_KEY_NODE,      /* const struct sw_node *: the loader's own, borrowed while loading */
};

struct sw_key_strings {
    const char *const *items;
    size_t count;
};

/* One line each, the text perhaps empty; neither is NULL. */
struct sw_key_pair {
    const char *name;
    const char *value;
};

/* In the order of the file. No two names are equal, but two may differ only in case. */
struct sw_key_pairs {
    const struct sw_key_pair *items;
    size_t count;
};

struct sw_key_durations {
    const int64_t *items_ns;
    size_t count;
};

struct sw_key {
    const char *name;
    enum sw_key_type type;
    size_t offset;
    const char *fallback; /* default as YAML text; NULL: none */
    /* In a nested map: once that map is given. So a pointer that such a key fills tells, not being
     * NULL, that the map is there. */
    bool required;
    int64_t min, max;          /* max 0: no upper limit; of elements 256, of pairs 64 */
    const char *const *words;  /* of SW_KEY_WORD, ends with NULL */
    const struct sw_key *keys; /* of SW_KEY_MAP, ends with a NULL name */
    const char *help;          /* one sentence, no full stop; "\n" continues */
    bool or_zero; /* of SW_KEY_SIZE, _DURATION, _RATE, _INT: 0 is allowed although below min */
    bool one_of;  /* of SW_KEY_MAP: when it is given, exactly one of its keys must be */
    /* Of SW_KEY_PATH, or the first item of SW_KEY_STRINGS: names a program or a key, so that the
     * configuration is refused when somebody other than root and ourselves can write it or a
     * folder above it. That it is not there is a warning. */
    bool trusted;
};

#define SW_KEY_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }

#endif
