// What a child process that reads files is asked (capture/scan/worker), and what it answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/go/names.h"
#include "capture/go/program.h"
#include "capture/plan.h"
#include "capture/symbols/code_names.h"

namespace tailcap::capture::scan {

enum class Task : std::uint8_t { plan, build_id, names };

// Where kernel programs may stand in a file.
struct PlanRequest {
  std::string shown;  // the file's name in messages
  bool tls = false;
  bool go = false;
  bool go_states = false, go_allocations = false;
  std::uint16_t go_file = 0;  // its number in the kernel's table, if it is a Go program
};

struct FilePlan {
  std::string refused;                     // why the file was not understood; all else is empty then
  std::vector<PlannedFunction> functions;  // of TLS
  bool go = false;                         // it is a Go program, and was asked for as such
  bool movable = false;                    // position-independent
  go::Program program;
  go::Tables tables;
};

std::string encode(const PlanRequest& request);
std::string encode_build_id_request();
std::string encode_names_request();

// Of an answer, which may be anything. go_file: which file's number cookies may have. Nothing: it is none.
std::optional<FilePlan> decode_plan(std::string_view bytes, std::uint16_t go_file);
std::optional<std::string> decode_build_id(std::string_view bytes);
std::optional<symbols::CodeNames> decode_names(std::string_view bytes);

// The answer to any request, of the file that a descriptor is open on. Never throws; empty: the request was not
// understood.
std::string answer(std::string_view request, int file);

}  // namespace tailcap::capture::scan
