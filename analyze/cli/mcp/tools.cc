#include "analyze/cli/mcp/tools.h"

#include <array>

namespace tailcap::cli {
namespace {

using Type = ToolArgument::Type;

constexpr ToolArgument kFile{"file", Type::text, "", true, "path of the capture (.tcap) or package (.zip)"};
constexpr ToolArgument kId{"id", Type::text, "", true,
                           "a request: its ID like 12.3, `slowest`, or `@1`, the example of the report's answer 1"};
constexpr ToolArgument kWhere{
    "where", Type::text, "--where", false,
    "only requests that match, like: status == 5xx && duration > 20ms && path contains \"/cart\""};
constexpr ToolArgument kLimit{"limit", Type::number, "--limit", false, "at most this number of rows"};

constexpr ToolArgument kSummaries{"summaries", Type::texts, "", true, "paths of summaries (.tcs) or captures"};

}  // namespace

std::span<const Tool> tools() {
  static const auto all = std::to_array<Tool>({
      {"report",
       "What was slow, and why: answers with their evidence and the next commands. Ask this first.",
       {"report", "--format", "agent"},
       {kFile, kWhere}},
      {"info", "What was recorded, how, and what was lost: whether the capture can be trusted.", {"info"}, {kFile}},
      {"requests",
       "One line for each request.",
       {"requests"},
       {kFile,
        kWhere,
        kLimit,
        {"sort", Type::text, "--sort", false, "start or duration, the slowest first"},
        {"columns", Type::text, "--columns", false, "like id,service_name,route,duration; `fields` lists them"}}},
      {"fields", "The names of what is known of a request, for `where` and `columns`.", {"requests", "--fields"}, {}},
      {"show", "One request: every wait of it, the blocker, the calls.", {"show"}, {kFile, kId}},
      {"tree", "What a request caused, across processes, with the certainty of each link.", {"tree"}, {kFile, kId}},
      {"topology", "Which service calls which, how often, how fast.", {"topology"}, {kFile, kWhere}},
      {"flame",
       "Folded stacks: a line for each stack and its samples, or the nanoseconds that threads waited.",
       {"flame", "--format", "folded"},
       {kFile,
        kWhere,
        {"measure", Type::text, "--measure", false, "cpu (default) or off-cpu"},
        {"cohort", Type::text, "--cohort", false, "all (default), slow, typical or diff"}}},
      {"query",
       "SQL (SQLite) over requests, segments of their time, threads, connections. Without sql: the tables and columns.",
       {"query", "--json"},
       {kFile, {"sql", Type::text, "", false, "one SELECT"}, kLimit}},
      {"diag", "What is wrong with the machine beside its requests.", {"diag"}, {kFile}},
      {"diff",
       "What is different between two captures of any days, machines and loads: what changed most, and why.",
       {"diff", "--format", "md"},
       {{"a", Type::text, "", true, "path of the first capture"},
        {"b", Type::text, "", true, "path of the second capture"},
        kWhere}},
      {"compare",
       "Is the new version slower? Recordings of both, several runs each.",
       {"compare", "--format", "md"},
       {{"base", Type::texts, "", true, "captures of the base"},
        {"new", Type::texts, "--", true, "captures of the new version"}}},
      {"baseline",
       "What is usual for each service at an hour of the day, learned from summaries (.tcs) of a week or more; with "
       "new: "
       "what is outside of that.",
       {"baseline"},
       {kSummaries, {"new", Type::text, "--new", false, "a summary or capture to be held against it"}}},
      {"scorecard",
       "Availability, limits, error budgets and burn rates by service and week.",
       {"scorecard"},
       {kSummaries,
        {"limits", Type::text, "--at-most", false, "limits of every route, like: p99: 200ms, errors: 0.5%"}}},
      {"similar",
       "Which past incidents spent their time on the same; the first of the summaries is compared with the others.",
       {"similar"},
       {kSummaries}},
  });
  return all;
}

}  // namespace tailcap::cli
