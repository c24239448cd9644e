// HttpSender by libcurl.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
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
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, Free>;

void add(Headers& headers, const std::string& line) {
  if (line.find_first_of("\r\n") != line.npos) throw std::runtime_error("a header to send has a line break");
  curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
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
  curl_global_init(CURL_GLOBAL_DEFAULT);
  impl_->handle.reset(curl_easy_init());
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
  CURL* const curl = impl_->handle.get();
  curl_easy_reset(curl);
  char reason[CURL_ERROR_SIZE] = {};
  Answer answer{{}, impl_->endpoint.most_answer};
  const std::string url = impl_->endpoint.url + std::string(path);
  const Endpoint& to = impl_->endpoint;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
  if (!to.certificate.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, to.certificate.c_str());
  if (!to.client_certificate.empty()) curl_easy_setopt(curl, CURLOPT_SSLCERT, to.client_certificate.c_str());
  if (!to.client_key.empty()) curl_easy_setopt(curl, CURLOPT_SSLKEY, to.client_key.c_str());
  std::chrono::milliseconds pause = kFirstPause;
  for (int n = 1;; ++n, pause *= 2) {
    answer.text.clear();
    const CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_off_t asked = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &asked);
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
    std::string why = code != CURLE_OK ? (*reason ? reason : curl_easy_strerror(code))
                                       : "it answered with status " + std::to_string(status);
    if (code == CURLE_OK && to.try_errors_again) why += ": " + answer.text.substr(0, kMostWords);
    throw std::runtime_error("cannot send to " + formats::printable(to.url) + ": " + formats::printable(why) +
                             (n > 1 ? ", " + std::to_string(n) + " times." : "."));
  }
}

}  // namespace tailcap::exports
