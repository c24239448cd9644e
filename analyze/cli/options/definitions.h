// The vocabulary: one definition of each option that more than one command takes. An option means the same wherever it
// is taken; docs/COMMANDS.md has the table.
#pragma once

#include <cstdint>

namespace tailcap::cli {

struct Definition {
  const char* name;
  char letter;          // 0: none
  const char* value;    // "EXPR"; null: a switch
  const char* text;     // for the help
  std::uint64_t least;  // of numbers
};

namespace option {

// Which requests?
inline constexpr Definition kWhere{
    "where", 'w', "EXPR",
    "only requests that match EXPR, like 'status == 5xx && duration > 20ms' (repeatable; all must match)", 0};
inline constexpr Definition kStatus{"status", 0, "S", "only requests with this status: 404, or a class like 5xx", 0};
inline constexpr Definition kRoute{
    "route", 0, "R",
    "only requests of this route, as the report prints it, with or without the method (repeatable). A route with "
    "placeholders like {id} is a template, too: paths that match it become this route",
    0};
inline constexpr Definition kRole{"role", 0, "server|client",
                                  "only requests that were served, or only requests that were made", 0};
inline constexpr Definition kFrom{
    "from", 0, "T",
    "only requests that began at T or later: a time since the start of the recording (10s, 1500ms, 1m30s), before its "
    "end (-10s), or in UTC (12:34:56, 2026-03-01T12:34:56Z)",
    0};
inline constexpr Definition kTo{"to", 0, "T", "only requests that began before T", 0};
inline constexpr Definition kAround{
    "around", 0, "ID|T",
    "the same as --from and --to: from one second before this request or time to one second after it", 0};
inline constexpr Definition kEvery{"every", 0, "T", "do it every T", 0};
inline constexpr Definition kPid{"pid", 'p', "PID", "only this process (repeatable)", 1};

// How many?
inline constexpr Definition kLimit{"limit", 'n', "N", "print at most N", 1};
inline constexpr Definition kMinDuration{"min-duration", 0, "T", "only traces of at least T", 0};
inline constexpr Definition kMinDepth{"min-depth", 0, "N", "only traces with at least N levels", 1};

// In which form, and where to?
inline constexpr Definition kFormat{"format", 0, "F", "", 0};
inline constexpr Definition kJson{"json", 0, nullptr, "the same as --format json; docs/JSON.md describes the names", 0};
inline constexpr Definition kSchema{
    "schema", 0, nullptr, "print the JSON schema of the output of --json, and nothing else; takes no FILE", 0};
inline constexpr Definition kOutput{"output", 'o', "OUT",
                                    "write to this file; - is the standard output. Its ending chooses the format where "
                                    "--format does not",
                                    0};
inline constexpr Definition kWidth{"width", 0, "N", "columns of the text", 1};
inline constexpr Definition kWhole{"whole", 0, nullptr,
                                   "read all of a long capture, not only the part that the answer needs: what is "
                                   "typical, and the answers, then describe the whole capture",
                                   0};
inline constexpr Definition kFull{"full", 0, nullptr, "print everything as text", 0};
inline constexpr Definition kNoPager{"no-pager", 0, nullptr,
                                     "on a terminal: do not use a pager ($PAGER, default less -FRX)", 0};
inline constexpr Definition kForce{"force", 0, nullptr, "overwrite OUT", 0};

inline constexpr Definition kSpans{
    "spans", 0, "",
    "requests: a span for each request and its connection's set-up (the default); labels: also a span below it for "
    "each wait of 0.1 ms or longer, at most 64 a request",
    0};
inline constexpr Definition kExplain{
    "explain", 0, nullptr,
    "print where each span comes from instead of the spans: ids, parents, and how many events were attached to spans "
    "or fitted none; as text, or as JSON with --json",
    0};

inline constexpr Definition kFromClickHouse{
    "from-clickhouse", 0, "URL",
    "all captures that were loaded into this ClickHouse server (docs/clickhouse.md), instead of files: "
    "http://clickhouse:8123",
    0};

inline constexpr Definition kWindow{"window", 0, "T", "", 0};

// With which log files?
inline constexpr Definition kJoinLogs{
    "join-logs", 0, "[SERVICE=]GLOB",
    "read the lines of these log files beside the requests: JSON, logfmt, plain text, journald's export format "
    "(repeatable). A line is joined with a request by its trace id, its X-Request-Id, or its process and time. "
    "SERVICE: "
    "whose log it is, as `tailcap report` calls it",
    0};
inline constexpr Definition kLogZone{
    "log-zone", 0, "ZONE",
    "the zone of times in log files that name none: UTC, or like +02:00. Without it they are "
    "not used",
    0};
inline constexpr Definition kLogTime{"log-time", 0, "PATTERN",
                                     "look for the time in lines of plain text by PATTERN, like '%d.%m.%Y %H:%M:%S.%f' "
                                     "(%Y %m %d %b %H %M %S, %f: digits of a "
                                     "fraction, %z: a zone, %s: seconds since 1970)",
                                     0};

// How are routes made?
inline constexpr Definition kRouteTemplate{
    "route-template", 0, "T", "add a route template, like '/users/{id}', without selecting it (repeatable)", 0};
inline constexpr Definition kMaxRoutes{"max-routes", 0, "N",
                                       "keep at most N routes; the others become (other) (default 200)", 1};

// Which time?
inline constexpr Definition kMeasure{
    "measure", 0, "",
    "cpu: time on a processor. off-cpu: time off it, in any capture, by process, thread, system "
    "call and what it was on; by stacks where there are any. "
    "allocations: bytes that Go programs allocated (`tailcap record --add allocations`). "
    "preemptions: where Go's scheduler preempted goroutines (`tailcap record --profile deep`)",
    0};

// What is a verdict?
inline constexpr Definition kWarmUp{"warmup", 0, "T",
                                    "leave out the first T of every run (default: its first tenth, at least 1s)", 0};
inline constexpr Definition kCheck{"check", 0, nullptr, "", 0};
inline constexpr Definition kSlo{"slo", 0, "FILE", "read the limits from FILE", 0};
inline constexpr Definition kUndecided{"undecided", 0, "",
                                       "exit code of an undecided result: 0, 3, or 4 (warn, the default)", 0};

// What is given away?
inline constexpr Definition kSlowest{"slowest", 0, "N",
                                     "keep the N slowest of the requests that match (default 20; 0: all)", 0};
inline constexpr Definition kMaxSize{
    "max-size", 0, "SIZE",
    "keep the new capture below SIZE, like 24MB: first fewer typical requests are kept, then fewer slow ones", 0};
inline constexpr Definition kLevel{"level", 0, "L",
                                   "level of redaction: default (for colleagues: names stay; credentials, numbers and "
                                   "tokens go) or strict (for strangers: all names become pseudonyms)",
                                   0};
inline constexpr Definition kPolicy{"policy", 0, "FILE", "", 0};

// All commands.
inline constexpr Definition kMaxMemory{
    "max-memory", 0, "SIZE",
    "use at most SIZE of memory. Reading stops before that, with exit code 3; a command that needs more afterwards "
    "ends with 1 (default 1GiB and 300 bytes for each byte of the files, at most 4GiB)",
    0};
inline constexpr Definition kMaxCpu{"max-cpu", 0, "T",
                                    "use at most T of processor time; a command that needs more ends with 1 (default "
                                    "60s and 2s for each MB of the files; none with --max-requests)",
                                    0};
inline constexpr Definition kMaxRequests{
    "max-requests", 0, "N",
    "stop after N requests (default 50,000,000). Without it, reading also stops where a file holds far more than "
    "recordings of its size do: for instance more than 250,000 requests and one for each of its bytes",
    1};
inline constexpr Definition kTraceKeys{
    "trace-keys", 0, "TRACE,SPAN[,FLAGS]",
    "your own names of the header fields that hold the trace id, the span id and the trace flags", 0};

}  // namespace option
}  // namespace tailcap::cli
