// HttpSender by libcurl, which is loaded where something is sent: it brings 26 libraries along, and they would take a
// third of the time in which every command starts.
#include <curl/curl.h>
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "analyze/export/gzip.h"
#include "analyze/export/http.h"
#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using namespace std::chrono_literals;

constexpr int kTries = 5;
constexpr auto kFirstPause = 1s, kLongestPause = 30s;
constexpr long kConnectSeconds = 10, kSeconds = 120;
constexpr std::size_t kMostWords = 300;  // of an error's answer that are shown

struct Curl {
  decltype(&curl_global_init) global_init;
  decltype(&curl_easy_init) easy_init;
  decltype(&curl_easy_reset) easy_reset;
  decltype(&curl_easy_setopt) easy_setopt;
  decltype(&curl_easy_perform) easy_perform;
  decltype(&curl_easy_getinfo) easy_getinfo;
  decltype(&curl_easy_strerror) easy_strerror;
  decltype(&curl_easy_cleanup) easy_cleanup;
  decltype(&curl_slist_append) slist_append;
  decltype(&curl_slist_free_all) slist_free_all;
};

constexpr const char* kLibrary = "libcurl.so.4";

[[noreturn]] void unusable() {
  throw std::runtime_error(std::string("nothing can be sent without libcurl (Debian's package is libcurl4): ") +
                           dlerror());
}

struct Library {
  void* handle = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);

  template <class Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    if (function == nullptr) unusable();
  }
};

Curl load() {
  const Library library;
  if (library.handle == nullptr) unusable();
  Curl out{};
  library.find(out.global_init, "curl_global_init");
  library.find(out.easy_init, "curl_easy_init");
  library.find(out.easy_reset, "curl_easy_reset");
  library.find(out.easy_setopt, "curl_easy_setopt");
  library.find(out.easy_perform, "curl_easy_perform");
  library.find(out.easy_getinfo, "curl_easy_getinfo");
  library.find(out.easy_strerror, "curl_easy_strerror");
  library.find(out.easy_cleanup, "curl_easy_cleanup");
  library.find(out.slist_append, "curl_slist_append");
  library.find(out.slist_free_all, "curl_slist_free_all");
  out.global_init(CURL_GLOBAL_DEFAULT);
  return out;
}

