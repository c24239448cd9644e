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
inline constexpr Definition kWhere{"where", 'w', "EXPR",
                                   "that match, like 'status == 5xx && duration > 20ms'; may be repeated, all must "
                                   "match",
                                   0};
inline constexpr Definition kStatus{"status", 0, "S", "with this status: 404, or a class like 5xx", 0};
inline constexpr Definition kRoute{"route", 0, "R",
                                   "of this route, as the report prints it, with or without the method; may be "
                                   "repeated. With placeholders like {id} it also is a template: paths that match it "
                                   "become this route",
                                   0};
inline constexpr Definition kRole{"role", 0, "server|client", "only requests served, or only requests made", 0};
inline constexpr Definition kFrom{"from", 0, "T",
                                  "begun at this time or later: since the start of the recording (10s, 1500ms, 1m30s) "
                                  "or UTC (2026-03-01T12:34:56Z)",
                                  0};
inline constexpr Definition kTo{"to", 0, "T", "begun before this time", 0};
inline constexpr Definition kPid{"pid", 'p', "PID", "of this process; may be repeated", 1};

// How many?
inline constexpr Definition kLimit{"limit", 'n', "N", "at most N", 1};
inline constexpr Definition kMinDuration{"min-duration", 0, "T", "at least this long", 0};
inline constexpr Definition kMinDepth{"min-depth", 0, "N", "at least this many levels", 1};

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
                                   "read all of a long capture, not only the part that is needed: what is typical, and "
                                   "the answers, are then those of the whole",
                                   0};
inline constexpr Definition kNoPager{"no-pager", 0, nullptr, "on a terminal: not through $PAGER (default less -FRX)",
                                     0};
inline constexpr Definition kForce{"force", 0, nullptr, "overwrite OUT", 0};

inline constexpr Definition kExplain{
    "explain", 0, nullptr,
    "not the spans, but where they are from: ids, parents, which events were attached to spans "
    "and how many fitted none; text, or JSON with --json",
    0};

// How are routes made?
inline constexpr Definition kRouteTemplate{"route-template", 0, "T",
                                           "a template of your own without selecting it, like '/users/{id}'; may be "
                                           "repeated",
                                           0};
inline constexpr Definition kMaxRoutes{"max-routes", 0, "N", "keep this many, the others become (other) (default 200)",
                                       1};

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
                                    "leave out so much of every run (default its first tenth, at least 1s)", 0};
inline constexpr Definition kCheck{"check", 0, nullptr, "", 0};
inline constexpr Definition kUndecided{"undecided", 0, "",
                                       "exit code of what is undecided: 0, 3, or 4 (warn, the default)", 0};

// What is given away?
inline constexpr Definition kSlowest{"slowest", 0, "N",
                                     "of the requests that match, the N slowest (default 20; 0: all)", 0};
inline constexpr Definition kMaxSize{"max-size", 0, "SIZE",
                                     "a capture of at most so much, like 24MB: fewer typical requests, then fewer slow "
                                     "ones are kept",
                                     0};
inline constexpr Definition kLevel{"level", 0, "L",
                                   "of redaction: default (for colleagues: names stay, credentials, numbers and tokens "
                                   "go) or strict (for strangers: all names become pseudonyms)",
                                   0};
inline constexpr Definition kPolicy{"policy", 0, "FILE", "", 0};

// All commands.
inline constexpr Definition kMaxMemory{
    "max-memory", 0, "SIZE",
    "of memory for this process at most. Reading stops before that, with exit code 3; a command that needs more "
    "afterwards ends with 1 (default 1GiB and 300 bytes for each byte of the files, "
    "at most 4GiB)",
    0};
inline constexpr Definition kMaxCpu{"max-cpu", 0, "T",
                                    "of processor time at most; a command that needs more ends with 1 (default 60s and "
                                    "2s for each MB of the files; none with --max-requests)",
                                    0};
inline constexpr Definition kMaxRequests{"max-requests", 0, "N",
                                         "stop after so many requests (default 50,000,000); without it also where a "
                                         "file holds far more than recordings of its size do: more than 250,000 "
                                         "requests and one for each of its bytes, for instance",
                                         1};
inline constexpr Definition kTraceKeys{"trace-keys", 0, "TRACE,SPAN[,FLAGS]",
                                       "your own names of the header fields with the trace id, span id and trace flags",
                                       0};

}  // namespace option
}  // namespace tailcap::cli
