// The file calls of a request.
//
// Opens are recorded all, with all of their time and the path as the caller gave it. Reads, writes and fsyncs are where
// they waited long: from when the thread left the CPU in the call for the first time until it was back for the last
// time, with the path as the kernel names the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "formats/file_call.h"

namespace tailcap::model {

// Recorded where the result of a call is not known.
inline constexpr std::int64_t kResultUnknown = INT64_MIN;

// As in formats::FileCall, by one of the threads that carried the request.
struct FileCall {
  formats::Time began = formats::kNoTime, ended = formats::kNoTime;
  std::int64_t result = 0;
  std::string path;
  std::int32_t descriptor = -1;
  std::uint32_t tid = 0;
  formats::FileAct act = formats::FileAct::open;
  bool inferred = false;  // that it was for this request: the only one that its event loop had under way
};

struct FileCalls {
  ExchangeId request;
  static constexpr std::size_t kMaxKept = 100;
  std::vector<FileCall>
      calls;  // by their beginning: the first that began in its time, on the thread or goroutine that carried it then
  std::uint64_t more = 0;      // beyond those
  std::uint64_t doubtful = 0;  // on its thread in its time, but perhaps for another request: on an event loop

  bool empty() const { return calls.empty() && doubtful == 0; }
};

}  // namespace tailcap::model
