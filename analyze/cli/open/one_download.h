// Hands one file to a page in the browser of this machine: an HTTP server on the loopback interface that ends when the
// file was fetched.
#pragma once

#include <cstdint>
#include <string>

#include "formats/time.h"

namespace tailcap::cli {

class OneDownload {
 public:
  // Listens at 127.0.0.1:port. `origin` is the page that may read it, like "https://ui.perfetto.dev". Throws
  // std::runtime_error where the port is taken.
  OneDownload(std::uint16_t port, std::string file, std::string name, std::string origin);
  ~OneDownload();
  OneDownload(const OneDownload&) = delete;
  OneDownload& operator=(const OneDownload&) = delete;

  // Only who knows it gets the file: it cannot be guessed.
  const std::string& url() const { return url_; }
  // Waits for the one download, and gives others an answer without it. False: none within this time, or a signal came.
  bool serve(formats::Duration patience);

 private:
  // True: it has got the whole file.
  bool answer(int peer);
  bool send_file(int peer, bool body);

  const std::string file_, origin_;
  std::string path_, url_;
  int listening_ = -1;
};

}  // namespace tailcap::cli
