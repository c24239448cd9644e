// Names of fields that everybody knows, and whose values are masked.
#pragma once

#include <array>
#include <string_view>

namespace tailcap::ground {

inline constexpr auto kMaskedFields = std::to_array<std::string_view>({
    "authorization",
    "baggage",
    "cookie",
    "etag",
    "forwarded",
    "if-match",
    "if-none-match",
    "link",
    "location",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "referer",
    "sec-websocket-accept",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "set-cookie",
    "strict-transport-security",
    "www-authenticate",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
});

}  // namespace tailcap::ground
