#include "analyze/model/wire/exchange.h"

#include <utility>

namespace tailcap::model {

void renew(Exchange& e) {
  static_cast<ExchangeFacts&>(e) = {};
  for (std::string* const text : {&e.method, &e.target, &e.authority}) text->clear();
  for (Headers* const fields : {&e.request_headers, &e.response_headers, &e.request_trailers, &e.response_trailers})
    fields->clear();
  e.request_grpc.reset();
  e.response_grpc.reset();
  e.request_window_waits = {};
  e.response_window_waits = {};
}

void hand_over(Exchange& from, Exchange& to) {
  static_cast<ExchangeFacts&>(to) = static_cast<const ExchangeFacts&>(from);
  to.method.swap(from.method);
  to.target.swap(from.target);
  to.authority.swap(from.authority);
  to.request_headers.swap(from.request_headers);
  to.response_headers.swap(from.response_headers);
  to.request_trailers.swap(from.request_trailers);
  to.response_trailers.swap(from.response_trailers);
  to.request_grpc.swap(from.request_grpc);
  to.response_grpc.swap(from.response_grpc);
  std::swap(to.request_window_waits, from.request_window_waits);
  std::swap(to.response_window_waits, from.response_window_waits);
}

}  // namespace tailcap::model
