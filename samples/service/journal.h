// The service's own record of its requests: one JSON line each, the truth to compare a recording with.
//
//   {"id":…,"method":…,"path":…,"status":…,"request_bytes":…,"response_bytes":…,"start_ns":…,"end_ns":…,
//    "pid":…,"tid":…,"delivered":true}
//
// Times are CLOCK_MONOTONIC; bytes are bodies after transfer decoding; an absent id is null.
#pragma once

#include <cstdint>
#include <string>

#include "samples/service/http.h"
#include "samples/service/responder.h"

namespace tailcap::samples {

// The file, shared by all connections. An empty name: no journal.
class Journal {
 public:
  // Throws std::system_error when the file cannot be written.
  explicit Journal(const std::string& name);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  int descriptor() const { return descriptor_; }  // -1: no journal

 private:
  int descriptor_ = -1;
};

// One connection's share, gathered without a lock, so that the journal causes no waits of its own.
class JournalPage {
 public:
  explicit JournalPage(const Journal& journal) : descriptor_(journal.descriptor()) {}
  ~JournalPage() { flush(); }
  JournalPage(const JournalPage&) = delete;
  JournalPage& operator=(const JournalPage&) = delete;

  void note(const HttpRequest& request, const Responder& response, std::int64_t end_ns);

 private:
  void flush();

  int descriptor_;
  std::string lines_;
};

}  // namespace tailcap::samples
