#include "agent/document.h"

#include <string.h>

#include "agent/base/time_text.h"
#include "agent/snapshot/document_reader.h"

#define TOOK_MS_MAX (INT64_C(86400) * 1000) /* a day */

static bool
document_skip(struct sw_document_reader *doc)
{
    return sw_json_skip(&doc->json) || sw_json_error(&doc->json, doc->err);
}

static bool
document_read_sessions(struct sw_document_reader *doc)
{
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_ARRAY, "sessions", "an array expected");
    if (read != SW_VALUE_THERE) {
        return read == SW_VALUE_ABSENT;
    }
    if (doc->has_sessions) {
        return sw_document_refuse(doc, "sessions", "there twice");
    }
    doc->has_sessions = true;
    while (sw_document_next(doc) != SW_JSON_ARRAY_END) {
        doc->row++;
        if (doc->json.token != SW_JSON_OBJECT) {
            return sw_document_refuse(doc, "", "an object expected");
        }
        if (!sw_document_read_row(doc)) {
            return false;
        }
    }
    doc->row = 0;
    return true;
}

static bool
document_read_error_text(struct sw_document_reader *doc)
{
    struct sw_buf text = {.max = SW_DOCUMENT_MAX};
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_STRING, "error.text", "a string expected");
    if (read == SW_VALUE_THERE && doc->json.text.size > 0) {
        sw_utf8_repair(&text, doc->json.text);
        sw_err_set(&doc->error, "%s", sw_buf_text(&text));
        sw_buf_fini(&text);
    }
    return read != SW_VALUE_BAD;
}

/* Codes of Windows may be given as signed or as unsigned 32 bits. */
static bool
document_read_error_code(struct sw_document_reader *doc, int *code)
{
    int64_t number;
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_NUMBER, "error.code", "a number expected");
    if (read != SW_VALUE_THERE) {
        return read == SW_VALUE_ABSENT;
    }
    if (!sw_json_to_int(doc->json.text, &number) || number < INT32_MIN || number > UINT32_MAX) {
        return sw_document_refuse(doc, "error.code", "a number of 32 bits expected");
    }
    *code = (int)(uint32_t)number;
    return true;
}

static bool
document_read_error(struct sw_document_reader *doc)
{
    int code = 0;
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_OBJECT, "error", "an object expected");
    if (read != SW_VALUE_THERE) {
        return read == SW_VALUE_ABSENT;
    }
    if (doc->has_error) {
        return sw_document_refuse(doc, "error", "there twice");
    }
    doc->has_error = true;
    sw_err_clear(&doc->error);
    while (sw_json_next_key(&doc->json)) {
        bool is_code = sw_str_is(doc->json.text, "code");
        bool is_text = sw_str_is(doc->json.text, "text");
        if (is_code   ? !document_read_error_code(doc, &code)
            : is_text ? !document_read_error_text(doc)
                      : !sw_json_skip(&doc->json) && !sw_json_error(&doc->json, doc->err)) {
            return false;
        }
    }
    if (doc->error.text[0] == '\0') {
        sw_err_set(&doc->error, "the look failed; the document does not say why");
    }
    doc->error.code = code;
    return doc->json.token == SW_JSON_OBJECT_END || sw_json_error(&doc->json, doc->err);
}

static bool
document_read_version(struct sw_document_reader *doc)
{
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_NUMBER, "sharewatch", "a number expected");
    if (read != SW_VALUE_THERE) {
        return read == SW_VALUE_ABSENT;
    }
    if (doc->has_version) {
        return sw_document_refuse(doc, "sharewatch", "there twice");
    }
    if (!sw_str_is(doc->json.text, "1")) {
        return sw_document_refuse(
            doc, "sharewatch", "another version than 1, the only one that can be read");
    }
    doc->has_version = true;
    return true;
}

static bool
document_read_server(struct sw_document_reader *doc)
{
    enum sw_document_value read =
        sw_document_expect(doc, SW_JSON_STRING, "server", "a string expected");
    if (read == SW_VALUE_THERE) {
        sw_builder_set_server(doc->builder, doc->json.text);
    }
    return read != SW_VALUE_BAD;
}

static bool
document_read_taken_at(struct sw_document_reader *doc)
{
    static const char problem[] = "a time as 2026-11-22T14:26:17Z or with an offset expected";
    struct sw_look_facts *facts = sw_builder_facts(doc->builder);
    enum sw_document_value read = sw_document_expect(doc, SW_JSON_STRING, "taken_at", problem);
    if (read == SW_VALUE_THERE && !sw_time_parse(doc->json.text, &facts->taken_at_ns)) {
        return sw_document_refuse(doc, "taken_at", problem);
    }
    return read != SW_VALUE_BAD;
}

