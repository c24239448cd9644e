// Finds the bytes of a request's head that named its trace, and the segments that brought them. HTTP/1 on TCP, not in
// TLS: header compression and records leave no bytes that could be pointed at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/trace_binding.h"
#include "formats/event_names.h"

namespace tailcap::timeline {

class BindingFinder {
 public:
  static constexpr std::uint32_t kMaxHead = 64u << 10;  // bytes of a head that are looked at
  static constexpr std::size_t kMaxParts = 4096;

  // Takes events of the connection's socket from now on; all of them must be given.
  BindingFinder(const model::Request& row, const model::Exchange& exchange, const model::Connection& connection);
  void push(const formats::Event& event);
  std::optional<model::TraceBinding> find() const;

 private:
  struct Part {
    std::int64_t begin = 0, end = 0;  // bytes from the request's first
    formats::Time time = formats::kNoTime;
  };
  // From the request's first byte; nothing where it is before it, or far behind.
  std::optional<std::int64_t> place(std::uint32_t sequence, std::uint32_t length) const;
  void keep(std::int64_t at, std::string_view bytes);
  static void add(std::vector<Part>& parts, std::int64_t at, std::uint32_t length, formats::Time time);

  model::TraceFormat format_;
  formats::SocketId socket_ = 0;  // 0: nothing to look for
  formats::Direction direction_;
  std::uint32_t first_;  // sequence number of the request's first byte
  std::string head_;
  std::vector<bool> known_;           // by byte of head_
  std::vector<Part> arrived_, done_;  // by time
};

}  // namespace tailcap::timeline
