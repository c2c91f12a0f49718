#include "config/node_syntax.h"

#include <string.h>

/* What libyaml says, in words for people who do not know its grammar. */
static const char *const syntax_words[][2] = {
    {"did not find expected key",
        "this does not line up with the keys above it, or a quote or bracket stands before it"},
    {"mapping values are not allowed in this context",
        "a ':' cannot stand here (check the indentation and the line above, or use quotes)"},
    {"could not find expected ':'", "a ':' is missing behind this key"},
    {"did not find expected '-' indicator", "this does not line up with the list above it"},
    {"did not find expected ',' or '}'",
        "',' or '}' expected (put values that hold { } [ ] , or # in quotes)"},
    {"did not find expected ',' or ']'",
        "',' or ']' expected (put values that hold { } [ ] , or # in quotes)"},
    {"found unexpected end of stream", "this quote is never closed"},
    {"found unexpected document indicator", "this quote is never closed"},
    {"found character that cannot start any token",
        "a value cannot begin with this character (put it in quotes)"},
    {"found unknown escape character",
        "unknown escape in double quotes (write \\\\ for a backslash, or use single quotes)"},
    {"block sequence entries are not allowed in this context",
        "a list cannot stand here (begin it on a line of its own)"},
    {"block mapping keys are not allowed in this context",
        "a key cannot stand here (begin it on a line of its own)"},
    {"did not find expected node content", "a value is missing here"},
    {"did not find expected <document start>", "this does not line up with what stands above it"},
    {"found incompatible YAML document",
        "this version of YAML is not supported (leave out the %YAML line)"},
    {"found undefined tag handle", "tags are not supported (leave out the '!')"},
};

/* The column (from 1) of a tab among the blanks that begin a line; 0: there is none. */
static unsigned
syntax_tab_in_line(struct sw_str text, size_t line)
{
    size_t at = 0;
    for (; line > 0; line--) {
        const char *end = at < text.size ? memchr(text.data + at, '\n', text.size - at) : NULL;
        if (end == NULL) {
            return 0;
        }
        at = (size_t)(end - text.data) + 1;
    }
    for (size_t i = at; i < text.size && (text.data[i] == ' ' || text.data[i] == '\t'); i++) {
        if (text.data[i] == '\t') {
            return (unsigned)(i - at) + 1;
        }
    }
    return 0;
}

/* What is open or incomplete is noticed only where the next thing begins. */
static bool
syntax_is_noticed_late(const char *problem)
{
    return strcmp(problem, "could not find expected ':'") == 0 ||
           strcmp(problem, "found unexpected end of stream") == 0 ||
           strcmp(problem, "found unexpected document indicator") == 0;
}

void
sw_node_syntax(const yaml_parser_t *parser, struct sw_str text, struct sw_problems *problems)
{
    yaml_mark_t mark = parser->problem_mark;
    const char *problem = parser->problem != NULL ? parser->problem : "out of memory";
    unsigned line = (unsigned)mark.line + 1;
    unsigned tab = syntax_tab_in_line(text, mark.line);
    if (tab > 0) {
        sw_problems_tell(problems, line, tab, "a tab in the indentation (use spaces)");
        return;
    }
    if (syntax_is_noticed_late(problem)) {
        mark = parser->context_mark;
    }
    for (size_t i = 0; i < sizeof(syntax_words) / sizeof(syntax_words[0]); i++) {
        if (strcmp(problem, syntax_words[i][0]) == 0) {
            problem = syntax_words[i][1];
            break;
        }
    }
    sw_problems_tell(problems, (unsigned)mark.line + 1, (unsigned)mark.column + 1, "%s", problem);
}

static bool
syntax_is_allowed(uint32_t code_point)
{
    if (code_point < 0x20) {
        return code_point == '\t' || code_point == '\n' || code_point == '\r';
    }
    return code_point < 0x7F || code_point == 0x85 ||
           (code_point >= 0xA0 && code_point != 0xFEFF && code_point != 0xFFFE &&
               code_point != 0xFFFF && code_point != SW_UTF8_BAD);
}

bool
sw_node_check_text(struct sw_str *text, struct sw_problems *problems)
{
    unsigned line = 1;
    unsigned column = 1;
    if (sw_str_starts(*text, "\xEF\xBB\xBF")) {
        text->data += 3;
        text->size -= 3;
    }
    if (sw_str_starts(*text, "\xFF\xFE") || sw_str_starts(*text, "\xFE\xFF")) {
        sw_problems_tell(problems, 1, 1, "the file is UTF-16 (save it as UTF-8)");
        return false;
    }
    for (size_t at = 0; at < text->size; column++) {
        uint32_t code_point;
        /* libyaml compares each with all before it: 1 MiB of them costs it many seconds. */
        if (column == 1 &&
            sw_str_starts((struct sw_str){text->data + at, text->size - at}, "%TAG")) {
            sw_problems_tell(problems, line, 1, "tags are not supported (leave out this line)");
            return false;
        }
        at += sw_utf8_next(text->data + at, text->size - at, &code_point);
        if (code_point == SW_UTF8_BAD) {
            sw_problems_tell(problems, line, column, "not UTF-8 (save the file as UTF-8)");
            return false;
        }
        if (!syntax_is_allowed(code_point)) {
            sw_problems_tell(problems, line, column, "the character U+%04X cannot stand here",
                (unsigned)code_point);
            return false;
        }
        if (code_point == '\n') {
            line++;
            column = 0;
        }
    }
    return true;
}
