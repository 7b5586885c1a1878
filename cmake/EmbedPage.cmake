# Writes a header with the files of an HTML page as strings, and the hashes that its content security
# policy names: cmake -DFOLDER=reports/html -DOUTPUT=page.hpp -P EmbedPage.cmake
# SPDX-License-Identifier: Apache-2.0

# Base64 of the 32 bytes that 64 hex digits tell.
function(base64_of_hex out hex)
  set(alphabet ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  foreach(at RANGE 0 63 3)  # three hex digits are two characters
    string(SUBSTRING "${hex}00" ${at} 3 digits)
    math(EXPR high "0x${digits} >> 6")
    math(EXPR low "0x${digits} & 63")
    string(SUBSTRING ${alphabet} ${high} 1 first)
    string(SUBSTRING ${alphabet} ${low} 1 second)
    string(APPEND text ${first}${second})
  endforeach()
  string(SUBSTRING "${text}" 0 43 text)  # 256 bits are 42 characters and 4 bits of the 43rd
  set(${out} "${text}=" PARENT_SCOPE)
endfunction()

set(header "// Made by cmake/EmbedPage.cmake from reports/html/page.*: do not edit.\n#pragma once\n")
foreach(part html css js)
  file(READ ${FOLDER}/page.${part} content)
  file(SHA256 ${FOLDER}/page.${part} hex)
  base64_of_hex(hash ${hex})
  string(APPEND header "inline constexpr char kPage_${part}[] = R\"page(${content})page\";\n"
         "inline constexpr char kPageHash_${part}[] = \"sha256-${hash}\";\n")
endforeach()
file(WRITE ${OUTPUT} "${header}")
