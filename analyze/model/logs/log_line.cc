#include "analyze/model/logs/log_line.h"

#include <array>

namespace tailcap::model {

std::string_view name_of(LogLevel level) {
  constexpr std::string_view names[] = {"", "trace", "debug", "info", "notice", "warning", "error", "fatal"};
  return names[static_cast<std::size_t>(level)];
}

std::string_view name_of(LogEvidence evidence) {
  constexpr std::string_view names[] = {"", "trace_id", "request_id", "process"};
  return names[static_cast<std::size_t>(evidence)];
}

namespace {

struct MissNames {
  std::string_view name, text;
};

constexpr std::array<MissNames, kLogMisses> kMisses = {{
    {"", ""},
    {"no_time", "no time that can be read, and no id of a recorded request"},
    {"no_zone", "a time without a zone (--log-zone says which), and no id of a recorded request"},
    {"outside", "a time outside of the recording"},
    {"no_process", "neither the id of a recorded request nor a process"},
    {"unknown_process", "a process without a recorded request"},
    {"none_under_way", "no recorded request of their process under way"},
    {"other_id", "another id than the only request under way"},
    {"other_process", "the id of requests of other processes"},
    {"other_time", "the id of a request of another time"},
    {"contradicts", "fields that contradict each other"},
}};

}  // namespace

std::string_view name_of(LogMiss miss) { return kMisses[static_cast<std::size_t>(miss)].name; }
std::string_view text_of(LogMiss miss) { return kMisses[static_cast<std::size_t>(miss)].text; }

}  // namespace tailcap::model
