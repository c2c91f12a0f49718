/*
 * References inside scalar values, replaced after parsing:
 *   ${env:NAME}  ${env:NAME:-default}  ${file:PATH}  ${credential:NAME}
 * Only `${` begins one, none stands in another, `$${` is a literal `${`, any other `$` is itself.
 * As in the shell, the default also stands for a variable that is set but empty. A credential is a
 * file of that name in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
 *
 * Problems name the reference, never a value. Of text that is no reference, although it has `${`,
 * nothing is shown either: it may be part of a password.
 */
#ifndef SW_CONFIG_REFERENCE_H
#define SW_CONFIG_REFERENCE_H

#include "config/config.h"
#include "config/node.h"

struct sw_references {
    struct sw_arena *arena; /* of the tree */
    struct sw_problems *problems;
    const char *folder; /* where relative paths start */
    enum sw_config_mode mode;
    const struct sw_config_host *host;
};

/* Replaces in all scalars of the tree. A scalar whose reference is wrong becomes DAMAGED; one
 * whose variable is not set becomes is_unset in check mode, DAMAGED in run mode. */
void sw_references_replace(const struct sw_references *references, struct sw_node *node);

#endif
