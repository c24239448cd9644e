// The options of a command line, as they were written.
#pragma once

#include <boost/program_options/variables_map.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture/options/options.h"

namespace tailcap::capture {

class Given {
 public:
  using Texts = std::vector<std::string>;

  // argc: without the command to record. Throws UsageError.
  Given(int argc, char** argv);
  bool has(const char* option) const { return values_.count(option) > 0; }
  // Empty: it was not given.
  std::string text(const char* option) const { return has(option) ? values_[option].as<std::string>() : std::string(); }
  Texts texts(const char* option) const { return has(option) ? values_[option].as<Texts>() : Texts{}; }

 private:
  boost::program_options::variables_map values_;
};

// what: in the message of the UsageError, like "a port".
template <class T>
T number(const std::string& text, const char* what, std::uint64_t least, std::uint64_t most) {
  std::size_t used = 0;
  std::uint64_t value = 0;
  try {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9') value = std::stoull(text, &used);
  } catch (const std::out_of_range&) {
    used = 0;
  }
  if (used == 0 || used != text.size() || value < least || value > most)
    throw UsageError("'" + text + "' is not " + what + " (" + std::to_string(least) + " to " + std::to_string(most) +
                     ")");
  return static_cast<T>(value);
}

}  // namespace tailcap::capture
