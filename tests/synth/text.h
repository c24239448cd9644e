// Captures as text, one event a line, for golden cases and for people:
//
//     # a comment
//     preamble tier=a payload_limit=256 note="run=1"
//     +0.000000 socket_info socket=5 family=inet type=stream origin=accepted state=established local=10.0.0.1:80
//     next_in=1000 +0.001250 receive pid=10 tid=11 socket=5 pos=1000 data="GET / HTTP/1.1\r\n\r\n"
//
// Times are seconds from synth::kStart, in all fields that are times. A field that has its default is left out; `len`
// left out is the length of data and tail. Strings have \r \n \t \\ \" and \xHH. Names of kinds are formats::name_of's.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::synth {

struct TextCapture {
  formats::Preamble preamble;
  std::vector<formats::Event> events;  // in the order of the lines
  std::deque<std::string> bytes;       // the memory of their views
};

// Throws std::runtime_error with `name`, the line and the error.
TextCapture parse_text(std::string_view text, const std::string& name = "text");

std::string print_text(const formats::Event& event);  // without a line end
std::string print_text(std::span<const formats::Event> events);

}  // namespace tailcap::synth
