#include <string.h>

#include "agent/snapshot/document_reader.h"

/* Where the value begins, from 1. Looked for only when it must be told. */
static size_t
document_value_byte(const struct sw_document_reader *doc)
{
    size_t at = doc->value_at;
    while (at < doc->json.size && strchr(" \t\r\n,", doc->json.data[at]) != NULL) {
        at++;
    }
    return at + 1;
}

bool
sw_document_refuse(struct sw_document_reader *doc, const char *name, const char *problem)
{
    if (doc->json.token == SW_JSON_ERROR) {
        return sw_json_error(&doc->json, doc->err);
    }
    if (doc->row > 0) {
        return sw_err_set(doc->err, "byte %zu: sessions[%zu]%s%s: %s", document_value_byte(doc),
            doc->row - 1, name[0] != '\0' ? "." : "", name, problem);
    }
    return sw_err_set(doc->err, "byte %zu: %s: %s", document_value_byte(doc), name, problem);
}

enum sw_json_token
sw_document_next(struct sw_document_reader *doc)
{
    doc->value_at = doc->json.at;
    return sw_json_next(&doc->json);
}

enum sw_document_value
sw_document_expect(struct sw_document_reader *doc, enum sw_json_token expected, const char *name,
    const char *problem)
{
    enum sw_json_token token = sw_document_next(doc);
    if (token == expected) {
        return SW_VALUE_THERE;
    }
    if (token == SW_JSON_NULL) {
        return SW_VALUE_ABSENT;
    }
    sw_document_refuse(doc, name, problem);
    return SW_VALUE_BAD;
}

enum sw_document_value
sw_document_read_bool(struct sw_document_reader *doc, const char *name, bool *value)
{
    enum sw_json_token token = sw_document_next(doc);
    *value = token == SW_JSON_TRUE;
    if (token == SW_JSON_NULL) {
        return SW_VALUE_ABSENT;
    }
    if (token != SW_JSON_TRUE && token != SW_JSON_FALSE) {
        sw_document_refuse(doc, name, "true or false expected");
        return SW_VALUE_BAD;
    }
    return SW_VALUE_THERE;
}

enum sw_document_value
sw_document_read_count(struct sw_document_reader *doc, const char *name, int64_t *value)
{
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_NUMBER, name, "a number expected");
    if (read != SW_VALUE_THERE) {
        return read;
    }
    struct sw_str text = doc->json.text;
    if (!sw_json_to_int(text, value)) {
        *value = text.data[0] == '-' ? -1 : INT64_MAX;
    }
    if (*value < 0) {
        sw_document_refuse(doc, name, "a number from 0 expected");
        return SW_VALUE_BAD;
    }
    return SW_VALUE_THERE;
}

struct document_member {
    const char *name;
    size_t size;
    enum { MEMBER_NAME, MEMBER_COUNT, MEMBER_FLAG } type;
    size_t offset; /* in struct sw_row */
    size_t slot;   /* of MEMBER_NAME: in document.names */
};

#define MEMBER(member, type, slot)                                                                 \
    {                                                                                              \
#member, sizeof(#member) - 1, type, offsetof(struct sw_row, member), slot                  \
    }

static const struct document_member document_members[] = {
    MEMBER(client, MEMBER_NAME, 0),
    MEMBER(user, MEMBER_NAME, 1),
    MEMBER(opens, MEMBER_COUNT, 0),
    MEMBER(active, MEMBER_COUNT, 0),
    MEMBER(idle, MEMBER_COUNT, 0),
    MEMBER(guest, MEMBER_FLAG, 0),
    MEMBER(client_type, MEMBER_NAME, 2),
    MEMBER(transport, MEMBER_NAME, 3),
    MEMBER(id, MEMBER_NAME, 4),
};

#define MEMBER_TOTAL (sizeof(document_members) / sizeof(document_members[0]))

/* Members mostly come in the order in which we write them, so the search begins behind the last
 * one found. */
static const struct document_member *
document_find_member(struct sw_str name, size_t *hint)
{
    for (size_t i = 0; i < MEMBER_TOTAL; i++) {
        size_t at = *hint + i < MEMBER_TOTAL ? *hint + i : *hint + i - MEMBER_TOTAL;
        const struct document_member *member = &document_members[at];
        if (member->size == name.size && memcmp(member->name, name.data, name.size) == 0) {
            *hint = at + 1 < MEMBER_TOTAL ? at + 1 : 0;
            return member;
        }
    }
    return NULL;
}

static bool
document_read_name(
    struct sw_document_reader *doc, const struct document_member *member, struct sw_str *name)
{
    *name = (struct sw_str){NULL, 0};
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_STRING, member->name, "a string expected");
    if (read != SW_VALUE_THERE) {
        return read == SW_VALUE_ABSENT;
    }
    *name = doc->json.text;
    if (name->size == 0) {
        name->data = "";
    } else if (name->data == doc->json.scratch.data) {
        struct sw_buf *kept = &doc->names[member->slot];
        sw_buf_clear(kept);
        sw_buf_add(kept, name->data, name->size);
        name->data = kept->data;
        if (kept->failed) {
            return sw_err_set(doc->err, "out of memory: a name of %zu bytes", name->size);
        }
    }
    return true;
}

static bool
document_read_field(
    struct sw_document_reader *doc, const struct document_member *member, struct sw_row *row)
{
    void *field = (char *)row + member->offset;
    if (member->type == MEMBER_NAME) {
        return document_read_name(doc, member, field);
    }
    if (member->type == MEMBER_FLAG) {
        bool flag;
        enum sw_document_value read = sw_document_read_bool(doc, member->name, &flag);
        *(int8_t *)field = read == SW_VALUE_THERE ? flag : -1;
        return read != SW_VALUE_BAD;
    }
    int64_t count;
    enum sw_document_value read = sw_document_read_count(doc, member->name, &count);
    *(uint32_t *)field =
        read == SW_VALUE_THERE && count < SW_UNKNOWN ? (uint32_t)count : SW_UNKNOWN;
    return read != SW_VALUE_BAD;
}

bool
sw_document_read_row(struct sw_document_reader *doc)
{
    struct sw_row row = SW_ROW_EMPTY;
    size_t row_at = doc->value_at;
    size_t hint = 0;
    while (sw_json_next_key(&doc->json)) {
        const struct document_member *member = document_find_member(doc->json.text, &hint);
        if (member == NULL) {
            if (!sw_json_skip(&doc->json)) {
                return sw_json_error(&doc->json, doc->err);
            }
        } else if (!document_read_field(doc, member, &row)) {
            return false;
        }
    }
    if (doc->json.token != SW_JSON_OBJECT_END) {
        return sw_json_error(&doc->json, doc->err);
    }
    if (row.client.data == NULL) {
        doc->value_at = row_at;
        return sw_document_refuse(doc, "client", "missing");
    }
    return sw_builder_add(doc->builder, &row, doc->err);
}
