/* The inside of reading a snapshot document, shared by document.c (the document) and document_row.c
 * (values and rows). */
#ifndef SW_DOCUMENT_READER_H
#define SW_DOCUMENT_READER_H

#include "agent/base/json_read.h"
#include "agent/document.h"

#define SW_ROW_NAMES 5

/* One document being read. */
struct sw_document_reader {
    struct sw_json json;
    struct sw_builder *builder;
    struct sw_err *err;
    size_t value_at; /* the value being read begins here or behind blanks and a comma */
    size_t row;      /* rows begun so far */
    /* The reader's text is gone with its next token; what a row still needs of it stands here. */
    struct sw_buf names[SW_ROW_NAMES];
    bool has_version, has_sessions, has_error, is_partial;
    struct sw_err error; /* what the document reports */
};

/* What a value of this type gives: the value, nothing because it is null, or a refusal. */
enum sw_document_value { SW_VALUE_THERE, SW_VALUE_ABSENT, SW_VALUE_BAD };

/* The last token was not what the contract says: err becomes "byte 17: level: PROBLEM", or what the
 * JSON reader found. name is "" for a row as a whole. Returns false. */
bool sw_document_refuse(struct sw_document_reader *doc, const char *name, const char *problem);

/* The next token; notes where its value begins. */
enum sw_json_token sw_document_next(struct sw_document_reader *doc);

enum sw_document_value sw_document_expect(struct sw_document_reader *doc,
    enum sw_json_token expected, const char *name, const char *problem);
enum sw_document_value
sw_document_read_bool(struct sw_document_reader *doc, const char *name, bool *value);

/* A whole number from 0; what does not fit int64_t counts as the largest. */
enum sw_document_value
sw_document_read_count(struct sw_document_reader *doc, const char *name, int64_t *value);

/* Reads one row into the builder; the last token was its {. */
bool sw_document_read_row(struct sw_document_reader *doc);

#endif
