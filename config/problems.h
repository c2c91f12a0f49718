/*
 * What is wrong with a configuration, told all at once: errors and warnings with their places,
 * kept in the order of the file, at most SW_PROBLEMS_MAX of them. Texts never hold the value of
 * a secret or of a reference.
 */
#ifndef SW_CONFIG_PROBLEMS_H
#define SW_CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "agent/base/buffer.h"
#include "agent/base/error.h"
#include "config/part.h"

#define SW_PROBLEMS_MAX 100 /* kept; of more only the number is told */

#define SW_PROBLEM_TEXT_MAX 8192 /* bytes of one problem's text */

struct sw_node;

struct sw_problem {
    bool is_warning;
    unsigned line, column; /* from 1, columns in characters; 0: of no place in the file */
    char *text;            /* "key.path: problem", or only the problem */
};

struct sw_problems {
    char *file; /* as it shall be shown */
    struct sw_problem *items;
    size_t count;
    size_t errors;               /* all, also those not kept */
    size_t warnings;             /* as well */
    const struct sw_node *scope; /* where sw_problems_add looks for its key */
};

void sw_problems_init(struct sw_problems *problems);
void sw_problems_fini(struct sw_problems *problems);

/* Appends them, a line each: "file:line:col: key.path: problem", warnings begin with "warning: ".
 * Every text is made printable. */
void sw_problems_write(const struct sw_problems *problems, struct sw_buf *buf);
void sw_problems_print(const struct sw_problems *problems, FILE *file);

/* For the parts of config/: an error at a place that belongs to no key. */
void sw_problems_tell(struct sw_problems *problems, unsigned line, unsigned column,
    const char *format, ...) SW_PRINTF(4, 5);

/* For the parts of config/: a problem at a place. path may be NULL. */
void sw_problems_at(struct sw_problems *problems, bool is_warning, unsigned line, unsigned column,
    const char *path, const char *text);

/* For the parts of config/: the words of a problem, cut at SW_PROBLEM_TEXT_MAX. */
void sw_problems_format(struct sw_buf *buf, const char *format, va_list args) SW_PRINTF(2, 0);

#endif
