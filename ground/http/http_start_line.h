// The first line of an HTTP/1 message: what proves that a message begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::ground {

enum class Role : std::uint8_t { unknown, requests, responses };

struct StartLine {
  enum class What : std::uint8_t {
    neither,
    possible,  // it is not whole, and may become one of these:
    request,
    response,
    preface,  // "PRI * HTTP/2.0", the beginning of HTTP/2
  };
  What what = What::neither;
  std::size_t target_begin = 0, target_end = 0;  // of a request, whole or not
  bool target_whole = false;
  bool head = false, connect = false;  // methods after which a response has no body
  int status = 0;
};

// `line` without its line end where it is whole. role: the one that is known, or unknown.
StartLine judge_start(std::string_view line, bool whole, Role role);

// A method that HTTP or one of its extensions defines.
bool is_known_method(std::string_view method);

// A whole start line and at least one whole field, or the end of the head, all of it faultless: a message begins here
// although what came before is not known.
bool verified_start(std::string_view bytes, Role role);

}  // namespace tailcap::ground