// The same for all. Throws std::runtime_error where this machine has no libcurl.
const Curl& curl() {
  static const Curl loaded = load();
  return loaded;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = high >= 0 ? digit(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

// Worth another try.
bool passing(CURLcode code, long status, bool errors) {
  if (code != CURLE_OK)
    return code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || code == CURLE_GOT_NOTHING ||
           code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR;
  return (errors && status == 500) || status == 429 || status == 502 || status == 503 || status == 504;
}

struct Answer {
  std::string text;
  std::size_t most;
};

std::size_t keep(char* data, std::size_t size, std::size_t count, void* to) {
  auto& answer = *static_cast<Answer*>(to);
  answer.text.append(data, std::min(size * count, answer.most - std::min(answer.most, answer.text.size())));
  return size * count;
}

struct Free {
  void operator()(CURL* handle) const { curl().easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl().slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, Free>;

void add(Headers& headers, const std::string& line) {
  if (line.find_first_of("\r\n") != line.npos) throw std::runtime_error("a header to send has a line break");
  curl_slist* const longer = curl().slist_append(headers.get(), line.c_str());
  if (!longer) throw std::bad_alloc();
  static_cast<void>(headers.release());
  headers.reset(longer);
}

}  // namespace

struct HttpSender::Impl {
  Endpoint endpoint;
  std::unique_ptr<CURL, Free> handle;
  std::vector<std::string> headers;
};

HttpSender::HttpSender(const Endpoint& endpoint) : impl_(std::make_unique<Impl>()) {
  if (!endpoint.url.starts_with("http://") && !endpoint.url.starts_with("https://"))
    throw std::runtime_error("an endpoint begins with http:// or https://, not '" + formats::printable(endpoint.url) +
                             "'");
  impl_->endpoint = endpoint;
  for (std::string_view rest = endpoint.headers; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto sign = pair.find('=');
    if (sign == pair.npos || sign == 0)
      throw std::runtime_error("OTEL_EXPORTER_OTLP_HEADERS is a list of key=value, separated by commas");
    impl_->headers.push_back(std::string(pair.substr(0, sign)) + ": " + decoded(pair.substr(sign + 1)));
  }
  impl_->handle.reset(curl().easy_init());
  if (!impl_->handle) throw std::runtime_error("libcurl cannot be used");
}

HttpSender::~HttpSender() = default;

std::string HttpSender::post(std::string_view content, const char* content_type, std::string_view path) {
  std::string body;
  Gzip gzip([&](std::string_view piece) { body += piece; });
  gzip.write(content);
  gzip.finish();
  Headers headers;
  add(headers, std::string("Content-Type: ") + content_type);
  add(headers, "Content-Encoding: gzip");
  add(headers, "Expect:");
  for (const std::string& line : impl_->headers) add(headers, line);
  const Curl& api = curl();
  CURL* const handle = impl_->handle.get();
  api.easy_reset(handle);
  char reason[CURL_ERROR_SIZE] = {};
  Answer answer{{}, impl_->endpoint.most_answer};
  const std::string url = impl_->endpoint.url + std::string(path);
  const Endpoint& to = impl_->endpoint;
  api.easy_setopt(handle, CURLOPT_URL, url.c_str());
  api.easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  api.easy_setopt(handle, CURLOPT_POSTFIELDS, body.data());
  api.easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  api.easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  api.easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  api.easy_setopt(handle, CURLOPT_TIMEOUT, kSeconds);
  api.easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  api.easy_setopt(handle, CURLOPT_ERRORBUFFER, reason);
  api.easy_setopt(handle, CURLOPT_WRITEFUNCTION, keep);
  api.easy_setopt(handle, CURLOPT_WRITEDATA, &answer);
  if (!to.certificate.empty()) api.easy_setopt(handle, CURLOPT_CAINFO, to.certificate.c_str());
  if (!to.client_certificate.empty()) api.easy_setopt(handle, CURLOPT_SSLCERT, to.client_certificate.c_str());
  if (!to.client_key.empty()) api.easy_setopt(handle, CURLOPT_SSLKEY, to.client_key.c_str());
  std::chrono::milliseconds pause = kFirstPause;
  for (int n = 1;; ++n, pause *= 2) {
    answer.text.clear();
    const CURLcode code = api.easy_perform(handle);
    long status = 0;
    curl_off_t asked = 0;
    api.easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    api.easy_getinfo(handle, CURLINFO_RETRY_AFTER, &asked);
    if (code == CURLE_OK && status >= 200 && status < 300) {
      if (to.try_errors_again && answer.text.size() == answer.most)
        throw std::runtime_error("the answer of " + formats::printable(to.url) + " has more than " +
                                 std::to_string(answer.most >> 20) + " MiB.");
      return std::move(answer.text);
    }
    if (n < kTries && passing(code, status, to.try_errors_again)) {
      const std::chrono::milliseconds wanted =
          asked > 0 ? std::chrono::seconds{std::min<curl_off_t>(asked, 30)} : pause;
      std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(wanted, kLongestPause));
      continue;
    }
    std::string why = code != CURLE_OK ? (*reason ? reason : api.easy_strerror(code))
                                       : "it answered with status " + std::to_string(status);
    if (code == CURLE_OK && to.try_errors_again) why += ": " + answer.text.substr(0, kMostWords);
    throw std::runtime_error("cannot send to " + formats::printable(to.url) + ": " + formats::printable(why) +
                             (n > 1 ? ", " + std::to_string(n) + " times." : "."));
  }
}

}  // namespace tailcap::exports
