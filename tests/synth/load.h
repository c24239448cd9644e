// Traffic of any size with its truth: many keep-alive connections to one service, requests on a few routes.
//
// Events come in time order, and memory depends only on the number of connections. The same options give the same
// events.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "formats/event.h"

namespace tailcap::synth {

struct LoadOptions {
  std::uint64_t seed = 1;
  std::uint64_t requests = 1000;
  std::uint32_t connections = 16;                               // at least 1
  std::uint32_t routes = 4;                                     // at least 1
  formats::Duration interval = std::chrono::microseconds{100};  // mean time between arrivals, over all connections
  formats::Duration service = std::chrono::microseconds{300};   // median time in the service; route n is n times slower
  double error_share = 0.01;                                    // answered with 500
  bool client = false;                                          // recorded at the client's end instead of the server's
  std::uint32_t threads = 4;                                    // that serve requests
};

// The truth about a request.
struct Truth {
  std::uint64_t number = 0;      // from 0, in order of completion
  std::uint32_t connection = 0;  // from 0
  std::uint32_t route = 0;       // from 0
  std::string method, path;
  int status = 0;
  std::uint64_t request_bytes = 0, response_bytes = 0;
  formats::Time start = formats::kNoTime;  // arrival of its first byte (client: its send)
  formats::Time first_byte = formats::kNoTime, end = formats::kNoTime;
};

class Load {
 public:
  explicit Load(const LoadOptions& options);
  ~Load();
  // The next event; its views are valid until the next call. nullptr after the last.
  const formats::Event* next();
  // The truth about a request if the last event completed it; else nullptr.
  const Truth* completed() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::synth
