#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Text for the files of this folder. Numbers are not left to printf, whose decimal point depends on the
// locale.

namespace weir::inline v1::detail {

/// `scaled` / 10^digits, with all digits.
inline std::string decimal(std::int64_t scaled, int digits) {
  std::uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  std::uint64_t const magnitude =
      scaled < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(scaled) : static_cast<std::uint64_t>(scaled);
  std::string text = (scaled < 0 ? "-" : "") + std::to_string(magnitude / unit);
  if (digits == 0) return text;
  std::string const fraction = std::to_string(unit + magnitude % unit);  // a leading 1 keeps the zeros
  return text + "." + fraction.substr(1);
}

/// Between quotes of JSON.
inline std::string json_text(std::string_view raw) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (char const character : raw) {
    unsigned const code = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      text += '\\';
      text += character;
    } else if (code < 0x20) {
      text += "\\u00";
      text += digits[code / 16];
      text += digits[code % 16];
    } else {
      text += character;
    }
  }
  return text;
}

/// As text or between quotes of XML, which cannot hold control characters at all.
inline std::string xml_text(std::string_view raw) {
  std::string text;
  for (char const character : raw) {
    switch (character) {
      case '&':
        text += "&amp;";
        break;
      case '<':
        text += "&lt;";
        break;
      case '>':
        text += "&gt;";
        break;
      case '"':
        text += "&quot;";
        break;
      default:
        text += static_cast<unsigned char>(character) < 0x20 ? ' ' : character;
    }
  }
  return text;
}

}  // namespace weir::inline v1::detail
