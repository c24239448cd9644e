// One request as `tailcap requests --json` prints it; docs/JSON.md describes every name.
#pragma once

#include <string>

#include "analyze/model/request.h"
#include "analyze/model/study/split.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::report {

struct RequestExtras {
  model::TextId local = 0, remote = 0;
  // request_headers and response_headers are written only where with_headers is set; nullptr: no head was seen.
  bool with_headers = false;
  const model::Split* split = nullptr;  // nullptr: the other end is not known
  const model::Headers* request_headers = nullptr;
  const model::Headers* response_headers = nullptr;
  const model::Headers* request_trailers = nullptr;  // nullptr: none were seen
  const model::Headers* response_trailers = nullptr;
  bool live = false;   // the capture is still being written: what is only known at its end is left out
  bool alone = false;  // not part of a document: says which version of the names it follows
};

// Appends the object, without a line end.
void append_request(std::string& out, const model::RequestTable& table, const model::Request& row,
                    const model::WallClock& clock, const RequestExtras& extras = {});

}  // namespace tailcap::report
