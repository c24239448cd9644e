// A trace in Perfetto's format: protobuf, packet after packet, as
// https://perfetto.dev/docs/reference/trace-packet-proto publishes its fields.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/time.h"

namespace tailcap::exports {

class PerfettoTrace {
 public:
  using Track = std::uint64_t;  // 0: none
  using Note = std::pair<std::string_view, std::variant<std::int64_t, bool, std::string>>;

  explicit PerfettoTrace(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

  // A reading of the clocks: of the trace's own (CLOCK_MONOTONIC), and of others, ns.
  void clocks(formats::Time at, std::int64_t realtime, std::int64_t boottime);

  // Texts are escaped here. Numbers are those of the kernel.
  Track process(std::uint32_t pid, std::string_view name, std::string_view command_line,
                std::span<const std::string> labels);
  Track thread(std::uint32_t pid, std::uint32_t tid, std::string_view name, Track process);
  Track track(std::string_view name, Track above);
  Track counter(std::string_view name, Track above);

  // Slices of one track nest, and are written in order of time. Each begin has an end.
  void begin(Track track, std::int64_t at, std::string_view name, std::string_view category,
             std::span<const Note> notes = {}, std::span<const std::uint64_t> flows_from = {},
             std::span<const std::uint64_t> flows_to = {});
  void end(Track track, std::int64_t at);
  void instant(Track track, std::int64_t at, std::string_view name, std::string_view category,
               std::span<const Note> notes = {});
  void count(Track track, std::int64_t at, std::int64_t value);

 private:
  enum class Kind : int { begin = 1, end = 2, instant = 3, counter = 4 };  // TrackEvent.Type
  struct Event;
  void event(const Event& event);
  void packet(const std::string& packet);

  std::function<void(std::string_view)> write_;
  Track last_ = 0;
  bool first_ = true;
};

}  // namespace tailcap::exports
