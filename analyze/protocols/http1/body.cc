#include "analyze/protocols/http1/body.h"

namespace tailcap::protocols {

BodyRule request_body(const Framing& f) {
  if (f.chunked) return {BodyFraming::chunked, 0};
  // A coding that does not end in chunked cannot be framed in a request; neither can contradictory lengths.
  if (f.other_coding || f.contradictory) return {BodyFraming::unknown, 0};
  return f.length ? BodyRule{BodyFraming::length, *f.length} : BodyRule{};
}

BodyRule response_body(const Framing& f, int status, const AnsweredRequest& q) {
  if (status < 200 || status == 204 || status == 304 || q.head) return {};
  if (q.connect && status < 300) return {};
  if (f.chunked) return {BodyFraming::chunked, 0};
  if (f.other_coding) return {BodyFraming::until_close, 0};
  if (f.contradictory) return {BodyFraming::unknown, 0};
  return f.length ? BodyRule{BodyFraming::length, *f.length} : BodyRule{BodyFraming::until_close, 0};
}

}  // namespace tailcap::protocols
