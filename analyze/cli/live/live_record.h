// `tailcap record`: the recorder, and what works beside it: with --live lines on slow requests, which this program
// reads from the file that is being written; with --summaries the summaries of each day.
#pragma once

#include <string>
#include <vector>

namespace tailcap::cli {

// words: behind `record`. Becomes the recorder, or returns its exit code.
int record(const std::vector<std::string>& words);

}  // namespace tailcap::cli
