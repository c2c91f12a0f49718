#include "agent/journal_sqlite.h"
struct sw_journal *journal_recover(const struct sw_journal_options *options,
    struct sw_journal_opened *opened, struct sw_err *err)
{
    (void)options; (void)opened;
    sw_err_set(err, "damaged");
    return NULL;
}
void journal_recover_mark(const char *path) { (void)path; }
bool journal_recover_is_marked(const char *path) { (void)path; return false; }
