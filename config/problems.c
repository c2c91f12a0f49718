#include "config/problems.h"

#include <stdlib.h>

#include "agent/base/memory.h"
#include "config/node.h"

void
sw_problems_init(struct sw_problems *problems)
{
    *problems = (struct sw_problems){0};
}

void
sw_problems_fini(struct sw_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].text);
    }
    free(problems->items);
    free(problems->file);
    sw_problems_init(problems);
}

static bool
problem_is_before(const struct sw_problem *a, const struct sw_problem *b)
{
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* Makes room when all are taken: the last warning goes first, so that no error is hidden by
 * warnings. */
static void
problems_drop_one(struct sw_problems *problems)
{
    size_t victim = problems->count - 1;
    for (size_t i = problems->count; i-- > 0;) {
        if (problems->items[i].is_warning) {
            victim = i;
            break;
        }
    }
    free(problems->items[victim].text);
    for (size_t i = victim; i + 1 < problems->count; i++) {
        problems->items[i] = problems->items[i + 1];
    }
    problems->count--;
}

static void
problems_insert(struct sw_problems *problems, struct sw_problem problem)
{
    if (problems->items == NULL) {
        problems->items = sw_calloc(SW_PROBLEMS_MAX + 1, sizeof(problems->items[0]));
    }
    size_t at = problems->count++;
    for (; at > 0 && problem_is_before(&problem, &problems->items[at - 1]); at--) {
        problems->items[at] = problems->items[at - 1];
    }
    problems->items[at] = problem;
    if (problem.is_warning) {
        problems->warnings++;
    } else {
        problems->errors++;
    }
    if (problems->count > SW_PROBLEMS_MAX) {
        problems_drop_one(problems);
    }
}

void
sw_problems_format(struct sw_buf *buf, const char *format, va_list args)
{
    char text[SW_PROBLEM_TEXT_MAX];
    int size = vsnprintf(text, sizeof(text), format, args);
    if (size > 0) {
        size_t cut = sw_utf8_cut(text, (size_t)size, sizeof(text) - 1);
        sw_buf_add(buf, text, cut);
    }
}

void
sw_problems_at(struct sw_problems *problems, bool is_warning, unsigned line, unsigned column,
    const char *path, const char *text)
{
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)4 * SW_PROBLEM_TEXT_MAX);
    if (path != NULL && path[0] != '\0') {
        sw_buf_printf(&buf, "%s: ", path);
    }
    sw_buf_add_text(&buf, text);
    problems_insert(problems,
        (struct sw_problem){
            .is_warning = is_warning, .line = line, .column = column, .text = sw_buf_take(&buf)});
}

void
sw_problems_tell(
    struct sw_problems *problems, unsigned line, unsigned column, const char *format, ...)
{
    struct sw_buf text;
    va_list args;
    va_start(args, format);
    sw_buf_init(&text, SW_PROBLEM_TEXT_MAX);
    sw_problems_format(&text, format, args);
    sw_problems_at(problems, false, line, column, NULL, sw_buf_text(&text));
    sw_buf_fini(&text);
    va_end(args);
}

/* The key itself if it is written there, else what it would stand in. */
static void SW_PRINTF(4, 0) problems_in_scope(struct sw_problems *problems, bool is_warning,
    const char *key, const char *format, va_list args)
{
    const struct sw_node *scope = problems->scope;
    const struct sw_node *found = key != NULL ? sw_node_find(scope, key) : NULL;
    struct sw_node_place place = {.is_warning = is_warning, .masked = scope};
    if (scope == NULL) {
        struct sw_buf text;
        sw_buf_init(&text, SW_PROBLEM_TEXT_MAX);
        sw_problems_format(&text, format, args);
        sw_problems_at(problems, is_warning, 0, 0, key, sw_buf_text(&text));
        sw_buf_fini(&text);
        return;
    }
    place.node = found != NULL ? found : scope;
    place.name = found != NULL ? NULL : key;
    place.at_key = found == NULL;
    sw_node_tell(problems, &place, format, args);
}

void
sw_problems_add(struct sw_problems *problems, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problems_in_scope(problems, false, key, format, args);
    va_end(args);
}

void
sw_problems_warn(struct sw_problems *problems, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problems_in_scope(problems, true, key, format, args);
    va_end(args);
}

void
sw_problems_write(const struct sw_problems *problems, struct sw_buf *buf)
{
    const char *file = problems->file != NULL ? problems->file : "configuration";
    for (size_t i = 0; i < problems->count; i++) {
        const struct sw_problem *problem = &problems->items[i];
        sw_buf_add_text(buf, problem->is_warning ? "warning: " : "");
        sw_text_printable(buf, sw_str_of(file));
        if (problem->line > 0) {
            sw_buf_printf(buf, ":%u:%u", problem->line, problem->column);
        }
        sw_buf_add_text(buf, ": ");
        sw_text_printable(buf, sw_str_of(problem->text));
        sw_buf_add_char(buf, '\n');
    }
    size_t hidden = problems->errors + problems->warnings - problems->count;
    if (hidden > 0) {
        sw_buf_add_text(buf, "warning: ");
        sw_text_printable(buf, sw_str_of(file));
        sw_buf_printf(buf, ": %zu more problem%s not shown\n", hidden, hidden == 1 ? "" : "s");
    }
}

void
sw_problems_print(const struct sw_problems *problems, FILE *file)
{
    struct sw_buf buf;
    sw_buf_init(&buf, (size_t)SW_PROBLEMS_MAX * 16 * SW_PROBLEM_TEXT_MAX);
    sw_problems_write(problems, &buf);
    fwrite(sw_buf_text(&buf), 1, buf.size, file);
    sw_buf_fini(&buf);
}