static bool
document_read_took(struct sw_document_reader *doc)
{
    int64_t ms;
    enum sw_document_value read = sw_document_read_count(doc, "took_ms", &ms);
    if (read == SW_VALUE_THERE && ms > TOOK_MS_MAX) {
        return sw_document_refuse(doc, "took_ms", "more than a day");
    }
    if (read == SW_VALUE_THERE) {
        sw_builder_facts(doc->builder)->took_ns = ms * SW_NS_PER_MS;
    }
    return read != SW_VALUE_BAD;
}

static bool
document_read_level(struct sw_document_reader *doc)
{
    int64_t level;
    enum sw_document_value read = sw_document_read_count(doc, "level", &level);
    if (read == SW_VALUE_THERE && level > INT32_MAX) {
        return sw_document_refuse(doc, "level", "a small number expected");
    }
    if (read == SW_VALUE_THERE) {
        sw_builder_facts(doc->builder)->level = (int)level;
    }
    return read != SW_VALUE_BAD;
}

static bool
document_read_complete(struct sw_document_reader *doc)
{
    bool complete;
    enum sw_document_value read = sw_document_read_bool(doc, "complete", &complete);
    doc->is_partial = read == SW_VALUE_THERE && !complete;
    return read != SW_VALUE_BAD;
}

static bool
document_read_member(struct sw_document_reader *doc)
{
    static const struct {
        const char *name;
        bool (*read)(struct sw_document_reader *doc);
    } members[] = {
        {"sharewatch", document_read_version},
        {"server", document_read_server},
        {"taken_at", document_read_taken_at},
        {"took_ms", document_read_took},
        {"level", document_read_level},
        {"complete", document_read_complete},
        {"sessions", document_read_sessions},
        {"error", document_read_error},
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (sw_str_is(doc->json.text, members[i].name)) {
            return members[i].read(doc);
        }
    }
    return document_skip(doc);
}

static bool
document_read_all(struct sw_document_reader *doc)
{
    if (sw_document_next(doc) != SW_JSON_OBJECT) {
        return sw_document_refuse(doc, "the document", "an object expected");
    }
    while (sw_json_next_key(&doc->json)) {
        if (!document_read_member(doc)) {
            return false;
        }
    }
    if (doc->json.token != SW_JSON_OBJECT_END || sw_json_next(&doc->json) != SW_JSON_END) {
        return sw_json_error(&doc->json, doc->err);
    }
    if (!doc->has_version) {
        return sw_err_set(doc->err, "no \"sharewatch\": 1: this is not a snapshot document");
    }
    if (doc->has_sessions == doc->has_error) {
        return sw_err_set(doc->err, "%s",
            doc->has_error ? "both \"sessions\" and \"error\": only one may be there"
                           : "neither \"sessions\" nor \"error\": one must be there");
    }
    return true;
}

enum sw_document
sw_document_read(struct sw_str bytes, struct sw_builder *builder, struct sw_err *err)
{
    struct sw_document_reader doc = {.builder = builder, .err = err};
    if (bytes.size > SW_DOCUMENT_MAX) {
        sw_err_set(err, "the document has %zu bytes, more than %zu", bytes.size, SW_DOCUMENT_MAX);
        return SW_DOCUMENT_BAD;
    }
    for (size_t i = 0; i < SW_ROW_NAMES; i++) {
        sw_buf_init(&doc.names[i], SW_DOCUMENT_MAX);
    }
    /* RFC 8259 §8.1 lets a reader pass over the byte order mark that PowerShell likes to write. */
    size_t mark = sw_str_starts(bytes, "\xEF\xBB\xBF") ? 3 : 0;
    sw_json_init(&doc.json, bytes.size > 0 ? bytes.data + mark : "", bytes.size - mark);
    bool ok = document_read_all(&doc);
    sw_json_fini(&doc.json);
    for (size_t i = 0; i < SW_ROW_NAMES; i++) {
        sw_buf_fini(&doc.names[i]);
    }
    if (!ok) {
        sw_builder_clear(builder);
        return SW_DOCUMENT_BAD;
    }
    if (doc.has_error) {
        if (err != NULL) {
            *err = doc.error;
        }
        return SW_DOCUMENT_ERROR;
    }
    return doc.is_partial ? SW_DOCUMENT_PARTIAL : SW_DOCUMENT_SESSIONS;
}
