#include "samples/service/shop.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>

namespace tailcap::samples {
namespace {

constexpr std::uint64_t kMaxDownload = std::uint64_t{8} << 30;

// Uses CPU without touching memory or the kernel; the result keeps the compiler from removing the loop.
std::uint64_t work(int rounds) {
  std::uint64_t x = 88172645463325252u;
  for (int i = 0; i < rounds * 1000; ++i) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
  }
  return x;
}

bool starts_with(const std::string& text, std::string_view prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

Shop::Shop() {
  char name[] = "/var/tmp/tailcap-sample-ledger-XXXXXX";
  ledger_ = mkostemp(name, O_CLOEXEC | O_APPEND);
  if (ledger_ < 0) throw std::system_error(errno, std::generic_category(), "cannot make the ledger file in /var/tmp");
  unlink(name);
}

Shop::~Shop() { close(ledger_); }

void Shop::serve(const HttpRequest& request, Responder& response) {
  const auto question = request.target.find('?');
  const std::string path = request.target.substr(0, question);
  const std::string query = question == std::string::npos ? "" : request.target.substr(question + 1);
  const bool get = request.method == "GET" || request.method == "HEAD";

  if (starts_with(path, "/cart/") && (get || request.method == "DELETE"))
    cart(request, path.substr(6), response);
  else if (path == "/search" && get)
    search(query, response);
  else if (path == "/orders" && request.method == "POST")
    order(request, response);
  else if (path == "/slow" && get)
    slow(response);
  else if (path == "/restock" && request.method == "POST")
    restock(response);
  else if (path == "/report" && get)
    report(response);
  else if (path == "/stream" && get)
    stream(response);
  else if (starts_with(path, "/download/") && get)
    download(path.substr(10), response);
  else if (path == "/error" && get)
    response.whole(503, R"({"error":"out of stock"})");
  else if (path == "/orders")
    response.whole(405, R"({"error":"POST only"})", "allow: POST\r\n");
  else
    response.whole(404, R"({"error":"no such thing"})");
}

void Shop::cart(const HttpRequest& request, const std::string& id, Responder& response) {
  if (request.method == "DELETE") {
    std::lock_guard hold(carts_lock_);
    carts_.erase(id);
    response.whole(204, {});
    return;
  }
  std::string items;
  {
    std::lock_guard hold(carts_lock_);
    if (carts_.size() > 10'000) carts_.clear();
    auto [it, fresh] = carts_.try_emplace(id);
    if (fresh) it->second = R"({"id":")" + id + R"(","items":[{"sku":"tea","count":2},{"sku":"mug","count":1}]})";
    items = it->second;
  }
  const std::string tag = "\"" + std::to_string(items.size()) + "\"";
  if (request.if_none_match == tag)
    response.whole(304, items, "etag: " + tag + "\r\n");
  else
    response.whole(200, items, "etag: " + tag + "\r\n");
}

void Shop::search(const std::string& words, Responder& response) {
  // One word in a hundred is expensive.
  const std::size_t hash = std::hash<std::string>{}(words);
  const std::uint64_t found = work(hash % 100 == 0 ? 3000 : 50 + static_cast<int>(hash % 50));
  std::string body = R"({"found":[)" + std::to_string(found % 1000);
  for (std::size_t i = 0; i < hash % 40; ++i) body += "," + std::to_string(i * 7919);
  response.whole(200, body + "]}");
}

void Shop::order(const HttpRequest& request, Responder& response) {
  if (request.body_bytes == 0) {
    response.whole(400, R"({"error":"an empty order"})");
    return;
  }
  if (write(ledger_, request.body.data(), request.body.size()) < 0 || fdatasync(ledger_) < 0)
    response.whole(503, R"({"error":"the ledger cannot be written"})");
  else
    response.whole(201, R"({"accepted":)" + std::to_string(request.body_bytes) + "}");
  if (lseek(ledger_, 0, SEEK_END) > (64 << 20) && ftruncate(ledger_, 0) != 0) return;
}

void Shop::slow(Responder& response) {
  {
    std::lock_guard hold(slow_lock_);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  response.whole(200, R"({"waited":"for the one lock"})");
}

void Shop::restock(Responder& response) {
  {
    std::lock_guard hold(carts_lock_);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  response.whole(200, R"({"counted":"all shelves"})");
}

void Shop::report(Responder& response) {
  const std::uint64_t total = work(2000);
  std::string body = R"({"total":)" + std::to_string(total) + R"(,"rows":")";
  body.append(64 * 1024, 'r');
  response.whole(200, body + "\"}");
}

void Shop::stream(Responder& response) {
  response.begin_chunks(200);
  for (int i = 0; i < 5; ++i) {
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    response.chunk(R"({"piece":)" + std::to_string(i) + "}\n");
  }
  response.end_chunks();
}

void Shop::download(const std::string& bytes, Responder& response) {
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(bytes.data(), bytes.data() + bytes.size(), size);
  if (parsed.ec != std::errc{} || parsed.ptr != bytes.data() + bytes.size() || size > kMaxDownload) {
    response.whole(404, R"({"error":"how many bytes?"})");
    return;
  }
  // A sparse file in memory: zeros cost no pages until they are read.
  const int file = memfd_create("download", MFD_CLOEXEC);
  if (file < 0 || ftruncate(file, static_cast<off_t>(size)) < 0)
    response.whole(503, R"({"error":"no memory"})");
  else
    response.file(file, size);
  if (file >= 0) close(file);
}

}  // namespace tailcap::samples
