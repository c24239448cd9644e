// The sample service: a small shop with routes that are slow for different reasons.
//
//   GET    /cart/{id}          fast: a look into a shared table; ETag, 304
//   DELETE /cart/{id}          204
//   GET    /search?q=WORDS     CPU, now and then a lot of it
//   POST   /orders             reads a body, appends to the ledger file and syncs it: disk; 201
//   GET    /slow               holds one lock for 2 ms: with several at a time, lock contention
//   POST   /restock            counts the shelves while it holds the lock of the carts for 100 ms
//   GET    /report             CPU, then 64 KiB of body
//   GET    /stream             chunked, in five pieces 2 ms apart
//   GET    /download/{bytes}   sendfile
//   GET    /error              503
//   HEAD works everywhere GET does; everything else is 404 or 405.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "samples/service/http.h"
#include "samples/service/responder.h"

namespace tailcap::samples {

class Shop {
 public:
  // Throws std::system_error if the ledger file cannot be created.
  Shop();
  ~Shop();
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  // Thread-safe; one response for one request.
  void serve(const HttpRequest& request, Responder& response);

 private:
  void cart(const HttpRequest& request, const std::string& id, Responder& response);
  void search(const std::string& words, Responder& response);
  void order(const HttpRequest& request, Responder& response);
  void slow(Responder& response);
  void restock(Responder& response);
  void report(Responder& response);
  void stream(Responder& response);
  void download(const std::string& bytes, Responder& response);

  std::mutex carts_lock_;
  std::map<std::string, std::string> carts_;
  std::mutex slow_lock_;
  int ledger_ = -1;  // removed from its directory at once, so that no file remains
};

}  // namespace tailcap::samples
