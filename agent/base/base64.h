/* Base 64 with the standard alphabet and padding (RFC 4648 §4), without line breaks. */
#ifndef SW_BASE_BASE64_H
#define SW_BASE_BASE64_H

#include "agent/base/buffer.h"
#include "agent/base/string.h"

void sw_base64_add(struct sw_buf *buf, struct sw_str bytes);

/* Appends the bytes that text stands for. false, with nothing appended, on anything but the one way
 * to write them: other characters, missing padding, bits behind the end that are not zero. */
bool sw_base64_decode(struct sw_str text, struct sw_buf *bytes);

#endif
