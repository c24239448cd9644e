#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

void renew(Exchange& e) {
  static_cast<ExchangeFacts&>(e) = {};
  for (std::string* const text : {&e.method, &e.target, &e.authority}) text->clear();
  for (Headers* const fields : {&e.request_headers, &e.response_headers, &e.request_trailers, &e.response_trailers})
    fields->clear();
  e.request_grpc.reset();
  e.response_grpc.reset();
  e.store.reset();
  e.request_window_waits = {};
  e.response_window_waits = {};
}

}  // namespace tailcap::model
