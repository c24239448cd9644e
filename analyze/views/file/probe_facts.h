// The probes that the recorder placed in functions of libraries and programs, for `tailcap info`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/recorder_event.h"

namespace tailcap::views {

class ProbeFacts {
 public:
  // Events repeat a probe; each place counts once.
  void push(const formats::Probe& probe);

  bool empty() const { return files_.empty(); }
  std::size_t attached() const { return attached_; }  // places
  std::vector<std::string> lines() const;             // for people: a line per file; a place each is in listed()

  // A place, or a function without one; printable.
  struct Listed {
    std::string path, function, reason;
    std::optional<std::string> place;
    std::optional<std::uint64_t> offset;
    std::uint32_t price = 0;  // ns a hit; 0: not attached
  };
  std::vector<Listed> listed() const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::string text;
    std::uint32_t price = 0;
    bool operator==(const Place&) const = default;
  };
  struct Function {
    std::string name;
    std::vector<Place> places;
    std::string reason;
  };
  static constexpr std::size_t kMaxPlaces = 65536;  // a capture is untrusted input

  std::map<std::string, std::vector<Function>> files_;  // functions in the order of their events
  std::size_t attached_ = 0, known_ = 0;
};

}  // namespace tailcap::views
