#include "tests/lab/service/truth.h"

#include <unistd.h>

#include <fstream>

namespace tailcap::lab {

void Truth::note(const Request& r, std::int64_t begun_ns, std::int64_t injected_ns, std::int64_t done_ns, int status) {
  std::string line = "{\"id\":\"" + r.id + "\",\"path\":\"" + r.path + "\",\"tid\":" + std::to_string(gettid()) +
                     ",\"read_ns\":" + std::to_string(r.read_ns) + ",\"begun_ns\":" + std::to_string(begun_ns) +
                     ",\"done_ns\":" + std::to_string(done_ns) + ",\"injected_ns\":" + std::to_string(injected_ns) +
                     ",\"status\":" + std::to_string(status) + "}\n";
  const std::lock_guard hold(lock_);
  lines_ += line;
}

void Truth::write(const std::string& file) {
  const std::lock_guard hold(lock_);
  std::ofstream(file) << lines_;
}

}  // namespace tailcap::lab
