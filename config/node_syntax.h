/* What a YAML text cannot be, in words for people who do not know YAML's grammar. */
#ifndef SW_CONFIG_NODE_SYNTAX_H
#define SW_CONFIG_NODE_SYNTAX_H

#include <yaml.h>

#include "agent/base/string.h"
#include "config/problems.h"

/* Takes a byte order mark off. false, told: bytes that are not UTF-8, or characters that YAML does
 * not have (YAML 1.2.2 §5.1). */
bool sw_node_check_text(struct sw_str *text, struct sw_problems *problems);

/* Tells the parser's own error, at the place where a person would look for it. */
void sw_node_syntax(const yaml_parser_t *parser, struct sw_str text, struct sw_problems *problems);

#endif
