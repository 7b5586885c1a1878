# Writes a header with the lines of a file as strings, since one string may not be that long:
# cmake -DINPUT=data.csv -DNAME=kData -DOUTPUT=data.hpp -P EmbedText.cmake
# SPDX-License-Identifier: Apache-2.0
file(READ ${INPUT} content)
string(REGEX REPLACE "([^\n]*)\n" "    R\"text(\\1)text\",\n" lines "${content}")
cmake_path(GET INPUT FILENAME file)
file(WRITE ${OUTPUT} "// Made by cmake/EmbedText.cmake from ${file}: do not edit.\n#pragma once\n"
     "inline constexpr const char* ${NAME}[] = {\n${lines}};\n")
