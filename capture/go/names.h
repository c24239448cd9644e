// The names and texts for the numbers that kernel programs emit for Go programs (struct record_go).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/go/program.h"
#include "capture/go/tables.h"

namespace tailcap::capture::go {

// The thread that examines files fills it; the thread that reads the ring queries it. Views live as long as this
// object.
class Names {
 public:
  struct Handler {
    std::uint64_t address = 0;  // the function's, in the process
    std::string_view name;      // empty: not known
  };

  void add(std::uint16_t file, const Program& program, Tables tables);

  std::string_view wait_reason(std::uint16_t file, std::uint8_t number) const;
  std::string_view stop_reason(std::uint16_t file, std::uint8_t number) const;
  // The function that contains an address of the process, or that begins there if `begins` is set; empty: none, or not
  // known. number: of an anchor of the file; place: its address in the process, 0 if no loader moves the file.
  std::string_view function(std::uint16_t file, std::uint16_t number, std::uint64_t place, std::uint64_t address,
                            bool begins) const;
  // number: of the handler's place; what: address of the code of a function value, or of a type, or 0; place: the
  // place's address in the process.
  Handler handler(std::uint16_t file, std::uint16_t number, std::uint64_t what, std::uint64_t place) const;

 private:
  struct File {
    std::vector<HandlerPlace> handlers;
    std::vector<std::string> wait_reasons, stop_reasons;
    std::vector<std::uint64_t> anchors;
    symbols::FunctionNames functions;
    std::map<std::pair<std::uint16_t, std::uint64_t>, std::uint64_t>
        methods;  // functions by the handler's place and the type
  };
  const File* of(std::uint16_t file) const;
  static std::string_view name(const File& file, std::uint64_t address, bool begins);

  mutable std::mutex mutex_;
  std::map<std::uint16_t, std::unique_ptr<File>> files_;
  std::uint64_t memory_ = 0;  // of the functions of all files
};

}  // namespace tailcap::capture::go
