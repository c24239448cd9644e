// The columns of each table but `request` (request_columns.h), in the order in which rows are added.
#pragma once

#include <array>

#include "analyze/sql/schema.h"

namespace tailcap::sql {

inline constexpr SqlType kI = SqlType::integer, kR = SqlType::real, kT = SqlType::text;

inline constexpr auto kSegment = std::to_array<SqlColumn>({
    {"request_id", kT, ""},
    {"trace_id", kT, ""},
    {"ts", kI, ""},
    {"dur", kI, ""},
    {"label", kT, "docs/LABELS.md"},
    {"label_group", kT, ""},
    {"evidence", kT, "measured, inferred, sampled"},
    {"culprit_kind", kT, "the blocker: call, request, lock, device, cpu_quota, thread, peer; NULL: none, or not known"},
    {"culprit_utid", kI, "lock holder, waker, or sender of the stop signal"},
    {"culprit_request_id", kT, "the call, or the request that the blocker worked on"},
    {"culprit_what", kI, "address of the lock, number of the device"},
    {"culprit_lock", kT, "name of the lock; NULL: not known, it lies on the heap or on a stack"},
    {"culprit_peer", kT, "address of the other end of the socket, where no request says more"},
    {"culprit_process", kT, "name of the recorded process there; NULL: not known"},
});

inline constexpr auto kAccount = std::to_array<SqlColumn>({
    {"request_id", kT, ""},
    {"trace_id", kT, ""},
    {"phase", kT, "what happened on the wire"},
    {"label", kT, "docs/LABELS.md"},
    {"label_group", kT, ""},
    {"evidence", kT, "measured, inferred, sampled"},
    {"dur", kI, ""},
});

inline constexpr auto kLink = std::to_array<SqlColumn>({
    {"from_request_id", kT, "the cause: parent, first attempt; the client end"},
    {"to_request_id", kT, "the effect: call, later attempt; the server end"},
    {"trace_id", kT, "of the effect"},
    {"kind", kT, "cause, attempt, other_end"},
    {"how", kT, "how it is known: trace_id, thread, goroutine, …"},
    {"confidence", kT, "certain, likely; undecided: from_request_id is NULL"},
    {"alternatives", kI, "further requests that could be the cause"},
});

inline constexpr auto kConnection = std::to_array<SqlColumn>({
    {"connection_id", kI, ""},
    {"ts", kI, "first seen"},
    {"end_ts", kI, "closed; NULL: not seen"},
    {"local", kT, ""},
    {"remote", kT, ""},
    {"family", kT, "unix, inet, inet6"},
    {"origin", kT, "connected, accepted; existed: it was open before the recording"},
    {"tls", kI, "1: a TLS session's plaintext, with a row of its own"},
    {"carrier_connection_id", kI, "of a TLS session: the connection that carries it"},
    {"connect_ts", kI, "connect() began"},
    {"established_ts", kI, ""},
    {"bytes_in", kI, "as far as events show"},
    {"bytes_out", kI, ""},
    {"lost_in", kI, "bytes that no event covers"},
    {"lost_out", kI, ""},
    {"retransmits", kI, "TCP segments that were sent again"},
    {"error", kI, "errno that ended it"},
    {"reset", kT, "received, sent"},
    {"requests", kI, "that it carried"},
});

inline constexpr auto kStream = std::to_array<SqlColumn>({
    {"connection_id", kI, ""},
    {"stream_id", kI, "HTTP/2's number"},
    {"request_id", kT, ""},
    {"trace_id", kT, ""},
    {"ts", kI, ""},
    {"dur", kI, ""},
    {"request_flow_control_ns", kI, "the sender of the request waited for the receiver's window"},
    {"response_flow_control_ns", kI, "likewise of the response"},
    {"behind_others_ns", kI, "upper bound: behind other streams' bytes"},
    {"stream_limit_ns", kI, "upper bound: before ts, waiting for a free stream"},
    {"reset_ns", kI, "from ts until the stream was reset"},
    {"pushed", kI, "1: promised by the server"},
});

inline constexpr auto kProcess = std::to_array<SqlColumn>({
    {"upid", kI, "unique in the capture; pids are reused"},
    {"pid", kI, ""},
    {"machine", kI, "which one of a merged capture, from 1"},
    {"name", kT, ""},
    {"cmdline", kT, ""},
    {"executable", kT, ""},
    {"cgroup", kT, ""},
    {"container_id", kT, "that the cgroup's path names: 64 hex digits"},
    {"container_runtime", kT, "docker, containerd, cri-o, podman"},
    {"k8s_pod_uid", kT, "likewise"},
    {"k8s_namespace", kT, "as the container's runtime knew it when it was recorded"},
    {"k8s_pod", kT, "likewise: the pod's name"},
    {"k8s_container", kT, "likewise: the container's name"},
    {"parent_upid", kI, ""},
    {"start_ts", kI, ""},
    {"end_ts", kI, ""},
    {"exit_code", kI, "as wait(2) gives it"},
});

inline constexpr auto kThread = std::to_array<SqlColumn>({
    {"utid", kI, "unique in the capture; tids are reused"},
    {"tid", kI, ""},
    {"upid", kI, "NULL: only its number was seen"},
    {"machine", kI, ""},
    {"name", kT, ""},
    {"is_main_thread", kI, ""},
    {"start_ts", kI, ""},
    {"end_ts", kI, ""},
});

inline constexpr auto kThreadState = std::to_array<SqlColumn>({
    {"ts", kI, ""},
    {"dur", kI, ""},
    {"cpu", kI, "always NULL: not recorded"},
    {"utid", kI, ""},
    {"state", kT, "Running, R (runnable), R+ (preempted), S, D, T, t, X, Z, P, I"},
    {"blocked_function", kT, "the system call in which it was blocked"},
    {"wait", kT, "what it waited for, as a label"},
    {"waker_utid", kI, "of R: who made it runnable"},
    {"irq_context", kI, "of R: 1: it was woken in an interrupt; NULL: not known"},
    {"throttled", kI, "1: the CPU quota of its cgroup was used up"},
    {"runnable_known", kI, "0: when it became runnable was not seen, so the interval may hold run-queue latency"},
    {"ongoing", kI, "1: the recording ended first; dur is a lower bound"},
    {"goroutine", kI, ""},
});

inline constexpr auto kProcessUse = std::to_array<SqlColumn>({
    {"ts", kI, "about once a second"},
    {"upid", kI, "NULL: the process is not known"},
    {"cpu_ns", kI, "that its threads have used since it began, also those that have ended"},
    {"resident_bytes", kI, "in memory"},
    {"anonymous_bytes", kI, "of these, those of no file"},
});

inline constexpr auto kSample = std::to_array<SqlColumn>({
    {"ts", kI, "of off_cpu: when the thread left the CPU, as in thread_state"},
    {"utid", kI, "NULL: the thread is not known"},
    {"kind", kT, "on_cpu, off_cpu, preempted, allocation"},
    {"weight", kI, "how many like it this one stands for"},
    {"bytes", kI, "of an allocation"},
    {"function", kT, "innermost function of the application; NULL: none is known"},
    {"called_from", kT, "likewise, what called it"},
    {"stack", kT, "functions of the program, outermost first, joined by ;"},
    {"kernel_stack", kT, "likewise, of the kernel; NULL: it ran in user mode"},
    {"stack_end", kT, "why stack goes no further out: start, zero, cut, no_rule, unreadable, unknown; docs/flame.md"},
    {"goroutine", kI, ""},
});

inline constexpr auto kVerdict = std::to_array<SqlColumn>({
    {"verdict_id", kI, ""},
    {"scope", kT, "route, process, machine"},
    {"kind", kT, "nothing, few, usual, tail, unfinished, failing, undelivered"},
    {"level", kT, "nothing, note, notable, severe"},
    {"pattern", kT, ""},
    {"route", kT, "NULL: none, or several"},
    {"sentence", kT, ""},
    {"label", kT, "with the largest difference"},
    {"origin", kT, "what is responsible for that"},
    {"requests", kI, "slow ones"},
    {"of", kI, "that were compared"},
    {"slow_ns", kI, "mean duration"},
    {"typical_ns", kI, "mean duration"},
    {"excess_ns", kI, "beyond the typical duration, summed over the slow requests"},
    {"part_of", kI, "verdict_id of the verdict that explains it"},
    {"example_request_id", kT, "the slowest"},
    {"json", kT, "the whole of it, as in `tailcap report --json`"},
});

inline constexpr auto kLoss = std::to_array<SqlColumn>({
    {"ts", kI, "NULL: when it began is not known"},
    {"dur", kI, ""},
    {"count", kI, "lost events"},
    {"what", kT, ""},
});

inline constexpr auto kClock = std::to_array<SqlColumn>({
    {"ts", kI, ""},
    {"machine", kI, ""},
    {"realtime_ns", kI, "since 1970"},
    {"boottime_ns", kI, ""},
    {"uncertainty_ns", kI, "bound of the distance between the readings"},
});

inline constexpr auto kBlock = std::to_array<SqlColumn>({
    {"sequence", kI, ""},
    {"offset", kI, "in the file"},
    {"type", kT, "preamble, events, keyframe, footer, unknown"},
    {"events", kI, ""},
    {"raw_bytes", kI, ""},
    {"stored_bytes", kI, ""},
    {"first_ts", kI, ""},
    {"last_ts", kI, ""},
    {"damage", kT, "NULL: it is sound"},
});

inline constexpr auto kCaptures = std::to_array<SqlColumn>({
    {"capture_id", kT, ""},
    {"host", kT, ""},
    {"kernel", kT, ""},
    {"architecture", kT, ""},
    {"boot_id", kT, ""},
    {"cpus", kI, ""},
    {"recorder_version", kT, ""},
    {"tier", kT, "a, b, c"},
    {"redaction", kT, ""},
    {"state", kT, "complete, truncated, recovered, recording"},
    {"first_ts", kI, ""},
    {"last_ts", kI, ""},
    {"started_ns", kI, "since 1970"},
    {"clock_error_ns", kI, "bound of the distance of wall-clock times to the machine's; NULL: no reading of it"},
    {"events", kI, ""},
    {"lost", kI, "events that were counted as lost"},
    {"damaged_blocks", kI, ""},
});

inline constexpr auto kLog = std::to_array<SqlColumn>({
    {"ts", kI, "when it was written, by its own time; NULL: it has none, or one without a zone"},
    {"time_ns", kI, "likewise, since 1970"},
    {"precision_ns", kI,
     "it was written in this time from ts on: the unit of its last digit, and what reading it took"},
    {"file", kT, ""},
    {"line", kI, "its number in the file, from 1; of journald's export format the entry's"},
    {"level", kT, "trace, debug, info, notice, warning, error, fatal; NULL: none is known"},
    {"text", kT, "its message; without one all of it"},
    {"whole", kT, "all of it"},
    {"request_id", kT, "the request that it is joined with; NULL: none, or one of several"},
    {"requests", kI, "that it may belong to: 1: it is joined; more: it lies in all of them"},
    {"among", kT, "of several: the first 16, with a space between"},
    {"how", kT, "how that is known: trace_id, request_id, process"},
    {"why", kT, "why there is none: no_time, no_zone, outside, no_process, …: docs/logs.md"},
    {"trace_id", kT, "that it names"},
    {"x_request_id", kT, "likewise"},
    {"pid", kI, "likewise"},
});

inline constexpr auto kSchemaVersion = std::to_array<SqlColumn>({
    {"version", kI, ""},
    {"tailcap_version", kT, ""},
});

inline constexpr auto kSpan = std::to_array<SqlColumn>({
    {"ts", kI, ""},
    {"trace_id", kT, ""},
    {"span_id", kT, ""},
    {"parent_span_id", kT, ""},
    {"trace_state", kT, ""},
    {"name", kT, ""},
    {"kind", kT, ""},
    {"service_name", kT, ""},
    {"resource_attributes", kT, ""},
    {"scope_name", kT, ""},
    {"scope_version", kT, ""},
    {"attributes", kT, ""},
    {"dur", kI, ""},
    {"status_code", kT, ""},
    {"status_message", kT, ""},
    {"event_times", kT, ""},
    {"event_names", kT, ""},
    {"event_attributes", kT, ""},
    {"link_traces", kT, ""},
    {"link_spans", kT, ""},
    {"link_states", kT, ""},
    {"link_attributes", kT, ""},
});

inline constexpr auto kOtelColumns = std::to_array<SqlColumn>({
    {"Timestamp", kI, "ns since 1970, which is what DateTime64(9) holds"},
    {"TraceId", kT, ""},
    {"SpanId", kT, ""},
    {"ParentSpanId", kT, "empty: a root"},
    {"TraceState", kT, ""},
    {"SpanName", kT, ""},
    {"SpanKind", kT, "Server, Client, Internal"},
    {"ServiceName", kT, ""},
    {"ResourceAttributes", kT, "maps and arrays are JSON: json_extract(ResourceAttributes, '$.\"host.name\"')"},
    {"ScopeName", kT, ""},
    {"ScopeVersion", kT, ""},
    {"SpanAttributes", kT, ""},
    {"Duration", kI, "ns"},
    {"StatusCode", kT, "Unset, Ok, Error"},
    {"StatusMessage", kT, ""},
    {"Events.Timestamp", kT, "ns since 1970"},
    {"Events.Name", kT, ""},
    {"Events.Attributes", kT, ""},
    {"Links.TraceId", kT, ""},
    {"Links.SpanId", kT, ""},
    {"Links.TraceState", kT, ""},
    {"Links.Attributes", kT, ""},
});

}  // namespace tailcap::sql
