/* What a fault of a datagram means for the events of one send. Pure. */
#ifndef SW_SYSLOG_VERDICT_H
#define SW_SYSLOG_VERDICT_H

#include "agent/platform/platform.h"
#include "sinks/sink.h"

struct sw_syslog_verdict {
    enum sw_outcome outcome;
    bool is_unfit; /* the record at hand, it alone; the others go on */
    bool undo;     /* what this send has handed over may be lost: all of it again */
    bool is_doubt; /* the address is not to be trusted: look the name up, open a new socket */
};

struct sw_syslog_verdict sw_syslog_judge(enum sw_udp_fault fault);

#endif
