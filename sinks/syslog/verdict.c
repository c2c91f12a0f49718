#include "sinks/syslog/verdict.h"

struct sw_syslog_verdict
sw_syslog_judge(enum sw_udp_fault fault)
{
    switch (fault) {
    case SW_UDP_NONE:
        return (struct sw_syslog_verdict){.outcome = SW_OUTCOME_OK};
    case SW_UDP_TOO_BIG:
        return (struct sw_syslog_verdict){.outcome = SW_OUTCOME_OK, .is_unfit = true};
    case SW_UDP_REFUSED:
    case SW_UDP_UNREACHABLE:
        /* What comes back names no datagram. Twice, with the same id, is better than not at all. */
        return (struct sw_syslog_verdict){
            .outcome = SW_OUTCOME_LATER, .undo = true, .is_doubt = true};
    case SW_UDP_NO_ROOM:
    case SW_UDP_WAITS:
        return (struct sw_syslog_verdict){.outcome = SW_OUTCOME_LATER};
    case SW_UDP_BROKEN:
        break;
    }
    return (struct sw_syslog_verdict){.outcome = SW_OUTCOME_BROKEN, .is_doubt = true};
}
