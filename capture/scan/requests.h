// Requests to a child process that reads files (capture/scan/worker), and its answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/go/names.h"
#include "capture/go/program.h"
#include "capture/symbols/code_names.h"
#include "capture/symbols/perf_map.h"
#include "capture/symbols/plan.h"
#include "capture/symbols/scripts/script_programs.h"
#include "capture/symbols/source/source_lines.h"
#include "capture/symbols/unwind_rules.h"
#include "capture/symbols/variable_names.h"

namespace tailcap::capture::scan {

enum class Task : std::uint8_t { plan, build_id, names, unwind_rules, scripts, perf_map, variables, source_lines };

// Asks for the places of probes in a file.
struct PlanRequest {
  std::string shown;  // the file's name in messages
  bool tls = false, tls_keys = false, tls_auto = false;
  bool go = false;
  bool go_states = false;
  bool allocations = false;   // of Go, and by malloc
  std::uint16_t go_file = 0;  // its number in the kernel's table, if it is a Go program
};

struct FilePlan {
  std::string refused;                     // why the file was not understood; all other fields are empty then
  std::vector<PlannedFunction> functions;  // of TLS
  std::vector<PlannedFunction> mallocs;    // none of a Go program
  bool go = false;                         // it is a Go program, and the request asked for Go
  bool movable = false;                    // position-independent
  go::Program program;
  go::Tables tables;
};

std::string encode(const PlanRequest& request);
std::string encode_build_id_request();
std::string encode_names_request();
std::string encode_unwind_rules_request();
std::string encode_scripts_request();
std::string encode_variables_request();
// Asks for the lines of a file. A process that is asked about the same file again has it open still.
struct LinesRequest {
  std::uint64_t most = UINT64_MAX;       // bytes of debug information; a file with more has no lines
  std::vector<std::uint64_t> addresses;  // only of units with these; none, or more than kMostAddresses: of all
  static constexpr std::size_t kMostAddresses = 4096;
};
std::string encode(const LinesRequest& request);
std::string encode_perf_map_request(std::uint32_t user);  // whose file it must be

// Decode an answer, which may be any bytes. go_file: the file number that cookies may have. Nothing: it is invalid.
std::optional<FilePlan> decode_plan(std::string_view bytes, std::uint16_t go_file);
std::optional<std::string> decode_build_id(std::string_view bytes);
std::optional<symbols::CodeNames> decode_names(std::string_view bytes);
std::optional<symbols::UnwindRules> decode_unwind_rules(std::string_view bytes);
std::optional<symbols::ScriptPrograms> decode_scripts(std::string_view bytes);
std::optional<symbols::PerfMap> decode_perf_map(std::string_view bytes);
std::optional<symbols::VariableNames> decode_variables(std::string_view bytes);
std::optional<symbols::SourceLines> decode_source_lines(std::string_view bytes);

// Answers any request about the file that a descriptor is open on. Never throws; empty: the request was not understood.
std::string answer(std::string_view request, int file);

}  // namespace tailcap::capture::scan
