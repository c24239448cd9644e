#include "tests/synth/pairs.h"

namespace tailcap::synth {
namespace {

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<Pair> make() {
  std::vector<Pair> p;
  const auto add = [&](Pair pair) { p.push_back(std::move(pair)); };
  // Plain.
  add({"get", kGet, kOk, "GET", "/", 200, 0, 2});
  add({"get without fields", "GET /x HTTP/1.1\r\n\r\n", kOk, "GET", "/x", 200, 0, 2});
  add({"query", "GET /s?q=a%20b&n=1#f HTTP/1.1\r\nHost: a\r\n\r\n", kOk, "GET", "/s?q=a%20b&n=1#f", 200, 0, 2});
  add({"post", "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", kOk, "POST", "/p", 200, 5, 2});
  add({"put empty", "PUT /p HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
       "PUT", "/p", 201, 0, 0});
  add({"no reason", kGet, "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", "GET", "/", 200, 0, 1});
  add({"reason with spaces", kGet, "HTTP/1.1 404 Not Found Here\r\nContent-Length: 1\r\n\r\nx", "GET", "/", 404, 0, 1});
  add({"own method", "PURGE /c HTTP/1.1\r\nHost: a\r\n\r\n", kOk, "PURGE", "/c", 200, 0, 2});
  add({"asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", kOk, "OPTIONS", "*", 200, 0, 2});
  add({"absolute form", "GET http://h:8/y HTTP/1.1\r\nHost: a\r\n\r\n", kOk, "GET", "http://h:8/y", 200, 0, 2});
  // No body, whatever the fields say.
  add({"head", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "HEAD", "/", 200,
       0, 0});
  add({"head chunked", "HEAD / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", "/",
       200, 0, 0});
  add({"204", kGet, "HTTP/1.1 204 No Content\r\n\r\n", "GET", "/", 204, 0, 0});
  add({"304 with length", kGet, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", "/", 304, 0, 0});
  // Chunked.
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  add({"chunked", kGet, chunked + "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "GET", "/", 200, 0, 11});
  add({"chunked empty", kGet, chunked + "0\r\n\r\n", "GET", "/", 200, 0, 0});
  add({"chunk extensions", kGet, chunked + "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "GET", "/", 200, 0, 5});
  add({"trailers", kGet, chunked + "1\r\nx\r\n0\r\nExpires: 0\r\nDigest: y\r\n\r\n", "GET", "/", 200, 0, 1});
  add({"chunk in capitals", kGet, chunked + "0A\r\n0123456789\r\n000\r\n\r\n", "GET", "/", 200, 0, 10});
  add({"body like framing", kGet, chunked + "9\r\n0\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "GET", "/", 200, 0, 9});
  add({"Chunked", kGet, "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "GET", "/", 200, 0,
       1});
  add({"gzip, chunked", kGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "GET",
       "/", 200, 0, 1});
  add({"two coding fields", kGet,
       "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "GET",
       "/", 200, 0, 1});
  add({"length and coding", kGet,
       "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "GET", "/", 200,
       0, 1});
  add({"chunked request", "POST /u HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", kOk, "POST",
       "/u", 200, 3, 2});
  add({"equal lengths", kGet, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2, 2\r\n\r\nok", "GET", "/", 200,
       0, 2});
  // Until the connection is closed.
  add({"close-delimited", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nall the rest", "GET", "/", 200,
       0, 12, true});
  add({"close-delimited empty", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\n", "GET", "/", 200, 0, 0, true});
  add({"gzip until close", kGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nzzz", "GET", "/", 200, 0, 3, true});
  add({"http/1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
       "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "GET", "/", 200, 0, 1});
  add({"connection close", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
       "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "GET", "/", 200, 0, 1});
  // Interim responses.
  add({"100", "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
       "HTTP/1.1 100 Continue\r\n\r\n" + kOk, "POST", "/", 200, 2, 2});
  add({"103", kGet, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + kOk, "GET", "/", 200, 0, 2});
  add({"several", kGet,
       "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx",
       "GET", "/", 500, 0, 1});
  // Messages that a strict parser would refuse but that occur in practice.
  add({"bare lf", "GET /lf HTTP/1.1\nHost: a\n\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", "GET", "/lf", 200, 0, 1});
  add({"folded", "GET / HTTP/1.1\r\nX-A: one\r\n two\r\n\tthree\r\nHost: a\r\n\r\n", kOk, "GET", "/", 200, 0, 2});
  add({"empty lines before", "\r\n\r\nGET / HTTP/1.1\r\n\r\n", kOk, "GET", "/", 200, 0, 2});
  add({"space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", kOk, "GET", "/", 200, 0, 2});
  add({"space in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", kOk, "GET", "/a b", 200, 0, 2});
  add({"field without value", "GET / HTTP/1.1\r\nX:\r\nY:   \r\nHost: a\r\n\r\n", kOk, "GET", "/", 200, 0, 2});
  add({"masked", "GET / HTTP/1.1\r\nAuthorization: ********\r\n\r\n",
       "HTTP/1.1 401 No\r\nSet-Cookie: *****\r\nContent-Length: 0\r\n\r\n", "GET", "/", 401, 0, 0});
  return p;
}

}  // namespace

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> all = make();
  return all;
}

}  // namespace tailcap::synth
