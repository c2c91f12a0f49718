#include "tests/conformance/sink_fixture.h"

static const struct sw_key *
conf_key(const struct sw_sink_class *class, const char *name)
{
    const struct sw_key *key = class->part.keys;
    while (key->name != NULL && strcmp(key->name, name) != 0) {
        key++;
    }
    assert_non_null(key->name);
    return key;
}

static void *
conf_at(const struct sw_sink_class *class, void *conf, const char *name, enum sw_key_type *type)
{
    const struct sw_key *key = conf_key(class, name);
    *type = key->type;
    return (char *)conf + key->offset;
}

void
conf_set_text(const struct sw_sink_class *class, void *conf, const char *key, const char *text)
{
    enum sw_key_type type;
    const char **at = conf_at(class, conf, key, &type);
    assert_true(type == SW_KEY_STRING || type == SW_KEY_PATH || type == SW_KEY_SECRET);
    *at = text;
}

void
conf_set_number(const struct sw_sink_class *class, void *conf, const char *key, int64_t number)
{
    enum sw_key_type type;
    void *at = conf_at(class, conf, key, &type);
    assert_true(type == SW_KEY_SIZE || type == SW_KEY_INT || type == SW_KEY_DURATION ||
                type == SW_KEY_RATE);
    memcpy(at, &number, sizeof(number));
}

void
conf_set_word(const struct sw_sink_class *class, void *conf, const char *key, const char *word)
{
    enum sw_key_type type;
    int *at = conf_at(class, conf, key, &type);
    const char *const *words = conf_key(class, key)->words;
    int index = 0;
    assert_true(type == SW_KEY_WORD);
    while (words[index] != NULL && strcmp(words[index], word) != 0) {
        index++;
    }
    assert_non_null(words[index]);
    *at = index;
}
