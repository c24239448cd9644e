// One request as `tailcap requests --json` prints it; docs/JSON.md describes every name.
#pragma once

#include <string>

#include "analyze/flow/request.h"
#include "analyze/flow/split.h"
#include "analyze/flow/wall_clock.h"

namespace tailcap::report {

struct RequestExtras {
  flow::TextId local = 0, remote = 0;
  // request_headers and response_headers are written only where with_headers is set; nullptr: no head was seen.
  bool with_headers = false;
  const flow::Split* split = nullptr;  // nullptr: the other end is not known
  const flow::Headers* request_headers = nullptr;
  const flow::Headers* response_headers = nullptr;
  const flow::Headers* request_trailers = nullptr;  // nullptr: none were seen
  const flow::Headers* response_trailers = nullptr;
  bool alone = false;  // not part of a document: says which version of the names it follows
};

// Appends the object, without a line end.
void append_request(std::string& out, const flow::RequestTable& table, const flow::Request& row,
                    const flow::WallClock& clock, const RequestExtras& extras = {});

}  // namespace tailcap::report
