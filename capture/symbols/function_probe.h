// A kernel program at a place in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace tailcap::capture {

// The kernel program for a place (bpf/tls/, bpf/go/), and its cookie.
enum class FunctionProgram : std::uint8_t {
  enter,
  leave,
  event,
  go_enter,
  go_leave,
  go_event,
  runtime,
  channel,
  allocation,
  malloc_call,
  secret,
  go_secret
};
inline constexpr std::size_t kFunctionPrograms = 12;

struct FunctionProbe {
  FunctionProgram program = FunctionProgram::enter;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t cookie = 0;  // bpf/event.h
  std::string code;          // the bytes there, from which the plan was made
};

}  // namespace tailcap::capture
