// Compresses what is written, piece by piece (RFC 1952).
#pragma once

#include <functional>
#include <memory>
#include <string_view>

namespace tailcap::exports {

class Gzip {
 public:
  explicit Gzip(std::function<void(std::string_view)> write);
  ~Gzip();
  void write(std::string_view content);
  void finish();  // once, at the end

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::exports
