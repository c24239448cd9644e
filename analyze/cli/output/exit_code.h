// How commands end. docs/COMMANDS.md has the same table.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/pipeline/pipeline.h"
#include "formats/file/reader.h"

namespace tailcap::cli {

inline constexpr int kDone = 0, kFailed = 1, kBadUsage = 2, kIncomplete = 3, kNoAnswer = 4;
inline constexpr int kGateFails = 3;  // of compare, assert and audit, which give 4 where data is missing

inline constexpr const char* kExitCodes =
    R"(Exit codes of all commands
  0  done
  1  failed: a file cannot be read or written, there is no such request, or tailcap contradicted itself
  2  bad usage
  3  done, but the capture is incomplete: events were lost, blocks are damaged or missing, or its end is; a process was
     not recorded, or traffic was left out; or reading stopped at a limit. With compare and assert: a gate fails; with
     audit: a connection is denied
  4  no answer: nothing matches what was asked for, or there is too little to decide. It takes precedence over 3
)";

// The result says itself what is missing: it is not said on standard error.
enum class Told : bool { no, yes };

// 1 if tailcap contradicted itself: then it names the requests on standard error. Otherwise kIncomplete, which it says
// there, or kDone.
int exit_code(const pipeline::Analysis& analysis, const char* command, Told told = Told::no);
int exit_code(bool damaged, const std::vector<model::ExchangeId>& wrong, const char* command, Told told = Told::no);
// The same for a file of which only the events are read. `lost` were counted in them.
int exit_code(const formats::FileSummary& summary, const char* command, std::uint64_t lost = 0, Told told = Told::no);

// The same where there are no requests that could contradict.
int exit_code(bool damaged, const char* command, Told told = Told::no);

// Says that no `things` ("request", "event") match, and returns kNoAnswer.
int nothing_matches(const char* command, const char* thing);

}  // namespace tailcap::cli
