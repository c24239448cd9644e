#include "analyze/model/wire/http2_errors.h"

#include <iterator>
#include <string_view>

namespace tailcap::model {

std::string http2_error(std::uint32_t code) {
  constexpr std::string_view names[] = {"NO_ERROR",
                                        "PROTOCOL_ERROR",
                                        "INTERNAL_ERROR",
                                        "FLOW_CONTROL_ERROR",
                                        "SETTINGS_TIMEOUT",
                                        "STREAM_CLOSED",
                                        "FRAME_SIZE_ERROR",
                                        "REFUSED_STREAM",
                                        "CANCEL",
                                        "COMPRESSION_ERROR",
                                        "CONNECT_ERROR",
                                        "ENHANCE_YOUR_CALM",
                                        "INADEQUATE_SECURITY",
                                        "HTTP_1_1_REQUIRED"};
  const std::string number = std::to_string(code);
  return code < std::size(names) ? std::string(names[code]) + " (" + number + ")" : "code " + number;
}

}  // namespace tailcap::model
