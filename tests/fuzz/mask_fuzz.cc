// A connection with planted credentials passes the gate; the input chooses what is sent, cut and lost. No credential
// may remain.
#include <cstdio>
#include <cstdlib>

#include "tests/unit/capture/mask_streams.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace tailcap::capture::mask;
  if (size == 0) return 0;
  Choices choices;
  choices.bytes.assign(data + 1, data + size);
  const Trial trial = passed(static_cast<Wire>(data[0] % 4), choices);
  if (!trial.leak.empty()) {
    std::fprintf(stderr, "left: %s\n", trial.leak.c_str());
    std::abort();
  }
  return 0;
}
