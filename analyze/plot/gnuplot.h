// Runs gnuplot on a script and collects what it wrote.
#pragma once

#include <string>

namespace tailcap::plot {

// A directory of our own that disappears with everything in it.
class Workplace {
 public:
  Workplace();  // throws std::system_error
  ~Workplace();
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Empty: done. Otherwise why not, in a sentence, with gnuplot's own words.
std::string run_gnuplot(const std::string& script, const Workplace& place);

}  // namespace tailcap::plot
